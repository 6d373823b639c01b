//! Whatever bytes come, nothing panics, grows without end or ends well that
//! did not. Each target runs for a bounded number of inputs in the tests;
//! `cargo bolero test --test fuzz <name>` lets it run on.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use bolero::check;
use meridian::answer::relay::{End, Passage, Relay};
use meridian::dialect::neutral::{Json, Object, ReplyContext, Signers, Target};
use meridian::dialect::{self, Api, Reader, Reading, Translator};
use meridian::frame::{eventstream, sse};
use meridian::regions::{Dialect, Quirks};
use meridian::units::{Millis, RequestId};
use std::fs;
use std::path::Path;

const RUNS: usize = 8_000;
const DIALECTS: [Dialect; 5] = [
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::AnthropicMessages,
    Dialect::BedrockConverse,
    Dialect::Gemini,
];
const CLIENTS: [Api; 3] = [Api::Chat, Api::Responses, Api::Messages];

fn context() -> ReplyContext {
    ReplyContext {
        id: RequestId::new(Millis(0), 0),
        at: Millis(0),
        endpoint: "there".to_owned(),
        model: "asked".to_owned(),
        reports_usage: true,
        reports_logprobs: true,
        echo: Object::new(),
        custom: ["weather".to_owned()].into(),
        namespaces: Default::default(),
    }
}

/// A sample that inputs are made from: most bytes at random are no JSON and
/// would get no further than the parser.
fn sample(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/dialects");
    fs::read(folder.join(name)).unwrap()
}

/// Lays the input over the sample: each two bytes say where, the third what.
fn mutated(sample: &[u8], input: &[u8]) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for edit in input.chunks_exact(4) {
        let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % bytes.len().max(1);
        match edit[2] % 4 {
            0 => bytes[at] = edit[3],
            1 => bytes.insert(at, edit[3]),
            2 => drop(bytes.drain(at..(at + usize::from(edit[3])).min(bytes.len()))),
            _ => {
                let end = (at + usize::from(edit[3])).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

#[test]
fn server_sent_events() {
    check!()
        .with_max_len(48)
        .with_iterations(RUNS)
        .for_each(|input: &[u8]| {
            let mut splitter = sse::Splitter::default();
            let (mut raw, mut last) = (Vec::new(), Vec::new());
            for piece in input.chunks(3) {
                let _ = splitter.push(piece, |event| raw.extend_from_slice(event.raw));
            }
            last.extend_from_slice(splitter.rest().map_or(&b""[..], |event| event.raw));
            assert_eq!([raw, last].concat(), input, "no byte is lost");
        });
}

#[test]
fn aws_frames() {
    check!()
        .with_max_len(48)
        .with_iterations(RUNS)
        .for_each(|input: &[u8]| {
            let mut splitter = eventstream::Splitter::default();
            for piece in input.chunks(5) {
                if splitter.push(piece, |_| {}).is_err() {
                    break;
                }
            }
        });
}

#[test]
fn json() {
    check!()
        .with_max_len(48)
        .with_iterations(RUNS)
        .for_each(|input: &[u8]| {
            if let Ok(json) = Json::parse_bytes(input) {
                let text = json.to_text();
                assert_eq!(Json::parse(&text).unwrap(), json);
            }
        });
}

#[test]
fn requests_of_every_client_in_every_dialect() {
    let quirks = Quirks::default();
    for api in CLIENTS {
        let sample = sample(&format!("{api}.ask.json"));
        check!()
            .with_max_len(48)
            .with_iterations(RUNS)
            .for_each(|input: &[u8]| {
                let bytes = mutated(&sample, input);
                let Ok(body) = std::str::from_utf8(&bytes) else {
                    return;
                };
                let _ = dialect::read_call(api, body);
                let _ = dialect::blobs_in(body);
                let Ok(tree) = Json::parse(body) else { return };
                let _ = dialect::embed::read(&tree);
                let Ok(ask) = dialect::read_request(api, &tree) else {
                    return;
                };
                for dialect in DIALECTS {
                    let target = Target {
                        endpoint: "there",
                        model: "m",
                        name: "claude",
                        quirks: &quirks,
                        thinking: None,
                        without: &[],
                        signers: &Signers::default(),
                        max_output: 1,
                        longest: 128_000,
                        asks_for_usage: true,
                    };
                    let (body, _) = dialect::write_request(dialect, &ask, target).unwrap();
                    Json::parse(&body.to_text()).unwrap();
                }
            });
    }
}

#[test]
fn answers_of_every_dialect_for_every_client() {
    for from in DIALECTS {
        let sample = sample(&format!("{from}.answer.json"));
        check!()
            .with_max_len(48)
            .with_iterations(RUNS / 2)
            .for_each(|input: &[u8]| {
                let bytes = mutated(&sample, input);
                for api in CLIENTS {
                    let mut reading = Reading::default();
                    let told = dialect::whole(from, api, &bytes, context(), true, &mut reading);
                    assert_eq!(told.is_none(), reading.fault.is_some());
                }
                let _ = dialect::read_error(from, "kind", &bytes);
                let _ = dialect::count::read(from, &bytes);
                let _ = dialect::embed::answer(from, &bytes, "m", true, &mut Reading::default());
                dialect::read_reply(from, &bytes, &mut Reading::default());
            });
    }
}

#[test]
fn streams_of_every_dialect_for_every_client() {
    for from in DIALECTS {
        let sample = sample(&format!("{from}.answer.stream"));
        check!()
            .with_max_len(48)
            .with_iterations(RUNS / 4)
            .for_each(|input: &[u8]| {
                let bytes = mutated(&sample, input);
                for api in CLIENTS {
                    let translator = Translator::new(from, api, context(), false).unwrap();
                    let passage = Passage::Translated(Box::new(translator));
                    let mut relay = Relay::new(api, passage, "text/event-stream", context().id);
                    let mut out = Vec::new();
                    relay.push(&bytes, &mut out);
                    let reading = relay.finish(End::Closed, &mut out);
                    well_ended(api, &out, &reading);
                }
                events(from, &bytes);
            });
    }
}

/// A stream has a good end, or says that it has none; never both.
fn well_ended(api: Api, out: &[u8], reading: &Reading) {
    let text = String::from_utf8_lossy(out);
    let (good, bad) = match api {
        Api::Chat => ("data: [DONE]", "\"type\":\"server_error\""),
        Api::Responses => ("event: response.completed", "event: response.failed"),
        _ => ("event: message_stop", "event: error"),
    };
    let good = text.contains(good) || text.contains("event: response.incomplete");
    assert_eq!(good, reading.fault.is_none(), "{text}");
    assert_eq!(text.contains(bad), reading.fault.is_some(), "{text}");
}

/// Dialects with frames of their own get each line as an event.
fn events(from: Dialect, bytes: &[u8]) {
    let mut reader = Reader::of(from).unwrap();
    for line in bytes.split(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let (name, payload) = text.split_once(' ').unwrap_or(("", &text));
        let _ = reader.event(name, payload.as_bytes(), &mut |_| {});
    }
}
