//! Writing the messages of a chat completion request.

use super::schema::data_url;
use crate::dialect::neutral::{
    Blob, Block, BodyWriter, ChatRequest, Ids, Json, Media, Object, Role, Source, Turn, What,
};
use std::borrow::Cow;

/// Writes the conversation.
pub fn messages<'a>(request: &'a ChatRequest<'_>, writer: &mut BodyWriter<'a>) -> Vec<Json<'a>> {
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(message("system", text_content(&request.system, writer)));
    }
    for turn in &request.turns {
        match turn.role {
            Role::System => messages.push(message("system", text_content(&turn.blocks, writer))),
            Role::User => user(turn, &mut messages, writer),
            Role::Assistant => messages.extend(assistant(turn, writer)),
        }
    }
    messages
}

fn message<'a>(role: &'a str, content: Json<'a>) -> Json<'a> {
    Object::of([("role", role.into()), ("content", content)]).into()
}

/// Blocks of which only the text is supported.
fn text_content<'a>(blocks: &'a [Block<'_>], writer: &mut BodyWriter<'a>) -> Json<'a> {
    let mut texts: Vec<&'a str> = Vec::new();
    for block in blocks {
        match &block.what {
            What::Text(text) => texts.push(text),
            _ => writer.unsupported_block(block),
        }
    }
    match texts.as_slice() {
        [one] => Json::from(*one),
        many => {
            let part = |text: &&'a str| {
                Object::of([("type", "text".into()), ("text", (*text).into())]).into()
            };
            Json::List(many.iter().map(part).collect())
        }
    }
}

fn user<'a>(turn: &'a Turn<'_>, messages: &mut Vec<Json<'a>>, writer: &mut BodyWriter<'a>) {
    let mut parts: Vec<Json<'a>> = Vec::new();
    let flush = |parts: &mut Vec<Json<'a>>, messages: &mut Vec<Json<'a>>| {
        if !parts.is_empty() {
            messages.push(message("user", plain(std::mem::take(parts))));
        }
    };
    for block in &turn.blocks {
        match &block.what {
            What::Result { id, content, error } => {
                flush(&mut parts, messages);
                messages.push(result(id, content, *error, writer));
            }
            _ => parts.extend(part(block, writer)),
        }
    }
    flush(&mut parts, messages);
}

/// A single text needs no list.
fn plain(mut parts: Vec<Json<'_>>) -> Json<'_> {
    if let [Json::Object(Object(fields))] = parts.as_mut_slice() {
        if let [(_, Json::Text(kind)), (_, text)] = fields.as_mut_slice() {
            if kind == "text" {
                return std::mem::replace(text, Json::Null);
            }
        }
    }
    Json::List(parts)
}

fn part<'a>(block: &'a Block<'_>, writer: &mut BodyWriter<'a>) -> Option<Json<'a>> {
    let part = match &block.what {
        What::Text(text) => Object::of([("type", "text".into()), ("text", text.as_ref().into())]),
        What::Image(image) => Object::new()
            .with("type", "image_url")
            .with("image_url", image_url(image, block, writer)?),
        What::Document(document) if writer.target().quirks.document_urls => Object::new()
            .with("type", "document_url")
            .with("document_url", document_url(document, block, writer)?)
            .with_some("document_name", document.name.as_deref()),
        What::Document(document) => Object::new()
            .with("type", "file")
            .with("file", file(document, block, writer)?),
        What::Audio(audio) => {
            let (Source::Base64(data), Some(kind)) = (&audio.source, &audio.kind) else {
                writer.unsupported_block(block);
                return None;
            };
            let format = kind.strip_prefix("audio/").unwrap_or(kind);
            let format = if format == "mpeg" { "mp3" } else { format };
            Object::new().with("type", "input_audio").with(
                "input_audio",
                Object::new()
                    .with("data", data.as_ref())
                    .with("format", format),
            )
        }
        _ => {
            writer.unsupported_block(block);
            return None;
        }
    };
    Some(part.into())
}

fn image_url<'a>(
    image: &'a Media<'_>,
    block: &Block<'a>,
    writer: &mut BodyWriter<'a>,
) -> Option<Object<'a>> {
    let url: Cow<'a, str> = match &image.source {
        Source::Url(url) => Cow::Borrowed(url.as_ref()),
        Source::Base64(data) => data_url(image.kind.as_deref(), "image/png", data).into(),
        Source::Text(_) | Source::File(_) => {
            writer.unsupported_block(block);
            return None;
        }
    };
    let object = Object::new().with("url", url);
    Some(object.with_some("detail", image.detail.as_deref()))
}

