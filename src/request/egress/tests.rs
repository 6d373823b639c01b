//! What a request asks for is found wherever it stands, and nothing else is.

use super::*;
use crate::regions::egress::{Words, BETAS, MENTION, OPAQUE};
use crate::regions::EgressKind;

fn rules() -> EgressRules {
    let words = |pairs: &[(&str, &str)]| {
        let pairs = pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        Words(pairs.collect())
    };
    let kind = |names_host, hosted_tool| EgressKind {
        names_host,
        hosted_tool,
        ..EgressKind::default()
    };
    let fields = [
        ("tools", PLAIN),
        ("name", PLAIN),
        ("model", PLAIN),
        ("content", PLAIN),
        ("messages", PLAIN),
        ("max_uses", PLAIN),
        ("text", PLAIN),
        ("id", PLAIN),
        ("input_schema", OPAQUE),
        ("anthropic_beta", BETAS),
        ("url", "remote-url"),
        ("image_url", "remote-url"),
        ("file_id", "stored-file"),
        ("store", "stored-response"),
        ("service_tier", "tier"),
        ("web_search_options", "web-search"),
    ];
    let types = [
        ("function", PLAIN),
        ("text", PLAIN),
        ("image", PLAIN),
        ("web_search_20*", "web-search"),
        ("url_citation", MENTION),
    ];
    let vocabulary = Vocabulary {
        types: words(&types),
        fields: words(&fields),
        betas: words(&[("known-*", PLAIN), ("mcp-*", "mcp")]),
        harmless: [("service_tier".to_owned(), ["auto".to_owned()].into())].into(),
        bare_id: Some("stored-item".to_owned()),
    };
    let kinds = [
        ("remote-url", kind(true, false)),
        ("stored-file", kind(false, false)),
        ("web-search", kind(false, true)),
    ];
    EgressRules {
        kinds: kinds.map(|(id, kind)| (id.to_owned(), kind)).into(),
        dialects: [(Api::Messages.as_str().to_owned(), vocabulary)].into(),
    }
}

fn asked(body: &str) -> Vec<String> {
    let found = read(&rules(), Api::Messages, &Head::default(), body);
    assert!(!found.too_much, "{body}");
    let label = |one: &Found| match &one.host {
        Some(host) => format!("{}:{host} at {}", one.kind, one.at),
        None => format!("{} at {}", one.kind, one.at),
    };
    found.found.iter().map(label).collect()
}

#[test]
fn what_asks_for_nothing_is_not_found() {
    for body in [
        r#"{"model":"m","messages":[{"content":"see https://evil.example"}]}"#,
        r#"{"tools":[{"type":"function","name":"web_search","input_schema":{"type":"mcp","url":"https://a.b"}}]}"#,
        r#"{"messages":[{"content":[{"type":"image","url":"data:image/png;base64,AA"}]}]}"#,
        r#"{"store":false,"file_id":null,"image_url":"","web_search_options":null,"unheard":null}"#,
        r#"{"service_tier":"auto","tools":[]}"#,
        r#"{"content":[{"type":"url_citation","url":"https://a.b","file_id":"f"}]}"#,
        r#"{"id":"a","name":"b"}"#,
        " { \"model\" : \"\\ud800\" } ",
    ] {
        assert_eq!(asked(body), Vec::<String>::new(), "{body}");
    }
}

