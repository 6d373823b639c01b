//! Every number in the usage of every recorded answer is known by name, or is on
//! the short list here of those that are not and why.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::dialect::Beyond;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const RECORDED: &str = "../shared/vectors/recorded";

/// What Bedrock's guardrails count: a service with a bill of its own, which the
/// price book does not have. Calls with them are "at least".
const UNKNOWN: [&str; 6] = [
    "contentPolicyUnits",
    "contextualGroundingPolicyUnits",
    "sensitiveInformationPolicyFreeUnits",
    "sensitiveInformationPolicyUnits",
    "topicPolicyUnits",
    "wordPolicyUnits",
];

/// Usage objects anywhere in an answer.
fn usages(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|one| usages(one, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Object(_) if name == "usage" || name == "usageMetadata" => {
                        found.push(value.to_string());
                    }
                    value => usages(value, found),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn guard_every_number_of_recorded_usage_is_known_or_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(RECORDED);
    if !root.exists() {
        println!("{RECORDED} is not here: recorded usage was not looked at");
        return;
    }
    let (mut looked_at, mut names) = (0, BTreeMap::<String, String>::new());
    let (mut uses, mut passes) = (BTreeSet::new(), 0);
    for folder in fs::read_dir(&root).unwrap() {
        let folder = folder.unwrap().path();
        // An API that no endpoint is spoken to in.
        if !folder.is_dir() || folder.ends_with("gemini-interactions") {
            continue;
        }
        for one in fs::read_dir(&folder).unwrap() {
            let one = one.unwrap().path();
            let mut found = Vec::new();
            if let Ok(text) = fs::read_to_string(one.join("response.json")) {
                usages(&serde_json::from_str(&text).unwrap_or_default(), &mut found);
            }
            if let Ok(text) = fs::read_to_string(one.join("response.sse")) {
                for data in text.lines().filter_map(|line| line.strip_prefix("data:")) {
                    usages(&serde_json::from_str(data).unwrap_or_default(), &mut found);
                }
            }
            for usage in found {
                looked_at += 1;
                let beyond = Beyond::of(&usage);
                for name in beyond.unknown {
                    names
                        .entry(name)
                        .or_insert_with(|| one.display().to_string());
                }
                uses.extend(beyond.uses.into_keys());
                passes += beyond.passes.len();
            }
        }
    }
    assert!(looked_at > 300, "{looked_at}");
    let strangers: Vec<_> = names
        .iter()
        .filter(|(name, _)| !UNKNOWN.contains(&name.as_str()))
        .collect();
    assert!(strangers.is_empty(), "{strangers:#?}");
    assert!(
        uses.contains("web-search") && uses.contains("web-fetch"),
        "{uses:?}"
    );
    assert!(passes > 0);
}
