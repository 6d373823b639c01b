//! Third-party recordings of real providers: what the meter reads from them,
//! whole and cut anywhere, and that the relay passes on the very bytes.
//!
//! What they say is in `translation.rs`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod recorded;

use meridian::answer::relay::{End, Passage, Relay};
use meridian::dialect::{self, Api, Reading};
use meridian::frame::sse::Splitter;
use meridian::regions::Dialect;
use meridian::units::{Millis, RequestId};
use recorded::{folders, json, vectors, FOLDERS};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::rc::Rc;

/// Runs a stream through the relay in pieces of `cut` bytes: what came out of
/// it, and what it read.
fn relayed(dialect: Dialect, stream: &[u8], cut: usize, rewrite: bool) -> (Vec<u8>, Reading) {
    let id = RequestId::new(Millis(0), 0);
    let api = match dialect {
        Dialect::AnthropicMessages => Api::Messages,
        _ => Api::Chat,
    };
    let passage = Passage::AsIs {
        dialect,
        hide_usage: rewrite,
    };
    let mut relay = Relay::new(api, passage, "text/event-stream", id);
    let mut out = Vec::new();
    for piece in stream.chunks(cut) {
        relay.push(piece, &mut out);
    }
    let reading = relay.finish(End::Closed, &mut out);
    (out, reading)
}

/// All of a reading that can be compared.
fn facts(reading: &Reading) -> String {
    format!("{reading:?}")
}

/// The reading of a recorded answer, if it is one of ours.
fn reading(dialect: Dialect, folder: &Path) -> Option<Reading> {
    if let Ok(stream) = fs::read(folder.join("response.sse")) {
        let (out, whole) = relayed(dialect, &stream, stream.len().max(1), true);
        let text = String::from_utf8_lossy(&stream);
        let hidden = text
            .split("\n\n")
            .find(|event| event.contains("\"choices\":[]") && event.contains("\"usage\":{"));
        let kept = hidden.map_or(text.to_string(), |event| {
            text.replace(&format!("{event}\n\n"), "")
        });
        assert_eq!(String::from_utf8_lossy(&out), kept, "{folder:?}");
        for cut in [1, 2, 3, 5, 7, 11, 64, 1_000] {
            let again = relayed(dialect, &stream, cut, true);
            assert_eq!(again.0, out, "{folder:?} cut {cut}");
            assert_eq!(facts(&again.1), facts(&whole), "{folder:?} cut {cut}");
            let (added, read) = relayed(dialect, &stream, cut, false);
            assert_eq!(added.len(), 0, "{folder:?} cut {cut}");
            assert_eq!(facts(&read), facts(&whole), "{folder:?} cut {cut}");
        }
        return Some(whole);
    }
    let body = fs::read(folder.join("response.json")).ok()?;
    let mut reading = Reading::default();
    dialect::read_reply(dialect, &body, &mut reading);
    Some(reading)
}

fn check_usage(dialect: Dialect, of: &str) -> usize {
    let mut checked = 0;
    for folder in folders(of) {
        let Some(expected) = json(&folder.join("expected-usage.json")) else {
            continue;
        };
        let Some(reading) = reading(dialect, &folder) else {
            continue;
        };
        let want = |name: &str| expected["expected"][name].as_u64().unwrap_or(0);
        let tokens = reading.tokens;
        let got = [
            tokens.input_total(),
            tokens.cache_read,
            tokens.cache_write_5m + tokens.cache_write_1h,
            tokens.output_total(),
            tokens.reasoning,
        ];
        let wanted = [
            "input_total",
            "cache_read",
            "cache_write",
            "output",
            "reasoning",
        ]
        .map(want);
        assert_eq!(got, wanted, "{folder:?}");
        assert!(
            reading.has_usage && reading.served_model.is_some(),
            "{folder:?}"
        );
        checked += 1;
    }
    checked
}

#[test]
fn field_08_09_usage_is_what_the_provider_counted() {
    if vectors("recorded").is_none() {
        return;
    }
    for (dialect, of, at_least) in [
        (Dialect::OpenAiChat, "openai-chat", 20),
        (Dialect::OpenAiChat, "azure-chat", 3),
        (Dialect::AnthropicMessages, "anthropic-messages", 20),
    ] {
        let checked = check_usage(dialect, of);
        println!("{of}: {checked} recordings");
        assert!(
            checked >= at_least,
            "{of}: only {checked} recordings were read"
        );
    }
}

#[test]
fn no_recording_is_left_out() {
    let Some(path) = vectors("recorded") else {
        return;
    };
    let mut there: Vec<String> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    there.sort();
    assert_eq!(there, FOLDERS.map(|(of, ..)| of));
    for (of, _, count) in FOLDERS {
        assert_eq!(folders(of).len(), count, "{of}");
    }
}

#[test]
fn every_recorded_request_is_read_and_a_patch_changes_nothing_else() {
    for (api, of) in [
        (Api::Chat, "openai-chat"),
        (Api::Chat, "openai-compat-chat"),
        (Api::Responses, "openai-responses"),
        (Api::Messages, "anthropic-messages"),
        (Api::CountTokens, "anthropic-count-tokens"),
        (Api::Embeddings, "openai-embeddings"),
    ] {
        for folder in folders(of) {
            let Ok(body) = fs::read_to_string(folder.join("request.json")) else {
                continue;
            };
            let call = dialect::read_call(api, &body)
                .unwrap_or_else(|invalid| panic!("{folder:?}: {invalid}"));
            let request: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(call.wanted.model, request["model"].as_str().unwrap());

            let mut edits = dialect::Edits::default();
            edits.set(&call, "model", "\"another\"".to_owned());
            let edited = edits.apply(&Rc::new(body.clone())).to_string();
            let model = serde_json::to_string(&call.wanted.model).unwrap();
            let at = call.field("model").unwrap().at.clone();
            assert_eq!(body.get(at.clone()), Some(model.as_str()));
            assert_eq!(
                edited,
                [&body[..at.start], "\"another\"", &body[at.end..]].concat()
            );
        }
    }
}

#[test]
fn field_22_sse_is_split_as_the_standard_says() {
    let Some(path) = vectors("sse/sse-conformance.json") else {
        return;
    };
    let cases = json(&path).unwrap();
    for case in cases.as_array().unwrap() {
        // The recorded parser drops the first event after a byte order mark;
        // the standard strips the mark and keeps the event.
        if case["name"] == "wpt single BOM" {
            continue;
        }
        let input = base64(case["input_b64"].as_str().unwrap());
        let wanted: Vec<(String, String)> = case["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| {
                let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
                (text("event"), text("data"))
            })
            .collect();
        for cut in [1, 2, 3, input.len().max(1)] {
            let mut got = Vec::new();
            let mut splitter = Splitter::default();
            for piece in input.chunks(cut) {
                splitter
                    .push(piece, |event| {
                        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                        got.extend(event.data.map(|data| (text(event.name), text(&data))));
                    })
                    .unwrap();
            }
            // A bare CR at the very end may or may not end an event.
            if case["name"] == "cr only" && got.len() == wanted.len() + 1 {
                got.pop();
            }
            assert_eq!(got, wanted, "{} cut {cut}", case["name"]);
        }
    }
}

fn base64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for six in text.bytes().filter_map(value) {
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 255) as u8);
        }
    }
    bytes
}
