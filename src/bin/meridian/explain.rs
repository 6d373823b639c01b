//! `meridian explain`: what would happen to a request, and why.

use super::project;
use super::store::Place;
use clap::Args;
use meridian::regions::Country;
use meridian::report::explain::{self, Question};
use meridian::request::caller::{Caller, KeyRecord};
use meridian::request::head::{Head, Origin};

/// The request to explain.
#[derive(Debug, Args)]
pub struct Explain {
    /// The caller's country: an ISO code, T1 for Tor, XX for unknown.
    #[arg(long)]
    country: String,
    /// The model it asks for.
    #[arg(long)]
    model: String,
    /// The id of the key it comes with, as `meridian keys list` shows it.
    #[arg(long)]
    key: Option<String>,
    /// The zone it asks for with `meridian-zone`.
    #[arg(long)]
    zone: Option<String>,
    /// The Cloudflare data center it reaches, such as FRA.
    #[arg(long)]
    colo: Option<String>,
    /// What it asks a provider to do beyond answering: a kind of egress from
    /// regions/egress.toml, as `web-search` or `remote-url:files.example.com`.
    #[arg(long, value_name = "KIND")]
    egress: Vec<String>,
    /// Explain by the map of a git revision instead of the files here.
    #[arg(long, value_name = "REV")]
    at: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Runs it.
pub fn run(options: Explain) -> Result<(), String> {
    let config = match &options.at {
        Some(revision) => project::load_at(revision)?,
        None => project::load()?,
    };
    let country = options.country.to_uppercase();
    if !matches!(country.as_str(), "T1" | "XX") && Country::from_code(&country).is_none() {
        let meant =
            Country::meant_by(&country).map_or(String::new(), |c| format!("; did you mean {c}?"));
        return Err(format!("no country has the ISO code `{country}`{meant}"));
    }
    for label in &options.egress {
        let kind = label.split(':').next().unwrap_or(label);
        let kinds = &config.regions.egress.kinds;
        if !kinds.contains_key(kind) {
            let known: Vec<&str> = kinds.keys().map(String::as_str).collect();
            return Err(format!(
                "there is no kind of egress `{kind}`; there are: {}",
                known.join(", ")
            ));
        }
    }
    let mut caller = Caller::new(key(&options)?, &Head::default());
    caller.origin = Origin::new(&country, options.colo.as_deref().unwrap_or_default());
    caller.asked_zone = options.zone.clone();
    let question = Question {
        country,
        model: options.model,
        key: options.key,
        zone: options.zone,
        colo: options.colo,
        egress: options.egress,
    };
    let explanation = explain::explain(&config, &caller, question);
    match options.json {
        true => println!(
            "{}",
            serde_json::to_string_pretty(&explanation).map_err(|e| e.to_string())?
        ),
        false => println!("{}", explanation.words),
    }
    Ok(())
}

fn key(options: &Explain) -> Result<KeyRecord, String> {
    let Some(id) = &options.key else {
        return Ok(KeyRecord::anybody());
    };
    let stored = options.place.list()?;
    let mut records = stored.into_iter().filter_map(|stored| stored.record);
    records
        .find(|record| record.id == *id)
        .ok_or_else(|| format!("there is no key {id}; `meridian keys list` shows all"))
}
