//! Every recorded answer, told in every client's dialect, whole and as a
//! stream, cut anywhere: what it says, what it calls and what it used must be
//! what the provider said, as a second and independent reading has it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod oracle;
mod recorded;

use meridian::answer::relay::{End, Passage, Relay};
use meridian::dialect::neutral::{
    Answer, Delta, Json, Object, Part, ReplyContext, Signers, Stop, Target,
};
use meridian::dialect::{self, Api, Fault, Reader, Reading, Translator};
use meridian::frame::{eventstream, sse};
use meridian::regions::{Dialect, Quirks};
use meridian::units::{Millis, RequestId};
use oracle::Said;
use recorded::{answer, folders, json, status, talks, vectors, Kind, Recorded, FOLDERS};
use std::path::Path;

const CLIENTS: [Api; 3] = [Api::Chat, Api::Responses, Api::Messages];

fn context() -> ReplyContext {
    ReplyContext {
        id: RequestId::new(Millis(0), 0),
        at: Millis(1_700_000_000_000),
        endpoint: "there".to_owned(),
        model: "asked".to_owned(),
        reports_usage: true,
        reports_logprobs: true,
        echo: Object::new(),
        custom: Default::default(),
        namespaces: Default::default(),
    }
}

/// A provider's stream, told to a client, in pieces of `cut` bytes.
fn told(dialect: Dialect, api: Api, stream: &[u8], kind: &str, cut: usize) -> (Vec<u8>, Reading) {
    let translator = Translator::new(dialect, api, context(), false).unwrap();
    let passage = Passage::Translated(Box::new(translator));
    let mut relay = Relay::new(api, passage, kind, context().id);
    let mut out = Vec::new();
    for piece in stream.chunks(cut.max(1)) {
        relay.push(piece, &mut out);
    }
    let reading = relay.finish(End::Closed, &mut out);
    (out, reading)
}

/// Reads what a client got, as its own dialect's reader has it.
fn heard(api: Api, stream: &[u8]) -> (Answer, Reading) {
    let mut reader = Reader::of(api.native()).unwrap();
    let (mut answer, mut reading) = (Answer::default(), Reading::default());
    let mut splitter = sse::Splitter::default();
    splitter
        .push(stream, |event| {
            let Some(data) = event.data else { return };
            let mut on = |delta: Delta<'_>| {
                reading.take(&delta);
                answer.take(delta);
            };
            reader.event("", &data, &mut on).unwrap();
        })
        .unwrap();
    (answer, reading)
}

fn said(answer: &Answer) -> Said {
    let mut said = Said::default();
    for part in &answer.parts {
        match part {
            Part::Text(text, _) => said.text.push_str(text),
            Part::Refusal(text) => said.text.push_str(text),
            Part::Thinking { text, .. } => said.thoughts.extend([text, "\n"]),
            Part::Call { name, input, .. } => {
                let input = if input.is_empty() { "{}" } else { input };
                let input =
                    serde_json::from_str(input).unwrap_or_else(|_| serde_json::Value::from(input));
                said.calls.push((name.clone(), input));
            }
        }
    }
    said
}

fn check(folder: &Path, api: Api, wanted: &Said, got: &Said, whole: bool) {
    let about = format!("{} told to {api}, whole: {whole}", folder.display());
    assert_eq!(got.text, wanted.text, "{about}: text");
    assert_eq!(got.calls, wanted.calls, "{about}: calls");
    // Blank lines between thoughts are the writer's.
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(
        plain(&got.thoughts),
        plain(&wanted.thoughts),
        "{about}: thoughts"
    );
}

