//! Pictures and documents as Anthropic takes them.

use crate::dialect::neutral::{Block, BodyWriter, Media, Object, Source};
use crate::dialect::Api;
use std::borrow::Cow;

/// Where a picture is.
pub fn image_source<'a>(
    image: &'a Media<'_>,
    block: &Block<'a>,
    writer: &mut BodyWriter<'a>,
) -> Option<Object<'a>> {
    writer
        .unsupported
        .leave_out_if(image.detail.is_some(), block.path.field("detail"));
    match &image.source {
        Source::Base64(data) => Some(base64_source(
            image.kind.as_deref().unwrap_or("image/png"),
            data,
        )),
        Source::Url(url) => Some(Object::new().with("type", "url").with("url", url.as_ref())),
        Source::File(id) if writer.client() == Api::Messages => Some(
            Object::new()
                .with("type", "file")
                .with("file_id", id.as_ref()),
        ),
        Source::File(_) | Source::Text(_) => {
            writer.unsupported.refuse(block.path);
            None
        }
    }
}

fn base64_source<'a>(kind: &'a str, data: &'a str) -> Object<'a> {
    Object::new()
        .with("type", "base64")
        .with("media_type", kind)
        .with("data", data)
}

/// Where a document is.
pub fn document_source<'a>(
    document: &'a Media<'_>,
    block: &Block<'a>,
    writer: &mut BodyWriter<'a>,
) -> Option<Object<'a>> {
    let plain = |text: Cow<'a, str>| {
        Object::new()
            .with("type", "text")
            .with("media_type", "text/plain")
            .with("data", text)
    };
    match (
        &document.source,
        document.kind.as_deref().unwrap_or("application/pdf"),
    ) {
        (Source::Base64(data), "application/pdf") => Some(base64_source("application/pdf", data)),
        (Source::Base64(data), kind) if kind.starts_with("text/") => {
            use base64::Engine;
            let bytes = base64::engine::general_purpose::STANDARD.decode(data.as_bytes());
            let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
            writer.unsupported.refuse_if(text.is_none(), block.path);
            text.map(|text| plain(text.into()))
        }
        (Source::Text(text), _) => Some(plain(Cow::Borrowed(text.as_ref()))),
        (Source::Url(url), _) => Some(Object::new().with("type", "url").with("url", url.as_ref())),
        (Source::File(id), _) if writer.client() == Api::Messages => Some(
            Object::new()
                .with("type", "file")
                .with("file_id", id.as_ref()),
        ),
        _ => {
            writer.unsupported.refuse(block.path);
            None
        }
    }
}
