//! `meridian models update`: what public catalogues of models have that the map,
//! the price book and the aliases have not, as edits for somebody to review.

mod additions;
mod age;
mod catalogue;
mod decimal;
mod edit;
mod endings;
mod fresh;
mod map_model;
mod name;
mod only;
mod patch;
mod prices;
mod proposal;
mod seller;
mod summary;

use super::project;
use catalogue::Catalogue;
use clap::{Args, Subcommand};
use edit::{apply, Edit, Files};
use meridian::config::{self, Config};
use meridian::regions::finding::Severity;
use meridian::regions::problem::Problem;
use only::Only;
use proposal::Proposal;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// The folder of endpoints.
const ENDPOINTS: &str = "regions/endpoints";
/// No catalogue is larger.
const LARGEST: u64 = 64 << 20;

/// The models of the map.
#[derive(Debug, Subcommand)]
pub enum Models {
    /// Compares map, prices and aliases with public catalogues and proposes edits.
    Update(Update),
}

/// What to compare with.
#[derive(Debug, Args)]
pub struct Update {
    /// Catalogues as local files: LiteLLM's model_prices_and_context_window.json,
    /// the data.json of genai-prices, the api.json of models.dev.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    from: Vec<String>,
    /// Only models with this in a name, or whose name is this pattern with `*`;
    /// older ones are proposed too.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Make the edits. Without it nothing is written.
    #[arg(long)]
    write: bool,
}

/// `meridian models`.
pub fn run(command: &Models) -> Result<(), String> {
    match command {
        Models::Update(options) => update(options),
    }
}

fn update(options: &Update) -> Result<(), String> {
    let today = project::today();
    let outcome = project::read()?;
    let before = outcome.problems.clone();
    let config = checked(outcome)?;
    let catalogues = catalogues(&options.from, &today)?;
    let files = files()?;
    let only = Only::new(options.only.as_deref());
    let proposal = Proposal::new(&config, &files, &catalogues, &only, &today)?;
    let edited = edited(&files, &proposal.edits)?;
    let after = check(&edited, &today)?;
    let is_new = |problem: &&Problem| {
        let same = |old: &Problem| (old.rule, &old.what) == (problem.rule, &problem.what);
        !before.iter().any(same)
    };
    let warnings: Vec<String> = after
        .iter()
        .filter(is_new)
        .map(ToString::to_string)
        .collect();
    if after
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        return Err(format!(
            "what is proposed would not check, so nothing is written; narrow it with --only:\n✗ {}",
            warnings.join("\n✗ ")
        ));
    }
    for (file, text) in &files {
        let own: Vec<&Edit> = proposal
            .edits
            .iter()
            .filter(|edit| edit.file == *file)
            .collect();
        if !own.is_empty() {
            print!("{}", patch::patch(file, text, &own));
        }
    }
    print!("{}", summary::of(&proposal));
    warnings.iter().for_each(|warning| println!("! {warning}"));
    if options.write {
        for (file, text) in edited
            .iter()
            .filter(|(file, text)| files.get(*file) != Some(*text))
        {
            fs::write(file, text).map_err(|e| format!("cannot write {file}: {e}"))?;
            println!("✓ written: {file}");
        }
    } else if !proposal.edits.is_empty() {
        println!("Nothing is written; --write makes these edits.");
    }
    Ok(())
}

fn checked(outcome: config::Outcome) -> Result<Config, String> {
    outcome.checked().map_err(|problems| {
        let errors = problems.len();
        format!("the configuration here does not check ({errors} problems): see `meridian check`")
    })
}

/// The catalogues in these files.
fn catalogues(names: &[String], today: &str) -> Result<Vec<Catalogue>, String> {
    let mut found: Vec<Catalogue> = Vec::new();
    for name in names {
        let text = read(name)?;
        let (format, offers) = Catalogue::read(&text, today)
            .map_err(|why| format!("{name} is no catalogue: {why}"))?;
        let twice = found
            .iter()
            .any(|one| one.label.starts_with(&format.to_string()));
        let label = match twice {
            true => format!("{format} in {name}"),
            false => format.to_string(),
        };
        found.push(Catalogue::new(format, label, offers));
    }
    Ok(found)
}

fn read(name: &str) -> Result<String, String> {
    let failed = |e: io::Error| format!("cannot read {name}: {e}");
    let mut text = String::new();
    let file = fs::File::open(name).map_err(failed)?;
    file.take(LARGEST + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    match text.len() as u64 > LARGEST {
        true => Err(format!(
            "{name} is no catalogue: it has more than {} MiB",
            LARGEST >> 20
        )),
        false => Ok(text),
    }
}

/// The config files that can change.
fn files() -> Result<Files, String> {
    let mut names = vec![prices::FILE.to_owned(), endings::FILE.to_owned()];
    let failed = |name: &str, e: io::Error| format!("cannot read {name}: {e}");
    for entry in fs::read_dir(ENDPOINTS).map_err(|e| failed(ENDPOINTS, e))? {
        let name = entry.map_err(|e| failed(ENDPOINTS, e))?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".toml") {
            names.push(format!("{ENDPOINTS}/{name}"));
        }
    }
    let read = |name: String| match fs::read_to_string(&name) {
        Ok(text) => Ok((name, text)),
        Err(e) => Err(failed(&name, e)),
    };
    names.into_iter().map(read).collect()
}

/// The files with their edits made.
fn edited(files: &Files, edits: &[Edit]) -> Result<Files, String> {
    let edited = |(file, text): (&String, &String)| {
        let own: Vec<&Edit> = edits.iter().filter(|edit| edit.file == *file).collect();
        let text = apply(text, &own).ok_or_else(|| format!("two edits of {file} overlap"))?;
        Ok((file.clone(), text))
    };
    files.iter().map(edited).collect()
}

/// What is wrong with the configuration as it would be.
fn check(edited: &Files, today: &str) -> Result<Vec<Problem>, String> {
    let text = |name: &str| match edited.get(name) {
        Some(text) => Ok(text.clone()),
        None => fs::read_to_string(Path::new(name)),
    };
    let names = |folder: &str| {
        let entries = fs::read_dir(folder)?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    };
    let files = config::Files::from(&text, &names).map_err(|e| e.to_string())?;
    Ok(config::read(&files, today).problems)
}
