//! What a provider can bill never exceeds what was reserved, and where that cannot
//! be told, a call that a budget holds for is refused. Over the shipped map, with
//! everything switched on and allowed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "bounds/provider.rs"]
mod provider;

use meridian::config::{self, Config, Files};
use meridian::dialect::{self, Api};
use meridian::ledger::{self, Bound, Weighed};
use meridian::refusal::{Invalid, Missing, Refusal};
use meridian::regions::{Dialect, EgressClaim, Guarantee, Hosting, ThinkingStyle};
use meridian::request::caller::{Caller, KeyRecord};
use meridian::request::egress;
use meridian::request::head::{Head, OnUnsupported};
use meridian::request::plan;
use meridian::request::zone;
use meridian::upstream::translate::{self, Inbound};
use proptest::prelude::*;
use provider::{Hosted, Seller};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::sync::LazyLock;

/// The shipped configuration with a zone that allows everything, in which every
/// endpoint claims everything and runs each tool `max_uses` times at most.
fn lab(max_uses: Option<u32>) -> Config {
    static SHIPPED: LazyLock<Config> = LazyLock::new(|| {
        let files = Files::load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        config::read(&files, "2026-11-27").checked().unwrap()
    });
    let mut config = SHIPPED.clone();
    let kinds: Vec<String> = config.regions.egress.kinds.keys().cloned().collect();
    for endpoint in &mut config.regions.endpoints {
        endpoint.off = None;
        for claim in &mut endpoint.models {
            claim.hosting = Hosting("global".to_owned());
            let one = EgressClaim {
                hosting: claim.hosting.clone(),
                guarantee: Guarantee::None,
                source: String::new(),
                reviewed: String::new(),
                reviewer: String::new(),
                max_uses,
            };
            let all = kinds.iter().map(|kind| (kind.clone(), one.clone()));
            claim.egress = all.collect();
        }
    }
    for zone in config.regions.zones.values_mut() {
        zone.hosting = [Hosting("global".to_owned())].into();
        zone.guarantee = Guarantee::None;
        zone.egress.allow = kinds.iter().cloned().collect();
        zone.egress.hosts = ["*".to_owned()].into();
    }
    config
}

/// The same with one endpoint alone.
fn only(config: &Config, endpoint: &str) -> Config {
    let mut config = config.clone();
    config.regions.endpoints.retain(|one| one.name == endpoint);
    config
}

fn caller() -> Caller {
    let key = KeyRecord {
        id: "k".to_owned(),
        team: "t".to_owned(),
        name: String::new(),
        zone: Some("eu".to_owned()),
        models: Vec::new(),
        tags: BTreeMap::new(),
        limits: BTreeMap::new(),
        unsupported: None,
        created: String::new(),
        revoked: None,
    };
    let mut caller = Caller::new(key, &Head::default());
    caller.origin = meridian::request::head::Origin::new("DE", "FRA");
    caller
}

fn bound(
    config: &Config,
    api: Api,
    body: &Value,
    headers: &[(&str, &str)],
) -> Result<Bound, Refusal> {
    bound_of(config, api, &body.to_string(), headers)
}

fn bound_of(
    config: &Config,
    api: Api,
    body: &str,
    headers: &[(&str, &str)],
) -> Result<Bound, Refusal> {
    sent(config, api, body, headers).map(|(bound, _)| bound)
}

/// The bound, and what the first endpoint is sent.
fn sent(
    config: &Config,
    api: Api,
    body: &str,
    headers: &[(&str, &str)],
) -> Result<(Bound, Option<String>), Refusal> {
    let caller = caller();
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let mut head = Head {
        headers: headers.iter().map(owned).collect(),
        ..Head::default()
    };
    let drop = ("meridian-on-unsupported", "drop");
    head.headers.push(owned(&drop));
    let zone = zone::decide(&config.regions, &caller)?;
    let call = dialect::read_call(api, body).map_err(Refusal::Body)?;
    let rules = &config.regions.egress;
    let asks = egress::read(rules, api, &head, body);
    let plan = plan::plan(config, &caller, &zone, api, &call.wanted, &asks)?;
    let weighed = Weighed {
        api,
        call: &call,
        egress: &asks,
        rules,
    };
    let bound = ledger::bound(&plan, weighed, &config.prices, false)?;
    let asked = Inbound {
        api,
        unsupported: OnUnsupported::Drop,
        body: &Rc::new(body.to_string()),
        call: &call,
        named_blobs: false,
        signers: &plan.signers(),
        egress: &asks,
        stored: None,
    };
    let outbound = translate::prepare(plan.first, asked).ok();
    Ok((bound, outbound.map(|outbound| outbound.body.to_string())))
}

