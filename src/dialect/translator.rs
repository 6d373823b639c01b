//! Translates a response from one dialect into another: a reader for the provider, a
//! writer for the client, and the translator between them.

use super::late_proofs::LateProofs;
use super::neutral::{
    Answer, ChatRequest, Delta, Json, Malformed, ReplyContext, Stop, TextReader, JSON_TOOL,
};
use super::reading::header_safe;
use super::{anthropic, bedrock, gemini, openai, responses, Api, Client, Fault, Reading, TooLong};
use crate::regions::Dialect;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The most output of a translated response, so that a stream cannot continue forever.
const LONGEST_ANSWER: u64 = 64 * 1024 * 1024;

/// Reads what a provider answers.
#[derive(Debug)]
pub enum Reader {
    /// Chat completions.
    Chat(openai::answer_read::Reader),
    /// Responses.
    Responses(responses::answer_read::Reader),
    /// Messages.
    Messages(anthropic::answer_read::Reader),
    /// Converse.
    Converse(bedrock::answer_read::Reader),
    /// generateContent.
    Gemini(gemini::answer_read::Reader),
}

impl Reader {
    /// One for a dialect; none for one that holds no conversations.
    pub fn of(dialect: Dialect) -> Option<Reader> {
        Some(match dialect {
            Dialect::OpenAiChat => Reader::Chat(Default::default()),
            Dialect::OpenAiResponses => Reader::Responses(Default::default()),
            Dialect::AnthropicMessages => Reader::Messages(Default::default()),
            Dialect::BedrockConverse => Reader::Converse(Default::default()),
            Dialect::Gemini => Reader::Gemini(Default::default()),
            Dialect::CohereEmbed => return None,
        })
    }

    /// Takes an event of a stream; `name` counts only where frames carry it.
    pub fn event(
        &mut self,
        name: &str,
        data: &[u8],
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        match self {
            Reader::Chat(reader) => reader.event(data, on),
            Reader::Responses(reader) => reader.event(data, on),
            Reader::Messages(reader) => reader.event(data, on),
            Reader::Converse(reader) => reader.event(name, data, on),
            Reader::Gemini(reader) => reader.event(data, on),
        }
    }

    /// Takes a whole reply.
    pub fn whole(
        &mut self,
        body: &Json<'_>,
        on: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        match self {
            Reader::Chat(reader) => reader.whole(body, on),
            Reader::Responses(reader) => reader.whole(body, on),
            Reader::Messages(reader) => reader.whole(body, on),
            Reader::Converse(reader) => reader.whole(body, on),
            Reader::Gemini(reader) => reader.whole(body, on),
        }
    }
}

/// Writes a stream to a client.
#[derive(Debug)]
enum Writer {
    Chat(openai::answer_write::Writer),
    Responses(Box<responses::answer_write::Writer>),
    Messages(anthropic::answer_write::Writer),
}

impl Writer {
    fn of(api: Api, context: ReplyContext) -> Writer {
        match api.client() {
            Client::Responses => {
                Writer::Responses(Box::new(responses::answer_write::Writer::new(context)))
            }
            Client::Messages => Writer::Messages(anthropic::answer_write::Writer::new(context)),
            Client::Chat => Writer::Chat(openai::answer_write::Writer::new(context)),
        }
    }

    fn take(&mut self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        match self {
            Writer::Chat(writer) => writer.take(delta, out),
            Writer::Responses(writer) => writer.take(delta, out),
            Writer::Messages(writer) => writer.take(delta, out),
        }
    }

    fn fail(&mut self, fault: &Fault, too_long: Option<&TooLong>, out: &mut Vec<u8>) {
        match self {
            Writer::Chat(writer) => writer.fail(fault, too_long, out),
            Writer::Responses(writer) => writer.fail(fault, too_long, out),
            Writer::Messages(writer) => writer.fail(fault, too_long, out),
        }
    }
}

/// Replaces calls of the JSON tool by text where it stands in for JSON mode, gives ids
/// to calls without one, and reports what the client does not get.
#[derive(Debug)]
struct JsonToolUnwrapper {
    context: ReplyContext,
    /// The answer to JSON mode comes as a call of a tool.
    unwraps_json: bool,
    /// Calls that are the answer in JSON mode.
    json_calls: BTreeSet<u32>,
    other_calls: bool,
    late: LateProofs,
    /// The arguments of custom tools: those that the client does not get are reported.
    custom: BTreeMap<u32, (String, TextReader)>,
}

