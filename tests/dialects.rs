//! Each direction of each dialect as text to be reviewed: what a client asks,
//! as every dialect writes it, and what a provider answers, as every client
//! gets it, with the facts and the usage that were read. `UPDATE_GOLDEN=1
//! cargo test` writes the files anew; the diff is the review.
//!
//! A new dialect adds a line to a table here and gets its goldens.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::answer::relay::{End, Passage, Relay};
use meridian::dialect::neutral::{Json, Object, ReplyContext, Signers, Target};
use meridian::dialect::{self, Api, Reading, Translator};
use meridian::regions::{Dialect, Quirks, ThinkingStyle};
use meridian::units::{Millis, RequestId};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const DIALECTS: [Dialect; 5] = [
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::AnthropicMessages,
    Dialect::BedrockConverse,
    Dialect::Gemini,
];
const CLIENTS: [Api; 3] = [Api::Chat, Api::Responses, Api::Messages];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/dialects")
}

fn check(name: &str, got: &str) {
    let path = folder().join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, got).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == got,
        "{name} has changed; UPDATE_GOLDEN=1 cargo test, then review the diff"
    );
}

/// What each client asks, with everything that is to survive in it.
fn asked(api: Api) -> Vec<(&'static str, String)> {
    let read = |name: &str| fs::read_to_string(folder().join(name)).unwrap();
    let name = api.as_str();
    let mut asked = vec![
        ("all", read(&format!("{name}.ask.json"))),
        ("thinks", read(&format!("{name}.thinks.json"))),
    ];
    // Anthropic has no tools that are called with text.
    if api != Api::Messages {
        asked.push(("custom", read(&format!("{name}.custom.json"))));
    }
    asked
}

