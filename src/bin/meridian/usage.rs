//! What was spent, as a table for people or as CSV.

use super::api::Gateway;
use super::retention;
use clap::Args;
use meridian::report::usage::{csv, Page, Sum, Sums};
use meridian::units::NanoUsd;

/// What was spent.
#[derive(Debug, Args)]
pub struct Usage {
    /// What to group by and sort by, any of: hour, day, zone, team, feature,
    /// environment, model, endpoint.
    #[arg(long, value_name = "FIELD,…")]
    by: Option<String>,
    /// The first day, `2026-05-01`, or a time, in UTC [30 days before the end].
    #[arg(long)]
    from: Option<String>,
    /// The last day, which is counted too, or a time, before which hours begin
    /// [now].
    #[arg(long)]
    to: Option<String>,
    /// One zone only.
    #[arg(long)]
    zone: Option<String>,
    /// One team only.
    #[arg(long)]
    team: Option<String>,
    /// One feature only; `--feature ""` for calls that did not say one.
    #[arg(long)]
    feature: Option<String>,
    /// One environment only, as calls are tagged.
    #[arg(long)]
    environment: Option<String>,
    /// One model only.
    #[arg(long)]
    model: Option<String>,
    /// One endpoint only.
    #[arg(long)]
    endpoint: Option<String>,
    /// Print CSV, with exact sums.
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    gateway: Gateway,
}

/// `meridian usage`.
pub fn run(options: &Usage) -> Result<(), String> {
    let page = all(options)?;
    match options.csv {
        true => {
            print!("{}", csv(&page.by, &page.groups));
            eprint!("{}", at_least(&page));
        }
        false => print!("{}", table(&page)),
    }
    retention::warn_of_deleted(&options.gateway, &page.from);
    Ok(())
}

/// All pages as one.
fn all(options: &Usage) -> Result<Page, String> {
    let asked = [
        ("by", &options.by),
        ("from", &options.from),
        ("to", &options.to),
        ("zone", &options.zone),
        ("team", &options.team),
        ("feature", &options.feature),
        ("environment", &options.environment),
        ("model", &options.model),
        ("endpoint", &options.endpoint),
    ];
    let filters = asked
        .iter()
        .filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    let mut query: Vec<(&str, &str)> = filters.collect();
    query.push(("limit", "1000"));
    let mut groups = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let mut query = query.clone();
        query.extend(next.as_deref().map(|next| ("after", next)));
        let reply = options.gateway.ask("usage", &query)?;
        let page = Page::read(&reply)
            .ok_or("the gateway's answer cannot be read: is it of another version?")?;
        groups.extend(page.groups.iter().cloned());
        match page.next {
            Some(_) => next = page.next,
            None => return Ok(Page { groups, ..page }),
        }
    }
}

/// The sums that the table shows.
const SHOWN: [(&str, Sum); 10] = [
    ("calls", Sum::Calls),
    ("not ok", Sum::NotOk),
    ("input", Sum::Input),
    ("cache read", Sum::CacheRead),
    ("cache write", Sum::CacheWrite),
    ("output", Sum::Output),
    ("reasoning", Sum::Reasoning),
    ("cost", Sum::CostNano),
    ("lost", Sum::LostNano),
    ("held", Sum::HeldNano),
];

fn table(page: &Page) -> String {
    let keys = page.by.len().max(1);
    let numbers = |sums: &Sums| {
        SHOWN.map(|(_, sum)| match sum {
            Sum::CostNano | Sum::LostNano | Sum::HeldNano => NanoUsd(sums.of(sum)).rounded(),
            _ => sums.of(sum).to_string(),
        })
    };
    let line = |mut key: Vec<String>, numbers: [String; 10]| {
        key.resize(keys, String::new());
        key.extend(numbers);
        key
    };
    let names = page.by.iter().map(|field| field.as_str().to_owned());
    let mut lines = vec![line(
        names.collect(),
        SHOWN.map(|(name, _)| name.to_owned()),
    )];
    // One sum over everything is the total already.
    for group in page.groups.iter().filter(|_| !page.by.is_empty()) {
        lines.push(line(
            group.key.iter().map(|text| shown(text)).collect(),
            numbers(&group.sums),
        ));
    }
    lines.push(line(vec!["total".to_owned()], numbers(&page.total)));
    let mut text = format!("Hours from {} to {}\n\n", page.from, page.to);
    text.push_str(&aligned(&lines, keys));
    let notes = [
        (Sum::Unpriced, "calls without a price, which the cost lacks"),
        (Sum::Estimated, "calls whose tokens are an estimate"),
    ];
    for (sum, what) in notes {
        match page.total.of(sum) {
            0 => {}
            count => text.push_str(&format!("! {what}: {count}\n")),
        }
    }
    text.push_str(&at_least(page));
    text.push_str(&held(&page.total));
    text
}

/// Why the cost is a lower bound, if it is.
fn at_least(page: &Page) -> String {
    let fields: Vec<String> = page
        .at_least_fields
        .iter()
        .map(|name| shown(name))
        .collect();
    let because = match fields.is_empty() {
        true => String::new(),
        false => format!(": {}", fields.join(", ")),
    };
    match page.total.of(Sum::AtLeast) {
        0 => String::new(),
        calls => format!(
            "! at least: {calls} calls cost this or more, because their providers counted what has no known price{because}\n"
        ),
    }
}

/// What is neither spent nor free.
fn held(total: &Sums) -> String {
    let (money, calls) = (total.of(Sum::HeldNano), total.of(Sum::HeldCalls));
    match (money, calls) {
        (0, 0) => String::new(),
        _ => format!(
            "! held: at most {} for {calls} calls, not in the cost: what they took is unknown, because they were cut off or their instance died\n",
            NanoUsd(money)
        ),
    }
}

/// A cell of a key. What a tag says must not steer a terminal.
fn shown(text: &str) -> String {
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    match text {
        "" => "-".to_owned(),
        text => text.chars().map(printable).collect(),
    }
}

/// Columns as wide as their widest cell, the first ones to the left.
fn aligned(lines: &[Vec<String>], left: usize) -> String {
    let mut widths = vec![0; left + SHOWN.len()];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).enumerate();
        let cells = cells.map(|(at, (cell, width))| match at < left {
            true => format!("{cell:<width$}"),
            false => format!("{cell:>width$}"),
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}