impl JsonToolUnwrapper {
    fn new(to: Api, context: ReplyContext, unwraps_json: bool) -> JsonToolUnwrapper {
        JsonToolUnwrapper {
            context,
            unwraps_json,
            json_calls: BTreeSet::new(),
            other_calls: false,
            late: LateProofs::of(to),
            custom: BTreeMap::new(),
        }
    }

    /// The name of what the client does not get: arguments of a custom tool beside its
    /// text.
    fn left_out(&mut self, delta: &Delta<'_>) -> Option<Delta<'static>> {
        match delta {
            Delta::Call { call, name, .. } if self.context.custom.contains(name.as_ref()) => {
                let known = (name.to_string(), TextReader::default());
                self.custom.insert(*call, known);
                None
            }
            Delta::Input { call, json } => {
                let (name, reader) = self.custom.get_mut(call)?;
                let known = reader.left_out();
                reader.push(json, &mut String::new());
                let left_out = reader.left_out() && !known;
                left_out.then(|| Delta::Unsupported(format!("{name}.arguments").into()))
            }
            _ => None,
        }
    }

    /// Passes a piece on, with what goes before and after it.
    fn pass<'d>(&mut self, delta: Delta<'d>, mut on: impl FnMut(Delta<'_>)) {
        let left_out = self.left_out(&delta);
        let Some(delta) = self.rewrite(delta) else {
            return;
        };
        let (before, is_passed) = self.late.take(&delta);
        before.into_iter().for_each(&mut on);
        if is_passed {
            on(delta);
        }
        left_out.into_iter().for_each(on);
    }

    fn rewrite<'d>(&mut self, delta: Delta<'d>) -> Option<Delta<'d>> {
        Some(match delta {
            Delta::Call { call, name, .. } if self.unwraps_json && name == JSON_TOOL => {
                self.json_calls.insert(call);
                return None;
            }
            Delta::Input { call, json } if self.json_calls.contains(&call) => Delta::Text(json),
            Delta::Stop(Stop::Tool) if !self.other_calls && !self.json_calls.is_empty() => {
                Delta::Stop(Stop::Done)
            }
            Delta::Call {
                call,
                id,
                name,
                blob,
            } => {
                self.other_calls = true;
                let id = match id.is_empty() {
                    true => Cow::Owned(self.context.mint_nth("call_", call as usize)),
                    false => id,
                };
                Delta::Call {
                    call,
                    id,
                    name,
                    blob,
                }
            }
            other => other,
        })
    }
}

/// A response that is translated from a provider's dialect into a client's.
#[derive(Debug)]
pub struct Translator {
    reader: Reader,
    writer: Writer,
    unwrapper: JsonToolUnwrapper,
    over: bool,
}

impl Translator {
    /// One for an answer from a dialect to a client.
    pub fn new(
        from: Dialect,
        to: Api,
        context: ReplyContext,
        unwraps_json: bool,
    ) -> Option<Translator> {
        Some(Translator {
            reader: Reader::of(from)?,
            writer: Writer::of(to, context.clone()),
            unwrapper: JsonToolUnwrapper::new(to, context, unwraps_json),
            over: false,
        })
    }

    /// Takes an event of the provider's; what the client gets goes to `out`.
    pub fn event(&mut self, name: &str, data: &[u8], reading: &mut Reading, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        let (writer, unwrapper) = (&mut self.writer, &mut self.unwrapper);
        let mut on = |delta: Delta<'_>| pass(delta, unwrapper, writer, reading, out);
        if self.reader.event(name, data, &mut on).is_err() {
            reading.fault.get_or_insert(Fault::Garbled);
        }
        self.check(reading, out);
    }

    /// Takes a frame that is an exception.
    pub fn exception(&mut self, kind: &str, data: &[u8], reading: &mut Reading, out: &mut Vec<u8>) {
        reading.exception(kind, data);
        self.check(reading, out);
    }

