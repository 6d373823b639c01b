//! Pictures and documents as Bedrock takes them.

use crate::dialect::neutral::{Block, BodyWriter, Media, Object, Source};

/// Pictures must be sent along: Bedrock fetches none.
pub fn image_block<'a>(
    image: &'a Media<'_>,
    block: &Block<'a>,
    writer: &mut BodyWriter<'a>,
) -> Option<Object<'a>> {
    writer
        .unsupported
        .leave_out_if(image.detail.is_some(), block.path.field("detail"));
    let format = match image.kind.as_deref().unwrap_or("image/png") {
        "image/png" => Some("png"),
        "image/jpeg" | "image/jpg" => Some("jpeg"),
        "image/gif" => Some("gif"),
        "image/webp" => Some("webp"),
        _ => None,
    };
    match (&image.source, format) {
        (Source::Base64(data), Some(format)) => {
            let source = Object::new().with("bytes", data.as_ref());
            Some(Object::new().with("format", format).with("source", source))
        }
        _ => {
            writer.unsupported.refuse(block.path);
            None
        }
    }
}

/// A document, sent along.
pub fn document_block<'a>(
    document: &'a Media<'_>,
    block: &Block<'a>,
    writer: &mut BodyWriter<'a>,
) -> Option<Object<'a>> {
    let kind = document.kind.as_deref();
    let (format, source) = match &document.source {
        Source::Base64(data) => {
            let format = document_format(kind.unwrap_or("application/pdf"));
            (format, Object::new().with("bytes", data.as_ref()))
        }
        Source::Text(text) => (Some("txt"), Object::new().with("text", text.as_ref())),
        Source::Url(_) | Source::File(_) => (None, Object::new()),
    };
    let Some(format) = format else {
        writer.unsupported.refuse(block.path);
        return None;
    };
    let cite = document.cite.then(|| Object::new().with("enabled", true));
    let object = Object::new()
        .with("format", format)
        .with("name", document_name(document.name.as_deref()))
        .with("source", source);
    Some(object.with_some("citations", cite))
}

fn document_format(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "application/pdf" => "pdf",
        "text/csv" => "csv",
        "text/html" => "html",
        "text/plain" => "txt",
        "text/markdown" => "md",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        _ => return None,
    })
}

/// Bedrock takes few characters in a document's name, no full stop among them.
fn document_name(name: Option<&str>) -> String {
    let name = name.unwrap_or("document").chars();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-()[]".contains(c);
    let name: String = name.map(|c| if allowed(c) { c } else { ' ' }).collect();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    match name.is_empty() {
        true => "document".to_owned(),
        false => name.chars().take(200).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_the_pinned_media_types_have_bedrocks_formats() {
        let pinned = include_str!("../../../tests/golden/media-types.txt");
        let documents = pinned.lines().filter(|line| !line.contains(" image/"));
        for line in documents {
            let (end, kind) = line.split_once(' ').unwrap();
            let format = if end == "htm" { "html" } else { end };
            assert_eq!(document_format(kind), Some(format), "{kind}");
        }
        assert_eq!(document_format("application/zip"), None);
    }
}
