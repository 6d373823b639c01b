//! The words of `regions/egress.toml` against requests that were recorded: what
//! people send every day asks for nothing, and what asks for something is found.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::config::{self, Files};
use meridian::dialect::Api;
use meridian::egress;
use meridian::head::Head;
use meridian::regions::RegionMap;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const RECORDED: &str = "../shared/vectors/recorded";

fn own() -> &'static RegionMap {
    static OWN: std::sync::OnceLock<RegionMap> = std::sync::OnceLock::new();
    OWN.get_or_init(read_own)
}

fn read_own() -> RegionMap {
    let files = Files::load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    config::read(&files, "2026-11-27")
        .checked()
        .unwrap()
        .regions
}

/// Folders of recordings, and the operation that their requests are of.
const FOLDERS: [(&str, Api); 14] = [
    ("openai-chat", Api::Chat),
    ("azure-chat", Api::Chat),
    ("mistral-chat", Api::Chat),
    ("openai-compat-chat", Api::Chat),
    ("bedrock-openai-chat", Api::Chat),
    ("openai-responses", Api::Responses),
    ("azure-responses", Api::Responses),
    ("openai-compat-responses", Api::Responses),
    ("anthropic-messages", Api::Messages),
    ("anthropic-compat-messages", Api::Messages),
    ("anthropic-count-tokens", Api::CountTokens),
    ("vertex-anthropic-rawPredict", Api::Messages),
    ("openai-embeddings", Api::Embeddings),
    ("openai-compat-embeddings", Api::Embeddings),
];

/// What each recorded request asks for beyond an answer, by its folder and what
/// it is. Everything that is not egress is known by name: nothing that people
/// send is unknown.
#[test]
fn no_recorded_request_holds_a_word_that_is_not_known() {
    let map = own();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(RECORDED);
    if !root.exists() {
        println!("{RECORDED} is not here: recorded requests were not looked at");
        return;
    }
    let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut looked_at = 0;
    for (folder, api) in FOLDERS {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path().join("request.json");
            let Ok(body) = fs::read_to_string(&path) else {
                continue;
            };
            looked_at += 1;
            let egress = egress::read(&map.egress, api, &Head::default(), &body);
            for found in egress.found {
                let what = format!("{} {} {}", found.kind, found.at, found.word);
                asked
                    .entry(what)
                    .or_default()
                    .push(path.display().to_string());
            }
        }
    }
    assert!(looked_at > 200, "{looked_at}");
    let unknown: Vec<_> = asked
        .iter()
        .filter(|(what, _)| what.starts_with("unknown"))
        .collect();
    for (what, files) in &asked {
        println!("{what}: {} of them", files.len());
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    assert!(asked.keys().any(|what| what.starts_with("web-search")));
}

/// Words that a generated body is made of: plain ones, kinds and strangers.
const KEYS: [&str; 14] = [
    "type",
    "url",
    "image_url",
    "file_id",
    "tools",
    "content",
    "id",
    "name",
    "input_schema",
    "text",
    "store",
    "shiny",
    "mcp_servers",
    "max_uses",
];
const WORDS: [&str; 9] = [
    "",
    "text",
    "image",
    "web_search_20250305",
    "bash_20250124",
    "shiny",
    "web_search_result",
    "https://A.example/x",
    "data:,x",
];

fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..9_u8).prop_map(Value::from),
        prop::sample::select(WORDS.to_vec()).prop_map(Value::from),
    ];
    let keys = || prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned);
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(keys(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The values of a field, through lists of lists.
fn flat(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().flat_map(flat).collect(),
        one => vec![one],
    }
}

/// The same question, asked of a tree: every kind that a body asks for.
fn asked_of(map: &RegionMap, value: &Value, opaque: bool, found: &mut BTreeSet<String>) {
    let words = &map.egress.dialects["anthropic-messages"];
    match value {
        Value::Array(list) => list
            .iter()
            .for_each(|one| asked_of(map, one, opaque, found)),
        Value::Object(fields) if !opaque => {
            let kind = fields.get("type").and_then(Value::as_str);
            let mentions = kind.is_some_and(|kind| words.types.meaning(kind) == Some("mention"));
            for (name, value) in fields {
                let off = matches!(value, Value::Null | Value::Bool(false));
                let off = off
                    || value.as_str() == Some("")
                    || value.as_array().is_some_and(Vec::is_empty);
                let meaning = words.fields.meaning(name);
                match (name.as_str(), meaning) {
                    ("type", _) => match value {
                        Value::String(word) => match words.types.meaning(word) {
                            None => {
                                found.insert("unknown".to_owned());
                            }
                            Some("plain" | "mention") => {}
                            Some(kind) => {
                                found.insert(kind.to_owned());
                            }
                        },
                        _ if off => {}
                        _ => {
                            found.insert("unknown".to_owned());
                        }
                    },
                    (_, None) if !off => {
                        found.insert("unknown".to_owned());
                    }
                    (_, Some("remote-url")) => {
                        for one in flat(value) {
                            let scalar = !one.is_object() && !one.is_array();
                            let inline = one.as_str().is_some_and(|text| text.starts_with("data:"));
                            let nothing =
                                matches!(one, Value::Null | Value::Bool(false)) || one == "";
                            if scalar && !inline && !nothing && (!mentions || value.is_array()) {
                                found.insert("remote-url".to_owned());
                            }
                        }
                    }
                    (_, Some("plain" | "opaque" | "mention" | "betas") | None) => {}
                    (_, Some(_)) if off => {}
                    // What a former answer mentions is no tool that runs again.
                    (_, Some(kind)) if !mentions || map.egress.kinds[kind].hosted_tool => {
                        found.insert(kind.to_owned());
                    }
                    _ => {}
                }
                asked_of(map, value, meaning == Some("opaque"), found);
            }
        }
        _ => {}
    }
}

/// JSON with every letter of strings escaped, and spaces wherever they may be.
fn written(value: &Value) -> String {
    let text = |text: &str| {
        let letters = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
        format!("\"{}\"", letters.collect::<String>())
    };
    match value {
        Value::String(word) => text(word),
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(written).collect();
            format!("[ {} \n]", list.join(" ,\t"))
        }
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{} : {}", text(name), written(value)));
            format!("{{\r\n{} }}", fields.collect::<Vec<_>>().join(" , "))
        }
        other => other.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn guard_a_body_asks_for_the_same_however_it_is_written(body in body()) {
        let map = own();
        let mut wanted = BTreeSet::new();
        asked_of(map, &body, false, &mut wanted);
        for text in [body.to_string(), written(&body)] {
            let egress = egress::read(&map.egress, Api::Messages, &Head::default(), &text);
            prop_assert!(!egress.too_much, "{}", text);
            let kinds: BTreeSet<String> = egress.found.into_iter().map(|found| found.kind).collect();
            prop_assert_eq!(&kinds, &wanted, "{}", text);
        }
    }
}
