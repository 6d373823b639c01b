//! The words of `regions/egress.toml` against requests that were recorded: what
//! people send every day asks for nothing, and what asks for something is found.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::config::{self, Files};
use meridian::dialect::Api;
use meridian::regions::RegionMap;
use meridian::request::egress;
use meridian::request::head::Head;
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

/// A body without the tools that no zone which allows these kinds lets through,
/// and the names of those.
fn left_out(api: Api, body: &str, allowed: &[&str]) -> (String, Vec<String>) {
    let mut body = body.to_owned();
    let allows = |kind: &str| allowed.contains(&kind);
    let offers = egress::offers::leave_out(&own().egress, api, allows, &mut body);
    let names = offers.names().collect();
    (body, names)
}

#[test]
fn tools_that_are_only_offered_are_left_out() {
    let cases = [
        // Nothing else changes, but for the spaces between tools.
        (
            Api::Responses,
            r#"{ "tools" : [ {"type":"function","name":"a"} , {"type":"web_search"} ], "input":"[{\"type\":\"web_search\"}]"}"#,
            r#"{ "tools" : [{"type":"function","name":"a"}], "input":"[{\"type\":\"web_search\"}]"}"#,
            &["tools[1]"][..],
        ),
        (
            Api::Responses,
            r#"{"tools":[{"type":"web_\u0073earch"},{"type":"custom","name":"b"},{"type":"image_generation"}],"tool_choice":"required"}"#,
            r#"{"tools":[{"type":"custom","name":"b"}],"tool_choice":"required"}"#,
            &["tools[0]", "tools[2]"],
        ),
        // Without any tools, providers take no choice of them.
        (
            Api::Chat,
            r#"{"model":"m","tools":[{"type":"code_interpreter"}],"tool_choice":"auto","parallel_tool_calls":true}"#,
            r#"{"model":"m"}"#,
            &["tools[0]"],
        ),
        (
            Api::Messages,
            r#"{"tools":[{"name":"web_search","type":"web_search_20250305","max_uses":3}],"model":"m","tool_choice":{"type":"auto"}}"#,
            r#"{"model":"m"}"#,
            &["tools[0]"],
        ),
    ];
    for (api, body, without, names) in cases {
        let got = left_out(api, body, &[]);
        assert_eq!(
            (got.0.as_str(), got.1.as_slice()),
            (
                without,
                names
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect::<Vec<_>>()
                    .as_slice()
            )
        );
        // What the zone allows stays.
        let all = ["web-search", "code-execution", "image-generation"];
        assert_eq!(left_out(api, body, &all), (body.to_owned(), vec![]));
    }
}

