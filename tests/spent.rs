//! What rows say that an answer cost: tools and passes beside the tokens, and
//! what is taken where the final count never came.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::answer::record::{Lost, Outcome, Row, Served, Tried};
use meridian::config::{self, Config, Files};
use meridian::dialect::{self, Api, Beyond, Reading, Wanted};
use meridian::regions::Dialect;
use meridian::request::caller::{Caller, KeyRecord};
use meridian::request::egress::Egress;
use meridian::request::head::{Head, Origin};
use meridian::request::plan;
use meridian::request::zone;
use meridian::units::{Millis, NanoUsd, RequestId, Tokens};
use serde_json::{json, Value};
use std::path::Path;
use std::sync::OnceLock;

fn own() -> &'static Config {
    static OWN: OnceLock<Config> = OnceLock::new();
    OWN.get_or_init(|| {
        let files = Files::load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        config::read(&files, "2026-11-27").checked().unwrap()
    })
}

fn call(model: &str) -> (Row, plan::Attempt<'static>) {
    let mut caller = Caller::new(KeyRecord::anybody(), &Head::default());
    caller.origin = Origin::new("US", "IAD");
    let zone = zone::decide(&own().regions, &caller).unwrap();
    let wanted = Wanted {
        model: model.to_owned(),
        stream: true,
        thinks: None,
    };
    let nothing = Egress::default();
    let plan = plan::plan(own(), &caller, &zone, Api::Messages, &wanted, &nothing).unwrap();
    let id = RequestId::new(Millis(1), 1);
    let mut row = Row::new(&id, Millis(1), &caller, Api::Messages);
    row.reserved_nano = Some(NanoUsd(150_000_000));
    (row, plan.first)
}

fn reading(usage: Option<Value>) -> Reading {
    let mut reading = Reading::default();
    reading.output_bytes = 40;
    if let Some(usage) = usage {
        reading.beyond = Beyond::of(&usage.to_string());
        reading.has_usage = true;
        reading.tokens = Tokens {
            input: usage["input_tokens"].as_u64().unwrap(),
            output: usage["output_tokens"].as_u64().unwrap(),
            ..Tokens::default()
        };
    }
    reading
}

