//! What requests may make a provider do: words that are sorted anew, what zones
//! allow, what endpoints claim. Whatever opens is weaker.

use super::{listed, note, Change, Topic, Way};
use crate::regions::egress::{
    Allowance, EgressRules, Vocabulary, Words, MENTION, OPAQUE, PLAIN, UNKNOWN,
};
use crate::regions::{Claim, RegionMap};
use std::collections::{BTreeMap, BTreeSet};

pub fn compare(old: &RegionMap, new: &RegionMap, changes: &mut Vec<Change>) {
    zones(old, new, changes);
    claims(old, new, changes);
    // A map without rules has those of the deployment.
    if !old.egress.is_empty() && !new.egress.is_empty() {
        kinds(&old.egress, &new.egress, changes);
        words(&old.egress, &new.egress, changes);
    }
}

/// Which way it goes from what one zone allows to what another does: whether it
/// is wider, and whether it is tighter.
pub fn wider_tighter(before: &Allowance, after: &Allowance) -> (bool, bool) {
    let more = |is: &Allowance, was: &Allowance| {
        !is.allow.is_subset(&was.allow) || !is.hosts.is_subset(&was.hosts)
    };
    (more(after, before), more(before, after))
}

fn zones(old: &RegionMap, new: &RegionMap, changes: &mut Vec<Change>) {
    let nothing = Allowance::default();
    for (id, zone) in &new.zones {
        let before = old.zones.get(id).map_or(&nothing, |zone| &zone.egress);
        let mut say = |way, words| note(changes, Topic::Egress, way, words);
        let does = |kind: &String| match new.egress.kinds.get(kind) {
            Some(rule) => format!("{} (`{kind}`)", rule.does),
            None => format!("`{kind}`"),
        };
        for kind in zone.egress.allow.difference(&before.allow) {
            say(
                Way::Weaker,
                format!("{id}: a request may now make a provider {}", does(kind)),
            );
        }
        for kind in before.allow.difference(&zone.egress.allow) {
            say(
                Way::Stronger,
                format!(
                    "{id}: a request may no longer make a provider {}",
                    does(kind)
                ),
            );
        }
        for host in zone.egress.hosts.difference(&before.hosts) {
            say(Way::Weaker, format!("{id}: addresses may now name {host}"));
        }
        for host in before.hosts.difference(&zone.egress.hosts) {
            say(
                Way::Stronger,
                format!("{id}: addresses may no longer name {host}"),
            );
        }
    }
}

fn claims(old: &RegionMap, new: &RegionMap, changes: &mut Vec<Change>) {
    for endpoint in &new.endpoints {
        let was = old.endpoints.iter().find(|was| was.name == endpoint.name);
        for claim in &endpoint.models {
            let before = was.and_then(|was| was.claim(&claim.model));
            compare_claim(&endpoint.name, before, claim, changes);
        }
    }
}

fn compare_claim(endpoint: &str, was: Option<&Claim>, is: &Claim, changes: &mut Vec<Change>) {
    let about = format!("{endpoint}, {}", is.model);
    let mut say = |way, words| note(changes, Topic::Egress, way, words);
    for (kind, claim) in &is.egress {
        let before = was.and_then(|was| was.egress.get(kind));
        let Some(before) = before else {
            say(
                Way::Weaker,
                format!(
                    "{about}: is now said to do `{kind}` in {}, {}",
                    claim.hosting, claim.guarantee
                ),
            );
            continue;
        };
        let newer = claim.reviewed > before.reviewed;
        if before.hosting != claim.hosting || claim.guarantee > before.guarantee {
            let way = if newer { Way::Neutral } else { Way::Weaker };
            let without = if newer {
                ""
            } else {
                ", without a newer review"
            };
            say(
                way,
                format!(
                    "{about}: does `{kind}` in {}, {} instead of in {}, {}{without}",
                    claim.hosting, claim.guarantee, before.hosting, before.guarantee
                ),
            );
        } else if claim.guarantee < before.guarantee {
            say(
                Way::Weaker,
                format!("{about}: promises only {} of `{kind}`", claim.guarantee),
            );
        }
    }
    let gone = was.into_iter().flat_map(|was| was.egress.keys());
    for kind in gone.filter(|kind| !is.egress.contains_key(*kind)) {
        say(Way::Stronger, format!("{about}: no longer does `{kind}`"));
    }
}

fn kinds(old: &EgressRules, new: &EgressRules, changes: &mut Vec<Change>) {
    for (id, kind) in &new.kinds {
        let Some(before) = old.kinds.get(id) else {
            continue;
        };
        let mut loses = |had: bool, has: bool, words: &str| {
            if had != has {
                let way = if had { Way::Weaker } else { Way::Stronger };
                let now = if has { "now" } else { "no longer" };
                note(changes, Topic::Egress, way, format!("`{id}` {now} {words}"));
            }
        };
        loses(
            before.names_host,
            kind.names_host,
            "depends on the hosts that a zone names",
        );
        loses(
            before.only_fixed,
            kind.only_fixed,
            "has to be settled by the endpoint",
        );
    }
}

/// One table of a dialect's words.
type Table = fn(&Vocabulary) -> &Words;

/// Words that are sorted anew.
fn words(old: &EgressRules, new: &EgressRules, changes: &mut Vec<Change>) {
    let nothing = Words::default();
    let dialects: BTreeSet<&String> = old.dialects.keys().chain(new.dialects.keys()).collect();
    for dialect in dialects {
        let (was, is) = (old.dialects.get(dialect), new.dialects.get(dialect));
        let tables: [(&str, Table); 3] = [
            ("type", |words| &words.types),
            ("field", |words| &words.fields),
            ("beta feature", |words| &words.betas),
        ];
        for (table, of) in tables {
            let (was, is) = (was.map_or(&nothing, of), is.map_or(&nothing, of));
            let all: BTreeSet<&String> = was.0.keys().chain(is.0.keys()).collect();
            let mut moved: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
            for word in all {
                let before = was.0.get(word).map_or(UNKNOWN, String::as_str);
                let after = is.0.get(word).map_or(UNKNOWN, String::as_str);
                if before != after {
                    moved.entry((before, after)).or_default().push(word);
                }
            }
            for ((before, after), words) in moved {
                let way = match (is_free(before), is_free(after)) {
                    (false, true) => Way::Weaker,
                    (true, false) => Way::Stronger,
                    // An unknown word can now be allowed; one kind may be allowed where
                    // another is not.
                    (false, false) if after != UNKNOWN => Way::Weaker,
                    _ => Way::Neutral,
                };
                let words = listed(words);
                note(
                    changes,
                    Topic::Egress,
                    way,
                    format!(
                        "{dialect}: the {table} {words} now counts as {after} instead of {before}"
                    ),
                );
            }
        }
    }
}

/// Whether a word of this meaning asks for nothing.
fn is_free(meaning: &str) -> bool {
    [PLAIN, OPAQUE, MENTION].contains(&meaning)
}
