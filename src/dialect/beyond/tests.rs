//! What is known, counted, named and not trusted.

use super::*;

fn of(usage: Value) -> Beyond {
    Beyond::of(&usage.to_string())
}

#[test]
fn guard_tools_that_ran_are_kinds_of_their_own() {
    let beyond = of(serde_json::json!({
        "input_tokens": 5, "output_tokens": 7, "service_tier": "standard",
        "server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 2},
    }));
    let uses: Vec<(&str, u64)> = beyond.uses.iter().map(|(k, n)| (k.as_str(), *n)).collect();
    assert_eq!(uses, [("web-fetch", 2), ("web-search", 3)]);
    assert!(beyond.unknown.is_empty() && !beyond.other_speed);
}

#[test]
fn guard_a_number_that_nobody_knows_is_named() {
    let beyond = of(serde_json::json!({
        "prompt_tokens": 5, "video_seconds": 12, "nothing_new": 0, "note": "text",
        "prompt_tokens_details": {"smell_tokens": 1, "cached_tokens": 2},
        "input_tokens": -5, "total_tokens": 5_000_000_000_u64,
    }));
    let names: Vec<&str> = beyond.unknown.iter().map(String::as_str).collect();
    let wanted = [
        "input_tokens",
        "prompt_tokens_details.smell_tokens",
        "total_tokens",
        "video_seconds",
    ];
    assert_eq!(names, wanted);
    assert!(Beyond::of("[]").unknown.contains("usage"));
    assert!(Beyond::of(&" ".repeat(LONGEST + 1))
        .unknown
        .contains("usage"));
    let many: serde_json::Map<String, Value> =
        (0..100).map(|at| (format!("new,{at}"), 1.into())).collect();
    let many = of(Value::Object(many)).unknown;
    assert!(many.len() == MOST_UNKNOWN && many.iter().all(|name| !name.contains(',')));
}

#[test]
fn guard_every_pass_counts() {
    let beyond = of(serde_json::json!({
        "input_tokens": 2390, "output_tokens": 121, "speed": "fast",
        "iterations": [
            {"type": "message", "input_tokens": 1128, "output_tokens": 110},
            {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500},
            {"type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 2518, "output_tokens": 22},
            {"type": "message", "input_tokens": 1262, "output_tokens": 11},
        ],
    }));
    let passes: Vec<(Option<&str>, u64, u64)> = beyond
        .passes
        .iter()
        .map(|pass| (pass.model.as_deref(), pass.tokens.input, pass.tokens.output))
        .collect();
    assert_eq!(
        passes,
        [(None, 180_000, 3_500), (Some("claude-opus-4-8"), 2518, 22)]
    );
    assert!(beyond.other_speed && beyond.unknown.is_empty());
    let other = of(serde_json::json!({"iterations": [{"type": "shiny", "input_tokens": 5}]}));
    assert!(other.unknown.contains("iterations.shiny") && other.passes.len() == 1);
}

#[test]
fn what_comes_later_replaces_what_is_smaller() {
    let mut beyond = of(serde_json::json!({"server_tool_use": {"web_search_requests": 1}}));
    beyond.merge(of(
        serde_json::json!({"server_tool_use": {"web_search_requests": 3}}),
    ));
    beyond.merge(of(serde_json::json!({"output_tokens": 3})));
    assert_eq!(beyond.uses.get("web-search"), Some(&3));
}

#[test]
fn guard_a_count_that_cannot_be_is_not_trusted() {
    for absurd in [
        serde_json::json!({"input_tokens": -5}),
        serde_json::json!({"promptTokenCount": 12.5}),
        serde_json::json!({"inputTokens": "180000"}),
        serde_json::json!({"output_tokens": 5_000_000_000_u64}),
        serde_json::json!({"prompt_tokens_details": {"cached_tokens": 1e300}}),
        serde_json::json!({"iterations": [{"type": "compaction", "input_tokens": -1}]}),
    ] {
        let beyond = of(absurd.clone());
        assert!(beyond.absurd && !beyond.unknown.is_empty(), "{absurd}");
    }
    let aside = of(
        serde_json::json!({"cost": 0.0123, "queue_time": 1e-3, "cost_in_usd_ticks": 5e10,
        "prompt_tokens": 5, "note": "nan", "seed": "0"}),
    );
    assert!(!aside.absurd && aside.unknown.is_empty(), "{aside:?}");
    let text = of(serde_json::json!({"hologram_seconds": "12"}));
    assert!(!text.absurd && text.unknown.contains("hologram_seconds"));
}

#[test]
fn guard_who_went_on_is_paid_for_by_their_own_price() {
    let passes = serde_json::json!([
        {"type": "message", "model": "a", "input_tokens": 100, "output_tokens": 10},
        {"type": "fallback_message", "model": "b", "input_tokens": 120, "output_tokens": 20},
    ]);
    let models = |passes: &[Pass]| -> Vec<String> {
        let models = passes.iter().filter_map(|pass| pass.model.clone());
        models.collect()
    };
    let within =
        of(serde_json::json!({"input_tokens": 220, "output_tokens": 30, "iterations": passes}));
    assert_eq!(models(&within.within), ["a", "b"]);
    assert!(within.passes.is_empty() && within.unknown.is_empty());
    let beside =
        of(serde_json::json!({"input_tokens": 100, "output_tokens": 10, "iterations": passes}));
    assert_eq!(
        (models(&beside.within), models(&beside.passes)),
        (vec!["a".to_owned()], vec!["b".to_owned()])
    );
    assert!(beside.unknown.contains("iterations.fallback_message"));
}

#[test]
fn guard_the_total_and_the_place_are_read() {
    let beyond = of(
        serde_json::json!({"prompt_tokens": 5, "total_tokens": 9, "inference_geo": "us",
        "iterations": [{"type": "message", "total_tokens": 1}]}),
    );
    assert_eq!((beyond.total, beyond.at_premium), (Some(9), true));
    for place in ["global", "not_available", ""] {
        assert!(!of(serde_json::json!({"inference_geo": place})).at_premium);
    }
}

#[test]
fn guard_long_names_are_not_copied_for_each_of_their_fields() {
    let fields: serde_json::Map<String, Value> =
        (0..3_000).map(|at| (format!("{at}"), 1.into())).collect();
    let beyond = of(serde_json::json!({"n".repeat(30_000): fields}));
    assert!(beyond.unknown.iter().all(|name| name.len() <= LONGEST_NAME));
    assert!(!beyond.unknown.is_empty());
}