#[test]
fn guard_whatever_asks_for_something_is_found_wherever_it_stands() {
    for (body, found) in [
        (
            r#"{"tools":[{"name":"a"},{"type":"web_search_20250305"}]}"#,
            "web-search at tools[1].type",
        ),
        (
            r#"{"tools":[{"type":"function","type":"web_search_20250305"}]}"#,
            "web-search at tools[0].type",
        ),
        (
            r#"{"tools":[{"t\u0079pe":"web_search_20250305"}]}"#,
            r"web-search at tools[0].t\u0079pe",
        ),
        (
            r#"{"tools":[{"type":"web_se\u0061rch_20250305"}]}"#,
            "web-search at tools[0].type",
        ),
        (
            r#"{"tools":[{"type":"shiny"}]}"#,
            "unknown at tools[0].type",
        ),
        (
            r#"{"tools":[{"type":["web_search_20250305"]}]}"#,
            "unknown at tools[0].type",
        ),
        (
            r#"{"web_search_options":{}}"#,
            "web-search at web_search_options",
        ),
        (
            r#"{"messages":[{"content":[{"image_url":{"url":"https://A.example/x"}}]}]}"#,
            "remote-url:a.example at messages[0].content[0].image_url.url",
        ),
        (
            r#"{"image_url":["data:,x","https://b.example"]}"#,
            "remote-url:b.example at image_url[1]",
        ),
        (r#"{"image_url":"gs://bucket"}"#, "remote-url: at image_url"),
        (
            r#"{"messages":[{"content":[{"type":"url_citation","type":"image","url":"https://a.b"}]}]}"#,
            "remote-url:a.b at messages[0].content[0].url",
        ),
        (r#"{"store":true}"#, "stored-response at store"),
        (r#"{"store":1}"#, "stored-response at store"),
        (r#"{"service_tier":"shiny"}"#, "tier at service_tier"),
        (
            r#"{"content":{"file_id":"f"}}"#,
            "stored-file at content.file_id",
        ),
        (
            r#"{"content":[{"id":"msg_1"}]}"#,
            "stored-item at content[0]",
        ),
        (
            r#"{"content":[{"id":"msg_1","type":null}]}"#,
            "stored-item at content[0]",
        ),
        (r#"{"unheard":true}"#, "unknown at unheard"),
        (
            r#"{"content":[[{"unheard":[1]}]]}"#,
            "unknown at content[0][0].unheard",
        ),
        (
            r#"{"anthropic_beta":["known-1","mcp-1"]}"#,
            "mcp at anthropic_beta[1]",
        ),
        (
            r#"{"anthropic_beta":["other"]}"#,
            "unknown at anthropic_beta[0]",
        ),
        (r#"{"\ud800":1}"#, "unknown at \\ud800"),
    ] {
        assert_eq!(asked(body), [found], "{body}");
    }
}

#[test]
fn the_same_thing_is_found_once_and_uses_add_up() {
    let body = r#"{"tools":[{"type":"web_search_20250305","max_uses":2},{"max_uses":3,"type":"web_search_20250305"}]}"#;
    let egress = read(&rules(), Api::Messages, &Head::default(), body);
    assert_eq!(egress.found.len(), 1);
    assert_eq!(egress.found[0].uses, Some(5));
    let body =
        r#"{"tools":[{"type":"web_search_20250305","max_uses":2},{"type":"web_search_20250305"}]}"#;
    let egress = read(&rules(), Api::Messages, &Head::default(), body);
    assert_eq!(egress.found[0].uses, None);
}

#[test]
fn guard_more_than_is_looked_at_is_too_much() {
    let urls: Vec<String> = (0..=MOST_FOUND)
        .map(|at| format!(r#"{{"url":"https://h{at}.example"}}"#))
        .collect();
    let body = format!(r#"{{"content":[{}]}}"#, urls.join(","));
    let egress = read(&rules(), Api::Messages, &Head::default(), &body);
    assert!(egress.too_much && egress.found.len() == MOST_FOUND);
    for broken in ["{", "[}", "{\"a", "\"\\"] {
        let egress = read(&rules(), Api::Messages, &Head::default(), broken);
        assert!(egress.too_much || !egress.found.is_empty(), "{broken}");
    }
}

#[test]
fn beta_headers_are_passed_on_only_if_they_are_known() {
    let head = Head::read("POST\n/v1/messages\n\n\nanthropic-beta: known-1, mcp-1,shiny");
    let egress = read(&rules(), Api::Messages, &head, "{}");
    assert_eq!(
        egress.headers,
        [("anthropic-beta", "known-1,mcp-1".to_owned())]
    );
    assert_eq!(egress.dropped, ["anthropic-beta: shiny"]);
    assert_eq!(
        (egress.found.len(), egress.found[0].kind.as_str()),
        (1, "mcp")
    );
}
