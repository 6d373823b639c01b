//! How streams end, whatever breaks, and what is read of them.

use super::*;
use crate::dialect::neutral::Delta;
use crate::units::Millis;

const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}\n\n";
const START: &str = "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"Größe\"}}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn relay(api: Api, hide_usage: bool, id: RequestId) -> Relay {
    let passage = Passage::AsIs {
        dialect: api.native(),
        hide_usage,
    };
    Relay::new(api, passage, "text/event-stream", id)
}

fn run(stream: &str, cut: usize, hide: bool, end: End) -> (String, Reading) {
    let id = RequestId::new(Millis(0), 0);
    let mut relay = relay(Api::Chat, hide, id);
    let mut client = Vec::new();
    for piece in stream.as_bytes().chunks(cut) {
        if !relay.rewrites() {
            client.extend_from_slice(piece);
        }
        relay.push(piece, &mut client);
    }
    let reading = relay.finish(end, &mut client);
    (String::from_utf8(client).unwrap(), reading)
}

#[test]
fn field_07_usage_the_client_did_not_ask_for_is_read_and_removed() {
    let stream = [START, STOP, USAGE, DONE].concat();
    for cut in 1..stream.len() {
        let (out, reading) = run(&stream, cut, true, End::Closed);
        assert_eq!(out, [START, STOP, DONE].concat(), "cut at every {cut}");
        assert_eq!((reading.tokens.input, reading.tokens.output), (3, 5));
        assert_eq!(run(&stream, cut, false, End::Closed).0, stream);
    }
}

#[test]
fn a_completion_of_a_prompt_is_read_as_a_chat_is() {
    let text = "data: {\"model\":\"m\",\"choices\":[{\"text\":\"Größe\",\"index\":0,\"finish_reason\":null}],\"usage\":null}\n\n";
    let empty = text.replace("Größe", "");
    let stop = text.replace("Größe", "").replace("null}", "\"length\"}");
    let stream = [&empty, text, &stop, USAGE, DONE].concat();
    for cut in 1..stream.len() {
        let mut relay = relay(Api::Completions, true, RequestId::new(Millis(0), 0));
        let (mut out, mut stages) = (Vec::new(), Vec::new());
        for piece in stream.as_bytes().chunks(cut) {
            relay.push(piece, &mut out);
            stages.push(relay.stage());
        }
        let reading = relay.finish(End::Closed, &mut out);
        let seen = String::from_utf8(out).unwrap();
        assert_eq!(seen, [&empty, text, &stop, DONE].concat());
        assert_eq!((reading.tokens.input, reading.tokens.output), (3, 5));
        assert_eq!(
            (reading.stopped.as_deref(), reading.fault),
            (Some("length"), None)
        );
        assert_eq!(reading.output_bytes, "Größe".len() as u64);
        assert!(cut > empty.len() || stages.first() == Some(&Stage::Preamble));
    }
}

#[test]
fn field_14_a_stream_that_breaks_never_gets_a_good_end() {
    for (end, hide) in [
        (End::Broken, true),
        (End::Broken, false),
        (End::Closed, true),
    ] {
        let (out, reading) = run(&[START, "data: {\"half"].concat(), 7, hide, end);
        assert!(out.starts_with(START), "{out}");
        assert!(out.ends_with("\"type\":\"server_error\"}}\n\n"), "{out}");
        assert!(!out.contains("[DONE]"), "{out}");
        assert_eq!(out.contains("half"), !hide, "{out}");
        assert_eq!(reading.fault, Some(Fault::Cut));
    }
}

#[test]
fn an_event_that_is_none_is_followed_by_an_error_not_by_a_good_end() {
    let (out, reading) = run(
        &[START, "data: {nonsense\n\n", DONE].concat(),
        9,
        true,
        End::Closed,
    );
    assert!(out.starts_with(START) && !out.contains("[DONE]"), "{out}");
    assert!(out.contains("stream_broken"), "{out}");
    assert_eq!(reading.fault, Some(Fault::Garbled));
}

