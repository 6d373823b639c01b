//! What two other gateways send for the same recorded requests, where both
//! send the same ("LiteLLM and Portkey translate the same request to the same
//! body in only about half the cases to Bedrock and a tenth to Anthropic and
//! Gemini: where they differ, decide and say why"). Where this project sends something else, it says why.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod recorded;

use meridian::dialect::neutral::{Json, Signers, Target};
use meridian::dialect::{self, Api};
use meridian::regions::{Dialect, Quirks};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

/// Differences that are meant, by what is different.
const MEANT: [(&str, &str); 4] = [
    (
        ".stream",
        "the peers set it beside the body that was written down",
    ),
    (
        ".toolResult.status",
        "that a tool did well is said, not left to be guessed",
    ),
    (
        ".service_tier",
        "a client that wants the default class shall not get another",
    ),
    (
        ".responseModalities",
        "no client here takes sound; it is refused by its name",
    ),
];

/// Every leaf of a value, by its path.
fn leaves(value: &Value, at: &str, all: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                leaves(value, &format!("{at}.{name}"), all);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                leaves(value, &format!("{at}[{index}]"), all);
            }
        }
        leaf => drop(all.insert(at.to_owned(), leaf.to_string())),
    }
}

#[test]
fn where_two_peers_agree_so_does_this_or_says_why_not() {
    let Some(path) = recorded::vectors("translation/oracle") else {
        return;
    };
    let quirks = Quirks::default();
    let (mut same, mut other) = (0, 0);
    let mut files: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let case: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        if case["agree"] != true {
            continue;
        }
        let to = match case["direction"].as_str().unwrap() {
            "openai-chat->anthropic" => Dialect::AnthropicMessages,
            "openai-chat->bedrock" => Dialect::BedrockConverse,
            _ => Dialect::Gemini,
        };
        let text = case["input"].to_string();
        let tree = Json::parse(&text).unwrap();
        let ask = dialect::read_request(Api::Chat, &tree).unwrap();
        let wanted = &case["litellm"]["upstream"]["body"];
        let model = wanted["model"].as_str().unwrap_or("m").to_owned();
        let target = Target {
            endpoint: "there",
            model: &model,
            name: "m",
            quirks: &quirks,
            thinking: None,
            without: &[],
            signers: &Signers::default(),
            max_output: 4_096,
            longest: 128_000,
            asks_for_usage: true,
        };
        let (body, _) = dialect::write_request(to, &ask, target).unwrap();
        let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
        leaves(
            &serde_json::from_str(&body.to_text()).unwrap(),
            "",
            &mut ours,
        );
        leaves(wanted, "", &mut theirs);
        let mut different: Vec<&String> = Vec::new();
        different.extend(
            ours.iter()
                .filter(|(k, v)| theirs.get(*k) != Some(*v))
                .map(|(k, _)| k),
        );
        different.extend(
            theirs
                .iter()
                .filter(|(k, v)| ours.get(*k) != Some(*v))
                .map(|(k, _)| k),
        );
        for path in &different {
            let meant = MEANT.iter().any(|(what, _)| path.contains(what));
            assert!(
                meant,
                "{}: {path}\n{}\n{wanted}",
                file.display(),
                body.to_text()
            );
        }
        match different.is_empty() {
            true => same += 1,
            false => other += 1,
        }
    }
    println!("{same} the same, {other} as they are meant");
    assert_eq!(same + other, 48);
}
