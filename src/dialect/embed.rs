//! Embeddings: OpenAI's for clients, translated to Google's and Cohere's. They have no
//! conversation, so they need no neutral form.

use super::amounts::Amounts;
use super::call::{self, Call, Wanted};
use super::neutral::{Fields, Json, Node, Object, UnsupportedFields};
use super::openai::request_fields::tags;
use super::{Beyond, Reading};
use crate::refusal::Invalid;
use crate::regions::{Dialect, Endpoint};
use base64::Engine;
use std::borrow::Cow;

const FIELDS: &[&str] = &["model", "input", "metadata"];

/// Reads as much of a request as is needed to plan.
pub fn read_call(body: &str) -> Result<Call<'_>, Invalid> {
    let fields = call::read_fields(body, FIELDS)?;
    let wanted = Wanted {
        model: call::string(&fields, "model")?,
        stream: false,
        thinks: None,
    };
    if call::find(&fields, "input").is_none() {
        let field = "input".to_owned();
        return Err(Invalid::Missing { field });
    }
    let tags = call::find(&fields, "metadata").map_or_else(Vec::new, |m| tags(m.json));
    Ok(Call {
        body,
        wanted,
        amounts: Amounts::default(),
        fields,
        hide_usage: false,
        tags,
    })
}

/// An embeddings request.
#[derive(Debug)]
pub struct Embed<'p> {
    texts: Vec<Cow<'p, str>>,
    dimensions: Option<u64>,
    /// Their purpose, which Cohere and Google distinguish.
    purpose: Option<&'p str>,
    /// The client asked for base64.
    pub base64: bool,
    unsupported: UnsupportedFields<'p>,
}

/// Reads a request.
pub fn read<'p>(body: &'p Json<'_>) -> Result<Embed<'p>, Invalid> {
    let fields = Node::root(body).fields()?;
    fields.ignore(&["model", "user", "metadata"]);
    let mut unsupported = UnsupportedFields::default();
    let input = fields.need("input")?;
    let texts = texts(&input, &mut unsupported)?;
    let base64 = match fields.text("encoding_format")? {
        None | Some("float") => false,
        Some("base64") => true,
        Some(other) => return Err(fields.need("encoding_format")?.unknown(other)),
    };
    let embed = Embed {
        texts,
        dimensions: fields.count("dimensions")?,
        purpose: fields.text("input_type")?,
        base64,
        unsupported,
    };
    Ok(rest(embed, &fields))
}

fn rest<'p>(mut embed: Embed<'p>, fields: &Fields<'p, '_>) -> Embed<'p> {
    for extra in fields.rest(&[]) {
        embed.unsupported.refuse(extra.path);
    }
    embed
}

/// One text or several. Lists of tokens are valid only for one provider's models.
fn texts<'p>(
    input: &Node<'p, '_>,
    unsupported: &mut UnsupportedFields<'p>,
) -> Result<Vec<Cow<'p, str>>, Invalid> {
    if input.is_text() {
        return Ok(vec![input.text()?.into()]);
    }
    let mut texts = Vec::new();
    for entry in input.list()? {
        match entry.json() {
            Json::Text(text) => texts.push(Cow::Borrowed(text.as_ref())),
            Json::Number(_) | Json::List(_) => {
                unsupported.refuse("input");
                texts.push("".into());
            }
            _ => return Err(entry.wrong("a text, or a list of tokens")),
        }
    }
    match texts.is_empty() {
        true => Err(input.wrong("a text, or a list with at least one")),
        false => Ok(texts),
    }
}

/// Whether a Google endpoint takes embeddings as predictions.
pub fn predicts(endpoint: &Endpoint) -> bool {
    let paths = endpoint.paths.as_ref();
    paths.is_some_and(|paths| paths.once.ends_with(":predict"))
}

/// Writes a request in a dialect.
pub fn write<'a>(
    embed: &'a Embed<'_>,
    endpoint: &Endpoint,
    dialect: Dialect,
    model: &'a str,
) -> Option<(Json<'a>, UnsupportedFields<'a>)> {
    let mut unsupported = embed.unsupported.clone();
    let body = match dialect {
        Dialect::Gemini if predicts(endpoint) => predictions(embed),
        Dialect::Gemini => batch(embed, model),
        Dialect::CohereEmbed => cohere(embed, model, &mut unsupported),
        _ => return None,
    };
    Some((body.into(), unsupported))
}

/// Google's word for a purpose.
fn task(purpose: &str) -> String {
    match purpose {
        "search_document" | "document" => "RETRIEVAL_DOCUMENT".to_owned(),
        "search_query" | "query" => "RETRIEVAL_QUERY".to_owned(),
        other => other.to_ascii_uppercase(),
    }
}

