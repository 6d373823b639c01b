//! Running wrangler, which knows how to log in to Cloudflare and which
//! environment is which.

use meridian::publish::Pointer;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Runs it with these arguments; what it prints.
pub fn run(arguments: &[&str]) -> Result<String, String> {
    let program = Path::new("node_modules/.bin/wrangler");
    if !program.exists() {
        return Err(
            "wrangler is not installed here: run this in the project's folder, after `npm ci`"
                .into(),
        );
    }
    let mut command = Command::new(program);
    command.args(arguments);
    // wrangler wants a newer Node than many machines have; the project brings one.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("node_modules/.bin:{path}"));
    let done = command
        .output()
        .map_err(|e| format!("wrangler could not be started: {e}"))?;
    match done.status.success() {
        true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
        false => Err(format!(
            "wrangler failed:\n{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        )),
    }
}

#[derive(Deserialize)]
struct Secret {
    name: String,
}

/// The names of the secrets that are set in an environment.
pub fn secrets(env: &str) -> Result<BTreeSet<String>, String> {
    let text = run(&["secret", "list", "--env", env, "--format", "json"])?;
    let start = text
        .find('[')
        .ok_or("wrangler printed no list of secrets")?;
    let list: Vec<Secret> = serde_json::from_str(text.get(start..).unwrap_or_default())
        .map_err(|e| format!("wrangler's list of secrets cannot be read: {e}"))?;
    Ok(list.into_iter().map(|secret| secret.name).collect())
}

/// The version of the map that is in force by publishing, if one ever was.
pub fn published(env: &str) -> Option<String> {
    let get = [
        "kv",
        "key",
        "get",
        "map:current",
        "--binding",
        "KEYS",
        "--env",
        env,
        "--remote",
        "--text",
    ];
    let text = run(&get).ok()?;
    let pointer: Pointer = serde_json::from_str(text.get(text.find('{')?..)?).ok()?;
    pointer.versions.into_iter().next()
}
