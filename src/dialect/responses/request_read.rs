//! Reading a responses request.

use crate::dialect::neutral::{
    custom_arguments, full_name, Blob, BlobKind, Block, ChatRequest, Choice, Extra, Fields, Json,
    Media, Node, Params, Role, Source, Thinking, Tool, Turn, What,
};
use crate::dialect::openai::request_read::effort;
use crate::dialect::openai::schema;
use crate::dialect::Api;
use crate::refusal::Invalid;
use std::borrow::Cow;

/// Fields that have no effect with these values.
const NEUTRAL: [(&str, &str); 8] = [
    ("store", "false"),
    ("background", "false"),
    ("truncation", "\"disabled\""),
    ("service_tier", "\"auto\""),
    ("include", "[]"),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("prompt_cache_retention", "\"in_memory\""),
];

/// Values of `include` that need no support.
const ENCRYPTED: &str = "reasoning.encrypted_content";
const LOGPROBS: &str = "message.output_text.logprobs";

/// Reads the body.
pub fn read<'p>(body: &'p Json<'_>) -> Result<ChatRequest<'p>, Invalid> {
    let fields = Node::root(body).fields()?;
    fields.ignore(&["model", "stream_options"]);
    let mut request = ChatRequest {
        client: Api::Responses,
        stream: fields.flag("stream")?.unwrap_or(false),
        system: Vec::new(),
        turns: Vec::new(),
        tools: Vec::new(),
        choice: choice(&fields)?,
        parallel: fields.flag("parallel_tool_calls")?,
        format: None,
        thinking: None,
        params: params(&fields)?,
        older: Vec::new(),
        extras: Vec::new(),
    };
    if let Some(instructions) = fields.get("instructions") {
        let what = What::Text(instructions.text()?.into());
        request.system.push(Block::new(instructions.place(), what));
    }
    input(&fields.need("input")?, &mut request)?;
    tools(&fields, &mut request)?;
    request.older.extend(schema::older_user(&fields));
    schema::allow(fields.get("tool_choice"), &mut request.tools)?;
    text(&fields, &mut request)?;
    reasoning(&fields, &mut request)?;
    include(&fields, &mut request)?;
    request.extras.extend(fields.rest(&NEUTRAL));
    Ok(request)
}

fn params<'p>(fields: &Fields<'p, '_>) -> Result<Params<'p>, Invalid> {
    let old_user = fields.text("user")?;
    let top_logprobs = fields.count("top_logprobs")?.filter(|n| *n > 0);
    Ok(Params {
        max_output: fields.count("max_output_tokens")?,
        temperature: fields.decimal("temperature")?,
        top_p: fields.decimal("top_p")?,
        logprobs: top_logprobs.is_some(),
        top_logprobs,
        user: fields
            .text("safety_identifier")?
            .or(old_user)
            .map(Cow::Borrowed),
        cache_key: fields.text("prompt_cache_key")?.map(Cow::Borrowed),
        tier: fields
            .text("service_tier")?
            .filter(|tier| *tier != "auto")
            .map(Cow::Borrowed),
        labels: schema::labels(fields)?,
        ..Params::default()
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
        "function" | "custom" => named(&choice).map(Choice::Named).map(Some),
        // `schema::allow` leaves only these to choose from.
        "allowed_tools" => schema::choice_word(&choice.need("mode")?).map(Some),
        other => Err(choice.need("type")?.unknown(other)),
    }
}

fn tools<'p>(fields: &Fields<'p, '_>, request: &mut ChatRequest<'p>) -> Result<(), Invalid> {
    for node in fields.list("tools")? {
        let outer = node.fields()?;
        if outer.need_text("type")? != "namespace" {
            request.tools.extend(tool(&node, &mut request.extras)?);
            continue;
        }
        let name = outer.need_text("name")?;
        let description = outer.text("description")?;
        for inner in outer.list("tools")? {
            let inner = tool(&inner, &mut request.extras)?;
            let inner = inner.map(|inner| inner.within(node.place(), name, description));
            request.tools.extend(inner);
        }
    }
    Ok(())
}

