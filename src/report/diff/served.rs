//! Which endpoints can serve which model of a zone, before and after.

use super::{listed, note, Change, Topic, Way};
use crate::config::Config;
use std::collections::{BTreeMap, BTreeSet};

pub fn compare(old: &Config, new: &Config, changes: &mut Vec<Change>) {
    for zone in new.regions.zones.values() {
        let Some(before) = old.regions.zones.get(&zone.id) else {
            let is = new.regions.served(zone);
            thin(&zone.id, &BTreeMap::new(), &is, changes);
            if is.is_empty() {
                none_left(&zone.id, changes);
            }
            continue;
        };
        let (was, is) = (old.regions.served(before), new.regions.served(zone));
        gained_and_lost(&zone.id, &was, &is, changes);
        thin(&zone.id, &was, &is, changes);
        if is.is_empty() && !was.is_empty() {
            none_left(&zone.id, changes);
        }
    }
    for (alias, model) in &new.gateway.aliases {
        let words = match old.gateway.aliases.get(alias) {
            Some(was) if was == model => continue,
            Some(was) => format!("{alias} now means {model} instead of {was}"),
            None => format!("{alias} is a new name for {model}"),
        };
        note(changes, Topic::Endpoints, Way::Neutral, words);
    }
    let gone = old.gateway.aliases.iter();
    for (alias, model) in gone.filter(|(alias, _)| !new.gateway.aliases.contains_key(*alias)) {
        let words = format!("{alias} is no longer a name for {model}; who asks for it is refused");
        note(changes, Topic::Endpoints, Way::Neutral, words);
    }
}

/// By model, the endpoints that can serve a zone, in order.
type Served<'m> = BTreeMap<&'m str, Vec<&'m str>>;

fn gained_and_lost(zone: &str, was: &Served<'_>, is: &Served<'_>, changes: &mut Vec<Change>) {
    // Models with the same gains and losses are listed together.
    let mut told: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let models: BTreeSet<&str> = was.keys().chain(is.keys()).copied().collect();
    let none = Vec::new();
    for model in models {
        let (was, is) = (
            was.get(model).unwrap_or(&none),
            is.get(model).unwrap_or(&none),
        );
        let gained: Vec<&str> = is
            .iter()
            .copied()
            .filter(|name| !was.contains(name))
            .collect();
        let lost: Vec<&str> = was
            .iter()
            .copied()
            .filter(|name| !is.contains(name))
            .collect();
        let mut words = Vec::new();
        if !gained.is_empty() {
            words.push(format!("gains {}", gained.join(", ")));
        }
        if !lost.is_empty() {
            words.push(format!("loses {}", lost.join(", ")));
        }
        match (was.first(), is.first()) {
            (Some(before), Some(now)) if before != now => {
                words.push(format!("goes to {now} first instead of {before}"))
            }
            _ => {}
        }
        if !words.is_empty() {
            told.entry(words.join(" and ")).or_default().push(model);
        }
    }
    for (words, models) in told {
        let words = format!("{zone}, {}: {words}", listed(models));
        note(changes, Topic::Endpoints, Way::Neutral, words);
    }
}

fn thin(zone: &str, was: &Served<'_>, is: &Served<'_>, changes: &mut Vec<Change>) {
    let count = |served: &Served<'_>, model: &str| served.get(model).map_or(0, Vec::len);
    let mut none = Vec::new();
    let mut one: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let models: BTreeSet<&str> = was.keys().chain(is.keys()).copied().collect();
    for model in models {
        match (count(was, model), count(is, model)) {
            (before, 0) if before > 0 => none.push(model),
            (before, 1) if before != 1 => {
                let only = is.get(model).and_then(|names| names.first()).copied();
                one.entry(only.unwrap_or_default()).or_default().push(model);
            }
            _ => {}
        }
    }
    if !none.is_empty() {
        let words = format!(
            "{zone}: nothing serves {} any more; such requests are refused",
            listed(none)
        );
        note(changes, Topic::Thin, Way::Neutral, words);
    }
    for (endpoint, models) in one {
        let words = format!("{zone}: only {endpoint} serves {}", listed(models));
        note(changes, Topic::Thin, Way::Neutral, words);
    }
}

fn none_left(zone: &str, changes: &mut Vec<Change>) {
    let words = format!("{zone}: no endpoint is left; all of its requests are refused");
    note(changes, Topic::Thin, Way::Neutral, words);
}
