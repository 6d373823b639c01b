//! What leaves the gateway, as text to be reviewed: what each kind of endpoint
//! is sent, and every refusal as each SDK gets it. `UPDATE_GOLDEN=1 cargo test`
//! writes the files anew; the diff is the review.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::config::{self, Config, Files};
use meridian::dialect::{self, Api, Family};
use meridian::refusal::{EgressRefused, Invalid, Missing, NoBackground, Offer, Refusal, Unbounded};
use meridian::regions::egress::Forbidden;
use meridian::request::caller::{Caller, KeyRecord};
use meridian::request::egress;
use meridian::request::head::{Head, OnUnsupported};
use meridian::request::plan;
use meridian::request::zone;
use meridian::units::{Millis, RequestId};
use meridian::upstream::translate::{self, Inbound};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::rc::Rc;

fn check(name: &str, got: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, got).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == got,
        "{name} has changed; UPDATE_GOLDEN=1 cargo test, then review the diff"
    );
}

fn own_config() -> Config {
    let files = Files::load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    config::read(&files, "2026-11-27")
        .checked()
        .unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Country, dialect, body.
const CALLS: [(&str, Api, &str); 11] = [
    (
        "DE",
        Api::Chat,
        r#"{"model":"gpt-4.1","messages":[{"role":"user","content":"é"}],"seed":1.50}"#,
    ),
    (
        "DE",
        Api::Chat,
        r#"{ "messages" : [ {} ], "stream" : true , "model" : "gpt-mini" }"#,
    ),
    (
        "US",
        Api::Chat,
        r#"{"model":"gpt-mini","stream":true,"stream_options":{"include_usage":false,"include_obfuscation":true},"messages":[{}]}"#,
    ),
    (
        "US",
        Api::Chat,
        r#"{"model":"gpt-mini","stream":true,"stream_options":{"include_usage":true},"messages":[{}]}"#,
    ),
    (
        "DE",
        Api::Chat,
        r#"{"model":"mistral-small-latest","stream":true,"max_completion_tokens":9,"messages":[{"role":"developer","content":"y"},{"role":"user","content":"x"}]}"#,
    ),
    (
        "DE",
        Api::Messages,
        r#"{"model":"claude-sonnet","max_tokens":5,"messages":[{}]}"#,
    ),
    (
        "US",
        Api::Messages,
        r#"{"model":"claude-sonnet","inference_geo":"global","max_tokens":5,"messages":[{}]}"#,
    ),
    (
        "US",
        Api::Messages,
        "{\n  \"model\": \"claude-sonnet-4-6\",\n  \"messages\": [{}]\n}",
    ),
    (
        "DE",
        Api::Completions,
        r#"{ "model" : "gpt-4.1", "prompt" : ["é", "b"], "suffix":"c","logprobs":2 }"#,
    ),
    (
        "DE",
        Api::Completions,
        r#"{"model":"gpt-4.1","prompt":[[1,2],[3]],"max_tokens":null,"stream":true}"#,
    ),
    (
        "DE",
        Api::Completions,
        r#"{"model":"gpt-4.1","prompt":null,"max_tokens":0,"echo":true,"stream":true,"stream_options":{"include_usage":true}}"#,
    ),
];

#[test]
fn what_an_endpoint_is_sent() {
    let mut config = own_config();
    // No claim that is shipped says so.
    let claims = config
        .regions
        .endpoints
        .iter_mut()
        .flat_map(|endpoint| &mut endpoint.models);
    for claim in claims.filter(|claim| claim.model == "gpt-4.1") {
        assert!(!std::mem::replace(&mut claim.completions, true));
    }
    let mut text = String::new();
    for (country, dialect, body) in CALLS {
        let head = Head::read(&format!(
            "POST\n{}\n{country}\nFRA\nauthorization: Bearer mk_1\nanthropic-version: 2023-06-01\n\
             meridian-tags: feature=x\nx-portkey-config: {{}}\naccept: */*\nx-simulated-host: evil.example",
            dialect.path()
        ));
        let record = KeyRecord {
            id: "k".into(),
            team: "t".into(),
            name: String::new(),
            zone: None,
            models: vec![],
            tags: Default::default(),
            limits: std::collections::BTreeMap::new(),
            unsupported: None,
            created: String::new(),
            revoked: None,
        };
        let caller = Caller::new(record, &head);
        let zone = zone::decide(&config.regions, &caller).unwrap();
        let call = dialect::read_call(dialect, body).unwrap();
        let egress = egress::read(&config.regions.egress, dialect, &head, body);
        let plan = plan::plan(&config, &caller, &zone, dialect, &call.wanted, &egress).unwrap();
        writeln!(text, "── from {country}, {dialect}\n{body}").unwrap();
        for attempt in plan.attempts() {
            let asked = Inbound {
                api: dialect,
                unsupported: OnUnsupported::Refuse,
                body: &Rc::new(body.to_string()),
                call: &call,
                named_blobs: false,
                signers: &plan.signers(),
                egress: &egress,
                stored: None,
            };
            let outbound = translate::prepare(attempt, asked).unwrap();
            writeln!(
                text,
                "→ {}\n  {:?}\n{}",
                outbound.url(),
                outbound.headers,
                outbound.body
            )
            .unwrap();
        }
        writeln!(text).unwrap();
    }
    check("outbound.txt", &text);
}

fn in_zone() -> Forbidden {
    Forbidden::Kind { zone: "eu".into() }
}

fn egress(at: &str, word: &str, kind: &str, host: Option<&str>, forbidden: Forbidden) -> Refusal {
    let rule = own_config().regions.egress.kinds.remove(kind);
    let rule = rule.unwrap_or_default();
    let offer = match rule.may_be_left_out && at.starts_with("tools[") {
        true => Offer::CanGo,
        false => Offer::No,
    };
    Refusal::Egress(Box::new(EgressRefused {
        offer,
        at: at.into(),
        word: word.into(),
        kind: kind.into(),
        does: rule.does,
        instead: rule.instead,
        host: host.map(str::to_owned),
        dialect: "openai-chat",
        forbidden,
    }))
}

/// The same where the client wishes that it is left out, and it cannot be.
fn kept(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Egress(refused) => Refusal::Egress(Box::new(EgressRefused {
            offer: Offer::Kept,
            ..*refused
        })),
        other => other,
    }
}

