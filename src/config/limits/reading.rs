//! From `gateway.toml` to [`Limits`].

use super::{Budget, Dimension, Limit, Limits, Per, TeamRules, Who};
use crate::regions::check::Rule;
use crate::regions::read::{Notes, Table};
use crate::units::NanoUsd;

/// Reads `[ledger]`, `[limits]` and `[teams]`.
pub fn read(table: &mut Table<'_>, notes: &mut Notes) -> Limits {
    let mut limits = Limits::default();
    if let Some(mut ledger) = table.table("ledger", notes) {
        limits.time_zone = time_zone(&mut ledger, notes);
        limits.unreachable = ledger
            .maybe_choice("unreachable", notes)
            .unwrap_or_default();
        let few = "a whole number from 1 to 100000 such as 1000";
        limits.values_per_limit = ledger.maybe_between("values_per_limit", 1..=100_000, few, notes);
        let percent = "a percentage from 1 to 100 such as 25";
        let share = ledger.maybe_between("team_share", 1..=100, percent, notes);
        limits.team_share = share.and_then(|share| u8::try_from(share).ok());
        let load = "a whole number from 1 to 10000 such as 250";
        limits.requests_per_object =
            ledger.maybe_between("requests_per_object", 1..=10_000, load, notes);
        ledger.finish(notes);
    }
    if let Some(mut teams) = table.table("teams", notes) {
        for (name, mut team) in teams.tables(notes) {
            let rules = TeamRules {
                time_zone: time_zone(&mut team, notes),
                unreachable: team.maybe_choice("unreachable", notes),
            };
            team.finish(notes);
            limits.teams.insert(name.text, rules);
        }
    }
    if let Some(mut all) = table.table("limits", notes) {
        for (name, mut one) in all.tables(notes) {
            let limit = limit(&mut one, notes);
            if !limit.has_measure() {
                let what = format!("`{}` limits nothing", name.text);
                let problem = table.source().problem(Rule::EmptyLimit, name.at, what);
                let ways = "`budget = \"100\"` with `per = \"month\"`, `requests_per_minute`, `tokens_per_minute` or `concurrent`";
                notes.problems.push(problem.instead(ways));
            }
            one.finish(notes);
            limits.all.insert(name.text, limit);
        }
    }
    limits
}

fn time_zone(table: &mut Table<'_>, notes: &mut Notes) -> Option<String> {
    let written = table.maybe_text("time_zone", notes)?;
    if !super::known_time_zone(&written.text) {
        let what = format!("there is no time zone `{}`", written.text);
        let problem = table
            .source()
            .problem(Rule::UnknownTimeZone, written.at, what);
        notes
            .problems
            .push(problem.instead("an IANA name such as \"Europe/Vienna\" or \"UTC\""));
    }
    Some(written.text)
}

fn limit(table: &mut Table<'_>, notes: &mut Notes) -> Limit {
    let mut limit = Limit::default();
    for dimension in Dimension::ALL {
        if let Some(who) = table.maybe_text(dimension.as_str(), notes) {
            limit.scope.insert(dimension, Who::from(who.text));
        }
    }
    limit.budget = budget(table, notes);
    let mut count = |name| Some(table.number(name, notes)).filter(|n| *n > 0);
    limit.requests_per_minute = count("requests_per_minute");
    limit.tokens_per_minute = count("tokens_per_minute");
    limit.concurrent = count("concurrent");
    limit.downgrade = table.maybe_text("downgrade", notes).map(|text| text.text);
    limit.webhook = read_webhook(table, notes);
    limit
}

/// Reads the address of a webhook.
pub fn read_webhook(table: &mut Table<'_>, notes: &mut Notes) -> Option<String> {
    let url = table.maybe_text("webhook", notes)?;
    if url.text.starts_with("https://") {
        return Some(url.text);
    }
    let what = format!("`{}` is no address that can be told", url.text);
    let problem = table.source().problem(Rule::BadWebhook, url.at, what);
    notes
        .problems
        .push(problem.instead("one that begins with https://"));
    None
}

fn budget(table: &mut Table<'_>, notes: &mut Notes) -> Option<Budget> {
    let per: Option<Per> = table.maybe_choice("per", notes);
    let written = table.maybe_text("budget", notes)?;
    let amount = NanoUsd::parse_dollars(&written.text);
    let source = table.source();
    if amount.is_none() {
        let what = format!("`{}` is no amount of dollars", written.text);
        let problem = source.problem(Rule::BadPrice, written.at, what);
        notes
            .problems
            .push(problem.instead("a decimal number such as \"250\""));
    }
    if per.is_none() {
        let what = "a budget says which time it is for".to_owned();
        let problem = source.problem(Rule::MissingField, written.at, what);
        notes
            .problems
            .push(problem.instead("`per = \"day\"`, `\"week\"`, `\"month\"` or `\"ever\"`"));
    }
    Some(Budget {
        amount: amount?,
        per: per?,
    })
}
