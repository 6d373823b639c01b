//! Nothing that comes in is more work than its length, and nothing takes many
//! times its room: every shape of request in every client's dialect written in
//! every provider's, and every shape of answer told to every client.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod shapes;

use meridian::config::{self, Config, Files};
use meridian::dialect::neutral::{Json, Object, ReplyContext, Signers, Target};
use meridian::dialect::{self, Api, Fault, Reading, Translator};
use meridian::regions::{Dialect, Quirks};
use meridian::request::egress;
use meridian::request::head::Head;
use meridian::request::runaway::{Guard, Rules};
use meridian::units::{Millis, RequestId};
use peak_alloc::PeakAlloc;
use shapes::SHAPES;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Both tests look at what all of the process does.
static ALONE: Mutex<()> = Mutex::new(());

const APIS: [Api; 5] = [
    Api::Chat,
    Api::Completions,
    Api::Responses,
    Api::Messages,
    Api::Embeddings,
];
const DIALECTS: [Dialect; 5] = [
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::AnthropicMessages,
    Dialect::BedrockConverse,
    Dialect::Gemini,
];

/// Embeddings and completions take no conversation.
const TEXTS: [&str; 4] = ["many keys", "many texts", "many prompts", "many tokens"];

/// A body that is eight times as long may take so many times as long.
const MOST_GROWTH: f64 = 24.0;
/// What is too fast to be measured.
const TOO_FAST: Duration = Duration::from_millis(3);
/// So many bytes of memory beside a body, a byte of it. Pointers are twice as
/// long here as in the worker.
const MOST_MEMORY: f64 = 3.0;
/// What may be taken whatever the body: trees of as many values as any request
/// may hold.
const ROOM: usize = 10 << 20;

