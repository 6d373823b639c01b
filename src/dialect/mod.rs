//! The APIs of clients and providers, one folder each: how requests and responses are
//! read and written, how usage is counted, and how a refusal is written so that the
//! client's own SDK understands it. Dialects are translated through the form in
//! [`neutral`]; no dialect names another.

pub mod anthropic;
pub mod bedrock;
pub mod neutral;
pub mod gemini;
pub mod openai;
pub mod responses;

mod amounts;
mod api;
mod beyond;
mod blobs;
mod call;
pub mod count;
mod edit;
mod late_proofs;
mod named;
mod blob_owner;
pub mod embed;
mod reading;
mod provider_error;
pub mod outgoing;
mod translator;
pub(crate) mod tokens;
mod too_long;
mod values;

pub use amounts::Amounts;
pub use api::{Api, Client, Family};
pub use beyond::{Beyond, Pass};
pub use blob_owner::{blobs_in, BlobOwner, Fingerprint};
pub use call::{read_fields, Call, Value, Wanted};
pub use edit::{field_with_name, Edits};
pub use named::with_model;
pub use provider_error::{word, ProviderError};
pub use reading::{Fault, Reading};
pub use too_long::TooLong;
pub use translator::{unwraps_json, whole, Reader, Translator};

use crate::refusal::{Invalid, Refusal};
use crate::regions::Dialect;
use crate::units::RequestId;
use neutral::{ChatRequest, Delta, Json, Target, UnsupportedFields};

/// Reads as much of a request body as is needed to plan.
pub fn read_call(api: Api, body: &str) -> Result<Call<'_>, Invalid> {
    values::check(body)?;
    let mut call = match api.client() {
        Client::Chat if api == Api::Embeddings => embed::read_call(body),
        Client::Chat if api == Api::Completions => openai::completions::read(body),
        Client::Chat => openai::request_fields::read(body),
        Client::Responses => responses::request_fields::read(body),
        Client::Messages => anthropic::request_fields::read(body),
    }?;
    // Counts and compactions are never streamed, whatever the body says.
    call.wanted.stream &= !api.counts() && api != Api::Compact;
    Ok(call)
}

/// Reads all of a request, to write it in another dialect.
pub fn read_request<'p>(api: Api, body: &'p Json<'_>) -> Result<ChatRequest<'p>, Invalid> {
    match api.client() {
        Client::Chat => openai::request_read::read(body),
        Client::Responses => {
            let request = responses::request_read::read(body)?;
            Ok(ChatRequest {
                client: api,
                ..request
            })
        }
        Client::Messages => anthropic::request_read::read(body, api),
    }
}

/// Writes a request in a dialect, and lists what the dialect does not support. `None`
/// where the dialect has no conversations.
pub fn write_request<'a>(
    dialect: Dialect,
    request: &'a ChatRequest<'_>,
    target: Target<'a>,
) -> Option<(Json<'a>, UnsupportedFields<'a>)> {
    let counts = request.client.counts();
    Some(match (dialect, counts) {
        (Dialect::OpenAiChat, false) => openai::request_write::write(request, target),
        (Dialect::OpenAiResponses, false) => responses::request_write::write(request, target),
        (Dialect::OpenAiResponses, true) => responses::request_write::write_count(request, target),
        (Dialect::AnthropicMessages, false) => anthropic::request_write::write(request, target),
        (Dialect::AnthropicMessages, true) => {
            anthropic::request_write::write_count(request, target)
        }
        (Dialect::BedrockConverse, false) => bedrock::request_write::write(request, target),
        (Dialect::BedrockConverse, true) => bedrock::request_write::write_count(request, target),
        (Dialect::Gemini, false) => gemini::request_write::write(request, target),
        (Dialect::Gemini, true) => gemini::request_write::write_count(request, target),
        (Dialect::OpenAiChat, true) | (Dialect::CohereEmbed, _) => return None,
    })
}

/// Takes one event of a provider's stream into the reading.
pub fn read_event(dialect: Dialect, data: &[u8], reading: &mut Reading) {
    match dialect {
        Dialect::OpenAiChat => openai::stream::read(data, reading),
        Dialect::AnthropicMessages => anthropic::stream::read(data, reading),
        _ => reading.event(dialect, data),
    }
}

/// Takes a provider's whole JSON reply into the reading.
pub fn read_reply(dialect: Dialect, body: &[u8], reading: &mut Reading) {
    match dialect {
        Dialect::OpenAiChat => openai::reply::read(body, reading),
        Dialect::AnthropicMessages => anthropic::reply::read(body, reading),
        _ => reading.whole(dialect, body),
    }
}