#[test]
fn guard_what_is_no_mere_offer_is_not_left_out() {
    let many = format!(
        r#"{{"tools":[{}{{"type":"function","name":"a"}}]}}"#,
        r#"{"type":"web_search"},"#.repeat(65)
    );
    for (api, body) in [
        // The model has to call it.
        (
            Api::Responses,
            r#"{"tools":[{"type":"web_search"},{"type":"function","name":"a"}],"tool_choice":{"type":"web_search"}}"#,
        ),
        (
            Api::Responses,
            r#"{"tools":[{"type":"web_search"},{"type":"function","name":"a"}],"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"web_search"}]}}"#,
        ),
        (
            Api::Responses,
            r#"{"tools":[{"type":"web_search"}],"tool_choice":"required"}"#,
        ),
        (
            Api::Messages,
            r#"{"tools":[{"type":"web_search_20250305","name":"web_search"}],"tool_choice":{"type":"any"}}"#,
        ),
        (
            Api::Messages,
            r#"{"tools":[{"type":"web_search_20250305","name":"web_search"},{"name":"a","input_schema":{}}],"tool_choice":{"type":"tool","name":"web_s\u0065arch"}}"#,
        ),
        // Connectors, and whatever else is no such tool.
        (
            Api::Responses,
            r#"{"tools":[{"type":"mcp","server_url":"https://a.example"}]}"#,
        ),
        (
            Api::Messages,
            r#"{"tools":[{"type":"advisor_20260301","name":"advisor","model":"m"}]}"#,
        ),
        (
            Api::Messages,
            r#"{"mcp_servers":[{"type":"url","url":"https://a.example"}]}"#,
        ),
        (
            Api::Responses,
            r#"{"input":[{"type":"item_reference","id":"a"}],"store":true}"#,
        ),
        (Api::Responses, r#"{"tools":[{"type":"shiny"}]}"#),
        (Api::Chat, r#"{"web_search_options":{}}"#),
        (
            Api::Responses,
            r#"{"tools":[{"type":"namespace","name":"n","tools":[{"type":"web_search"}]}]}"#,
        ),
        // What says twice what it is.
        (
            Api::Responses,
            r#"{"tools":[{"type":"web_search","type":"mcp"}]}"#,
        ),
        (
            Api::Responses,
            r#"{"tools":[{"type":"web_search"}],"tools":[]}"#,
        ),
        (Api::Responses, r#"{"tools":{"type":"web_search"}}"#),
        (Api::Responses, r#"{"tools":[{"type":"web_search"},"a"]}"#),
        (Api::Responses, many.as_str()),
    ] {
        assert_eq!(
            left_out(api, body, &[]),
            (body.to_owned(), vec![]),
            "{body}"
        );
        let rules = &own().egress;
        let asks = egress::read(rules, api, &Head::default(), body);
        assert!(!asks.found.is_empty(), "{body}");
    }
}

#[test]
fn places_are_told_as_they_stand_in_the_clients_own_list() {
    let body = r#"{"tools":[{"type":"web_search"},{"type":"function","name":"a"},{"type":"file_search"},{"type":"mcp"}]}"#;
    let mut without = body.to_owned();
    let offers = egress::offers::leave_out(&own().egress, Api::Responses, |_| false, &mut without);
    let asks = egress::read(&own().egress, Api::Responses, &Head::default(), &without);
    assert_eq!(asks.found[0].at, "tools[1].type");
    let asks = asks.without(Some(offers));
    for (place, own) in [
        ("tools[1].type", "tools[3].type"),
        ("tools[0]", "tools[1]"),
        ("tools", "tools"),
        ("tools[x]", "tools[x]"),
        ("input[1].tools[0]", "input[1].tools[0]"),
    ] {
        assert_eq!(asks.place_of(place.to_owned()), own);
    }
    assert_eq!(asks.left_out(), ["tools[0]", "tools[2]"]);
}

/// Tools of every kind, and choices that do and do not ask for them.
fn offering() -> impl Strategy<Value = Value> {
    let tool = prop::sample::select(vec![
        serde_json::json!({"type": "function", "name": "a", "parameters": {}}),
        serde_json::json!({"type": "web_search", "user_location": {"type": "approximate"}}),
        serde_json::json!({"type": "web_search_preview", "name": "a"}),
        serde_json::json!({"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f"]}}),
        serde_json::json!({"type": "file_search", "vector_store_ids": ["v"]}),
        serde_json::json!({"type": "mcp", "server_url": "https://a.example"}),
        serde_json::json!({"type": "shiny"}),
    ]);
    let choice = prop::sample::select(vec![
        Value::Null,
        serde_json::json!("auto"),
        serde_json::json!("required"),
        serde_json::json!({"type": "web_search"}),
        serde_json::json!({"type": "function", "name": "a"}),
        serde_json::json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "file_search"}]}),
    ]);
    (prop::collection::vec(tool, 0..6), choice).prop_map(
        |(tools, choice)| serde_json::json!({"model": "m", "input": "a", "tools": tools, "tool_choice": choice}),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is left out, and whatever is not: either nothing of what the zone
    /// forbids is in the body any more, or the check of that body finds it, and the
    /// request is refused.
    #[test]
    fn guard_what_is_not_left_out_is_found(body in offering(), allowed in prop::sample::subsequence(vec!["web-search", "file-search", "mcp"], 0..3)) {
        let rules = &own().egress;
        let (without, names) = left_out(Api::Responses, &body.to_string(), &allowed);
        let left: Value = serde_json::from_str(&without).unwrap();
        let asks = egress::read(rules, Api::Responses, &Head::default(), &without);
        let kind = |word: &str| rules.dialects["openai-responses"].types.meaning(word).unwrap_or("unknown").to_owned();
        let found: BTreeSet<&str> = asks.found.iter().map(|found| found.kind.as_str()).collect();
        let tools = |body: &Value| body["tools"].as_array().cloned().unwrap_or_default();
        for tool in tools(&left) {
            let kind = kind(tool["type"].as_str().unwrap());
            prop_assert!(kind == "plain" || found.contains(kind.as_str()), "{} in {}", kind, without);
        }
        // Of an allowed kind, and of a function, none is missing.
        prop_assert_eq!(tools(&body).len(), tools(&left).len() + names.len());
        for (at, tool) in tools(&body).iter().enumerate() {
            let kind = kind(tool["type"].as_str().unwrap());
            let gone = names.contains(&format!("tools[{at}]"));
            let may_go = rules.kinds.get(&kind).is_some_and(|kind| kind.may_be_left_out) && !allowed.contains(&kind.as_str());
            prop_assert!(!gone || may_go, "{}", tool);
        }
    }
}