fn own_config() -> Config {
    let files = Files::load(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let read = config::read(&files, "2026-11-27").checked();
    read.unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// What is done with a body before it is known where it goes.
fn received(config: &Config, api: Api, body: &str) {
    let call = dialect::read_call(api, body);
    let head = Head::default();
    let egress = egress::read(&config.regions.egress, api, &head, body);
    let mut without = body.to_owned();
    let offers = &config.regions.egress;
    let offers = egress::offers::leave_out(offers, api, |_| false, &mut without);
    drop((without, offers));
    let blobs = dialect::blobs_in(body);
    let mut guard = Guard::default();
    let seen = guard.seen(Millis(0), "t", None, body, &Rules::default());
    drop(std::hint::black_box((call, egress, blobs, seen)));
}

/// What is done to write it in another dialect.
fn written(api: Api, dialect: Dialect, body: &str) -> Option<String> {
    let quirks = Quirks::default();
    let target = Target {
        endpoint: "e",
        model: "m",
        name: "claude",
        quirks: &quirks,
        thinking: None,
        without: &[],
        signers: &Signers::default(),
        max_output: 1_000,
        longest: 128_000,
        asks_for_usage: true,
    };
    if api == Api::Completions {
        // They are never translated.
        return None;
    }
    let tree = Json::parse_request(body).ok()?;
    if api == Api::Embeddings {
        return dialect::embed::read(&tree).ok().map(|_| String::new());
    }
    let ask = dialect::read_request(api, &tree).ok()?;
    let (written, unsupported) = dialect::write_request(dialect, &ask, target)?;
    let text = written.to_text_of(body.len() + 4_096);
    std::hint::black_box(unsupported);
    Some(text)
}

fn every(config: &Config, mut on: impl FnMut(&str, &dyn Fn(&str), &dyn Fn(usize) -> String)) {
    for shape in SHAPES {
        for api in APIS {
            let make = |size: usize| (shape.body)(api, size);
            let name = format!("{} to {api:?}", shape.name);
            let takes_texts = matches!(api, Api::Embeddings | Api::Completions);
            if takes_texts && !TEXTS.contains(&shape.name) {
                continue;
            }
            on(&name, &|body| received(config, api, body), &make);
            for dialect in DIALECTS {
                let name = format!("{name}, for {dialect:?}");
                let work = |body: &str| drop(std::hint::black_box(written(api, dialect, body)));
                on(&name, &work, &make);
                if takes_texts {
                    break;
                }
            }
        }
    }
}

fn time(work: &dyn Fn(&str), body: &str) -> Duration {
    let began = Instant::now();
    work(body);
    began.elapsed()
}

#[test]
fn guard_requests_are_no_more_work_than_their_length() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let config = own_config();
    let mut worst = BTreeMap::new();
    every(&config, |name, work, make| {
        let (short, long) = (make(16 << 10), make(128 << 10));
        // The best of several: others work on this machine too.
        let (mut first, mut second, mut growth) = (Duration::MAX, Duration::MAX, 0.0);
        for _ in 0..20 {
            first = first.min(time(work, &short));
            second = second.min(time(work, &long));
            growth = second.as_secs_f64() / first.max(TOO_FAST / 4).as_secs_f64();
            if growth < MOST_GROWTH / 2.0 || second < TOO_FAST {
                break;
            }
        }
        worst.insert((growth * 100.0) as u64, name.to_owned());
        assert!(
            growth <= MOST_GROWTH,
            "{name} takes {growth:.1} times as long"
        );
    });
    for (growth, name) in worst.iter().rev().take(12) {
        println!("{:.2} {name}", *growth as f64 / 100.0);
    }
}

/// So many events of a stream, each told to a client.
fn told(from: Dialect, to: Api, events: &[String]) -> usize {
    let context = ReplyContext {
        id: RequestId::new(Millis(0), 0),
        at: Millis(0),
        endpoint: "e".to_owned(),
        model: "m".to_owned(),
        reports_usage: true,
        reports_logprobs: true,
        echo: Object::new(),
        custom: Default::default(),
        namespaces: Default::default(),
    };
    let mut translator = Translator::new(from, to, context, false).unwrap();
    let (mut reading, mut out) = (Reading::default(), Vec::new());
    for event in events {
        translator.event("", event.as_bytes(), &mut reading, &mut out);
    }
    translator.finish(true, &mut reading, &mut out);
    assert_ne!(reading.fault, Some(Fault::Garbled));
    out.len()
}

/// Streams of so many events that hold much at once.
fn answers(count: usize) -> Vec<(&'static str, Dialect, Vec<String>)> {
    let chat = |delta: String| format!(r#"{{"choices":[{{"index":0,"delta":{delta}}}]}}"#);
    let each = |event: &dyn Fn(usize) -> String| (0..count).map(event).collect::<Vec<_>>();
    // Calls begin one after the other, and then go on all together.
    let call = |at: usize| match at < count / 2 {
        true => chat(format!(
            r#"{{"tool_calls":[{{"index":{at},"id":"c{at}","function":{{"name":"f","arguments":"{{"}}}}]}}"#
        )),
        false => chat(format!(
            r#"{{"tool_calls":[{{"index":{},"function":{{"arguments":"}}"}}}}]}}"#,
            count - at - 1
        )),
    };
    let thought = |at: usize| {
        chat(format!(
            r#"{{"reasoning_details":[{{"type":"reasoning.text","text":"t","signature":"s{at}"}}]}}"#
        ))
    };
    let cited = |_: usize| {
        chat(r#"{"content":"words","annotations":[{"type":"url_citation","url_citation":{"url":"u","title":"t"}}]}"#.to_owned())
    };
    let item = |at: usize| match at < count / 2 {
        true => format!(
            r#"{{"type":"response.output_item.added","output_index":{at},"item":{{"type":"function_call","call_id":"c{at}","name":"f"}}}}"#
        ),
        false => format!(
            r#"{{"type":"response.function_call_arguments.delta","output_index":{},"delta":"{{}}"}}"#,
            count - at - 1
        ),
    };
    vec![
        ("calls", Dialect::OpenAiChat, each(&call)),
        ("thoughts", Dialect::OpenAiChat, each(&thought)),
        ("citations", Dialect::OpenAiChat, each(&cited)),
        ("calls", Dialect::OpenAiResponses, each(&item)),
    ]
}

#[test]
fn guard_answers_are_no_more_work_than_their_length() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (short, long) = (answers(500), answers(4_000));
    for ((name, from, few), (_, _, many)) in short.iter().zip(&long) {
        for to in [Api::Chat, Api::Responses, Api::Messages] {
            let (mut growth, mut bytes) = (f64::MAX, (0, 0));
            for _ in 0..3 {
                let began = Instant::now();
                bytes.0 = told(*from, to, few);
                let first = began.elapsed();
                bytes.1 = told(*from, to, many);
                let second = began.elapsed().saturating_sub(first);
                growth = growth.min(second.as_secs_f64() / first.as_secs_f64());
            }
            println!("{growth:.2} {name} of {from:?} to {to:?}: {bytes:?}");
            assert!(
                growth <= MOST_GROWTH,
                "{name} of {from:?} to {to:?}: {growth:.1}"
            );
            assert!(
                bytes.1 <= bytes.0 * 12,
                "{name} of {from:?} to {to:?}: {bytes:?}"
            );
        }
    }
}

#[test]
fn guard_requests_take_no_more_room_than_in_proportion() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let config = own_config();
    let mut worst = BTreeMap::new();
    every(&config, |name, work, make| {
        let body = make(1 << 20);
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        work(&body);
        let taken = MEMORY.peak_usage().saturating_sub(before);
        let allowed = (body.len() as f64 * MOST_MEMORY) as usize + ROOM;
        let times = taken * 100 / body.len();
        worst.insert(times, format!("{name}: {taken} for {}", body.len()));
        assert!(taken <= allowed, "{name}: {taken} bytes for {}", body.len());
    });
    for (times, name) in worst.iter().rev().take(12) {
        println!("{:.2} {name}", *times as f64 / 100.0);
    }
}
