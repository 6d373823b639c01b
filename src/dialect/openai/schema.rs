//! What chat completions and responses have in common: tools, formats, files,
//! arguments in text.

use super::request_read::cache;
use crate::dialect::neutral::{
    Choice, Custom, Fields, Format, Grammar, Json, Label, Media, Node, Object, Param, Source, Tool,
};
use crate::refusal::Invalid;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// As long as this the name of a user may be, in characters.
const LONGEST_USER: usize = 64;

/// Labels that the gateway reads itself and that are not sent to providers.
const OWN_LABELS: [&str; 3] = ["team", "feature", "environment"];

/// The body's `metadata`.
pub fn labels<'p>(fields: &Fields<'p, '_>) -> Result<Vec<Label<'p>>, Invalid> {
    let Some(node) = fields.get("metadata") else {
        return Ok(Vec::new());
    };
    let mut labels = Vec::new();
    for (name, value) in &node.fields()?.object().0 {
        let value = value
            .as_text()
            .ok_or_else(|| node.wrong("an object of strings"))?;
        if !OWN_LABELS.contains(&name.as_ref()) {
            labels.push((Cow::Borrowed(name.as_ref()), Cow::Borrowed(value)));
        }
    }
    Ok(labels)
}

/// Chat completions' tools.
pub fn tools<'p>(fields: &Fields<'p, '_>) -> Result<Vec<Tool<'p>>, Invalid> {
    fields.list("tools")?.map(|node| tool(&node)).collect()
}

fn tool<'p>(node: &Node<'p, '_>) -> Result<Tool<'p>, Invalid> {
    let fields = node.fields()?;
    match fields.need_text("type")? {
        "function" => {
            let mut tool = function(node, &fields.need("function")?.fields()?)?;
            let mark = fields.get("cache_control");
            tool.cache = mark.map(|mark| cache(mark.json()));
            Ok(tool)
        }
        "custom" => {
            let custom = fields.need("custom")?.fields()?;
            self::custom(node, &custom)
        }
        other => Err(fields.need("type")?.unknown(other)),
    }
}

/// A function that is declared.
pub fn function<'p>(node: &Node<'p, '_>, fields: &Fields<'p, '_>) -> Result<Tool<'p>, Invalid> {
    let schema = fields.get("parameters");
    if let Some(schema) = &schema {
        schema.object()?;
    }
    Ok(Tool {
        path: node.place(),
        name: fields.need_text("name")?.into(),
        description: fields.text("description")?.map(Cow::Borrowed),
        schema: schema.map(|schema| schema.json().lend()),
        strict: fields.flag("strict")?,
        cache: None,
        custom: None,
        namespace: None,
    })
}

/// A custom tool that is declared; chat completions hold the grammar one step
/// deeper.
pub fn custom<'p>(node: &Node<'p, '_>, fields: &Fields<'p, '_>) -> Result<Tool<'p>, Invalid> {
    let grammar = match fields.get("format") {
        None => None,
        Some(format) => grammar(&format)?,
    };
    let description = fields.text("description")?.map(Cow::Borrowed);
    let custom = Custom {
        description,
        grammar,
    };
    let name = fields.need_text("name")?.into();
    Ok(Tool::custom(node.place(), name, custom))
}

fn grammar<'p>(format: &Node<'p, '_>) -> Result<Option<Grammar<'p>>, Invalid> {
    let outer = format.fields()?;
    match outer.need_text("type")? {
        "text" => Ok(None),
        "grammar" => {
            let inner = match outer.get("grammar") {
                Some(inner) => inner.fields()?,
                None => outer,
            };
            Ok(Some(Grammar {
                syntax: inner.need_text("syntax")?.into(),
                definition: inner.need_text("definition")?.into(),
            }))
        }
        other => Err(outer.need("type")?.unknown(other)),
    }
}

/// Leaves only those tools that a choice allows.
pub fn allow(choice: Option<Node<'_, '_>>, tools: &mut Vec<Tool<'_>>) -> Result<(), Invalid> {
    let Some(choice) = choice.filter(|choice| choice.json().text("type") == Some("allowed_tools"))
    else {
        return Ok(());
    };
    let outer = choice.fields()?;
    // Chat completions have them one step deeper.
    let allowed = match outer.get("allowed_tools") {
        Some(inner) => inner.fields()?,
        None => outer,
    };
    let mut names = BTreeSet::new();
    for tool in allowed.list("tools")? {
        let tool = tool.fields()?;
        names.insert(match tool.get("function").or_else(|| tool.get("custom")) {
            Some(function) => function.fields()?.need_text("name")?,
            None => tool.need_text("name")?,
        });
    }
    tools.retain(|tool| {
        let namespace = tool.namespace.as_ref();
        let of_namespace = namespace.is_some_and(|one| names.contains(one.name.as_ref()));
        of_namespace || names.contains(tool.name.as_ref())
    });
    Ok(())
}

/// The texts of a list of parts, or the text itself.
pub fn texts(node: &Node<'_, '_>) -> Result<String, Invalid> {
    if node.is_text() {
        return node.text().map(str::to_owned);
    }
    let mut texts = String::new();
    for part in node.list()? {
        texts.push_str(part.fields()?.text("text")?.unwrap_or_default());
    }
    Ok(texts)
}

