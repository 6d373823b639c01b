//! What is claimed of endpoints, and what the claims hang on. A claim that
//! says more than before, or is about another host, needs a newer review:
//! without one the map is taken to be weaker.

use super::{note, Change, Topic, Way};
use crate::regions::{Claim, Endpoint, RegionMap};

pub fn compare(old: &RegionMap, new: &RegionMap, changes: &mut Vec<Change>) {
    let before = |name: &str| old.endpoints.iter().find(|endpoint| endpoint.name == name);
    for endpoint in &new.endpoints {
        let Some(was) = before(&endpoint.name) else {
            let models: Vec<&str> = endpoint
                .models
                .iter()
                .map(|claim| claim.model.as_str())
                .collect();
            let words = format!(
                "{} ({}) is new, for {}",
                endpoint.name,
                endpoint.host,
                models.join(", ")
            );
            note(changes, Topic::Claims, Way::Neutral, words);
            continue;
        };
        contact(was, endpoint, changes);
        alone(was, endpoint, changes);
        for claim in &endpoint.models {
            match was.claim(&claim.model) {
                Some(before) => compare_claim(&endpoint.name, before, claim, changes),
                None => {
                    let words = format!(
                        "{} now has {}, in {}, {}",
                        endpoint.name, claim.model, claim.hosting, claim.guarantee
                    );
                    note(changes, Topic::Claims, Way::Neutral, words);
                }
            }
        }
        for claim in was
            .models
            .iter()
            .filter(|claim| endpoint.claim(&claim.model).is_none())
        {
            let words = format!("{} no longer has {}", endpoint.name, claim.model);
            note(changes, Topic::Claims, Way::Neutral, words);
        }
    }
    for gone in old
        .endpoints
        .iter()
        .filter(|was| !new.endpoints.iter().any(|is| is.name == was.name))
    {
        note(
            changes,
            Topic::Claims,
            Way::Neutral,
            format!("{} is gone", gone.name),
        );
    }
}

/// Where it leads and with what.
fn contact(was: &Endpoint, is: &Endpoint, changes: &mut Vec<Change>) {
    let name = &is.name;
    let newer = is.models.iter().all(|claim| {
        let before = was.claim(&claim.model);
        before.is_none_or(|before| claim.reviewed > before.reviewed)
    });
    let unreviewed = if newer { Way::Neutral } else { Way::Weaker };
    if (&was.host, &was.base_path, &was.paths) != (&is.host, &is.base_path, &is.paths) {
        let words = format!(
            "{name} is now contacted at {}{} instead of {}{}",
            is.host, is.base_path, was.host, was.base_path
        );
        note(changes, Topic::Claims, unreviewed, words + reviewed(newer));
    }
    if was.sku != is.sku {
        let sku = is.sku.map_or("no SKU", |sku| sku.as_str());
        note(
            changes,
            Topic::Claims,
            unreviewed,
            format!("{name} is now declared as {sku}{}", reviewed(newer)),
        );
    }
    for (field, value) in was.fixed.iter().filter(|pair| !is.fixed.contains(pair)) {
        note(
            changes,
            Topic::Claims,
            Way::Weaker,
            format!("{name} no longer fixes {field} = {value}"),
        );
    }
    match (&was.off, &is.off) {
        (None, Some(why)) => note(
            changes,
            Topic::Claims,
            Way::Neutral,
            format!("{name} is switched off: {why}"),
        ),
        (Some(_), None) => note(
            changes,
            Topic::Claims,
            Way::Neutral,
            format!("{name} is switched on"),
        ),
        _ => {}
    }
    if was.dialects != is.dialects {
        let words = format!(
            "{name} is now spoken to in {} instead of {}",
            is.spoken(),
            was.spoken()
        );
        note(changes, Topic::Claims, unreviewed, words + reviewed(newer));
    }
    let manner = |endpoint: &Endpoint| {
        let Endpoint {
            query,
            headers,
            without,
            quirks,
            ..
        } = endpoint.clone();
        (query, headers, without, quirks)
    };
    if manner(was) != manner(is) {
        let words =
            format!("{name} is now asked with another query, other headers or other fields");
        note(changes, Topic::Claims, Way::Neutral, words);
    }
    if was.auth != is.auth {
        note(
            changes,
            Topic::Claims,
            Way::Neutral,
            format!("{name} now uses the secret {}", is.auth.secret()),
        );
    }
}

