//! How long records are kept, and deleting now what no longer is.

use super::api::Gateway;
use clap::{Args, Subcommand};
use meridian::admin::retention::{Deletion, Kept, Standing};
use serde::de::DeserializeOwned;
use serde_json::{json, Value};

/// How long records are kept.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Retention {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    show: Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Deletes now what is due, instead of within the hour.
    Run(Options),
}

#[derive(Debug, Args)]
struct Options {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: Gateway,
}

/// `meridian retention`.
pub fn run(options: &Retention) -> Result<(), String> {
    let (reply, json, text) = match &options.command {
        None => {
            let reply = options.show.gateway.get("retention")?;
            let text = shown(&reply)?;
            (reply, options.show.json, text)
        }
        Some(Command::Run(run)) => {
            let reply = run.gateway.post("retention", &json!({}))?;
            let text = deleted(&reply)?;
            (reply, run.json, text)
        }
    };
    match json {
        true => println!(
            "{}",
            serde_json::to_string_pretty(&reply).map_err(|e| e.to_string())?
        ),
        false => print!("{text}"),
    }
    Ok(())
}

fn shown(reply: &Value) -> Result<String, String> {
    let mut records: Vec<Standing> = list(reply, "records")?;
    records.sort_by(|a, b| (&a.zone, &a.store).cmp(&(&b.zone, &b.store)));
    let mut lines = vec![
        ["zone", "keeps", "store", "oldest call", "oldest sum", "due"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for one in &records {
        let time = |time: &Option<String>| time.clone().unwrap_or_else(|| "-".to_owned());
        let due = match (&one.before, one.due) {
            (Some(before), true) => format!("what is before {before}"),
            _ => "-".to_owned(),
        };
        lines.push(vec![
            named(&one.zone),
            keeps(one.days),
            one.store.clone(),
            time(&one.oldest_row),
            time(&one.oldest_sum),
            due,
        ]);
    }
    // Zones that have no records yet say something, too.
    let zones: Vec<Kept> = list(reply, "zones")?;
    for zone in zones {
        if !records.iter().any(|one| one.zone == zone.zone) {
            let mut line = vec!["-".to_owned(); 6];
            line.splice(..2, [zone.zone, keeps(zone.days)]);
            lines.push(line);
        }
    }
    Ok(table(&lines) + &unread(reply, "stores_not_read"))
}

fn deleted(reply: &Value) -> Result<String, String> {
    let deletions: Vec<Deletion> = list(reply, "deleted")?;
    let mut text = String::new();
    for one in &deletions {
        text.push_str(&format!(
            "{}, {}: {} rows and {} sums before {} deleted; it keeps {}\n",
            named(&one.zone),
            one.store,
            one.rows,
            one.sums,
            one.before,
            keeps(Some(one.days))
        ));
    }
    if deletions.is_empty() {
        text.push_str("Nothing was deleted.\n");
    }
    if reply.get("left").and_then(Value::as_bool) == Some(true) {
        text.push_str("! more is due: run it again, or leave it to the next hours\n");
    }
    Ok(text + &unread(reply, "stores_not_done"))
}

fn list<T: DeserializeOwned>(reply: &Value, name: &str) -> Result<Vec<T>, String> {
    let list = reply.get(name).cloned().unwrap_or_default();
    serde_json::from_value(list)
        .map_err(|_| "the gateway's answer cannot be read: is it of another version?".to_owned())
}

fn unread(reply: &Value, name: &str) -> String {
    let stores = reply.get(name).and_then(Value::as_array);
    let stores = stores.into_iter().flatten().filter_map(Value::as_str);
    stores
        .map(|store| format!("! {store} did not answer: look again.\n"))
        .collect()
}

fn named(zone: &str) -> String {
    match zone {
        "" => "(none)".to_owned(),
        zone => zone.to_owned(),
    }
}

fn keeps(days: Option<u32>) -> String {
    match days {
        None => "for good".to_owned(),
        Some(1) => "1 day".to_owned(),
        Some(days) => format!("{days} days"),
    }
}

fn table(lines: &[Vec<String>]) -> String {
    let length = |cell: &String| cell.chars().count();
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(length).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Says on the side which zones no longer have all that was asked for.
pub fn warn_of_deleted(gateway: &Gateway, from: &str) {
    // Who asks has their answer; that this is not known does not spoil it.
    let Ok(reply) = gateway.get("retention") else {
        return;
    };
    let zones: Vec<Kept> = list(&reply, "zones").unwrap_or_default();
    for zone in zones {
        if let Some(before) = zone.before.filter(|before| from < before.as_str()) {
            eprintln!(
                "! {} keeps {}: what was before {before} is deleted and not counted here",
                zone.zone,
                keeps(zone.days)
            );
        }
    }
}