/// The older name of whom a request is for, if it has that.
pub fn older_user(fields: &Fields<'_, '_>) -> Option<(Param, &'static str)> {
    let is_new = fields.get("safety_identifier").is_some();
    let older = fields.get("user").filter(|_| !is_new);
    older.map(|_| (Param::User, "user"))
}

/// A name for whom a request is for, as long as OpenAI takes it: a longer one goes
/// as its digest, which is the same each time.
pub fn user(name: &str) -> Cow<'_, str> {
    if name.chars().count() <= LONGEST_USER {
        return Cow::Borrowed(name);
    }
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `auto`, `none` or `required`.
pub fn choice_word<'p>(node: &Node<'p, '_>) -> Result<Choice<'p>, Invalid> {
    Ok(match node.text()? {
        "auto" => Choice::Auto,
        "none" => Choice::None,
        "required" | "any" => Choice::Any,
        other => return Err(node.unknown(other)),
    })
}

/// The response format; chat completions hold the schema one step deeper.
pub fn format<'p>(node: Option<Node<'p, '_>>, nested: bool) -> Result<Option<Format<'p>>, Invalid> {
    let Some(node) = node else { return Ok(None) };
    let fields = node.fields()?;
    match fields.need_text("type")? {
        "text" => Ok(None),
        "json_object" => Ok(Some(Format::Json)),
        "json_schema" => {
            let inner = match nested {
                true => fields.need("json_schema")?.fields()?,
                false => fields,
            };
            Ok(Some(Format::Schema {
                name: inner.text("name")?.map(Cow::Borrowed),
                description: inner.text("description")?.map(Cow::Borrowed),
                schema: inner
                    .get("schema")
                    .map_or_else(|| Object::new().into(), |schema| schema.json().lend()),
                // The default is not strict.
                strict: Some(inner.flag("strict")?.unwrap_or(false)),
            }))
        }
        other => Err(fields.need("type")?.unknown(other)),
    }
}

/// A call's arguments: JSON in text.
pub fn arguments<'p>(node: &Node<'p, '_>) -> Result<Json<'p>, Invalid> {
    let text = node.text()?;
    if text.trim().is_empty() {
        return Ok(Object::new().into());
    }
    match Json::raw(text) {
        Ok(json) if json.is_object() => Ok(json),
        _ => Err(node.wrong("a JSON object, written as a string")),
    }
}

/// What is at an address, or in a `data:` one.
pub fn at_url(url: &str) -> Media<'_> {
    let inline = url.strip_prefix("data:").and_then(|rest| {
        let (head, data) = rest.split_once(',')?;
        Some((head.strip_suffix(";base64")?, data))
    });
    let (source, kind) = match inline {
        Some((kind, data)) => (Source::Base64(data.into()), Some(kind)),
        None => (Source::Url(url.into()), None),
    };
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or(kind));
    Media {
        source,
        kind: kind.filter(|kind| !kind.is_empty()).map(Cow::Borrowed),
        name: None,
        detail: None,
        cite: false,
    }
}

/// A file: its data, its address or its id.
pub fn file<'p>(node: &Node<'p, '_>) -> Result<Media<'p>, Invalid> {
    let fields = node.fields()?;
    let name = fields.text("filename")?;
    let mut media = match (
        fields.text("file_data")?,
        fields.text("file_id")?,
        fields.text("file_url")?,
    ) {
        (Some(data), _, _) if data.starts_with("data:") => at_url(data),
        (Some(data), _, _) => Media {
            source: Source::Base64(data.into()),
            ..at_url("")
        },
        (None, Some(id), _) => Media {
            source: Source::File(id.into()),
            ..at_url("")
        },
        (None, None, Some(url)) => at_url(url),
        (None, None, None) => fields.need("file_data").and(Err(node.wrong("a file")))?,
    };
    if media.kind.is_none() {
        media.kind = name.and_then(kind_by_name).map(Cow::Borrowed);
    }
    media.name = name.map(Cow::Borrowed);
    Ok(media)
}

/// The type of a file, by the end of its name or address.
pub fn kind_by_name(name: &str) -> Option<&'static str> {
    let name = name.split(['?', '#']).next().unwrap_or(name);
    let (_, end) = name.rsplit_once('.')?;
    Some(match end.to_ascii_lowercase().as_str() {
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        _ => return None,
    })
}

/// OpenAI's word for a class of service that served a request.
pub fn tier(tier: &str) -> &str {
    match tier {
        "standard" | "on_demand" => "default",
        other => other,
    }
}

/// Base64 data as a `data:` address.
pub fn data_url(kind: Option<&str>, usual: &str, data: &str) -> String {
    format!("data:{};base64,{data}", kind.unwrap_or(usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list is a text file, so that a scripted rename of Rust words, which
    /// changes code and tests alike, cannot change both sides.
    #[test]
    fn file_names_give_the_pinned_media_types() {
        let pinned = include_str!("../../../tests/golden/media-types.txt");
        for line in pinned.lines() {
            let (end, kind) = line.split_once(' ').unwrap();
            assert_eq!(kind_by_name(&format!("a.{end}")), Some(kind));
        }
        assert_eq!(pinned.lines().count(), 15);
        assert_eq!(kind_by_name("a.zip"), None);
    }
}
