//! `meridian diff`, and the life of a published map: publish, drafts, approve,
//! withdraw, rollback, history.

use super::api::Gateway;
use super::project;
use clap::{Args, ValueEnum};
use meridian::config::Config;
use meridian::regions::shown;
use meridian::report::diff;
use meridian::report::replay::{Page, Replay};
use serde::Serialize;
use serde_json::{json, Value};

/// What an edit changes.
#[derive(Debug, Args)]
pub struct Diff {
    /// The git revision to compare the files here with.
    #[arg(default_value = "HEAD")]
    revision: String,
    /// Compare with the map that is in force at a gateway instead.
    #[arg(long, conflicts_with = "revision")]
    in_force: bool,
    /// Write Markdown, for a pull request.
    #[arg(long)]
    markdown: bool,
    /// Print JSON.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Fail if there is such a change.
    #[arg(long, value_name = "WHAT")]
    fail_on: Option<FailOn>,
    /// Decide the gateway's recorded requests once more by the files here.
    #[arg(long)]
    replay: bool,
    /// How many days back to replay.
    #[arg(long, default_value_t = 7)]
    days: u64,
    #[command(flatten)]
    gateway: Gateway,
}

/// What a comparison may fail on.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailOn {
    /// Anything that makes the map weaker.
    Weaker,
    /// Anything at all.
    Any,
}

/// `meridian diff`.
pub fn diff(options: &Diff) -> Result<(), String> {
    let new = project::load()?;
    let old = match options.in_force {
        true => in_force(&options.gateway, &new)?,
        false => project::load_at(&options.revision)?,
    };
    let diff = diff::diff(&old, &new);
    let replay = match options.replay {
        true => Some(replay(&options.gateway, &old, &new, options.days)?),
        false => None,
    };
    if options.json {
        let reply = json!({"diff": diff, "replay": replay});
        println!(
            "{}",
            serde_json::to_string_pretty(&reply).map_err(|e| e.to_string())?
        );
    } else if options.markdown {
        print!("{}", diff.markdown());
        if let Some(replay) = &replay {
            print!(
                "\n### The last {} days once more\n\n{}",
                options.days,
                replay.words("- ")
            );
        }
    } else {
        print!("{}", diff.words());
        if let Some(replay) = &replay {
            print!(
                "\nThe last {} days once more\n\n{}",
                options.days,
                replay.words("  ")
            );
        }
    }
    match options.fail_on {
        Some(FailOn::Weaker) if diff.weaker() => Err("the map becomes weaker".to_owned()),
        Some(FailOn::Any) if !diff.changes.is_empty() => Err("the map changes".to_owned()),
        _ => Ok(()),
    }
}

/// The configuration in force at a gateway: its map, with the aliases and
/// prices here.
fn in_force(gateway: &Gateway, here: &Config) -> Result<Config, String> {
    let reply = gateway.get("map")?;
    let map = reply.get("map").cloned().unwrap_or_default();
    let regions =
        serde_json::from_value(map).map_err(|e| format!("the map in force cannot be read: {e}"))?;
    Ok(Config {
        regions,
        gateway: here.gateway.clone(),
        prices: here.prices.clone(),
    })
}

fn replay(gateway: &Gateway, old: &Config, new: &Config, days: u64) -> Result<Replay, String> {
    let until = project::now_ms();
    let from = until.saturating_sub(days * 86_400_000);
    let mut replay = Replay::default();
    let mut cursor: Option<String> = None;
    loop {
        let after = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
        let page = gateway.get(&format!("requests?from={from}&until={until}{after}"))?;
        let page: Page = serde_json::from_value(page)
            .map_err(|e| format!("the recorded requests cannot be read: {e}"))?;
        page.groups
            .iter()
            .for_each(|group| replay.take(old, new, group));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(replay);
        }
    }
}

/// `meridian map`.
pub fn print(revision: Option<&str>) -> Result<(), String> {
    let config = match revision {
        Some(revision) => project::load_at(revision)?,
        None => project::load()?,
    };
    print_json(&config.regions)
}

/// `meridian config`.
pub fn config() -> Result<(), String> {
    print_json(&project::load_on(project::NO_DAY)?)
}

fn print_json(value: &impl Serialize) -> Result<(), String> {
    println!(
        "{}",
        serde_json::to_string(value).map_err(|e| e.to_string())?
    );
    Ok(())
}

/// A reason, and which gateway.
#[derive(Debug, Args)]
pub struct Because {
    /// Why: it goes into the audit log.
    #[arg(long)]
    why: String,
    #[command(flatten)]
    gateway: Gateway,
}

/// Proposes the files here as the map to be in force.
#[derive(Debug, Args)]
pub struct Publish {
    #[command(flatten)]
    because: Because,
}

