//! Reading a chat completion request.

use super::schema;
use crate::dialect::neutral::{
    custom_arguments, Blob, BlobKind, Block, Budget, ChatRequest, Choice, Effort, Fields, Json,
    Lifetime, Media, Node, Param, Params, Role, Source, Thinking, Turn, What,
};
use crate::dialect::Api;
use crate::refusal::Invalid;
use std::borrow::Cow;

/// Fields that have no effect with these values.
const NEUTRAL: [(&str, &str); 10] = [
    ("n", "1"),
    ("store", "false"),
    ("logprobs", "false"),
    ("logit_bias", "{}"),
    ("modalities", "[\"text\"]"),
    ("tools", "[]"),
    ("service_tier", "\"auto\""),
    ("presence_penalty", "0"),
    ("frequency_penalty", "0"),
    ("prompt_cache_retention", "\"in_memory\""),
];

/// Reads the body.
pub fn read<'p>(body: &'p Json<'_>) -> Result<ChatRequest<'p>, Invalid> {
    let fields = Node::root(body).fields()?;
    fields.ignore(&["model", "stream_options"]);
    let mut request = ChatRequest {
        client: Api::Chat,
        stream: fields.flag("stream")?.unwrap_or(false),
        system: Vec::new(),
        turns: Vec::new(),
        tools: schema::tools(&fields)?,
        choice: choice(&fields)?,
        parallel: fields.flag("parallel_tool_calls")?,
        format: schema::format(fields.get("response_format"), true)?,
        thinking: thinking(&fields)?,
        params: params(&fields)?,
        older: Vec::new(),
        extras: Vec::new(),
    };
    if fields.get("max_completion_tokens").is_none() {
        let older = fields.get("max_tokens").map(|_| "max_tokens");
        request
            .older
            .extend(older.map(|name| (Param::MaxOutput, name)));
    }
    request.older.extend(schema::older_user(&fields));
    schema::allow(fields.get("tool_choice"), &mut request.tools)?;
    for message in fields.need("messages")?.list()? {
        read_message(&message, &mut request)?;
    }
    request.extras.extend(fields.rest(&NEUTRAL));
    Ok(request)
}

fn params<'p>(fields: &Fields<'p, '_>) -> Result<Params<'p>, Invalid> {
    let old_limit = fields.count("max_tokens")?;
    let old_user = fields.text("user")?;
    let stop = match fields.get("stop") {
        None => Vec::new(),
        Some(one) if one.is_text() => vec![one.text()?.into()],
        Some(many) => many
            .list()?
            .map(|s| s.text().map(Cow::Borrowed))
            .collect::<Result<_, _>>()?,
    };
    Ok(Params {
        max_output: fields.count("max_completion_tokens")?.or(old_limit),
        temperature: fields.decimal("temperature")?,
        top_p: fields.decimal("top_p")?,
        top_k: fields.count("top_k")?,
        stop,
        seed: fields.get("seed").map(|seed| seed.whole()).transpose()?,
        presence_penalty: fields
            .decimal("presence_penalty")?
            .filter(|n| n.as_f64() != Some(0.0)),
        frequency_penalty: fields
            .decimal("frequency_penalty")?
            .filter(|n| n.as_f64() != Some(0.0)),
        logprobs: fields.flag("logprobs")?.unwrap_or(false),
        top_logprobs: fields.count("top_logprobs")?,
        user: fields
            .text("safety_identifier")?
            .or(old_user)
            .map(Cow::Borrowed),
        cache_key: fields.text("prompt_cache_key")?.map(Cow::Borrowed),
        verbosity: fields.text("verbosity")?.map(Cow::Borrowed),
        tier: fields
            .text("service_tier")?
            .filter(|tier| *tier != "auto")
            .map(Cow::Borrowed),
        labels: schema::labels(fields)?,
    })
}