fn batch<'a>(embed: &'a Embed<'_>, model: &'a str) -> Object<'a> {
    let one = |text: &'a Cow<'_, str>| -> Json<'a> {
        let part = Object::new().with("text", text.as_ref());
        Object::new()
            .with("model", format!("models/{model}"))
            .with("content", Object::new().with("parts", vec![part.into()]))
            .with_some("taskType", embed.purpose.map(task))
            .with_some("outputDimensionality", embed.dimensions)
            .into()
    };
    let requests: Vec<Json<'a>> = embed.texts.iter().map(one).collect();
    Object::new().with("requests", requests)
}

fn predictions<'a>(embed: &'a Embed<'_>) -> Object<'a> {
    let one = |text: &'a Cow<'_, str>| -> Json<'a> {
        Object::new()
            .with("content", text.as_ref())
            .with_some("task_type", embed.purpose.map(task))
            .into()
    };
    let instances: Vec<Json<'a>> = embed.texts.iter().map(one).collect();
    let object = Object::new().with("instances", instances);
    let dimensions = embed.dimensions;
    let parameters = dimensions.map(|n| Object::new().with("outputDimensionality", n));
    object.with_some("parameters", parameters)
}

fn cohere<'a>(
    embed: &'a Embed<'_>,
    model: &'a str,
    unsupported: &mut UnsupportedFields<'_>,
) -> Object<'a> {
    let texts: Vec<Json<'a>> = embed.texts.iter().map(|t| Json::from(t.as_ref())).collect();
    let known = [
        "search_document",
        "search_query",
        "classification",
        "clustering",
    ];
    // Cohere requires it; documents that are stored for search are the usual case.
    let purpose = embed.purpose.unwrap_or("search_document");
    unsupported.refuse_if(!known.contains(&purpose), "input_type");
    Object::new()
        .with("model", model)
        .with("texts", texts)
        .with("input_type", purpose)
        .with("embedding_types", vec!["float".into()])
        .with_some("output_dimension", embed.dimensions)
}

/// A provider's embeddings as OpenAI's clients expect them.
pub fn answer(
    dialect: Dialect,
    body: &[u8],
    model: &str,
    base64: bool,
    reading: &mut Reading,
) -> Option<String> {
    let json = Json::parse_bytes(body).ok()?;
    let vectors: Vec<&Json<'_>> = match dialect {
        Dialect::CohereEmbed => json.get("embeddings")?.list("float").iter().collect(),
        _ => {
            let batch = json
                .list("embeddings")
                .iter()
                .filter_map(|one| one.get("values"));
            let predicted = json.list("predictions").iter();
            let predicted = predicted.filter_map(|one| one.get("embeddings")?.get("values"));
            let alone = json.get("embedding").and_then(|one| one.get("values"));
            batch.chain(predicted).chain(alone).collect()
        }
    };
    if vectors.is_empty() {
        return None;
    }
    let units = json.get("meta").and_then(|meta| meta.get("billed_units"));
    if let Some(usage) = units.or_else(|| json.get("usageMetadata")) {
        reading.beyond = Beyond::of(&usage.to_text());
    }
    let tokens = tokens(&json);
    reading.ended = true;
    reading.stopped = Some("stop".to_owned());
    if let Some(tokens) = tokens {
        reading.tokens.input = tokens;
        reading.has_usage = true;
    }
    let entries = vectors.into_iter().enumerate().map(|(index, vector)| {
        let vector = match base64 {
            true => Json::from(packed(vector)?),
            false => vector.lend(),
        };
        let entry = Object::new()
            .with("object", "embedding")
            .with("index", index as u64)
            .with("embedding", vector);
        Some(entry.into())
    });
    let data: Option<Vec<Json<'_>>> = entries.collect();
    let tokens = tokens.unwrap_or(0);
    let usage = Object::new()
        .with("prompt_tokens", tokens)
        .with("total_tokens", tokens);
    let list = Object::new()
        .with("object", "list")
        .with("data", data?)
        .with("model", model)
        .with("usage", usage);
    Some(Json::Object(list).to_text())
}

/// The usage, where it is reported.
fn tokens(json: &Json<'_>) -> Option<u64> {
    let cohere = json.get("meta").and_then(|meta| meta.get("billed_units"));
    let cohere = cohere.and_then(|units| units.count("input_tokens"));
    let google = json
        .get("usageMetadata")
        .and_then(|u| u.count("promptTokenCount"));
    let predicted = json.list("predictions").iter().map(|one| {
        let statistics = one.get("embeddings")?.get("statistics")?;
        statistics.count("token_count")
    });
    let predicted: Option<u64> = predicted.sum();
    cohere.or(google).or(predicted.filter(|tokens| *tokens > 0))
}

/// Numbers as OpenAI packs them: four bytes each, the lowest first.
fn packed(vector: &Json<'_>) -> Option<String> {
    let Json::List(numbers) = vector else {
        return None;
    };
    let mut bytes = Vec::with_capacity(numbers.len() * 4);
    for number in numbers {
        let Json::Number(number) = number else {
            return None;
        };
        bytes.extend_from_slice(&(number.as_f64()? as f32).to_le_bytes());
    }
    Some(base64::engine::general_purpose::STANDARD.encode(bytes))
}