/// What is reserved, in dollars, or what is missing to say it.
fn reserved(config: &Config, api: Api, body: &Value) -> Result<f64, Missing> {
    let bound = bound(config, api, body, &[]).unwrap_or_else(|refusal| panic!("{refusal}: {body}"));
    match bound.unbounded {
        Some(unbounded) => Err(unbounded.missing),
        None => Ok(bound.money.unwrap() as f64 / 1e9),
    }
}

fn messages(model: &str, parts: Value, more: Value) -> Value {
    let mut body =
        json!({"model": model, "max_tokens": 16, "messages": [{"role": "user", "content": parts}]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn responses(more: Value) -> Value {
    let mut body = json!({"model": "gpt-5-mini", "max_output_tokens": 16, "input": "Go on."});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[test]
fn guard_a_limit_that_is_raised_on_its_way_is_reserved_as_it_is_sent() {
    let mut config = only(&lab(None), "openai-eu");
    config.regions.endpoints[0].dialects = vec![Dialect::OpenAiResponses];
    let asked = |limit: &str| {
        let body = format!(
            r#"{{"model":"gpt-5-mini","max_tokens":{limit},"messages":[{{"role":"user","content":"a"}}]}}"#
        );
        sent(&config, Api::Messages, &body, &[]).unwrap()
    };
    // Two bodies of the same length, of which one is raised to the other.
    let ((low, sent), (high, _)) = (asked(" 1"), asked("16"));
    assert!(sent.unwrap().contains(r#""max_output_tokens":16"#));
    assert_eq!(low, high);
}

#[test]
fn guard_bounds_every_prompt_and_choice_of_a_completion_counts() {
    let mut config = only(&lab(None), "openai-us");
    for claim in &mut config.regions.endpoints[0].models {
        claim.completions = true;
    }
    // $8 for a million tokens of output, 10 % on top where the host charges that.
    let percent = config.regions.endpoints[0]
        .claim("gpt-4.1")
        .unwrap()
        .uplift_percent;
    let price = 8.0 / 1e6 * f64::from(100 + percent) / 100.0;
    let cost = |more: Value| {
        let mut body = json!({"model": "gpt-4.1", "prompt": "a"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        reserved(&config, Api::Completions, &body).unwrap()
    };
    for (more, tokens) in [
        (json!({}), 16.0),
        (json!({"max_tokens": null}), 16.0),
        (json!({"max_tokens": 500}), 500.0),
        (json!({"max_tokens": 500, "n": 2}), 1_000.0),
        (json!({"max_tokens": 500, "n": 2, "best_of": 5}), 2_500.0),
        (
            json!({"max_tokens": 500, "prompt": ["a", "b", "c"]}),
            1_500.0,
        ),
        (
            json!({"max_tokens": 500, "prompt": [[1, 2], [3]], "best_of": 5}),
            5_000.0,
        ),
        (json!({"max_tokens": 500, "prompt": [1, 2, 3]}), 500.0),
        (json!({"n": 4, "prompt": ["a", "b", "c"]}), 192.0),
    ] {
        let (held, said) = (cost(more.clone()), tokens * price);
        assert!(
            (said..said + 0.000_5).contains(&held),
            "{more}: {held}, {said}"
        );
    }
    // A prompt that is repeated may be counted with each choice that begins with it.
    let long = json!({"prompt": "word ".repeat(2_000), "n": 3, "echo": true});
    assert!(cost(long) >= 3.0 * 10_000.0 * price);
    // Each prompt has the model's context to itself.
    let many = json!({"prompt": vec!["word ".repeat(100_000); 4]});
    assert!(cost(many) >= 4.0 * 500_000.0 * 2.0 / 1e6);
}

#[test]
fn guard_bounds_what_the_body_does_not_hold_is_bounded_by_the_context() {
    let config = only(&lab(None), "anthropic-us");
    let sonnet = |parts| messages("claude-sonnet-4-6", parts, json!({}));
    let url = json!([{"type": "document", "source": {"type": "url", "url": "https://files.example.com/a.pdf"}}]);
    let pdf = json!([{"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ="}}]);
    // A million tokens at the dearest kind of input, $6, and 10 % on top.
    for parts in [url.clone(), pdf.clone()] {
        let held = reserved(&config, Api::Messages, &sonnet(parts)).unwrap();
        assert!((6.6..6.61).contains(&held), "{held}");
    }
    let plain = reserved(&config, Api::Messages, &sonnet(json!("Hello."))).unwrap();
    assert!(plain < 0.01, "{plain}");
    // What is billed for 180,000 tokens of a file is in it: it was reserved $0.0020.
    let seen = 180_000.0 * 3.0 * 1.1 / 1e6;
    assert!(seen < 6.6);

    let mut silent = config;
    silent.regions.endpoints[0].models[0].context = None;
    for parts in [url, pdf] {
        let missing = reserved(&silent, Api::Messages, &sonnet(parts));
        assert_eq!(missing, Err(Missing::Context));
    }
    assert!(reserved(&silent, Api::Messages, &sonnet(json!("Hello."))).is_ok());
}

#[test]
fn guard_bounds_stored_state_is_bounded_by_the_context() {
    let config = only(&lab(None), "openai-us");
    for more in [
        json!({"conversation": "conv_1"}),
        json!({"previous_response_id": "resp_1"}),
        json!({"prompt": {"id": "pmpt_1"}}),
        json!({"input": [{"type": "item_reference", "id": "msg_1"}]}),
        json!({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file_1"}]}]}),
    ] {
        // 400,000 tokens at $0.25.
        let held = reserved(&config, Api::Responses, &responses(more.clone())).unwrap();
        assert!(held >= 0.1, "{more}: {held}");
    }
    let plain = reserved(&config, Api::Responses, &responses(json!({}))).unwrap();
    assert!(plain < 0.001, "{plain}");
}

#[test]
fn to_keep_an_answer_reserves_no_context() {
    let config = only(&lab(None), "openai-us");
    let ask = |more: Value| reserved(&config, Api::Responses, &responses(more)).unwrap();
    assert!(ask(json!({"store": true})) < 0.001);
    assert!(ask(json!({"store": true, "previous_response_id": "resp_1"})) >= 0.1);
}

#[test]
fn guard_bounds_a_tier_without_a_price_has_no_bound() {
    let cases = [
        ("openai-us", Api::Responses, responses(json!({}))),
        (
            "openai-us",
            Api::Chat,
            json!({"model": "gpt-4.1", "max_tokens": 16, "messages": [{"role": "user", "content": "a"}]}),
        ),
        (
            "bedrock-frankfurt-converse",
            Api::Chat,
            json!({"model": "nova-pro", "max_tokens": 16, "messages": [{"role": "user", "content": "a"}]}),
        ),
    ];
    for (endpoint, api, mut body) in cases {
        let config = only(&lab(None), endpoint);
        for (tier, bounded) in [("default", true), ("flex", true), ("priority", false)] {
            body["service_tier"] = json!(tier);
            let held = reserved(&config, api, &body);
            match bounded {
                true => assert!(held.is_ok(), "{endpoint}, {tier}"),
                false => assert_eq!(held, Err(Missing::Tier), "{endpoint}, {tier}"),
            }
        }
    }
}

#[test]
fn a_limit_of_0_fills_the_cache_in_its_own_dialect_alone() {
    let mut body = messages("claude-sonnet-4-6", json!("word ".repeat(1000)), json!({}));
    body["max_tokens"] = json!(0);
    let ask = |endpoint: &str| {
        let config = only(&lab(None), endpoint);
        sent(&config, Api::Messages, &body.to_string(), &[]).unwrap()
    };
    let (bound, native) = ask("anthropic-us");
    let filled = 6.6 / 1e6 * 5_000.0;
    let held = bound.money.unwrap() as f64 / 1e9;
    assert!((filled..filled + 0.001).contains(&held), "{held}");
    assert!(native.unwrap().contains(r#""max_tokens":0"#));
    body["model"] = json!("gpt-4.1");
    let config = only(&lab(None), "openai-us");
    let (_, written) = sent(&config, Api::Messages, &body.to_string(), &[]).unwrap();
    assert_eq!(written, None, "nothing is sent to another dialect");
}

#[test]
fn guard_bounds_hosted_tools_without_a_limit_or_a_price_have_no_bound() {
    let config = only(&lab(None), "openai-us");
    let search = json!({"tools": [{"type": "web_search"}]});
    let kind = || "web-search".to_owned();
    let missing = reserved(&config, Api::Responses, &responses(search.clone()));
    assert_eq!(missing, Err(Missing::Uses { kind: kind() }));
    let mut limited = responses(search.clone());
    limited["max_tool_calls"] = json!(0);
    assert!(reserved(&config, Api::Responses, &limited).is_ok());
    let other = responses(json!({"moderation": {"model": "another"}}));
    let missing = reserved(&config, Api::Responses, &other);
    assert_eq!(missing, Err(Missing::OtherModel));

    for tier in ["priority", "ultra"] {
        let dear = responses(json!({"service_tier": tier}));
        let missing = reserved(&config, Api::Responses, &dear);
        assert_eq!(missing, Err(Missing::Tier), "{tier}");
    }
    let cheap = responses(json!({"service_tier": "flex"}));
    assert!(reserved(&config, Api::Responses, &cheap).is_ok());

    // Three runs: the context four times at $0.25, and $0.01 for each search.
    let mut limited = responses(search.clone());
    limited["max_tool_calls"] = json!(3);
    let held = reserved(&config, Api::Responses, &limited).unwrap();
    assert!((0.43..0.4302).contains(&held), "{held}");
    let claimed = only(&lab(Some(3)), "openai-us");
    let same = reserved(&claimed, Api::Responses, &responses(search.clone())).unwrap();
    assert!((held - same).abs() < 1e-6, "{same}");
    limited["tools"] = json!([{"type": "code_interpreter", "container": {"type": "auto"}}]);
    let missing = reserved(&config, Api::Responses, &limited);
    let kind_of = |kind: &str| {
        Err(Missing::UsePrice {
            kind: kind.to_owned(),
        })
    };
    assert_eq!(missing, kind_of("code-execution"));

    // What a request says of a tool counts where the tool knows it, once.
    let config = only(&lab(None), "anthropic-us");
    let anthropic = |tool: &str| {
        let body = format!(
            r#"{{"model":"claude-sonnet-4-6","max_tokens":16,"messages":[{{"role":"user","content":"a"}}],"tools":[{tool}]}}"#
        );
        bound_of(&config, Api::Messages, &body, &[])
            .unwrap()
            .unbounded
    };
    let of = |tool: &str| anthropic(tool).map(|unbounded| unbounded.missing);
    let uses = |kind: &str| {
        Some(Missing::Uses {
            kind: kind.to_owned(),
        })
    };
    for tool in [
        r#"{"type":"web_search_20250305","name":"web_search"}"#,
        r#"{"type":"web_search_20250305","name":"web_search","max_uses":null}"#,
        r#"{"type":"web_search_20250305","name":"web_search","max_uses":-1}"#,
        r#"{"type":"web_search_20250305","name":"web_search","max_uses":1,"max_uses":1000}"#,
        r#"{"type":"web_search_20250305","name":"web_search","max_uses":1,"max_us\u0065s":1000}"#,
        r#"{"type":"web_search_20250305","name":"web_search","max_us\u0065s":1000,"max_uses":1}"#,
    ] {
        assert_eq!(of(tool), uses("web-search"), "{tool}");
    }
    let code = r#"{"type":"code_execution_20250825","name":"code_execution","max_uses":1}"#;
    assert_eq!(of(code), uses("code-execution"), "it knows no max_uses");
    assert_eq!(
        of(r#"{"type":"web_search_20250305","name":"w","max_uses":0}"#),
        None
    );
}

#[test]
fn guard_bounds_compaction_is_read_and_said_more_than_once() {
    let config = only(&lab(None), "anthropic-us");
    let long = "word ".repeat(40_000);
    let plain = messages("claude-sonnet-4-6", json!(long), json!({}));
    let compacts = messages(
        "claude-sonnet-4-6",
        json!(long),
        json!({"context_management": {"edits": [{"type": "compact_20260112"}]}}),
    );
    let (once, more) = (
        reserved(&config, Api::Messages, &plain).unwrap(),
        reserved(&config, Api::Messages, &compacts).unwrap(),
    );
    assert!(more > 3.0 * once, "{once}, {more}");
    let clears = messages(
        "claude-sonnet-4-6",
        json!(long),
        json!({"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}),
    );
    let clears = reserved(&config, Api::Messages, &clears).unwrap();
    assert!(clears < 1.1 * once, "{once}, {clears}");
}

#[test]
fn what_may_come_out_is_no_more_than_the_model_says() {
    let config = only(&lab(None), "openai-us");
    let chat = |more: Value| {
        let mut body =
            json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "a"}]});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        reserved(&config, Api::Chat, &body).unwrap()
    };
    // 16,384 tokens at $0.60.
    let longest = 16_384.0 * 0.6 / 1e6;
    for more in [
        json!({}),
        json!({"max_tokens": null}),
        json!({"max_tokens": 1_000_000}),
    ] {
        let held = chat(more.clone());
        assert!(
            (longest..longest + 0.0001).contains(&held),
            "{more}: {held}"
        );
    }
    assert!(chat(json!({"max_tokens": 10})) < 0.0001);
    let three = chat(json!({"n": 3}));
    assert!(
        (3.0 * longest..3.0 * longest + 0.0001).contains(&three),
        "{three}"
    );
    let predicted = chat(
        json!({"max_tokens": 10, "prediction": {"type": "content", "content": "b".repeat(100_000)}}),
    );
    assert!(
        predicted > 0.07,
        "{predicted}: what was predicted wrongly is billed"
    );

    // Written anew for Anthropic's dialect, the gateway says how long it may be.
    let config = only(&lab(None), "anthropic-us");
    let ask = |more: Value| {
        let mut body =
            json!({"model": "claude-sonnet-4-6", "messages": [{"role": "user", "content": "a"}]});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        reserved(&config, Api::Chat, &body).unwrap()
    };
    let usual = 16_384.0 * 15.0 * 1.1 / 1e6;
    let held = ask(json!({}));
    assert!((usual..usual + 0.01).contains(&held), "{held}");
    let thinks = ask(json!({"reasoning_effort": "high"}));
    assert!(thinks >= 128_000.0 * 15.0 * 1.1 / 1e6, "{thinks}");
}

#[test]
fn guard_bounds_more_answers_than_anybody_gives_are_refused() {
    let config = lab(None);
    let body = |n: u64| json!({"model": "gpt-4o-mini", "max_tokens": 1, "n": n, "messages": [{}]});
    assert!(bound(&config, Api::Chat, &body(128), &[]).is_ok());
    let refusal = bound(&config, Api::Chat, &body(129), &[]).unwrap_err();
    let told = Refusal::Body(Invalid::Answers {
        field: "n".to_owned(),
        most: 128,
        model: "gpt-4o-mini".to_owned(),
    });
    assert_eq!(refusal, told);
    assert_eq!((refusal.status(), refusal.param()), (400, Some("n")));
}

#[test]
fn guard_bounds_words_that_look_like_a_file_count_like_words() {
    let config = only(&lab(None), "anthropic-us");
    let letters = "Qm9ndXM".repeat(30_000);
    let cost = |body: Value| reserved(&config, Api::Messages, &body).unwrap();
    let of_letters = letters.len() as f64 * 6.6 / 1e6;
    for body in [
        messages("claude-sonnet-4-6", json!(letters), json!({})),
        messages(
            "claude-sonnet-4-6",
            json!([
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
                {"type": "text", "text": letters},
            ]),
            json!({}),
        ),
    ] {
        assert!(cost(body) >= of_letters);
    }
    // A picture counts by its sides, whatever its length.
    let picture = |data: &str| {
        messages(
            "claude-sonnet-4-6",
            json!([
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
            ]),
            json!({}),
        )
    };
    let (small, large) = (cost(picture("iVBORw0KGgo=")), cost(picture(&letters)));
    assert!(small >= 0.33 && large < 0.5, "{small}, {large}");
}

#[test]
fn a_beta_that_widens_the_context_widens_the_bound() {
    let config = only(&lab(None), "bedrock-frankfurt");
    let body = messages(
        "claude-haiku-4-5",
        json!([{"type": "document", "source": {"type": "url", "url": "https://a.example/b"}}]),
        json!({}),
    );
    let cost = |headers: &[(&str, &str)], body: &Value| {
        let bound = bound(&config, Api::Messages, body, headers).unwrap();
        bound.money.unwrap() as f64 / 1e9
    };
    let usual = cost(&[], &body);
    let long = cost(&[("anthropic-beta", "context-1m-2025-08-07")], &body);
    let mut inside = body.clone();
    inside["anthropic_beta"] = json!(["context-1m-2025-08-07"]);
    assert!(
        long > 4.5 * usual && cost(&[], &inside) >= long,
        "{usual}, {long}"
    );
}

/// Folders of recordings whose requests clients of the gateway make.
const RECORDED: [(&str, Api); 8] = [
    ("openai-chat", Api::Chat),
    ("azure-chat", Api::Chat),
    ("mistral-chat", Api::Chat),
    ("openai-compat-chat", Api::Chat),
    ("openai-responses", Api::Responses),
    ("azure-responses", Api::Responses),
    ("anthropic-messages", Api::Messages),
    ("vertex-anthropic-rawPredict", Api::Messages),
];

#[test]
fn what_providers_billed_for_recorded_requests_is_within_the_bound() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/recorded");
    if !root.exists() {
        println!("recorded requests are not here and were not looked at");
        return;
    }
    let mut config = lab(Some(0));
    config
        .regions
        .endpoints
        .retain(|one| one.name == "openai-us");
    for claim in &mut config.regions.endpoints[0].models {
        (claim.context, claim.max_output) = (None, None);
    }
    let mut compared = 0;
    for (folder, api) in RECORDED {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let read = |name: &str| {
                let text = fs::read_to_string(path.join(name)).ok()?;
                serde_json::from_str::<Value>(&text).ok()
            };
            let (Some(mut request), Some(usage)) =
                (read("request.json"), read("expected-usage.json"))
            else {
                continue;
            };
            request["model"] = json!("gpt-4.1");
            for limit in [
                "max_tokens",
                "max_completion_tokens",
                "max_output_tokens",
                "n",
            ] {
                request.as_object_mut().unwrap().remove(limit);
            }
            let limit = match api {
                Api::Responses => "max_output_tokens",
                _ => "max_tokens",
            };
            request[limit] = json!(1);
            // What asks for more than an answer, and documents, go by the context.
            let Ok(bound) = bound(&config, api, &request, &[]) else {
                continue;
            };
            let billed = usage["expected"]["input_total"]
                .as_i64()
                .unwrap_or_default();
            if bound.unbounded.is_some() || billed == 0 {
                continue;
            }
            compared += 1;
            assert!(
                bound.tokens > billed,
                "{path:?}: {billed}, {}",
                bound.tokens
            );
        }
    }
    println!("{compared} compared");
    assert!(compared > 100, "{compared}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever a request hides, a provider bills no more than was reserved for it,
    /// or the call is refused where a budget holds for it.
    #[test]
    fn guard_bounds_no_provider_bills_more_than_was_reserved(
        body in provider::bodies(),
        max_uses in prop::option::of(0_u32..6),
        at in any::<prop::sample::Index>(),
    ) {
        let config = lab(max_uses);
        let all: Vec<(String, String, bool)> = config.regions.endpoints.iter()
            .flat_map(|endpoint| endpoint.models.iter().map(|claim| {
                let thinks = claim.thinking != Some(ThinkingStyle::None);
                (endpoint.name.clone(), claim.model.clone(), thinks)
            }))
            .filter(|(_, model, _)| !model.contains("embed"))
            .collect();
        let (endpoint, model, _) = at.get(&all);
        let config = only(&config, endpoint);
        let json = body.json(model);
        let (bound, sent) = match sent(&config, body.api, &json.to_string(), &body.headers()) {
            Ok(both) => both,
            Err(refusal) => panic!("{endpoint}, {model}: {refusal}\n{json}"),
        };
        // What cannot be written for an endpoint is not billed there.
        let Some(sent) = sent else { return Ok(()) };
        let unlimited = body.hosted.iter().any(|tool| {
            provider::runs(tool, body.tool_calls, max_uses).is_none()
        });
        let unpriced = |tool: &Hosted| {
            provider::runs(tool, body.tool_calls, max_uses).is_some_and(|runs| runs > 0)
                && config.prices.per_use(model, tool.kind).is_none()
        };
        match bound.money {
            None => {
                prop_assert!(bound.unbounded.is_some());
                prop_assert!(unlimited || body.hosted.iter().any(unpriced), "{bound:?}\n{json}");
            }
            Some(held) => {
                prop_assert!(!unlimited, "{json}");
                let price = &config.prices.0[model.as_str()];
                let claim = &config.regions.endpoints[0].models.iter().find(|c| c.model == *model).unwrap();
                let seller = Seller { model, uplift: claim.uplift_percent, price, prices: &config.prices, max_uses };
                let billed = provider::bill(&body, &sent, &seller);
                prop_assert!(billed <= i128::from(held), "{endpoint}, {model}: billed {billed}, reserved {held}\n{json}");
            }
        }
    }
}
