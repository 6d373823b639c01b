//! How much a provider reads for a call: what is in the body, what is not, and
//! how often.

use super::Weighed;
use crate::config::prices::PriceBook;
use crate::dialect::Api;
use crate::refusal::Missing;
use crate::regions::egress::{OTHER_MODEL, STORED_RESPONSE, TIER, WEB_FETCH, WEB_SEARCH};
use crate::regions::Claim;
use crate::request::egress::Found;
use std::collections::BTreeMap;

/// A picture is cut into tiles: gpt-4o-mini counts the most for one, 48,169.
const TOKENS_OF_A_PICTURE: u64 = 50_000;
/// The context that a beta feature asks for.
const LONG_CONTEXT: u64 = 1_000_000;

/// The tokens of what the body holds. No token is shorter than a byte, and what
/// frames a message is longer as JSON than as tokens. A file in base64 is read
/// for what is in it.
pub fn held(asked: Weighed<'_>) -> u64 {
    let (body, bulk) = (asked.call.body, asked.egress.bulk);
    let strings = body.bytes().filter(|byte| *byte == b'"').count();
    let text = (body.len() as u64).saturating_add(strings as u64 + 1);
    let files = match bulk.pictures.saturating_add(bulk.documents) {
        0 => 0,
        _ => bulk.bytes,
    };
    let pictures = bulk.pictures.saturating_mul(TOKENS_OF_A_PICTURE);
    text.saturating_sub(files)
        .saturating_add(files / 16)
        .saturating_add(pictures)
        .saturating_add(bulk.beside())
}

/// The most that a model takes in at once, where that is claimed. An embedding's
/// holds for each of its texts alone, and a completion's for each of its prompts.
pub fn context(claim: &Claim, asked: Weighed<'_>) -> Option<u64> {
    let claimed = u64::from(claim.context?);
    match asked.api {
        Api::Embeddings | Api::Completions => None,
        _ if asked.egress.bulk.long_context => Some(claimed.max(LONG_CONTEXT)),
        _ => Some(claimed),
    }
}

/// Something that makes a provider read what the body does not hold.
pub struct Extra {
    /// Where it stands.
    pub at: String,
    /// What it does, as in "asks the provider to ...".
    pub does: String,
}

/// What makes a provider read what the body does not hold, if anything does.
pub fn hidden(asked: Weighed<'_>) -> Option<Extra> {
    let hides = |found: &&Found| match asked.rules.kinds.get(&found.kind) {
        // To keep an answer is not to go on from one.
        Some(_) if found.kind == STORED_RESPONSE && found.word == "store" => false,
        Some(kind) => kind.hides_input,
        None => true,
    };
    let found = asked.egress.found.iter().find(hides);
    if let Some(found) = found {
        return Some(Extra {
            at: found.at.clone(),
            does: does(asked, &found.kind),
        });
    }
    (asked.egress.bulk.documents > 0).then(|| Extra {
        at: "a document".to_owned(),
        does: "read pages or sounds, which its bytes do not tell the number of".to_owned(),
    })
}

fn does(asked: Weighed<'_>, kind: &str) -> String {
    match asked.rules.kinds.get(kind) {
        Some(kind) => kind.does.clone(),
        None => format!("do something of the kind `{kind}`"),
    }
}

/// How often the provider's own tools may be run, and what that costs beside
/// tokens.
pub struct Runs {
    /// How often, all together.
    pub runs: u64,
    /// In billionths of a dollar.
    pub cost: i64,
}

type Why = (String, String, Missing);

/// The runs of hosted tools, or where they are asked for, what they do, and what
/// is not known of them.
pub fn runs(claim: &Claim, asked: Weighed<'_>, prices: &PriceBook) -> Result<Runs, Why> {
    if asked.call.amounts.dear_tier {
        let at = "service_tier".to_owned();
        return Err((at, does(asked, TIER), Missing::Tier));
    }
    let mut told: BTreeMap<&str, (&str, Option<u64>)> = BTreeMap::new();
    for found in &asked.egress.found {
        let why = |missing| (found.at.clone(), does(asked, &found.kind), missing);
        match found.kind.as_str() {
            OTHER_MODEL => return Err(why(Missing::OtherModel)),
            TIER => return Err(why(Missing::Tier)),
            _ => {}
        }
        let rule = asked.rules.kinds.get(&found.kind);
        if rule.is_none_or(|kind| !kind.hosted_tool) {
            continue;
        }
        // A beta feature alone runs nothing: the tool says how often.
        let is_beta = found.at.contains("beta");
        let counts =
            asked.api == Api::Messages && [WEB_SEARCH, WEB_FETCH].contains(&found.kind.as_str());
        let uses = found.uses.filter(|_| counts);
        told.entry(&found.kind)
            .and_modify(|(_, sum)| {
                if !is_beta {
                    *sum = sum.zip(uses).map(|(a, b)| a.saturating_add(b));
                }
            })
            .or_insert((&found.at, if is_beta { Some(0) } else { uses }));
    }
    let (mut runs, mut cost) = (0_u64, 0_i64);
    let all = asked.call.amounts.tool_runs;
    for (kind, (at, uses)) in told {
        let why = |missing| (at.to_owned(), does(asked, kind), missing);
        let claimed = claim.egress.get(kind).and_then(|claim| claim.max_uses);
        let known = [uses, all, claimed.map(u64::from)];
        let most = known.into_iter().flatten().min();
        let most = most.ok_or_else(|| {
            why(Missing::Uses {
                kind: kind.to_owned(),
            })
        })?;
        if most == 0 {
            continue;
        }
        let price = prices.per_use(&claim.model, kind).ok_or_else(|| {
            why(Missing::UsePrice {
                kind: kind.to_owned(),
            })
        })?;
        let times = i64::try_from(most).unwrap_or(i64::MAX);
        cost = cost.saturating_add(price.0.saturating_mul(times));
        runs = runs.saturating_add(most);
    }
    let runs = runs.min(all.unwrap_or(u64::MAX));
    let uplift = i64::from(claim.uplift_percent).saturating_add(100);
    let cost = cost.saturating_mul(uplift).saturating_add(99) / 100;
    Ok(Runs { runs, cost })
}