fn served(attempt: plan::Attempt<'static>) -> Served<'static> {
    Served {
        attempt,
        status: 200,
        request_bytes: 400,
    }
}

/// The row of a call to Sonnet in the US, 10 % above the list price.
fn answered(usage: Value) -> Row {
    let (mut row, attempt) = call("claude-sonnet");
    row.answered(
        served(attempt),
        reading(Some(usage)),
        false,
        &own().prices,
        Millis(5),
    );
    row
}

#[test]
fn guard_a_hang_up_hides_no_thinking() {
    for (thinks, wanted) in [(true, Some(150_000_000)), (false, None)] {
        let (mut row, attempt) = call("claude-sonnet");
        row.may_hide(thinks, &own().regions.egress);
        row.answered(
            served(attempt),
            reading(None),
            true,
            &own().prices,
            Millis(5),
        );
        assert_eq!((row.outcome, row.estimated), (Outcome::ClientGone, true));
        match wanted {
            Some(nano) => assert_eq!(row.cost_nano, Some(NanoUsd(nano))),
            None => assert!(row.cost_nano.unwrap() < NanoUsd(1_000_000), "by its length"),
        }
    }
    // It was seen to think, whatever was asked; and nothing was reserved.
    let (mut row, attempt) = call("claude-sonnet");
    row.reserved_nano = None;
    let mut seen = reading(None);
    seen.thought = true;
    row.answered(served(attempt), seen, true, &own().prices, Millis(5));
    assert_eq!(row.cost_nano, None, "nobody knows");
    // The final count came all the same.
    let (mut row, attempt) = call("claude-sonnet");
    row.may_hide(true, &own().regions.egress);
    let counted = reading(Some(json!({"input_tokens": 1000, "output_tokens": 100})));
    row.answered(served(attempt), counted, true, &own().prices, Millis(5));
    assert_eq!(
        (row.cost_nano, row.estimated),
        (Some(NanoUsd(4_950_000)), false)
    );
}

#[test]
fn guard_what_a_request_does_not_hold_is_hidden_too() {
    let (mut row, attempt) = call("claude-sonnet");
    row.egress = "remote-url:files.example.com".to_owned();
    row.may_hide(false, &own().regions.egress);
    row.answered(
        served(attempt),
        reading(None),
        true,
        &own().prices,
        Millis(5),
    );
    assert_eq!(row.cost_nano, Some(NanoUsd(150_000_000)));
}

#[test]
fn guard_an_attempt_that_nobody_waited_for_may_have_taken_what_was_reserved() {
    for (why, wanted) in [
        ("client_left", 150_000_000),
        ("broke_off", 150_000_000),
        ("malformed", 150_000_000),
        ("status_500", 0),
    ] {
        let (mut row, attempt) = call("claude-sonnet");
        row.may_hide(true, &own().regions.egress);
        let tried = Tried {
            endpoint: "e".into(),
            why: why.into(),
            status: None,
            ms: 1,
            drill: false,
        };
        let lost = Lost {
            attempt,
            may_be_billed: true,
            request_bytes: 400,
            prices: &own().prices,
        };
        row.came_to_nothing(tried, lost);
        row.refused(&meridian::refusal::Refusal::ClientLeft, Millis(5));
        let took = row.took().unwrap();
        assert!(
            took >= NanoUsd(wanted) && took <= NanoUsd(150_000_000),
            "{why}: {took}"
        );
    }
}

#[test]
fn guard_what_was_lost_and_what_is_hidden_are_no_more_than_was_reserved() {
    let (mut row, attempt) = call("claude-sonnet");
    row.may_hide(true, &own().regions.egress);
    let tried = Tried {
        endpoint: "e".into(),
        why: "status_500".into(),
        status: Some(500),
        ms: 1,
        drill: false,
    };
    let lost = Lost {
        attempt,
        may_be_billed: true,
        request_bytes: 4_000,
        prices: &own().prices,
    };
    row.came_to_nothing(tried, lost);
    assert!(row.lost_nano > Some(NanoUsd(0)));
    row.answered(
        served(attempt),
        reading(None),
        true,
        &own().prices,
        Millis(5),
    );
    assert_eq!(row.took(), Some(NanoUsd(150_000_000)));
}

/// The row of a call to a model that thinks, left after these events.
fn left_after(dialect: Dialect, events: &[&str]) -> Row {
    let (mut row, attempt) = call("claude-sonnet");
    row.may_hide(true, &own().regions.egress);
    let mut told = Reading::default();
    for event in events {
        match dialect {
            Dialect::OpenAiChat => dialect::read_event(dialect, event.as_bytes(), &mut told),
            other => told.event(other, event.as_bytes()),
        }
    }
    assert_eq!(told.fault, None);
    row.answered(served(attempt), told, true, &own().prices, Millis(5));
    row
}

#[test]
fn guard_a_count_on_the_way_is_not_the_final_one() {
    let chat = |delta: &str, reason: &str, usage: &str| {
        format!(
            r#"{{"model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":{reason}}}]{usage}}}"#
        )
    };
    let gemini = |reason: &str, usage: &str| {
        format!(r#"{{"candidates":[{{"content":{{"parts":[{{"text":"a"}}]}}{reason}}}]{usage}}}"#)
    };
    // Databricks and Perplexity count in every chunk, and so does Gemini; what
    // Vertex tells with its first chunk counts nothing yet.
    let some = r#","usage":{"prompt_tokens":1000,"completion_tokens":1,"total_tokens":1001}"#;
    let all = r#","usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}"#;
    let begun = chat(r#"{"content":"a"}"#, "null", some);
    let stopped = chat("{}", "\"stop\"", all);
    let silent = chat("{}", "\"stop\"", "");
    let extra = format!(r#"{{"choices":[]{all}}}"#);
    let traffic = gemini("", r#","usageMetadata":{"trafficType":"ON_DEMAND"}"#);
    let few = r#","usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":1}"#;
    let most = r#","usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":40,"thoughtsTokenCount":60}"#;
    let (few, most) = (gemini("", few), gemini(r#","finishReason":"STOP""#, most));
    let unsaid = gemini(r#","finishReason":"STOP""#, "");

    let reserved = (Some(NanoUsd(150_000_000)), true);
    let counted = (Some(NanoUsd(4_950_000)), false);
    let (openai, google) = (Dialect::OpenAiChat, Dialect::Gemini);
    for (dialect, events, wanted) in [
        (openai, vec![&begun], reserved),
        (openai, vec![&begun, &begun], reserved),
        (openai, vec![&begun, &stopped], counted),
        (openai, vec![&silent, &extra], counted),
        (google, vec![&traffic], reserved),
        (google, vec![&traffic, &few], reserved),
        (google, vec![&traffic, &few, &most], counted),
    ] {
        let events: Vec<&str> = events.into_iter().map(String::as_str).collect();
        let row = left_after(dialect, &events);
        assert_eq!((row.cost_nano, row.estimated), wanted, "{events:?}");
    }
    // The last chunk does not say it once more.
    for row in [
        left_after(openai, &[&begun, &silent]),
        left_after(google, &[&few, &unsaid]),
    ] {
        assert_eq!(
            (row.tokens.input, row.tokens.output, row.estimated),
            (1000, 1, false)
        );
    }
}

#[test]
fn guard_passes_and_tools_are_paid_for() {
    let plain = answered(json!({"input_tokens": 1000, "output_tokens": 100}));
    assert_eq!(plain.cost_nano, Some(NanoUsd(4_950_000)));
    let compacted = answered(
        json!({"input_tokens": 1000, "output_tokens": 100, "iterations": [
            {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500},
            {"type": "message", "input_tokens": 1000, "output_tokens": 100},
        ]}),
    );
    // 180,000 × $3.30 and 3,500 × $16.50 a million.
    assert_eq!(
        compacted.cost_nano,
        Some(NanoUsd(4_950_000 + 594_000_000 + 57_750_000))
    );
    assert_eq!(
        (compacted.tokens.input, compacted.tokens.output),
        (181_000, 3_600)
    );
    let searched = answered(json!({"input_tokens": 1000, "output_tokens": 100,
        "server_tool_use": {"web_search_requests": 3}}));
    assert_eq!(searched.cost_nano, Some(NanoUsd(34_950_000)));
    assert_eq!(searched.counts, r#"{"web-search":3}"#);
}

#[test]
fn guard_what_has_no_price_is_unpriced_and_what_nobody_knows_is_named() {
    let usage = |more: Value| {
        let mut usage = json!({"input_tokens": 1000, "output_tokens": 100});
        for (name, value) in more.as_object().unwrap() {
            usage[name] = value.clone();
        }
        answered(usage)
    };
    for unpriced in [
        json!({"server_tool_use": {"code_execution_requests": 1}}),
        json!({"speed": "fast"}),
        json!({"iterations": [{"type": "advisor_message", "model": "claude-opus-9", "input_tokens": 5, "output_tokens": 5}]}),
    ] {
        assert_eq!(usage(unpriced.clone()).cost_nano, None, "{unpriced}");
    }
    let row = usage(json!({"video_seconds": 7, "server_tool_use": {"sings": 1}}));
    assert_eq!(row.at_least, "server_tool_use.sings,video_seconds");
    assert_eq!(row.cost_nano, Some(NanoUsd(4_950_000)), "at least");
}

#[test]
fn guard_an_absurd_count_is_settled_at_what_was_reserved() {
    let mut usage = json!({"input_tokens": 1000, "output_tokens": 100});
    usage["iterations"] = json!([{"type": "compaction", "input_tokens": 5_000_000_000_u64}]);
    let row = answered(usage);
    assert_eq!(
        (row.cost_nano, row.estimated),
        (Some(NanoUsd(150_000_000)), true)
    );
    assert_eq!(row.at_least, "input_tokens");
    assert!(row.tokens.input < 1_000, "by its length");
}

#[test]
fn guard_tokens_of_no_kind_that_is_known_are_named() {
    let row = answered(json!({"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1500}));
    assert_eq!(row.at_least, "total_tokens");
    let row = answered(json!({"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}));
    assert_eq!(row.at_least, "");
}

#[test]
fn guard_a_premium_that_the_endpoint_does_not_have_is_named() {
    for (model, premium) in [("claude-sonnet", true), ("gpt-4.1", false)] {
        let (mut row, attempt) = call(model);
        assert_eq!(attempt.claim().uplift_percent > 0, premium, "{model}");
        let usage = json!({"input_tokens": 1000, "output_tokens": 100, "inference_geo": "us"});
        row.answered(
            served(attempt),
            reading(Some(usage)),
            false,
            &own().prices,
            Millis(5),
        );
        assert_eq!(row.at_least == "inference_geo", !premium, "{model}");
    }
}

#[test]
fn guard_a_model_that_others_fell_back_to_has_its_own_price() {
    let usage = json!({"input_tokens": 2000, "output_tokens": 200, "iterations": [
        {"type": "message", "model": "claude-sonnet-4-6-20260217", "input_tokens": 1000, "output_tokens": 100},
        {"type": "fallback_message", "model": "claude-opus-4-6", "input_tokens": 1000, "output_tokens": 100},
    ]});
    // 1,000 and 100 by Sonnet's price, and as many by that of Opus, 10 % above each.
    assert_eq!(
        answered(usage).cost_nano,
        Some(NanoUsd(4_950_000 + 8_250_000))
    );
    // The reply says no more than who it was.
    for (served_by, wanted) in [
        ("claude-opus-4-6", Some(NanoUsd(8_250_000))),
        ("claude-opus-9", None),
    ] {
        let (mut row, attempt) = call("claude-sonnet");
        row.egress = "other-model".to_owned();
        let mut told = reading(Some(json!({"input_tokens": 1000, "output_tokens": 100})));
        told.served_model = Some(served_by.to_owned());
        row.answered(served(attempt), told, false, &own().prices, Millis(5));
        assert_eq!(row.cost_nano, wanted, "{served_by}");
    }
}

#[test]
fn guard_tools_of_a_response_are_counted_and_unknown_ones_named() {
    let body = json!({"id": "r", "object": "response", "status": "completed", "model": "gpt-4.1",
        "output": [
            {"type": "web_search_call", "id": "a"}, {"type": "shell_call", "id": "b", "environment": {"type": "local"}},
            {"type": "shell_call", "id": "c", "environment": {"type": "container_reference", "container_id": "x"}},
            {"type": "hologram_call", "id": "d"},
        ],
        "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}});
    let mut told = Reading::default();
    meridian::dialect::read_reply(
        meridian::regions::Dialect::OpenAiResponses,
        body.to_string().as_bytes(),
        &mut told,
    );
    assert_eq!(told.fault, None);
    let uses: Vec<(String, u64)> = told.beyond.uses.into_iter().collect();
    assert_eq!(
        uses,
        [
            ("code-execution".to_owned(), 1),
            ("web-search".to_owned(), 1)
        ]
    );
    assert_eq!(
        Vec::from_iter(told.beyond.unknown),
        ["output.hologram_call"]
    );
}

#[test]
fn guard_units_of_embeddings_are_known_or_named() {
    let body = json!({"embeddings": {"float": [[0.5]]}, "meta": {"billed_units": {"input_tokens": 5, "images": 2}}});
    let mut told = Reading::default();
    let cohere = meridian::regions::Dialect::CohereEmbed;
    meridian::dialect::embed::answer(cohere, body.to_string().as_bytes(), "m", false, &mut told)
        .unwrap();
    assert_eq!(Vec::from_iter(told.beyond.unknown), ["images"]);
}