/// The tokens a recording is known to have used.
fn check_usage(folder: &Path, reading: &Reading) -> bool {
    let Some(expected) = json(&folder.join("expected-usage.json")) else {
        return false;
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
    let names = [
        "input_total",
        "cache_read",
        "cache_write",
        "output",
        "reasoning",
    ];
    assert_eq!(
        got,
        names.map(want),
        "{folder:?} {:?}",
        expected["raw_usage"]
    );
    true
}

/// A provider that failed in mid-answer is a failure to every client.
fn check_failure(folder: &Path, api: Api, stream: &[u8], reading: &Reading) {
    assert!(
        matches!(reading.fault, Some(Fault::Reported { .. })),
        "{folder:?}"
    );
    let text = String::from_utf8_lossy(stream);
    let last = match api.native() {
        Dialect::OpenAiChat => "\"error\":{",
        Dialect::OpenAiResponses => "response.failed",
        _ => "event: error",
    };
    assert!(text.contains(last), "{folder:?} {api}: {text}");
    assert!(
        !text.contains("[DONE]") && !text.contains("message_stop"),
        "{folder:?}"
    );
}

#[test]
fn field_20_streams_say_the_same_in_every_dialect() {
    let (mut streams, mut usages, mut failures) = (0, 0, 0);
    for (folder, dialect) in talks() {
        let Recorded::Stream(bytes, kind) = answer(&folder) else {
            continue;
        };
        let wanted = oracle::stream(dialect, &bytes, kind);
        for api in CLIENTS {
            let (out, reading) = told(dialect, api, &bytes, kind, bytes.len());
            let (byte_by_byte, again) = told(dialect, api, &bytes, kind, 1);
            assert_eq!(out, byte_by_byte, "{folder:?} {api}");
            assert_eq!(reading.tokens, again.tokens, "{folder:?} {api}");
            if wanted.failed {
                check_failure(&folder, api, &out, &reading);
                failures += 1;
                continue;
            }
            assert_eq!(reading.fault, None, "{folder:?} {api}");
            let (answer, heard) = heard(api, &out);
            check(&folder, api, &wanted, &said(&answer), false);
            assert!(heard.ended && answer.stop.is_some(), "{folder:?} {api}");
            if reading.has_usage {
                let (got, had) = (heard.tokens, reading.tokens);
                assert_eq!(got.output_total(), had.output_total(), "{folder:?} {api}");
                assert_eq!(got.input_total(), had.input_total(), "{folder:?} {api}");
                assert_eq!(got.cache_read, had.cache_read, "{folder:?} {api}");
            }
            usages += usize::from(api == Api::Chat && check_usage(&folder, &reading));
        }
        streams += 1;
    }
    println!("{streams} streams, {usages} with a known usage, {failures} failures told");
    assert!(vectors("recorded").is_none() || streams >= 90 && usages >= 80);
}

#[test]
fn field_08_whole_answers_say_the_same_in_every_dialect_and_as_a_stream() {
    let (mut wholes, mut usages) = (0, 0);
    for (folder, dialect) in talks() {
        let Recorded::Whole(bytes) = answer(&folder) else {
            continue;
        };
        let wanted = oracle::whole(dialect, &bytes);
        for api in CLIENTS {
            let mut reading = Reading::default();
            let body = dialect::whole(dialect, api, &bytes, context(), false, &mut reading);
            if wanted.failed {
                assert!(body.is_none() && reading.fault.is_some(), "{folder:?}");
                continue;
            }
            // One in the background is fetched later, in its own dialect alone.
            if reading.goes_on {
                assert!(body.is_none(), "{folder:?}");
                continue;
            }
            let body = body.unwrap_or_else(|| panic!("{folder:?} {api}: {:?}", reading.fault));
            usages += usize::from(api == Api::Chat && check_usage(&folder, &reading));
            let mut answer = Answer::default();
            let tree = Json::parse(&body).unwrap();
            let mut reader = Reader::of(api.native()).unwrap();
            reader
                .whole(&tree, &mut |delta| answer.take(delta))
                .unwrap();
            check(&folder, api, &wanted, &said(&answer), true);

            // The same, where the client wants a stream.
            let mut streamed = Vec::new();
            let mut reading = Reading::default();
            let mut translator = Translator::new(dialect, api, context(), false).unwrap();
            translator.whole(&bytes, &mut reading, &mut streamed);
            let (again, _) = heard(api, &streamed);
            check(&folder, api, &wanted, &said(&again), false);
            assert_eq!(again.stop, answer.stop, "{folder:?} {api}");
        }
        wholes += 1;
    }
    println!("{wholes} answers, {usages} with a known usage");
    assert!(vectors("recorded").is_none() || wholes >= 160 && usages >= 155);
}

#[test]
fn the_meter_reads_the_same_as_the_translator() {
    let mut compared = 0;
    for (folder, dialect) in talks() {
        let Recorded::Stream(bytes, kind) = answer(&folder) else {
            continue;
        };
        let api = match dialect {
            Dialect::OpenAiChat => Api::Chat,
            Dialect::OpenAiResponses => Api::Responses,
            Dialect::AnthropicMessages => Api::Messages,
            _ => continue,
        };
        let passage = Passage::AsIs {
            dialect,
            hide_usage: false,
        };
        let mut relay = Relay::new(api, passage, kind, context().id);
        relay.push(&bytes, &mut Vec::new());
        let metered = relay.finish(End::Closed, &mut Vec::new());
        let (_, translated) = told(dialect, api, &bytes, kind, bytes.len());
        assert_eq!(metered.tokens, translated.tokens, "{folder:?}");
        assert_eq!(metered.served_model, translated.served_model, "{folder:?}");
        assert_eq!(metered.has_usage, translated.has_usage, "{folder:?}");
        assert_eq!(
            metered.fault.is_some(),
            translated.fault.is_some(),
            "{folder:?}"
        );
        compared += 1;
    }
    assert!(
        vectors("recorded").is_none() || compared >= 50,
        "{compared}"
    );
}

/// Splitters know nothing beyond one event, so each boundary is tried in the
/// event it lies in and its neighbours.
#[test]
fn field_22_every_byte_boundary_gives_the_same_events() {
    let mut boundaries = 0;
    let all = FOLDERS.iter().flat_map(|(of, ..)| folders(of));
    for folder in all {
        let Recorded::Stream(bytes, kind) = answer(&folder) else {
            continue;
        };
        let events = split(&bytes, kind, bytes.len());
        let mut ends = vec![0];
        ends.extend(events.iter().scan(0, |at, event| {
            *at += event.len();
            Some(*at)
        }));
        for window in ends.windows(2) {
            let from = ends[ends
                .partition_point(|end| *end < window[0])
                .saturating_sub(1)];
            let part = &bytes[from..window[1]];
            let wanted = split(part, kind, part.len());
            for cut in window[0] - from..part.len() {
                assert_eq!(split(part, kind, cut), wanted, "{folder:?} at {cut}");
                boundaries += 1;
            }
        }
    }
    println!("{boundaries} boundaries");
    assert!(
        vectors("recorded").is_none() || boundaries > 900_000,
        "{boundaries}"
    );
}

/// The events of bytes that come in two pieces.
fn split(bytes: &[u8], kind: &str, cut: usize) -> Vec<Vec<u8>> {
    let (first, second) = bytes.split_at(cut.min(bytes.len()));
    let mut events = Vec::new();
    if kind.starts_with("text") {
        let mut splitter = sse::Splitter::default();
        for piece in [first, second] {
            splitter
                .push(piece, |event| events.push(event.raw.to_vec()))
                .unwrap();
        }
        return events;
    }
    let mut splitter = eventstream::Splitter::default();
    let mut at = 0;
    for piece in [first, second] {
        splitter
            .push(piece, |_| {
                let length: [u8; 4] = bytes[at..at + 4].try_into().unwrap();
                let end = at + u32::from_be_bytes(length) as usize;
                events.push(bytes[at..end].to_vec());
                at = end;
            })
            .unwrap();
    }
    events
}

/// Whatever real applications asked is read in full and can be written in
/// every dialect; what is lost on the way is told.
#[test]
fn every_recorded_request_is_retold_in_every_dialect() {
    let quirks = Quirks::default();
    let (mut read, mut refused) = (0, 0);
    for (of, kind, _) in FOLDERS {
        let api = match kind {
            Kind::Talk(Dialect::OpenAiChat) => Api::Chat,
            Kind::Talk(Dialect::OpenAiResponses) => Api::Responses,
            Kind::Talk(Dialect::AnthropicMessages) if of.starts_with("anthropic") => Api::Messages,
            _ => continue,
        };
        for folder in folders(of) {
            let Ok(body) = std::fs::read_to_string(folder.join("request.json")) else {
                continue;
            };
            let Ok(tree) = Json::parse(&body) else {
                continue;
            };
            let ask = match dialect::read_request(api, &tree) {
                Ok(ask) => ask,
                // Some were recorded for the error they met.
                Err(invalid) => {
                    println!("{}: {invalid}", folder.display());
                    refused += 1;
                    continue;
                }
            };
            for dialect in [
                Dialect::OpenAiChat,
                Dialect::OpenAiResponses,
                Dialect::AnthropicMessages,
                Dialect::BedrockConverse,
                Dialect::Gemini,
            ] {
                let target = Target {
                    endpoint: "there",
                    model: "m",
                    name: "claude",
                    quirks: &quirks,
                    thinking: None,
                    without: &[],
                    signers: &Signers::default(),
                    max_output: 16_384,
                    longest: 128_000,
                    asks_for_usage: true,
                };
                let (body, unsupported) = dialect::write_request(dialect, &ask, target).unwrap();
                Json::parse(&body.to_text()).unwrap();
                let (same, lost) = (dialect == api.native(), unsupported.into_names());
                // In its own dialect a conversation loses nothing that stands in it.
                let conversation =
                    |name: &&String| name.starts_with("messages[") && name.ends_with(']');
                assert!(
                    !same || !lost.iter().any(|name| conversation(&name)),
                    "{folder:?} {lost:?}"
                );
            }
            read += 1;
        }
    }
    println!("{read} requests, {refused} refused");
    assert!(
        vectors("recorded").is_none() || read >= 190 && refused <= 12,
        "{read} {refused}"
    );
}

#[test]
fn errors_of_providers_are_read_whatever_their_shape() {
    let mut read = 0;
    for (of, kind, _) in FOLDERS {
        let (Kind::Talk(dialect) | Kind::Embeddings(dialect) | Kind::Count(dialect)) = kind else {
            continue;
        };
        for folder in folders(of) {
            let body = match answer(&folder) {
                Recorded::Whole(bytes) if status(&folder) >= 400 => bytes,
                _ => continue,
            };
            // Some are pages of a proxy in between, or say nothing.
            let Ok(json) = serde_json::from_slice::<serde_json::Value>(&body) else {
                continue;
            };
            let text = json.to_string();
            if !text.contains("message") && !text.contains("\"error\":\"") {
                continue;
            }
            let (_, message) = dialect::read_error(dialect, "", &body);
            assert!(!message.is_empty(), "{folder:?}: {text}");
            for api in CLIENTS {
                let told = dialect::failure_body(api, 400, "k", &message, &context().id);
                let told: serde_json::Value = serde_json::from_str(&told).unwrap();
                assert_eq!(told["error"]["message"].as_str(), Some(message.as_str()));
            }
            read += 1;
        }
    }
    println!("{read} errors");
    assert!(vectors("recorded").is_none() || read >= 35, "{read}");
}

#[test]
fn counts_and_embeddings_are_read() {
    let (mut counts, mut embeddings) = (0, 0);
    for (of, kind, _) in FOLDERS {
        for folder in folders(of) {
            let Recorded::Whole(body) = answer(&folder) else {
                continue;
            };
            if status(&folder) != 200 {
                continue;
            }
            let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
            match kind {
                Kind::Count(dialect) => {
                    let count = dialect::count::read(dialect, &body).unwrap();
                    let names = ["input_tokens", "inputTokens", "totalTokens"];
                    let wanted = names.iter().find_map(|name| json[name].as_u64());
                    assert_eq!(Some(count), wanted, "{folder:?}");
                    counts += 1;
                }
                Kind::Embeddings(Dialect::OpenAiChat) => {
                    let mut reading = Reading::default();
                    dialect::read_reply(Dialect::OpenAiChat, &body, &mut reading);
                    let wanted = &json["usage"]["total_tokens"];
                    assert_eq!(
                        Some(reading.tokens.input_total()),
                        wanted.as_u64(),
                        "{folder:?}"
                    );
                    embeddings += 1;
                }
                Kind::Embeddings(dialect) => {
                    let mut reading = Reading::default();
                    let told = dialect::embed::answer(dialect, &body, "m", false, &mut reading);
                    let told: serde_json::Value = serde_json::from_str(&told.unwrap()).unwrap();
                    let one = [&json["embedding"], &json["predictions"][0]["embeddings"]];
                    let wanted = one.into_iter().find(|one| one.is_object()).unwrap();
                    assert_eq!(told["data"][0]["embedding"], wanted["values"], "{folder:?}");
                    let counted = json["usageMetadata"]["promptTokenCount"].as_u64();
                    let used = wanted["statistics"]["token_count"].as_u64().or(counted);
                    assert_eq!(reading.has_usage.then_some(reading.tokens.input), used);
                    embeddings += 1;
                }
                _ => {}
            }
        }
    }
    println!("{counts} counts, {embeddings} embeddings");
    assert!(vectors("recorded").is_none() || counts >= 6 && embeddings >= 8);
}

#[test]
fn a_reason_to_stop_is_told_in_every_dialect() {
    for (stop, wanted) in [
        (Stop::Done, ["\"stop\"", "completed", "end_turn"]),
        (
            Stop::Length,
            ["\"length\"", "max_output_tokens", "max_tokens"],
        ),
        (Stop::Tool, ["tool_calls", "completed", "tool_use"]),
        (
            Stop::Filtered,
            ["content_filter", "content_filter", "refusal"],
        ),
    ] {
        let answer = Answer {
            stop: Some(stop),
            ..Answer::default()
        };
        let bodies = [
            dialect::openai::answer_write::whole(&answer, &context()),
            dialect::responses::answer_whole::whole(&answer, &context()),
            dialect::anthropic::answer_whole::whole(&answer, &context()).unwrap(),
        ];
        for (body, wanted) in bodies.iter().zip(wanted) {
            assert!(body.contains(wanted), "{wanted} in {body}");
        }
    }
}
