//! What is proposed and what is not, as a list for people.

use super::catalogue::Ends;
use super::endings::{Ending, Newer};
use super::fresh::Fresh;
use super::prices::{Change, Compared, Dispute};
use super::proposal::Proposal;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The list.
pub fn of(proposal: &Proposal<'_>) -> String {
    let mut list = String::new();
    let (found, compared) = (&proposal.found, &proposal.compared);
    let proposed = || found.fresh.iter().filter(|fresh| fresh.is_proposed());
    section(
        &mut list,
        "New models, with input / output a million tokens",
        proposed().map(new),
    );
    section(
        &mut list,
        "For a reviewer: whether these hosts serve them, under which `id`; `hosting`, `guarantee`, `source`, `reviewed`, `reviewer`",
        reviews(proposed()),
    );
    section(
        &mut list,
        "Prices that change",
        compared
            .iter()
            .filter_map(|(model, prices)| changed(model, &prices.changes)),
    );
    let here = compared
        .iter()
        .map(|(model, prices)| (model, &prices.disputes));
    let new = found.fresh.iter().map(|one| (&one.name, &one.disputes));
    section(
        &mut list,
        "Catalogues disagree: nothing is changed",
        here.chain(new)
            .filter_map(|(model, disputes)| disputed(model, disputes)),
    );
    section(
        &mut list,
        "Models that end: remove their claims, prices and aliases",
        proposal
            .endings
            .iter()
            .map(|one| ending(one, &proposal.today)),
    );
    section(
        &mut list,
        "Aliases with a newer model",
        proposal.newer.iter().map(newer),
    );
    section(
        &mut list,
        "Models that no catalogue lists: newer than the catalogues, or gone",
        joined(&proposal.unlisted).into_iter(),
    );
    let read = compared
        .iter()
        .filter_map(|(model, prices)| unread(model, prices));
    section(
        &mut list,
        "Prices that are no exact amount: passed over",
        read.chain(found.unread.iter().cloned()),
    );
    let unknown = found.unknown.iter().map(|(seller, names)| {
        let names: Vec<String> = names.iter().cloned().collect();
        format!("{seller}: {}", names.join(", "))
    });
    section(
        &mut list,
        "Not proposed: nothing like them is in the map, or no version is in the name (`--only NAME` proposes some)",
        unknown,
    );
    match list.is_empty() {
        true => "✓ the catalogues have nothing new\n".to_owned(),
        false => list,
    }
}

fn section(list: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    for (at, line) in lines.enumerate() {
        if at == 0 {
            let _ = writeln!(list, "\n{title}");
        }
        let _ = writeln!(list, "  {line}");
    }
}

fn joined(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| names.join(", "))
}

fn new(fresh: &Fresh<'_>) -> String {
    let amount = |field: &str| {
        let price = fresh.prices.iter().find(|price| price.field == field);
        price.map_or("0", |price| price.new.as_str())
    };
    let place = match fresh.worldwide {
        Some(endpoint) => format!("claimed at {}", endpoint.name),
        None => "price only: no endpoint in use claims nothing about place".to_owned(),
    };
    format!(
        "{}  {} / {}  ({})  {place}",
        fresh.name,
        amount("input"),
        amount("output"),
        fresh.listed.join(", ")
    )
}

/// Models by the endpoints where a reviewer looks for them.
fn reviews<'f, 'c: 'f>(fresh: impl Iterator<Item = &'f Fresh<'c>>) -> impl Iterator<Item = String> {
    let mut by_places: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for one in fresh.filter(|one| !one.regional.is_empty()) {
        let places = one.regional.iter();
        let places = places.map(|(place, names)| format!("{place}: {}", names.join(", ")));
        let places: Vec<String> = places.collect();
        by_places
            .entry(places.join("; "))
            .or_default()
            .push(&one.name);
    }
    let line = |(places, names): (String, Vec<&str>)| format!("{}\n    {places}", names.join(", "));
    let lines: Vec<String> = by_places.into_iter().map(line).collect();
    lines.into_iter()
}

fn changed(model: &str, changes: &[Change]) -> Option<String> {
    let change = |change: &Change| {
        let old = change.old.as_deref().unwrap_or("none");
        let by = change.listed_by.join(", ");
        format!("{} {old} → {} ({by})", change.field, change.new)
    };
    let all: Vec<String> = changes.iter().map(change).collect();
    (!all.is_empty()).then(|| format!("{model}  {}", all.join("; ")))
}

/// The first prices that are disputed, and how many more there are.
fn disputed(model: &str, disputes: &[Dispute]) -> Option<String> {
    let shown = 2;
    let all: Vec<String> = disputes.iter().take(shown).map(dispute).collect();
    let more = match disputes.len().saturating_sub(shown) {
        0 => String::new(),
        more => format!("; {more} more"),
    };
    (!all.is_empty()).then(|| format!("{model}  {}{more}", all.join("; ")))
}

/// `input 4.00 (here, LiteLLM) or 5.00 (genai-prices)`.
fn dispute(dispute: &Dispute) -> String {
    let mut by_amount: Vec<(&str, Vec<&str>)> = Vec::new();
    let here = dispute.here.iter().map(|amount| (amount.as_str(), "here"));
    let listed = dispute.listed.iter();
    let listed = listed.map(|(label, amount)| (amount.as_str(), label.as_str()));
    for (amount, who) in here.chain(listed) {
        match by_amount.iter_mut().find(|(known, _)| *known == amount) {
            Some((_, all)) => all.push(who),
            None => by_amount.push((amount, vec![who])),
        }
    }
    let amounts = by_amount.iter();
    let amounts = amounts.map(|(amount, who)| format!("{amount} ({})", who.join(", ")));
    let amounts: Vec<String> = amounts.collect();
    format!("{} {}", dispute.field, amounts.join(" or "))
}

fn ending(ending: &Ending, today: &str) -> String {
    let when = match &ending.ends {
        Ends::On(day) if day.as_str() <= today => format!("ended on {day}"),
        Ends::On(day) => format!("ends on {day}"),
        Ends::Unsaid => "is deprecated".to_owned(),
    };
    let listed_by: Vec<&str> = ending.listed_by.iter().map(String::as_str).collect();
    let mut line = format!("{} {when}", ending.model);
    if ending.elsewhere {
        let _ = write!(line, " at {}", ending.endpoints.join(", "));
    }
    let _ = write!(line, " ({})", listed_by.join(", "));
    if let Some(newer) = &ending.newer {
        let _ = write!(line, "; newer: {newer}");
    }
    if !ending.elsewhere && !ending.aliases.is_empty() {
        let _ = write!(line, "; aliases: {}", ending.aliases.join(", "));
    }
    line
}

fn newer(newer: &Newer) -> String {
    let over = if newer.over { ", which is over" } else { "" };
    let zones = match newer.lost.is_empty() {
        true => "in all of its zones".to_owned(),
        false => format!("but not in the zones {}", newer.lost.join(", ")),
    };
    format!(
        "{} means {}{over}; newer: {}, {zones}",
        newer.alias, newer.model, newer.newer
    )
}

fn unread(model: &str, prices: &Compared) -> Option<String> {
    let by = prices.unread.join(", ");
    (!by.is_empty()).then(|| format!("{model}  ({by})"))
}