/// Why it may be the only endpoint, which suppresses a warning.
fn alone(was: &Endpoint, is: &Endpoint, changes: &mut Vec<Change>) {
    if was.alone == is.alone {
        return;
    }
    let name = &is.name;
    let words = match &is.alone {
        Some(why) => format!("{name} may be the only endpoint for a model: {why}"),
        None => format!("{name} no longer says why it may be the only endpoint for a model"),
    };
    note(changes, Topic::Claims, Way::Neutral, words);
}

fn reviewed(newer: bool) -> &'static str {
    match newer {
        true => "",
        false => ", without a newer review",
    }
}

fn compare_claim(endpoint: &str, was: &Claim, is: &Claim, changes: &mut Vec<Change>) {
    let newer = is.reviewed > was.reviewed;
    let about = format!("{endpoint}, {}", is.model);
    let unreviewed = if newer { Way::Neutral } else { Way::Weaker };
    if was.hosting != is.hosting {
        let words = format!(
            "{about}: processed in {} instead of {}{}",
            is.hosting,
            was.hosting,
            reviewed(newer)
        );
        note(changes, Topic::Claims, unreviewed, words);
    }
    if is.guarantee < was.guarantee {
        let words = format!(
            "{about}: promises only {} instead of {}",
            is.guarantee, was.guarantee
        );
        note(changes, Topic::Claims, Way::Weaker, words);
    } else if is.guarantee > was.guarantee {
        let words = format!(
            "{about}: is said to promise {} instead of {}{}",
            is.guarantee,
            was.guarantee,
            reviewed(newer)
        );
        note(changes, Topic::Claims, unreviewed, words);
    }
    if was.id != is.id {
        let words = format!(
            "{about}: asked for as {} instead of {}{}",
            is.id,
            was.id,
            reviewed(newer)
        );
        note(changes, Topic::Claims, unreviewed, words);
    }
    if (&was.source, &was.reviewed, &was.reviewer) != (&is.source, &is.reviewed, &is.reviewer) {
        let words = format!("{about}: reviewed on {} by {}", is.reviewed, is.reviewer);
        note(changes, Topic::Claims, Way::Neutral, words);
    }
    amounts(&about, was, is, changes);
    if was.completions != is.completions {
        let now = if is.completions { "now" } else { "no longer" };
        let words = format!("{about}: {now} serves completions");
        note(changes, Topic::Claims, Way::Neutral, words);
    }
    if was.uplift_percent != is.uplift_percent {
        let words = format!(
            "{about}: costs {} % above the list price instead of {} %",
            is.uplift_percent, was.uplift_percent
        );
        note(changes, Topic::Claims, Way::Neutral, words);
    }
}

/// What bounds the cost of a call. A smaller number bounds it less surely: a
/// provider may bill more than was reserved.
fn amounts(about: &str, was: &Claim, is: &Claim, changes: &mut Vec<Change>) {
    let lines = [
        ("context", was.context, is.context),
        ("max_output", was.max_output, is.max_output),
        ("max_choices", was.max_choices, is.max_choices),
    ];
    let told = |amount: Option<u32>| amount.map_or("not said".to_owned(), |n| n.to_string());
    for (line, before, now) in lines {
        if before != now {
            let less = before.zip(now).is_some_and(|(before, now)| now < before);
            let way = match less && is.reviewed <= was.reviewed {
                true => Way::Weaker,
                false => Way::Neutral,
            };
            let words = format!(
                "{about}: `{line}` is {} instead of {}",
                told(now),
                told(before)
            );
            note(changes, Topic::Claims, way, words);
        }
    }
    for (kind, claim) in &is.egress {
        let Some(before) = was.egress.get(kind) else {
            continue;
        };
        if before.max_uses != claim.max_uses {
            let words = format!(
                "{about}: `max_uses` of `{kind}` is {} instead of {}",
                told(claim.max_uses),
                told(before.max_uses)
            );
            note(changes, Topic::Claims, Way::Neutral, words);
        }
    }
}
