//! Running wrangler, which knows how to log in to Cloudflare and which
//! environment is which.

use meridian::admin::publish::Pointer;
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

/// The URL of an environment: its route in wrangler.toml.
pub fn url_of(env: &str) -> Result<String, String> {
    let text = std::fs::read_to_string("wrangler.toml")
        .map_err(|e| format!("cannot read wrangler.toml: {e}; run this in the project's folder"))?;
    let config: toml::Table =
        toml::from_str(&text).map_err(|e| format!("wrangler.toml is no TOML: {e}"))?;
    let envs = config.get("env").and_then(toml::Value::as_table);
    let Some(found) = envs.and_then(|envs| envs.get(env)) else {
        let names: Vec<&str> = envs
            .into_iter()
            .flat_map(|envs| envs.keys().map(String::as_str))
            .collect();
        return Err(format!(
            "there is no environment {env} in wrangler.toml; there are: {}",
            names.join(", ")
        ));
    };
    let routes = found.get("routes").and_then(toml::Value::as_array);
    let first = routes.and_then(|routes| routes.first()?.get("pattern")?.as_str());
    match first.map(|pattern| pattern.trim_end_matches("/*")) {
        Some(host) if !host.contains("create-me") => Ok(format!("https://{host}")),
        Some(host) => Err(format!("the route of {env} in wrangler.toml is still to be filled in ({host}): say --url instead")),
        None => Err(format!("{env} has no route in wrangler.toml: say --url instead")),
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
