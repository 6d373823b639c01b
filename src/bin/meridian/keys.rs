//! `meridian keys`: gateway keys are made here, shown once, and stored only as
//! hashes.

use super::project::{self, now, random_text};
use super::store::{Place, Stored};
use clap::{Args, Subcommand};
use meridian::config::Config;
use meridian::regions::finding::nearest;
use meridian::request::caller::{KeyHash, KeyRecord, KEY_PREFIX};
use meridian::request::head::OnUnsupported;
use std::collections::BTreeMap;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Makes a key and shows it, once.
    Create(Create),
    /// Lists all keys.
    List {
        #[command(flatten)]
        place: Place,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revokes a key by its id. It stops working within two minutes.
    Revoke {
        /// The id, as `keys list` shows it.
        id: String,
        #[command(flatten)]
        place: Place,
    },
}

/// What a new key is to be.
#[derive(Debug, Args)]
pub struct Create {
    /// The team that pays.
    #[arg(long)]
    team: String,
    /// What the key is for.
    #[arg(long, default_value = "")]
    name: String,
    /// The zone its requests are held to.
    #[arg(long)]
    zone: Option<String>,
    /// A model it may use; again for more. Without any it may use all.
    #[arg(long = "model")]
    models: Vec<String>,
    /// A tag on every request, `name=value`; again for more.
    #[arg(long = "tag")]
    tags: Vec<String>,
    /// What is done with what an endpoint's dialect cannot say, unless a request says:
    /// `strict` refuses all of it, `refuse` what changes the answer, `drop` nothing.
    #[arg(long, value_parser = unsupported)]
    unsupported: Option<OnUnsupported>,
    /// Print the key alone, for scripts.
    #[arg(long)]
    quiet: bool,
    #[command(flatten)]
    place: Place,
}

/// Runs one of them.
pub fn run(command: Keys) -> Result<(), String> {
    match command {
        Keys::Create(create) => make(create),
        Keys::List { place, json } => list(&place, json),
        Keys::Revoke { id, place } => revoke(&place, &id),
    }
}

fn make(create: Create) -> Result<(), String> {
    let config = project::load()?;
    check(&create, &config)?;
    let id = random_text(10)?;
    let key = format!("{KEY_PREFIX}{id}_{}", random_text(40)?);
    let record = KeyRecord {
        id,
        team: create.team,
        name: create.name,
        zone: create.zone,
        models: create.models,
        tags: read_tags(&create.tags)?,
        limits: BTreeMap::new(),
        unsupported: create.unsupported,
        created: now(),
        revoked: None,
    };
    let name = KeyHash::of(&key).store_name();
    create.place.put(&[(name, record.clone())])?;
    if create.quiet {
        println!("{key}");
        return Ok(());
    }
    println!("{key}\n");
    println!(
        "This is key {} of team {}. It is shown this once and stored nowhere.",
        record.id, record.team
    );
    Ok(())
}

fn unsupported(word: &str) -> Result<OnUnsupported, String> {
    OnUnsupported::read(word).ok_or_else(|| "it is `strict`, `refuse` or `drop`".to_owned())
}

/// Zones and models that do not exist are mistakes now, not refusals later.
fn check(create: &Create, config: &Config) -> Result<(), String> {
    let known = |word: &str, what: &str, names: Vec<&str>| match names.contains(&word) {
        true => Ok(()),
        false => {
            let hint = nearest(word, names.iter().copied());
            let hint = hint.map_or(format!("there are: {}", names.join(", ")), |n| {
                format!("did you mean {n}?")
            });
            Err(format!("there is no {what} `{word}`; {hint}"))
        }
    };
    if create.team.trim().is_empty() {
        return Err("--team may not be empty: it is who pays".into());
    }
    if let Some(zone) = &create.zone {
        known(
            zone,
            "zone",
            config.regions.zones.keys().map(String::as_str).collect(),
        )?;
    }
    for model in &create.models {
        let models = config.regions.models().into_iter();
        let names = models.chain(config.gateway.aliases.keys().map(String::as_str));
        known(model, "model", names.collect())?;
    }
    Ok(())
}

fn read_tags(written: &[String]) -> Result<BTreeMap<String, String>, String> {
    written
        .iter()
        .map(|tag| match tag.split_once('=') {
            Some(("team", _)) => Err("the tag `team` comes from --team".to_owned()),
            Some((name, value)) if !name.trim().is_empty() => {
                Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            }
            _ => Err(format!("`{tag}` is no tag: write name=value")),
        })
        .collect()
}

fn list(place: &Place, json: bool) -> Result<(), String> {
    let mut records: Vec<KeyRecord> = place.list()?.into_iter().filter_map(|s| s.record).collect();
    records.sort_by(|a, b| (&a.team, &a.created).cmp(&(&b.team, &b.created)));
    if json {
        let text = serde_json::to_string_pretty(&records).map_err(|e| e.to_string())?;
        println!("{text}");
        return Ok(());
    }
    if records.is_empty() {
        println!("There are no keys yet: `meridian keys create --team NAME` makes one.");
    }
    for key in records {
        let zone = key.zone.as_deref().unwrap_or("any zone");
        let models = match key.models.is_empty() {
            true => "all models".to_owned(),
            false => key.models.join(", "),
        };
        let state = key
            .revoked
            .map_or(String::new(), |at| format!("  REVOKED {at}"));
        println!(
            "{}  {}  {zone}  {models}  since {}  {}{state}",
            key.id, key.team, key.created, key.name
        );
    }
    Ok(())
}

fn revoke(place: &Place, id: &str) -> Result<(), String> {
    let stored = place.list()?;
    let found = stored.into_iter().find_map(|Stored { name, record }| {
        let record = record.filter(|record| record.id == id)?;
        Some((name, record))
    });
    let Some((name, mut record)) = found else {
        return Err(format!(
            "there is no key {id}; `meridian keys list` shows all"
        ));
    };
    if let Some(at) = record.revoked {
        return Err(format!("key {id} was revoked already, at {at}"));
    }
    record.revoked = Some(now());
    place.put(&[(name, record)])?;
    println!("Key {id} is revoked. It stops working within two minutes.");
    Ok(())
}