fn refusals() -> Vec<Refusal> {
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
    vec![
        Refusal::NoRoute {
            path: "/v1/nothing".into(),
            instead: "",
        },
        Refusal::NoWebSocket,
        Refusal::WrongMethod {
            method: "GET".into(),
            allowed: "POST",
        },
        Refusal::HeadersTooLarge {
            limit: "100 headers, 32 KiB in all",
        },
        Refusal::NoKey,
        Refusal::BadKey,
        Refusal::KeysUnavailable,
        Refusal::MapUnavailable,
        Refusal::LimitsUnread { limit: None },
        Refusal::LimitsUnread {
            limit: Some("search-month".into()),
        },
        Refusal::Encoded {
            encoding: "br".into(),
        },
        Refusal::BodyGrows { most: 100 },
        Refusal::Body(Invalid::Gzip),
        Refusal::BodyTooLarge {
            limit: 32 * 1024 * 1024,
        },
        Refusal::BodyBroken,
        Refusal::Body(Invalid::Encoding),
        Refusal::Body(Invalid::Json {
            detail: "expected `,` or `}` at line 1 column 9".into(),
        }),
        Refusal::Body(Invalid::Missing {
            field: "messages".into(),
        }),
        Refusal::Body(Invalid::Type {
            field: "stream".into(),
            expected: "true or false",
        }),
        Refusal::Body(Invalid::Number {
            field: "max_tokens".into(),
            least: 1,
            most: 1_000_000,
        }),
        Refusal::Body(Invalid::Answers {
            field: "n".into(),
            most: 128,
            model: "m".into(),
        }),
        Refusal::Tags {
            header: "meridian-tags".into(),
            what: "`x` is not `name=value`".into(),
        },
        Refusal::UnknownModel {
            asked: "gtp".into(),
            nearest: words(&["gpt-mini", "gpt-5"]),
        },
        Refusal::ModelNotAllowed {
            asked: "a".into(),
            allowed: words(&["b", "c"]),
        },
    ]
}

fn refusals_without_an_answer() -> Vec<Refusal> {
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
    vec![
        Refusal::NoEndpoint {
            zone: "eu".into(),
            model: "m".into(),
            excluded: words(&["x has no claim for `completions` with this model"]),
            is_only_chat: true,
            servable: vec![],
        },
        Refusal::NoAnswer {
            tried: words(&["a (no connection)", "b (timed out)"]),
            limited: false,
            late: false,
            retry_after: None,
        },
        Refusal::NoAnswer {
            tried: words(&["a (timed out)"]),
            limited: false,
            late: true,
            retry_after: None,
        },
        Refusal::NoAnswer {
            tried: words(&["a (rate limited)"]),
            limited: true,
            late: false,
            retry_after: Some(7),
        },
        Refusal::ClientLeft,
    ]
}