#[test]
fn a_broken_event_of_anthropics_is_made_one_its_clients_pass_over() {
    let id = RequestId::new(Millis(0), 0);
    let mut relay = relay(Api::Messages, false, id);
    let mut out = Vec::new();
    relay.push(
        b"event: content_block_delta\ndata: {\"type\":\"con",
        &mut out,
    );
    let reading = relay.finish(End::Broken, &mut out);
    let tail = String::from_utf8(out).unwrap();
    assert!(
        tail.starts_with("\nevent: ping\n\nevent: error\ndata: {"),
        "{tail}"
    );
    assert_eq!(reading.fault, Some(Fault::Cut));
}

#[test]
fn field_22_a_missing_done_is_no_fault_when_the_answer_was_complete() {
    let (out, reading) = run(&[START, STOP].concat(), 9, false, End::Closed);
    assert_eq!((out, reading.fault), ([START, STOP].concat(), None));
    // The last blank line may be missing too.
    let stream = [START, STOP, USAGE.trim_end()].concat();
    let (_, reading) = run(&stream, 9, true, End::Closed);
    assert_eq!((reading.tokens.output, reading.fault), (5, None));
}

#[test]
fn a_client_that_leaves_is_no_fault_of_the_stream() {
    let (_, reading) = run(START, 9, false, End::ClientGone);
    assert_eq!((reading.fault, reading.output_bytes), (None, 7));
}

/// A stream's preamble, its first content, and an error in its place.
const BEGINNINGS: [(Api, &str, &str, &str); 3] = [
    (
        Api::Chat,
        "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n: comment\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}}]}\n\n",
        "data: {\"error\":{\"message\":\"too much\",\"type\":\"server_error\"}}\n\n",
    ),
    (
        Api::Messages,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n",
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
    ),
    (
        Api::Responses,
        "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"model\":\"m\",\"output\":[]}}\n\nevent: response.in_progress\ndata: {\"type\":\"response.in_progress\",\"response\":{\"model\":\"m\",\"output\":[]}}\n\nevent: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"message\",\"content\":[]}}\n\n",
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"hi\"}\n\n",
        "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"broke\"}\n\n",
    ),
];

#[test]
fn field_13_a_preamble_does_not_commit_a_stream_its_first_content_does() {
    for (api, preamble, content, error) in BEGINNINGS {
        let staged = |text: &str| {
            let mut relay = relay(api, false, RequestId::new(Millis(0), 0));
            relay.push(text.as_bytes(), &mut Vec::new());
            relay.stage()
        };
        for cut in 0..=preamble.len() {
            let part = &preamble.as_bytes()[..cut];
            let part = String::from_utf8_lossy(part);
            assert_eq!(staged(&part), Stage::Preamble, "{api:?} {part}");
        }
        assert_eq!(
            staged(&[preamble, content].concat()),
            Stage::Content,
            "{api:?}"
        );
        assert_eq!(
            staged(&[preamble, error].concat()),
            Stage::Failed,
            "{api:?}"
        );
        assert_eq!(staged(error), Stage::Failed, "{api:?}");
        // What comes after in the same piece makes it no better, and an error
        // after content no worse.
        assert_eq!(staged(&[error, content].concat()), Stage::Failed, "{api:?}");
        let nonsense = "data: {nonsense\n\n";
        assert_eq!(
            staged(&[preamble, nonsense, content].concat()),
            Stage::Failed,
            "{api:?}"
        );
        assert_eq!(
            staged(&[content, error].concat()),
            Stage::Content,
            "{api:?}"
        );
    }
}

#[test]
fn field_16_the_callers_own_mistake_in_a_stream_is_told_to_the_caller() {
    let said = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"no\"}}\n\n";
    let mut relay = relay(Api::Messages, false, RequestId::new(Millis(0), 0));
    relay.push(said.as_bytes(), &mut Vec::new());
    assert_eq!(relay.stage(), Stage::Content);
}

#[test]
fn what_says_nothing_is_no_beginning() {
    let mut reading = Reading::default();
    for delta in [
        Delta::Model("m".into()),
        Delta::Text("".into()),
        Delta::Thinking("".into()),
        Delta::KeepAlive,
    ] {
        reading.take(&delta);
        assert!(!reading.has_content, "{delta:?}");
    }
    reading.take(&Delta::Text("a".into()));
    assert!(reading.has_content);
}