    /// Takes a whole reply where the client asked for a stream.
    pub fn whole(&mut self, body: &[u8], reading: &mut Reading, out: &mut Vec<u8>) {
        let (writer, unwrapper) = (&mut self.writer, &mut self.unwrapper);
        let mut on = |delta: Delta<'_>| pass(delta, unwrapper, writer, reading, out);
        let read = Json::parse_bytes(body).map_err(|_| Malformed);
        let read = read.and_then(|json| self.reader.whole(&json, &mut on));
        if read.is_err() || !reading.ended {
            reading.fault.get_or_insert(Fault::Garbled);
        }
        self.check(reading, out);
    }

    fn check(&mut self, reading: &mut Reading, out: &mut Vec<u8>) {
        if reading.output_bytes > LONGEST_ANSWER {
            reading.fault.get_or_insert(Fault::Garbled);
        }
        if let (Some(fault), false) = (&reading.fault, self.over) {
            self.over = true;
            self.writer.fail(fault, reading.too_long.as_ref(), out);
        }
        self.over |= reading.ended;
    }

    /// The provider's stream is over. If it is `sound` and had a stop reason, the
    /// response is complete even without a last event.
    pub fn finish(&mut self, sound: bool, reading: &mut Reading, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        if sound && reading.stopped.is_some() {
            let (writer, unwrapper) = (&mut self.writer, &mut self.unwrapper);
            pass(Delta::End, unwrapper, writer, reading, out);
        } else {
            reading.fault.get_or_insert(Fault::Cut);
        }
        self.check(reading, out);
    }
}

fn pass(
    delta: Delta<'_>,
    unwrapper: &mut JsonToolUnwrapper,
    writer: &mut Writer,
    reading: &mut Reading,
    out: &mut Vec<u8>,
) {
    unwrapper.pass(delta, |delta| write(delta, writer, reading, out));
}

fn write(delta: Delta<'_>, writer: &mut Writer, reading: &mut Reading, out: &mut Vec<u8>) {
    // No success ending follows a failure.
    let sound = reading.fault.is_none();
    if delta == Delta::KeepAlive {
        // Every client ignores comments.
        out.extend_from_slice(b": keep-alive\n\n");
        return;
    }
    let known = reading.left_out.len();
    reading.take(&delta);
    if sound && reading.fault.is_none() {
        if let (Delta::Unsupported(name), true) = (&delta, reading.left_out.len() > known) {
            // The reply's headers are already sent, and every client ignores comments.
            let comment = format!(": meridian-dropped: {}\n\n", header_safe(name));
            out.extend_from_slice(comment.as_bytes());
        }
        writer.take(&delta, out);
    }
}

/// A whole response in the client's dialect. Faults are in the reading.
pub fn whole(
    from: Dialect,
    to: Api,
    body: &[u8],
    context: ReplyContext,
    unwraps_json: bool,
    reading: &mut Reading,
) -> Option<String> {
    let mut answer = Answer::default();
    let mut unwrapper = JsonToolUnwrapper::new(to, context.clone(), unwraps_json);
    let read = Reader::of(from).and_then(|mut reader| {
        let json = Json::parse_bytes(body).ok()?;
        let mut on = |delta: Delta<'_>| {
            unwrapper.pass(delta, |delta| {
                reading.take(&delta);
                answer.take(delta);
            });
        };
        reader.whole(&json, &mut on).ok()
    });
    let written = read.and_then(|()| match to.client() {
        Client::Responses => Some(responses::answer_whole::whole(&answer, &context)),
        Client::Messages => anthropic::answer_whole::whole(&answer, &context).ok(),
        Client::Chat => Some(openai::answer_write::whole(&answer, &context)),
    });
    if written.is_none() || !reading.ended {
        reading.fault.get_or_insert(Fault::Garbled);
    }
    written.filter(|_| reading.fault.is_none())
}

/// Whether a tool stands in for JSON mode in a dialect.
pub fn unwraps_json(request: &ChatRequest<'_>, dialect: Dialect) -> bool {
    let without = matches!(
        dialect,
        Dialect::AnthropicMessages | Dialect::BedrockConverse
    );
    without && request.format == Some(super::neutral::Format::Json)
}