/// The kind and the message of a provider's error body. `kind` is the error type that
/// AWS sends in a header.
pub fn read_error(dialect: Dialect, kind: &str, body: &[u8]) -> (String, String) {
    let json = Json::parse_bytes(body).unwrap_or(Json::Null);
    let first = match &json {
        Json::List(list) => list.first().unwrap_or(&Json::Null),
        one => one,
    };
    let error = first.get("error");
    let delta = match dialect {
        Dialect::BedrockConverse => bedrock::answer_read::failure(kind, first),
        Dialect::Gemini => gemini::answer_read::failure(error.unwrap_or(first)),
        Dialect::AnthropicMessages if error.is_none() => bedrock::answer_read::failure(kind, first),
        Dialect::AnthropicMessages => anthropic::answer_read::failure(first),
        _ => openai::error_read::failure(error.unwrap_or(first)),
    };
    match delta {
        Delta::Failed { kind, message } => (kind, message),
        _ => (String::new(), String::new()),
    }
}

/// A provider's error, as the client's SDK expects it.
pub fn failure_body(api: Api, status: u16, kind: &str, message: &str, id: &RequestId) -> String {
    if let Some(too_long) = TooLong::read(Some(status), kind, message) {
        return too_long.body(api, id);
    }
    match api.family() {
        Family::Anthropic => anthropic::error::provider_error(status, message, id),
        _ => openai::error::provider_error(status, kind, message),
    }
}

/// The body that replaces a provider's error about a request that is too long, where
/// clients would not recognise the provider's own. `None` if the client can get the
/// error as it is.
pub fn reworded_error(
    api: Api,
    dialect: Dialect,
    status: u16,
    beside: &str,
    body: &[u8],
    id: &RequestId,
) -> Option<String> {
    let (kind, message) = read_error(dialect, beside, body);
    let too_long = TooLong::read(Some(status), &kind, &message)?;
    let known = match api.family() {
        Family::Anthropic => kind == "invalid_request_error" && too_long.message(api) == message,
        _ => kind == openai::error::TOO_LONG,
    };
    (!known || status != too_long::STATUS).then(|| too_long.body(api, id))
}

/// The status that a client gets for a provider's error.
pub fn failure_status(status: u16, kind: &str, message: &str) -> u16 {
    match TooLong::read(Some(status), kind, message) {
        Some(_) => too_long::STATUS,
        None => status,
    }
}

/// A refusal as the body the client's SDK expects.
pub fn refusal_body(family: Family, refusal: &Refusal, id: &RequestId) -> String {
    match family {
        Family::OpenAi => openai::error::body(refusal),
        Family::Anthropic => anthropic::error::body(refusal, id),
        Family::Google => gemini::error::body(refusal),
        Family::Aws => bedrock::error::body(refusal),
    }
}

/// The header in which an SDK looks for the kind of a refusal.
pub fn refusal_header(family: Family, refusal: &Refusal) -> Option<(&'static str, &'static str)> {
    match family {
        Family::Aws => Some(("x-amzn-errortype", bedrock::error::kind(refusal))),
        _ => None,
    }
}

/// The last event of a stream that broke after its first content, where the client
/// received the provider's own bytes.
pub fn broken_stream_event(api: Api, fault: &Fault, id: &RequestId) -> String {
    match api.client() {
        Client::Chat => openai::error::event(fault),
        Client::Responses => responses::error_event(fault),
        Client::Messages => anthropic::error::event(fault, id),
    }
}

/// A refusal as the last event of a stream that has only had keep-alives.
pub fn refusal_event(api: Api, refusal: &Refusal, id: &RequestId) -> String {
    match api.client() {
        Client::Chat => format!("data: {}\n\n", openai::error::body(refusal)),
        Client::Responses => responses::refusal_event(refusal),
        Client::Messages => {
            format!(
                "event: error\ndata: {}\n\n",
                anthropic::error::body(refusal, id)
            )
        }
    }
}

/// A provider's error body, already in the client's dialect, as the last event
/// of a stream.
pub fn failure_event(api: Api, body: &str) -> String {
    // Line ends in JSON carry no meaning.
    let line = body.replace(['\r', '\n'], "");
    match api.client() {
        Client::Chat => format!("data: {line}\n\n"),
        Client::Responses => responses::failure_event(&line),
        Client::Messages => format!("event: error\ndata: {line}\n\n"),
    }
}

/// Shows a waiting client that the connection is alive.
pub fn keep_alive(api: Api) -> &'static str {
    match api.family() {
        Family::Anthropic => "event: ping\ndata: {\"type\": \"ping\"}\n\n",
        // A comment, which every client ignores.
        _ => ": keep-alive\n\n",
    }
}

/// Ends an incomplete event, so that the next event is read. Anthropic's clients ignore
/// a `ping`, whatever its data; OpenAI's have no such event and report the incomplete
/// one.
pub fn abandon_event(api: Api) -> &'static str {
    match api.family() {
        Family::Anthropic => "\nevent: ping\n\n",
        _ => "\n\n",
    }
}