fn pretty(json: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn what_a_client_asks_in_every_dialect() {
    let quirks = Quirks::default();
    for api in CLIENTS {
        let mut text = String::new();
        for (name, body) in asked(api) {
            let tree = Json::parse(&body).unwrap();
            let ask = dialect::read_request(api, &tree).unwrap_or_else(|e| panic!("{api}: {e}"));
            for dialect in DIALECTS {
                let target = Target {
                    endpoint: "there",
                    model: "its-id",
                    name: "claude-or-not",
                    quirks: &quirks,
                    thinking: (dialect == Dialect::Gemini).then_some(ThinkingStyle::Budget),
                    without: &[],
                    signers: &Signers::default(),
                    max_output: 16_384,
                    longest: 128_000,
                    asks_for_usage: true,
                };
                let (body, unsupported) = dialect::write_request(dialect, &ask, target).unwrap();
                writeln!(text, "── {name}, as {dialect}").unwrap();
                writeln!(text, "refused: {:?}", unsupported.refused()).unwrap();
                writeln!(text, "left out: {:?}", unsupported.left_out()).unwrap();
                writeln!(text, "{}\n", pretty(&body.to_text())).unwrap();
            }
        }
        check(&format!("{api}.asked.txt"), &text);
    }
}

/// A request that is read and written in its own dialect says the same again.
#[test]
fn round_trips_lose_nothing() {
    let quirks = Quirks::default();
    for api in CLIENTS {
        let (_, body) = asked(api).remove(0);
        let tree = Json::parse(&body).unwrap();
        let ask = dialect::read_request(api, &tree).unwrap();
        let target = Target {
            endpoint: "there",
            model: "its-id",
            name: "its-id",
            quirks: &quirks,
            thinking: None,
            without: &[],
            signers: &Signers::default(),
            max_output: 16_384,
            longest: 128_000,
            asks_for_usage: true,
        };
        let (written, unsupported) = dialect::write_request(api.native(), &ask, target).unwrap();
        assert!(
            unsupported.is_empty(),
            "{api}: {:?}",
            unsupported.into_names()
        );
        let text = written.to_text();
        let again = Json::parse(&text).unwrap();
        let mut second = dialect::read_request(api, &again).unwrap();
        let mut first = ask.clone();
        for ask in [&mut first, &mut second] {
            // Where it stood may differ; what it is may not.
            forget_paths(ask);
        }
        assert_eq!(format!("{first:#?}"), format!("{second:#?}"), "{api}");
    }
}

fn forget_paths(ask: &mut dialect::neutral::ChatRequest<'_>) {
    use dialect::neutral::{Block, Place, What};
    static NOWHERE: Json<'static> = Json::Null;
    fn plain(block: &mut Block<'_>) {
        block.path = Place::of(&NOWHERE, &NOWHERE);
        if let What::Result { content, .. } = &mut block.what {
            content.iter_mut().for_each(plain);
        }
    }
    ask.system.iter_mut().for_each(plain);
    for turn in &mut ask.turns {
        turn.blocks.iter_mut().for_each(plain);
    }
    for tool in &mut ask.tools {
        tool.path = Place::of(&NOWHERE, &NOWHERE);
    }
}

fn context() -> ReplyContext {
    ReplyContext {
        id: RequestId::new(Millis(0), 0),
        at: Millis(1_700_000_000_000),
        endpoint: "there".to_owned(),
        model: "asked".to_owned(),
        reports_usage: true,
        reports_logprobs: false,
        echo: Object::new(),
        custom: Default::default(),
        namespaces: Default::default(),
    }
}

/// The stand-in for a provider's answer, whole and as a stream: thoughts, text,
/// two calls, usage of every kind that the dialect has.
fn answers(dialect: Dialect) -> (Vec<u8>, Vec<u8>) {
    let read = |end: &str| fs::read(folder().join(format!("{dialect}.{end}"))).unwrap();
    (read("answer.json"), read("answer.stream"))
}

#[test]
fn what_a_provider_answers_for_every_client() {
    for dialect in DIALECTS {
        let (whole, stream) = answers(dialect);
        let mut text = String::new();
        for api in CLIENTS {
            let mut reading = Reading::default();
            let told = dialect::whole(dialect, api, &whole, context(), false, &mut reading);
            let told = told.unwrap_or_else(|| panic!("{dialect} to {api}: {:?}", reading.fault));
            writeln!(
                text,
                "── whole, to {api}\n{}\n{}\n",
                facts(&reading),
                pretty(&told)
            )
            .unwrap();

            let (told, reading) = streamed(dialect, api, &stream);
            writeln!(text, "── streamed, to {api}\n{}\n{told}", facts(&reading)).unwrap();
        }
        check(&format!("{dialect}.answered.txt"), &text);
    }
}

fn facts(reading: &Reading) -> String {
    format!(
        "model {:?}, tier {:?}, stopped {:?}, ended {}, fault {:?}\n{:?}",
        reading.served_model,
        reading.tier,
        reading.stopped,
        reading.ended,
        reading.fault,
        reading.tokens
    )
}

/// A stream is written down as server-sent events, or as one line an event for
/// dialects that have frames of their own.
fn streamed(dialect: Dialect, api: Api, stream: &[u8]) -> (String, Reading) {
    let mut out = Vec::new();
    if dialect != Dialect::BedrockConverse {
        let translator = Translator::new(dialect, api, context(), false).unwrap();
        let passage = Passage::Translated(Box::new(translator));
        let mut relay = Relay::new(api, passage, "text/event-stream", context().id);
        relay.push(stream, &mut out);
        let reading = relay.finish(End::Closed, &mut out);
        return (String::from_utf8(out).unwrap(), reading);
    }
    let mut translator = Translator::new(dialect, api, context(), false).unwrap();
    let mut reading = Reading::default();
    for line in std::str::from_utf8(stream).unwrap().lines() {
        let (name, payload) = line.split_once(' ').unwrap();
        translator.event(name, payload.as_bytes(), &mut reading, &mut out);
    }
    translator.finish(true, &mut reading, &mut out);
    (String::from_utf8(out).unwrap(), reading)
}