fn choice<'p>(fields: &Fields<'p, '_>) -> Result<Option<Choice<'p>>, Invalid> {
    let Some(node) = fields.get("tool_choice") else {
        return Ok(None);
    };
    if node.is_text() {
        return schema::choice_word(&node).map(Some);
    }
    let choice = node.fields()?;
    match choice.need_text("type")? {
        "function" => {
            let function = choice.need("function")?.fields()?;
            Ok(Some(Choice::Named(function.need_text("name")?.into())))
        }
        "custom" => {
            let custom = choice.need("custom")?.fields()?;
            Ok(Some(Choice::Named(custom.need_text("name")?.into())))
        }
        // `schema::allow` leaves only these to choose from.
        "allowed_tools" => {
            let allowed = choice.need("allowed_tools")?.fields()?;
            schema::choice_word(&allowed.need("mode")?).map(Some)
        }
        other => Err(choice.need("type")?.unknown(other)),
    }
}

fn thinking(fields: &Fields<'_, '_>) -> Result<Option<Thinking>, Invalid> {
    let Some(node) = fields.get("reasoning_effort") else {
        return Ok(None);
    };
    effort(&node).map(Some)
}

/// The effort, or `none`.
pub fn effort(node: &Node<'_, '_>) -> Result<Thinking, Invalid> {
    let word = node.text()?;
    let mut thinking = Thinking::default();
    match word {
        "none" => thinking.budget = Budget::Off,
        word => thinking.effort = Some(Effort::read(word).ok_or_else(|| node.unknown(word))?),
    }
    Ok(thinking)
}

fn read_message<'p>(message: &Node<'p, '_>, request: &mut ChatRequest<'p>) -> Result<(), Invalid> {
    let fields = message.fields()?;
    let role = fields.need_text("role")?;
    // Most messages have one.
    let mut blocks = Vec::with_capacity(1);
    let mark = fields.get("cache_control").map(|mark| cache(mark.json()));
    match role {
        "system" | "developer" => {
            content(&fields.need("content")?, &mut blocks, request)?;
            mark_last(&mut blocks, mark);
            if request.turns.is_empty() {
                request.system.append(&mut blocks);
            } else {
                request.turns.push(Turn {
                    role: Role::System,
                    blocks,
                });
            }
        }
        "user" => {
            content(&fields.need("content")?, &mut blocks, request)?;
            mark_last(&mut blocks, mark);
            request.turns.push(Turn {
                role: Role::User,
                blocks,
            });
        }
        "assistant" => {
            thoughts(&fields, &mut blocks)?;
            if let Some(node) = fields.get("content") {
                content(&node, &mut blocks, request)?;
            }
            if let Some(refusal) = fields.text("refusal")?.filter(|text| !text.is_empty()) {
                let path = message.place().field("refusal");
                blocks.push(Block::new(path, What::Refusal(refusal.into())));
            }
            for call in fields.list("tool_calls")? {
                blocks.push(read_call(&call)?);
            }
            mark_last(&mut blocks, mark);
            request.turns.push(Turn {
                role: Role::Assistant,
                blocks,
            });
        }
        "tool" => {
            let id = fields.need_text("tool_call_id")?.into();
            let mut said = Vec::with_capacity(1);
            content(&fields.need("content")?, &mut said, request)?;
            let what = What::Result {
                id,
                content: said,
                error: false,
            };
            let mut block = Block::new(message.place(), what);
            block.cache = mark;
            match request.turns.last_mut() {
                // Results of parallel calls belong into one turn.
                Some(Turn {
                    role: Role::User,
                    blocks,
                }) if blocks.first().is_none_or(is_result) => {
                    blocks.push(block);
                }
                _ => request.turns.push(Turn {
                    role: Role::User,
                    blocks: vec![block],
                }),
            }
        }
        other => return Err(fields.need("role")?.unknown(other)),
    }
    request.extras.extend(fields.rest(&[]));
    Ok(())
}

