//! Reading a messages request.

use crate::dialect::neutral::{
    Blob, BlobKind, Block, Budget, ChatRequest, Choice, Effort, Extra, Fields, Format, Json,
    Lifetime, Media, Node, Params, Role, Source, Thinking, Tool, Turn, What,
};
use crate::dialect::Api;
use crate::refusal::Invalid;
use std::borrow::Cow;

/// Reads the body. Only messages need a limit; their tokens can be counted
/// without one.
pub fn read<'p>(body: &'p Json<'_>, api: Api) -> Result<ChatRequest<'p>, Invalid> {
    let fields = Node::root(body).fields()?;
    fields.ignore(&["model"]);
    if api == Api::Messages {
        let limit = fields.need("max_tokens")?;
        // A limit of 0, which only fills the cache, has no equivalent in other
        // dialects; for some of them 0 means no limit.
        if limit.count()? == 0 {
            return Err(limit.wrong("above 0 where the request is written for another dialect"));
        }
    }
    let mut request = ChatRequest {
        client: api,
        stream: fields.flag("stream")?.unwrap_or(false),
        system: Vec::new(),
        turns: Vec::new(),
        tools: Vec::new(),
        choice: None,
        parallel: None,
        format: None,
        thinking: None,
        params: params(&fields)?,
        older: Vec::new(),
        extras: Vec::new(),
    };
    if let Some(system) = fields.get("system") {
        request.system = blocks(&system, false, &mut request.extras)?;
    }
    for message in fields.need("messages")?.list()? {
        read_message(&message, &mut request)?;
    }
    for tool in fields.list("tools")? {
        read_tool(&tool, &mut request)?;
    }
    choice(&fields, &mut request)?;
    thinking(&fields, &mut request)?;
    // Caching everything there is: the last block of all carries the mark.
    if let Some(mark) = fields.get("cache_control") {
        let last = request
            .turns
            .last_mut()
            .and_then(|turn| turn.blocks.last_mut());
        if let Some(block) = last {
            block.cache = Some(lifetime(mark.json()));
        }
    }
    request.extras.extend(fields.rest(&NEUTRAL));
    Ok(request)
}

/// Fields that have no effect with these values.
const NEUTRAL: [(&str, &str); 4] = [
    ("inference_geo", "\"global\""),
    ("mcp_servers", "[]"),
    ("speed", "\"standard\""),
    ("caller", "{\"type\":\"direct\"}"),
];

fn params<'p>(fields: &Fields<'p, '_>) -> Result<Params<'p>, Invalid> {
    let stop = fields.list("stop_sequences")?;
    let user = match fields.get("metadata") {
        Some(metadata) => metadata.fields()?.text("user_id")?,
        None => None,
    };
    Ok(Params {
        max_output: fields.count("max_tokens")?,
        temperature: fields.decimal("temperature")?,
        top_p: fields.decimal("top_p")?,
        top_k: fields.count("top_k")?,
        stop: stop
            .map(|s| s.text().map(Cow::Borrowed))
            .collect::<Result<_, _>>()?,
        user: user.map(Cow::Borrowed),
        tier: fields
            .text("service_tier")?
            .filter(|tier| *tier != "auto")
            .map(Cow::Borrowed),
        ..Params::default()
    })
}

fn lifetime(mark: &Json<'_>) -> Lifetime {
    match mark.text("ttl") {
        Some("1h") => Lifetime::Hour,
        _ => Lifetime::Short,
    }
}

fn read_message<'p>(message: &Node<'p, '_>, request: &mut ChatRequest<'p>) -> Result<(), Invalid> {
    let fields = message.fields()?;
    let role = match fields.need_text("role")? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        other => return Err(fields.need("role")?.unknown(other)),
    };
    let blocks = blocks(&fields.need("content")?, false, &mut request.extras)?;
    request.turns.push(Turn { role, blocks });
    request.extras.extend(fields.rest(&NEUTRAL));
    Ok(())
}

/// Content: text, or a list of blocks. A tool result, `inside`, has no further results,
/// so that paths stay in proportion to the body.
fn blocks<'p>(
    node: &Node<'p, '_>,
    inside: bool,
    extras: &mut Vec<Extra<'p>>,
) -> Result<Vec<Block<'p>>, Invalid> {
    if node.is_text() {
        return Ok(vec![Block::new(
            node.place(),
            What::Text(node.text()?.into()),
        )]);
    }
    let entries = node.list()?;
    let mut blocks: Vec<Block<'p>> = Vec::with_capacity(entries.len());
    let mut call_blob = None;
    for entry in entries {
        let fields = entry.fields()?;
        if inside && fields.text("type")? == Some("tool_result") {
            return Err(fields.need("type")?.unknown("tool_result"));
        }
        let mut what = read_block(&entry, &fields, extras)?;
        match &mut what {
            // The blob of a call is in front of it.
            What::Thinking {
                blob: Some(found), ..
            } if found.kind == BlobKind::Call => {
                call_blob = Some(found.clone());
                continue;
            }
            What::Call { blob, .. } => *blob = call_blob.take(),
            _ => {}
        }
        let foreign = matches!(what, What::Foreign(_));
        let mut block = Block::new(entry.place(), what);
        block.cache = fields
            .get("cache_control")
            .map(|mark| lifetime(mark.json()));
        blocks.push(block);
        if !foreign {
            extras.extend(fields.rest(&NEUTRAL));
        }
    }
    Ok(blocks)
}