/// `meridian publish`.
pub fn publish(options: &Publish) -> Result<(), String> {
    let config = project::load()?;
    let gateway = &options.because.gateway;
    let base = gateway.get("map")?;
    let base = base
        .get("version")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let proposal = json!({"map": config.regions, "why": options.because.why, "base": base});
    let reply = gateway.post("drafts", &proposal)?;
    let id = text(&reply, "/draft/id");
    println!("{}", text(&reply, "/words"));
    warnings(&reply);
    println!("This is draft {id}. Nothing is in force yet: somebody else with the role compliance runs\n");
    println!("    meridian drafts {id} --replay\n    meridian approve {id}");
    println!("\nand approves map {}", text(&reply, "/draft/version"));
    Ok(())
}

fn warnings(reply: &Value) {
    let findings = reply.get("findings").and_then(Value::as_array);
    for finding in findings.into_iter().flatten() {
        println!("! {} [{}]", text(finding, "/what"), text(finding, "/rule"));
    }
}

/// A text in an answer.
pub fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// One draft or all of them.
#[derive(Debug, Args)]
pub struct Drafts {
    /// The draft to show, with what it changes.
    id: Option<String>,
    /// Decide the recorded requests once more by it.
    #[arg(long, requires = "id")]
    replay: bool,
    /// How many days back to replay.
    #[arg(long, default_value_t = 7)]
    days: u64,
    #[command(flatten)]
    gateway: Gateway,
}

/// `meridian drafts`.
pub fn drafts(options: &Drafts) -> Result<(), String> {
    let Some(id) = &options.id else {
        let reply = options.gateway.get("drafts")?;
        let drafts = reply.get("drafts").and_then(Value::as_array);
        for draft in drafts.into_iter().flatten() {
            line(draft);
        }
        return Ok(());
    };
    let reply = options.gateway.get(&format!("drafts/{id}"))?;
    show(&reply);
    if options.replay {
        let reply = options
            .gateway
            .get(&format!("drafts/{id}/replay?days={}", options.days))?;
        println!(
            "The last {} days once more\n\n{}",
            options.days,
            text(&reply, "/words")
        );
        if reply.get("whole") == Some(&Value::Bool(false)) {
            println!("  (only the earliest part of them: `meridian diff --in-force --replay` goes through all)");
        }
    }
    Ok(())
}

fn line(draft: &Value) {
    let at = draft.get("at").and_then(Value::as_u64).unwrap_or_default();
    let decided = match text(draft, "/decided_by") {
        "" => String::new(),
        who => format!(" by {who}"),
    };
    println!(
        "{}  {}  map {}  {}{decided}  {}: {}",
        text(draft, "/id"),
        project::time(at),
        shown(text(draft, "/version")),
        text(draft, "/state"),
        text(draft, "/author"),
        text(draft, "/why")
    );
}

/// A draft, and what it changes.
pub fn show(reply: &Value) {
    line(reply.get("draft").unwrap_or(&Value::Null));
    println!("\n{}", text(reply, "/words"));
    warnings(reply);
    println!("The digest of its map is {}", text(reply, "/draft/version"));
}

/// A draft to withdraw.
#[derive(Debug, Args)]
pub struct Withdraw {
    /// The draft's id.
    id: String,
    #[command(flatten)]
    because: Because,
}

/// Says which map is in force now.
pub fn in_force_now(reply: &Value) {
    println!(
        "Map {} is in force here now, and everywhere within a minute.",
        shown(text(reply, "/version"))
    );
}

/// `meridian withdraw`.
pub fn withdraw(options: &Withdraw) -> Result<(), String> {
    options.because.gateway.post(
        &format!("drafts/{}/withdraw", options.id),
        &json!({"why": options.because.why}),
    )?;
    println!("Draft {} is withdrawn.", options.id);
    Ok(())
}

/// Which map to go back to.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The version or its first twelve digits, or `built-in` for the deployment's own; without it the one
    /// that was in force before.
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    #[command(flatten)]
    because: Because,
}

/// `meridian rollback`.
pub fn rollback(options: &Rollback) -> Result<(), String> {
    let body = json!({"why": options.because.why, "to": options.to});
    let reply = options.because.gateway.post("rollback", &body)?;
    let draft = text(&reply, "/draft/id");
    if draft.is_empty() {
        in_force_now(&reply);
        return Ok(());
    }
    println!("{}", text(&reply, "/words"));
    println!("By this rollback records would be deleted that are kept now, so it takes a second person. Nothing is in force yet: somebody else with the role compliance runs\n");
    println!("    meridian approve {draft}");
    println!("\nand approves map {}", text(&reply, "/draft/version"));
    Ok(())
}

/// `meridian history`.
pub fn history(gateway: &Gateway) -> Result<(), String> {
    let reply = gateway.get("history")?;
    println!(
        "in force: {}   built in: {}",
        shown(text(&reply, "/in_force")),
        shown(text(&reply, "/built_in"))
    );
    let entries = reply.get("history").and_then(Value::as_array);
    for entry in entries.into_iter().flatten() {
        let at = entry.get("at").and_then(Value::as_u64).unwrap_or_default();
        println!(
            "{}  map {}  {} by {}: {}",
            project::time(at),
            shown(text(entry, "/version")),
            text(entry, "/action"),
            text(entry, "/who"),
            text(entry, "/why")
        );
    }
    Ok(())
}