fn tool<'p>(node: &Node<'p, '_>, extras: &mut Vec<Extra<'p>>) -> Result<Option<Tool<'p>>, Invalid> {
    let fields = node.fields()?;
    match fields.need_text("type")? {
        "function" => schema::function(node, &fields).map(Some),
        "custom" => schema::custom(node, &fields).map(Some),
        // A tool that runs at OpenAI, or one without a schema.
        _ => {
            extras.push(Extra {
                path: node.place(),
                name: None,
                value: node.json().lend(),
                hint: false,
            });
            Ok(None)
        }
    }
}

/// The full name of a tool that is called by its name within a namespace.
fn named<'p>(fields: &Fields<'p, '_>) -> Result<Cow<'p, str>, Invalid> {
    let name = fields.need_text("name")?;
    Ok(match fields.text("namespace")? {
        Some(namespace) => full_name(namespace, name).into(),
        None => name.into(),
    })
}

fn text<'p>(fields: &Fields<'p, '_>, request: &mut ChatRequest<'p>) -> Result<(), Invalid> {
    let Some(node) = fields.get("text") else {
        return Ok(());
    };
    let inner = node.fields()?;
    request.format = schema::format(inner.get("format"), false)?;
    request.params.verbosity = inner.text("verbosity")?.map(Cow::Borrowed);
    request.extras.extend(inner.rest(&[]));
    Ok(())
}

fn reasoning<'p>(fields: &Fields<'p, '_>, request: &mut ChatRequest<'p>) -> Result<(), Invalid> {
    let Some(node) = fields.get("reasoning") else {
        return Ok(());
    };
    let inner = node.fields()?;
    let mut thinking = match inner.get("effort") {
        Some(word) => effort(&word)?,
        None => Thinking::default(),
    };
    let old = inner.text("generate_summary")?;
    if inner.text("summary")?.or(old).is_some() {
        thinking.show = Some(true);
    }
    request.extras.extend(inner.rest(&[]));
    request.thinking = (thinking != Thinking::default()).then_some(thinking);
    Ok(())
}

fn include<'p>(fields: &Fields<'p, '_>, request: &mut ChatRequest<'p>) -> Result<(), Invalid> {
    for node in fields.list("include")? {
        match node.text()? {
            // Thinking is always returned with its signature.
            ENCRYPTED => {}
            LOGPROBS => request.params.logprobs = true,
            _ => request.extras.push(Extra {
                path: node.place(),
                name: None,
                value: node.json().lend(),
                // Additional output does not change the response itself.
                hint: true,
            }),
        }
    }
    Ok(())
}

fn input<'p>(node: &Node<'p, '_>, request: &mut ChatRequest<'p>) -> Result<(), Invalid> {
    if node.is_text() {
        let what = What::Text(node.text()?.into());
        let blocks = vec![Block::new(node.place(), what)];
        request.turns.push(Turn {
            role: Role::User,
            blocks,
        });
        return Ok(());
    }
    let mut call_blob = None;
    for item in node.list()? {
        read_item(&item, &mut call_blob, request)?;
    }
    Ok(())
}

/// Adds to a role's turn; neighbours of one role are one turn.
fn add<'p>(request: &mut ChatRequest<'p>, role: Role, block: Block<'p>) {
    match request.turns.last_mut() {
        Some(turn) if turn.role == role => turn.blocks.push(block),
        _ => request.turns.push(Turn {
            role,
            blocks: vec![block],
        }),
    }
}

