//! The project's configuration, from its files or from a revision in git.

use meridian::config::{self, Config, Files, Outcome};
use meridian::regions::finding::Severity;
use meridian::regions::problem::Problem;
use meridian::units::Millis;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// The time, RFC 3339 in UTC.
pub fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// The time, milliseconds since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// A moment as people write it.
pub fn time(at: u64) -> String {
    Millis(at).rfc3339()
}

/// For a check that leaves out what a date makes wrong: a build does not age.
pub const NO_DAY: &str = "9999-12-31";

const EGRESS: &str = "regions/egress.toml";

const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Random bytes.
pub fn random_bytes(length: usize) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(|e| format!("no randomness: {e}"))?;
    Ok(bytes)
}

/// Random letters and digits.
pub fn random_text(length: usize) -> Result<String, String> {
    let bytes = random_bytes(length)?;
    let letters = bytes
        .iter()
        .filter_map(|b| LETTERS.get(usize::from(b & 31)));
    Ok(letters.map(|letter| char::from(*letter)).collect())
}

/// The day, `YYYY-MM-DD`.
pub fn today() -> String {
    now().chars().take(10).collect()
}

/// Reads the files in this folder, with everything that is wrong with them.
pub fn read() -> Result<Outcome, String> {
    read_on(&today())
}

fn read_on(day: &str) -> Result<Outcome, String> {
    let files = Files::load(Path::new("."))
        .map_err(|e| format!("{e}; run this in the project's folder"))?;
    Ok(config::read(&files, day))
}

/// The configuration of this folder, if it checks.
pub fn load() -> Result<Config, String> {
    load_on(&today())
}

/// The configuration of this folder, if it checks on a day.
pub fn load_on(day: &str) -> Result<Config, String> {
    read_on(day)?
        .checked()
        .map_err(|problems| errors(&problems))
}

/// The errors among problems, a line each.
fn errors(problems: &[Problem]) -> String {
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    let lines: Vec<String> = errors.map(ToString::to_string).collect();
    lines.join("\n✗ ")
}

/// The configuration as it was in a revision.
pub fn load_at(revision: &str) -> Result<Config, String> {
    let git = |arguments: &[&str]| -> io::Result<String> {
        let done = Command::new("git").args(arguments).output()?;
        match done.status.success() {
            true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
            false => Err(io::Error::other(
                String::from_utf8_lossy(&done.stderr).trim().to_owned(),
            )),
        }
    };
    let text = |name: &str| match git(&["show", &format!("{revision}:./{name}")]) {
        // Revisions before there were rules of egress do not have the file.
        Err(_) if name == EGRESS => Ok(String::new()),
        text => text,
    };
    let names = |folder: &str| {
        let listed = git(&["ls-tree", "--name-only", revision, &format!("{folder}/")])?;
        let name = |line: &str| line.rsplit('/').next().unwrap_or(line).to_owned();
        Ok(listed.lines().map(name).collect())
    };
    let files = Files::from(&text, &names).map_err(|e| format!("{revision}: {e}"))?;
    config::read(&files, &today())
        .checked()
        .map_err(|problems| {
            format!(
                "the configuration of {revision} does not check:\n✗ {}",
                errors(&problems)
            )
        })
}
