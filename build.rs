//! Reads, checks and embeds the configuration. A region map that does not
//! validate does not build, and the worker carries no TOML parser.

#![allow(dead_code, missing_docs, unused_imports)]

#[path = "src/config/mod.rs"]
mod config;
#[path = "src/regions/mod.rs"]
mod regions;
#[path = "src/units.rs"]
mod units;

use regions::finding::Severity;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

fn main() {
    for watched in ["regions", "gateway.toml", "prices.toml"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    if let Err(problem) = embed(&root, &out.join("config.json")) {
        eprintln!("{problem}");
        process::exit(1);
    }
}

fn embed(root: &Path, out: &Path) -> Result<(), String> {
    let files = config::Files::load(root).map_err(|e| e.to_string())?;
    // What a date makes wrong is for `meridian check`: a build does not age.
    let config = config::read(&files, "9999-12-31")
        .checked()
        .map_err(|problems| {
            let errors = problems
                .iter()
                .filter(|problem| problem.severity == Severity::Error);
            let lines: Vec<String> = errors.map(ToString::to_string).collect();
            format!("the configuration does not check:\n{}", lines.join("\n"))
        })?;
    let json = serde_json::to_string(&config).map_err(|e| e.to_string())?;
    fs::write(out, json).map_err(|e| e.to_string())
}