fn refusals_of_zones_and_providers() -> Vec<Refusal> {
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
    vec![
        Refusal::UnknownZone {
            asked: "eo".into(),
            known: words(&["eu", "us"]),
        },
        Refusal::KeyZoneUnknown {
            key: "k1".into(),
            zone: "nowhere".into(),
        },
        Refusal::GatewayOutside {
            zone: "eu".into(),
            colo: "IAD".into(),
            country: Some("US".into()),
        },
        Refusal::GatewayOutside {
            zone: "eu".into(),
            colo: String::new(),
            country: None,
        },
        Refusal::ZonesClash {
            sides: words(&[
                "the key is pinned to eu (allows eu)",
                "the caller is in US, which is in us (allows us)",
            ]),
        },
        Refusal::TooMuchEgress,
        Refusal::NoSuchAnswer {
            id: "resp_1".into(),
        },
        Refusal::NoStored {
            id: "resp_1".into(),
        },
        Refusal::BodyLate,
        Refusal::BodiesFull,
        Refusal::NoEndpoint {
            zone: "eu".into(),
            model: "m".into(),
            excluded: words(&["x processes requests in us"]),
            is_only_chat: false,
            servable: vec![],
        },
        Refusal::NoCounter {
            zone: "eu".into(),
            model: "m".into(),
            excluded: words(&["x uses openai-chat, which does not support this operation"]),
        },
        Refusal::NoSecret {
            endpoint: "openai-eu".into(),
            secret: "OPENAI_EU_KEY".into(),
        },
        Refusal::ProviderRefusedUs {
            endpoint: "openai-eu".into(),
            status: 401,
        },
        Refusal::PlaceRefused {
            endpoint: "openai-eu".into(),
            colo: "HKG".into(),
        },
        Refusal::ProviderGarbled {
            endpoint: "a".into(),
            tried: words(&["a", "b"]),
        },
        Refusal::NoToken {
            endpoint: "a".into(),
        },
        Refusal::Bound {
            kept_by: "openai-eu".into(),
        },
        Refusal::Unsupported {
            endpoint: "a".into(),
            dialect: "gemini",
            fields: words(&["seed", "messages[0].content[1]"]),
        },
        Refusal::UnknownWish {
            wish: "maybe".into(),
        },
        Refusal::Internal,
    ]
}

fn refusals_of_egress() -> Vec<Refusal> {
    vec![
        egress("tools[0].type", "web_search", "web-search", None, in_zone()),
        kept(egress(
            "tools[0].type",
            "web_search",
            "web-search",
            None,
            in_zone(),
        )),
        egress(
            "input[0].type",
            "item_reference",
            "stored-item",
            None,
            in_zone(),
        ),
        egress(
            "messages[0].content[1].image_url.url",
            "url",
            "remote-url",
            Some("evil.example"),
            Forbidden::Host { zone: "eu".into() },
        ),
        egress(
            "input[0].image_url",
            "image_url",
            "remote-url",
            Some(""),
            Forbidden::Host { zone: "eu".into() },
        ),
        egress(
            "tools[1].type",
            "shiny",
            "unknown",
            None,
            Forbidden::Unknown,
        ),
        egress("shiny", "shiny", "unknown", None, Forbidden::Unknown),
        Refusal::Background(NoBackground::NotKept),
        Refusal::Background(NoBackground::Stream),
        Refusal::Background(NoBackground::OtherOperation),
    ]
}

fn refusals_without_a_bound() -> Vec<Refusal> {
    let kind = || "web-search".to_owned();
    let missing = [
        Missing::Context,
        Missing::Uses { kind: kind() },
        Missing::UsePrice { kind: kind() },
        Missing::OtherModel,
        Missing::Tier,
        Missing::Nothing,
    ];
    let unbounded = |missing| Unbounded {
        limit: "search-month".into(),
        endpoint: "e".into(),
        model: "m".into(),
        at: "tools[0].type".into(),
        does: "search the web".into(),
        missing,
    };
    let all = missing.into_iter().map(unbounded);
    all.map(|one| Refusal::Unbounded(Box::new(one))).collect()
}

#[test]
fn every_refusal_in_every_dialect() {
    let id = RequestId::new(Millis(0), 0);
    let mut text = String::new();
    let all = refusals()
        .into_iter()
        .chain(refusals_of_zones_and_providers())
        .chain(refusals_without_an_answer())
        .chain(refusals_of_egress())
        .chain(refusals_without_a_bound());
    for refusal in all {
        writeln!(text, "── {} {}", refusal.status(), refusal.code()).unwrap();
        for family in [Family::OpenAi, Family::Anthropic] {
            writeln!(text, "{}", dialect::refusal_body(family, &refusal, &id)).unwrap();
        }
    }
    check("refusals.txt", &text);
}
