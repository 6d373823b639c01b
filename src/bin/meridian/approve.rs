//! `meridian approve`: the draft, what it changes and its digest are shown, and
//! it is this digest that is approved.

use super::api::Gateway;
use super::maps::{in_force_now, show, text};
use clap::Args;
use serde_json::json;
use std::io::{IsTerminal, Write};

/// A draft to approve.
#[derive(Debug, Args)]
pub struct Approve {
    /// The draft's id.
    id: String,
    /// The digest of the map that is meant, as `meridian drafts ID` shows it.
    /// Without it you are shown the draft and asked.
    #[arg(long)]
    digest: Option<String>,
    /// Why; the draft's own reason, if none is given.
    #[arg(long, default_value = "")]
    why: String,
    #[command(flatten)]
    gateway: Gateway,
}

/// `meridian approve`.
pub fn approve(options: &Approve) -> Result<(), String> {
    let draft = format!("drafts/{}", options.id);
    loop {
        let reply = options.gateway.get(&draft)?;
        show(&reply);
        let digest = text(&reply, "/draft/version");
        match &options.digest {
            Some(meant) if meant == digest => {}
            Some(meant) => {
                return Err(format!(
                    "draft {} proposes map {digest}, and not {meant}: nothing is approved",
                    options.id
                ))
            }
            None => asked(digest)?,
        }
        let body = json!({"why": options.why, "digest": digest});
        match options.gateway.post(&format!("{draft}/approve"), &body) {
            Ok(reply) => {
                in_force_now(&reply);
                return Ok(());
            }
            // It changed meanwhile: look again.
            Err(error) => match options.gateway.get(&draft) {
                Ok(now) if text(&now, "/draft/version") != digest => eprintln!("! {error}\n"),
                _ => return Err(error),
            },
        }
    }
}

/// Asks whether this map is meant.
fn asked(digest: &str) -> Result<(), String> {
    let nothing = |why: &str| Err(format!("{why}: nothing is approved"));
    if !std::io::stdin().is_terminal() {
        return nothing(&format!("say which map you mean, with --digest {digest}"));
    }
    print!("\nIs this the map that shall be in force? Type yes: ");
    let mut answer = String::new();
    let read = std::io::stdout().flush();
    let read = read.and_then(|()| std::io::stdin().read_line(&mut answer));
    match read {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        _ => nothing("you did not say yes"),
    }
}