/// A cache mark on a message is a mark on its last block.
fn mark_last(blocks: &mut [Block<'_>], mark: Option<Lifetime>) {
    if let Some(last) = blocks.last_mut() {
        last.cache = last.cache.or(mark);
    }
}

fn is_result(block: &Block<'_>) -> bool {
    matches!(block.what, What::Result { .. })
}

fn read_call<'p>(call: &Node<'p, '_>) -> Result<Block<'p>, Invalid> {
    let fields = call.fields()?;
    let kind = fields.get("type");
    let custom = match kind.as_ref().map(|kind| (kind, kind.json().as_text())) {
        None | Some((_, Some("function"))) => false,
        Some((_, Some("custom"))) => true,
        Some((kind, _)) => return Err(kind.unknown(&kind.json().to_text())),
    };
    let called = match custom {
        true => fields.need("custom")?.fields()?,
        false => fields.need("function")?.fields()?,
    };
    let blob = fields.get("extra_content").and_then(|extra| {
        let google = extra.json().get("google")?;
        Some(Blob::read(
            BlobKind::Call,
            google.text("thought_signature")?,
        ))
    });
    let what = What::Call {
        id: fields.need_text("id")?.into(),
        name: called.need_text("name")?.into(),
        input: match custom {
            true => custom_arguments(called.need_text("input")?),
            false => schema::arguments(&called.need("arguments")?)?,
        },
        custom,
        blob,
    };
    Ok(Block::new(call.place(), what))
}

/// Earlier thinking of the model, in all known formats.
fn thoughts<'p>(fields: &Fields<'p, '_>, blocks: &mut Vec<Block<'p>>) -> Result<(), Invalid> {
    let text = fields.text("reasoning_content")?;
    let text = fields.text("reasoning")?.or(text);
    let details = fields.list("reasoning_details")?;
    if details.is_empty() {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let path = fields.at("reasoning_content");
            let what = What::Thinking {
                text: text.into(),
                blob: None,
            };
            blocks.push(Block::new(path, what));
        }
        return Ok(());
    }
    for detail in details {
        let one = detail.fields()?;
        let what = match one.need_text("type")? {
            "reasoning.text" => What::Thinking {
                text: one.text("text")?.unwrap_or_default().into(),
                blob: one
                    .text("signature")?
                    .map(|s| Blob::read(BlobKind::Signature, s)),
            },
            "reasoning.encrypted" => What::Thinking {
                text: "".into(),
                blob: Some(Blob::read(BlobKind::Hidden, one.need_text("data")?)),
            },
            // A summary is for people; the model does not get it back.
            "reasoning.summary" => continue,
            other => return Err(one.need("type")?.unknown(other)),
        };
        blocks.push(Block::new(detail.place(), what));
    }
    Ok(())
}

/// A message's content: text, or a list of parts.
fn content<'p>(
    node: &Node<'p, '_>,
    blocks: &mut Vec<Block<'p>>,
    request: &mut ChatRequest<'p>,
) -> Result<(), Invalid> {
    if node.is_text() {
        blocks.push(Block::new(node.place(), What::Text(node.text()?.into())));
        return Ok(());
    }
    for part in node.list()? {
        let fields = part.fields()?;
        let what = read_part(&part, &fields)?;
        let mut block = Block::new(part.place(), what);
        block.cache = fields.get("cache_control").map(|node| cache(node.json()));
        blocks.push(block);
        request.extras.extend(fields.rest(&[]));
    }
    Ok(())
}

/// How long a cache mark asks for.
pub fn cache(mark: &Json<'_>) -> Lifetime {
    match mark.text("ttl") {
        Some("1h") => Lifetime::Hour,
        _ => Lifetime::Short,
    }
}

fn read_part<'p>(part: &Node<'p, '_>, fields: &Fields<'p, '_>) -> Result<What<'p>, Invalid> {
    Ok(match fields.need_text("type")? {
        "text" => What::Text(fields.need_text("text")?.into()),
        "refusal" => What::Refusal(fields.need_text("refusal")?.into()),
        "image_url" => {
            let image = fields.need("image_url")?;
            if image.is_text() {
                return Ok(What::Image(schema::at_url(image.text()?)));
            }
            let image = image.fields()?;
            let mut media = schema::at_url(image.need_text("url")?);
            media.detail = image
                .text("detail")?
                .filter(|d| *d != "auto")
                .map(Cow::Borrowed);
            What::Image(media)
        }
        "input_audio" => {
            let audio = fields.need("input_audio")?.fields()?;
            What::Audio(Media {
                source: Source::Base64(audio.need_text("data")?.into()),
                kind: Some(format!("audio/{}", audio.need_text("format")?).into()),
                name: None,
                detail: None,
                cite: false,
            })
        }
        // Mistral's format for thinking.
        "thinking" => What::Thinking {
            text: schema::texts(&fields.need("thinking")?)?.into(),
            blob: None,
        },
        "file" => What::Document(schema::file(&fields.need("file")?)?),
        _ => return Err(part.unknown(fields.need_text("type")?)),
    })
}