fn read_item<'p>(
    item: &Node<'p, '_>,
    call_blob: &mut Option<Blob<'p>>,
    request: &mut ChatRequest<'p>,
) -> Result<(), Invalid> {
    let fields = item.fields()?;
    fields.ignore(&["id", "status"]);
    match fields.text("type")?.unwrap_or("message") {
        "message" => return message(&fields, request),
        kind @ ("function_call" | "custom_tool_call") => {
            let custom = kind == "custom_tool_call";
            let what = What::Call {
                id: fields.need_text("call_id")?.into(),
                name: named(&fields)?,
                input: match custom {
                    true => custom_arguments(fields.need_text("input")?),
                    false => schema::arguments(&fields.need("arguments")?)?,
                },
                custom,
                blob: call_blob.take(),
            };
            add(request, Role::Assistant, Block::new(item.place(), what));
        }
        "function_call_output" | "custom_tool_call_output" => {
            let output = fields.need("output")?;
            let mut content = Vec::with_capacity(1);
            parts(&output, &mut content, request)?;
            let what = What::Result {
                id: fields.need_text("call_id")?.into(),
                content,
                error: false,
            };
            add(request, Role::User, Block::new(item.place(), what));
        }
        "reasoning" => {
            let mut text = String::new();
            for part in fields.list("summary")?.chain(fields.list("content")?) {
                text.push_str(part.fields()?.need_text("text")?);
            }
            let blob = fields.text("encrypted_content")?;
            let blob = blob.map(|data| Blob::read(BlobKind::Hidden, data));
            if let Some(found) = blob.as_ref().filter(|b| b.kind == BlobKind::Call) {
                *call_blob = Some(found.clone());
                return Ok(());
            }
            // A blob without an endpoint's name is sent back with its id.
            let blob = blob.map(|blob| match (&blob.origin, fields.text("id")) {
                (None, Ok(Some(id))) => Blob {
                    data: format!("{id}~{}", blob.data).into(),
                    ..blob
                },
                _ => blob,
            });
            let what = What::Thinking {
                text: text.into(),
                blob,
            };
            add(request, Role::Assistant, Block::new(item.place(), what));
        }
        _ => {
            let what = What::Foreign(item.json().lend());
            add(request, Role::Assistant, Block::new(item.place(), what));
            return Ok(());
        }
    }
    request.extras.extend(fields.rest(&[]));
    Ok(())
}

fn message<'p>(fields: &Fields<'p, '_>, request: &mut ChatRequest<'p>) -> Result<(), Invalid> {
    let role = match fields.need_text("role")? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" | "developer" => Role::System,
        other => return Err(fields.need("role")?.unknown(other)),
    };
    let mut blocks = Vec::with_capacity(1);
    parts(&fields.need("content")?, &mut blocks, request)?;
    request.extras.extend(fields.rest(&[]));
    if role == Role::System && request.turns.is_empty() {
        request.system.extend(blocks);
        return Ok(());
    }
    for block in blocks {
        add(request, role, block);
    }
    Ok(())
}

fn parts<'p>(
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
        fields.ignore(&["annotations", "logprobs"]);
        let what = match fields.need_text("type")? {
            "input_text" | "output_text" | "text" => What::Text(fields.need_text("text")?.into()),
            "refusal" => What::Refusal(fields.need_text("refusal")?.into()),
            "input_image" => What::Image(image(&fields)?),
            "input_file" => {
                fields.ignore(&["file_data", "file_id", "file_url", "filename"]);
                What::Document(schema::file(&part)?)
            }
            "input_audio" => {
                let audio = fields.need("input_audio")?.fields()?;
                What::Audio(Media {
                    source: Source::Base64(audio.need_text("data")?.into()),
                    kind: Some(format!("audio/{}", audio.need_text("format")?).into()),
                    ..schema::at_url("")
                })
            }
            other => return Err(fields.need("type")?.unknown(other)),
        };
        blocks.push(Block::new(part.place(), what));
        request.extras.extend(fields.rest(&[]));
    }
    Ok(())
}

fn image<'p>(fields: &Fields<'p, '_>) -> Result<Media<'p>, Invalid> {
    let mut image = match (fields.text("file_id")?, fields.text("image_url")?) {
        (Some(id), _) => Media {
            source: Source::File(id.into()),
            ..schema::at_url("")
        },
        (None, Some(url)) => schema::at_url(url),
        (None, None) => schema::at_url(fields.need_text("image_url")?),
    };
    image.detail = fields
        .text("detail")?
        .filter(|detail| *detail != "auto")
        .map(Cow::Borrowed);
    Ok(image)
}