fn read_block<'p>(
    entry: &Node<'p, '_>,
    fields: &Fields<'p, '_>,
    extras: &mut Vec<Extra<'p>>,
) -> Result<What<'p>, Invalid> {
    Ok(match fields.need_text("type")? {
        "text" => {
            // Citations of earlier responses are not sent again.
            fields.ignore(&["citations"]);
            What::Text(fields.need_text("text")?.into())
        }
        "image" => What::Image(media(&fields.need("source")?)?),
        // Its parts are only for Claude.
        "document" if fields.has_type("source", "content") => What::Foreign(entry.json().lend()),
        "document" => {
            let mut document = media(&fields.need("source")?)?;
            document.name = fields.text("title")?.map(Cow::Borrowed);
            document.cite = match fields.get("citations") {
                Some(citations) => citations.fields()?.flag("enabled")?.unwrap_or(false),
                None => false,
            };
            What::Document(document)
        }
        "tool_use" => {
            let input = fields.need("input")?;
            input.object()?;
            What::Call {
                id: fields.need_text("id")?.into(),
                name: fields.need_text("name")?.into(),
                input: input.json().lend(),
                custom: false,
                blob: None,
            }
        }
        "tool_result" => {
            let content = match fields.get("content") {
                Some(content) => blocks(&content, true, extras)?,
                None => Vec::new(),
            };
            What::Result {
                id: fields.need_text("tool_use_id")?.into(),
                content,
                error: fields.flag("is_error")?.unwrap_or(false),
            }
        }
        "thinking" => {
            let signature = fields.text("signature")?.filter(|s| !s.is_empty());
            What::Thinking {
                text: fields.need_text("thinking")?.into(),
                blob: signature.map(|s| Blob::read(BlobKind::Signature, s)),
            }
        }
        "redacted_thinking" => What::Thinking {
            text: "".into(),
            blob: Some(Blob::read(BlobKind::Hidden, fields.need_text("data")?)),
        },
        _ => What::Foreign(entry.json().lend()),
    })
}

fn media<'p>(source: &Node<'p, '_>) -> Result<Media<'p>, Invalid> {
    let fields = source.fields()?;
    let place = match fields.need_text("type")? {
        "base64" => Source::Base64(fields.need_text("data")?.into()),
        "text" => Source::Text(fields.need_text("data")?.into()),
        "url" => Source::Url(fields.need_text("url")?.into()),
        "file" => Source::File(fields.need_text("file_id")?.into()),
        other => return Err(fields.need("type")?.unknown(other)),
    };
    Ok(Media {
        source: place,
        kind: fields.text("media_type")?.map(Cow::Borrowed),
        name: None,
        detail: None,
        cite: false,
    })
}

fn read_tool<'p>(node: &Node<'p, '_>, request: &mut ChatRequest<'p>) -> Result<(), Invalid> {
    let fields = node.fields()?;
    if !matches!(fields.text("type")?, None | Some("custom")) {
        // A server tool.
        request.extras.push(Extra {
            path: node.place(),
            name: None,
            value: node.json().lend(),
            hint: false,
        });
        return Ok(());
    }
    let schema = fields.need("input_schema")?;
    schema.object()?;
    request.tools.push(Tool {
        path: node.place(),
        name: fields.need_text("name")?.into(),
        description: fields.text("description")?.map(Cow::Borrowed),
        schema: Some(schema.json().lend()),
        strict: fields.flag("strict")?,
        cache: fields
            .get("cache_control")
            .map(|mark| lifetime(mark.json())),
        custom: None,
        namespace: None,
    });
    request.extras.extend(fields.rest(&NEUTRAL));
    Ok(())
}

fn choice<'p>(fields: &Fields<'p, '_>, request: &mut ChatRequest<'p>) -> Result<(), Invalid> {
    let Some(node) = fields.get("tool_choice") else {
        return Ok(());
    };
    let choice = node.fields()?;
    request.choice = Some(match choice.need_text("type")? {
        "auto" => Choice::Auto,
        "any" => Choice::Any,
        "none" => Choice::None,
        "tool" => Choice::Named(choice.need_text("name")?.into()),
        other => return Err(choice.need("type")?.unknown(other)),
    });
    request.parallel = choice.flag("disable_parallel_tool_use")?.map(|off| !off);
    request.extras.extend(choice.rest(&NEUTRAL));
    Ok(())
}

fn thinking<'p>(fields: &Fields<'p, '_>, request: &mut ChatRequest<'p>) -> Result<(), Invalid> {
    let mut thinking = Thinking::default();
    if let Some(node) = fields.get("thinking") {
        let inner = node.fields()?;
        thinking.budget = match inner.need_text("type")? {
            "disabled" => Budget::Off,
            "adaptive" => Budget::Adaptive,
            "enabled" => Budget::Tokens(inner.need("budget_tokens")?.count()?),
            other => return Err(inner.need("type")?.unknown(other)),
        };
        thinking.show = inner.text("display")?.map(|display| display != "omitted");
        request.extras.extend(inner.rest(&NEUTRAL));
    }
    let old_format = fields.get("output_format");
    let mut new_format = None;
    if let Some(node) = fields.get("output_config") {
        let inner = node.fields()?;
        if let Some(effort) = inner.get("effort") {
            let word = effort.text()?;
            thinking.effort = Some(Effort::read(word).ok_or_else(|| effort.unknown(word))?);
        }
        new_format = inner.get("format");
        request.extras.extend(inner.rest(&NEUTRAL));
    }
    request.format = new_format
        .or(old_format)
        .map(|node| format(&node))
        .transpose()?;
    request.thinking = (thinking != Thinking::default()).then_some(thinking);
    Ok(())
}

fn format<'p>(node: &Node<'p, '_>) -> Result<Format<'p>, Invalid> {
    let fields = node.fields()?;
    match fields.need_text("type")? {
        "json_schema" => Ok(Format::Schema {
            name: None,
            description: None,
            schema: fields.need("schema")?.json().lend(),
            strict: None,
        }),
        other => Err(fields.need("type")?.unknown(other)),
    }
}