fn file<'a>(
    document: &'a Media<'_>,
    block: &Block<'a>,
    writer: &mut BodyWriter<'a>,
) -> Option<Object<'a>> {
    writer
        .unsupported
        .refuse_if(document.cite, block.path.field("citations"));
    let data = match &document.source {
        Source::Base64(data) => data_url(document.kind.as_deref(), "application/pdf", data),
        // A text is a file too; it need not be encoded by hand.
        Source::Text(text) => {
            use base64::Engine;
            let data = base64::engine::general_purpose::STANDARD.encode(text.as_bytes());
            data_url(document.kind.as_deref(), "text/plain", &data)
        }
        Source::Url(_) | Source::File(_) => {
            writer.unsupported_block(block);
            return None;
        }
    };
    let name = document.name.as_deref().unwrap_or("document");
    Some(Object::new().with("filename", name).with("file_data", data))
}

/// Where a document is, in Mistral's format.
fn document_url<'a>(
    document: &'a Media<'_>,
    block: &Block<'a>,
    writer: &mut BodyWriter<'a>,
) -> Option<Cow<'a, str>> {
    match &document.source {
        Source::Url(url) => Some(Cow::Borrowed(url.as_ref())),
        _ => match file(document, block, writer)?.get("file_data") {
            Some(Json::Text(data)) => Some(Cow::Owned(data.clone().into_owned())),
            _ => None,
        },
    }
}

fn result<'a>(
    id: &'a str,
    content: &'a [Block<'_>],
    error: bool,
    writer: &mut BodyWriter<'a>,
) -> Json<'a> {
    let mut said = String::new();
    for block in content {
        match &block.what {
            What::Text(text) => said.push_str(text),
            _ => writer.unsupported_block(block),
        }
    }
    // There is no field for a failure, so the text says it.
    let said = if error {
        format!("Error: {said}")
    } else {
        said
    };
    Object::of([
        ("role", "tool".into()),
        ("tool_call_id", call_id(id, writer).into()),
        ("content", said.into()),
    ])
    .into()
}

/// Ids as an endpoint with short ones takes them.
const SHORT_IDS: Ids = Ids {
    longest: 9,
    shortest: 9,
    marks: "",
};

/// A call's id, as short as the endpoint requires.
fn call_id<'a>(id: &'a str, writer: &BodyWriter<'a>) -> Cow<'a, str> {
    match writer.target().quirks.short_ids {
        true => SHORT_IDS.fit(id),
        false => Cow::Borrowed(id),
    }
}

/// The model's turn, unless nothing of it is supported here.
fn assistant<'a>(turn: &'a Turn<'_>, writer: &mut BodyWriter<'a>) -> Option<Json<'a>> {
    let mut texts: Vec<&'a str> = Vec::new();
    let mut refusal: Option<&'a str> = None;
    let mut calls: Vec<Json<'a>> = Vec::new();
    let mut details: Vec<Json<'a>> = Vec::new();
    for block in &turn.blocks {
        match &block.what {
            What::Text(text) => texts.push(text),
            What::Refusal(text) => refusal = Some(text),
            What::Call {
                id,
                name,
                input,
                blob,
                ..
            } => {
                calls.push(call(id, name, input, blob.as_ref(), block, writer));
            }
            What::Thinking {
                text,
                blob: Some(blob),
            } if own(blob, writer) => {
                details.push(detail(text, blob));
            }
            _ => writer.unsupported_block(block),
        }
    }
    if texts.is_empty() && refusal.is_none() && calls.is_empty() {
        return None;
    }
    let content = match texts.as_slice() {
        [] => Json::Null,
        [one] => Json::from(*one),
        many => many.concat().into(),
    };
    let mut message = Object::of([("role", "assistant".into()), ("content", content)]);
    message = message.with_some("refusal", refusal);
    if !details.is_empty() {
        message.set("reasoning_details", details);
    }
    if !calls.is_empty() {
        message.set("tool_calls", calls);
    }
    Some(message.into())
}

/// Whether this endpoint is known to have made a blob. Chat completions have no blobs
/// without a name.
fn own(blob: &Blob<'_>, writer: &BodyWriter<'_>) -> bool {
    blob.origin.as_deref() == Some(writer.target().endpoint)
}

fn detail<'a>(text: &'a str, blob: &'a Blob<'_>) -> Json<'a> {
    match text {
        "" => Object::new()
            .with("type", "reasoning.encrypted")
            .with("data", blob.data.as_ref()),
        text => Object::new()
            .with("type", "reasoning.text")
            .with("text", text)
            .with("signature", blob.data.as_ref()),
    }
    .into()
}

fn call<'a>(
    id: &'a str,
    name: &'a str,
    input: &'a Json<'_>,
    blob: Option<&'a Blob<'_>>,
    block: &Block<'a>,
    writer: &mut BodyWriter<'a>,
) -> Json<'a> {
    let function = Object::of([("name", name.into()), ("arguments", input.to_text().into())]);
    let mut call = Object::of([
        ("id", call_id(id, writer).into()),
        ("type", "function".into()),
        ("function", function.into()),
    ]);
    match blob {
        Some(blob) if own(blob, writer) => {
            let google = Object::new().with("thought_signature", blob.data.as_ref());
            call.set("extra_content", Object::new().with("google", google));
        }
        Some(_) => writer.unsupported.leave_out(block.path),
        None => {}
    }
    call.into()
}
