//! Writing a whole message.

use super::answer_write::{cited, explained, hidden, stop_reason};
use super::usage;
use crate::dialect::neutral::{Answer, BlobKind, Json, Malformed, Object, Part, ReplyContext};

/// Writes a whole message. Arguments that are no JSON are the provider's fault.
pub fn whole(answer: &Answer, context: &ReplyContext) -> Result<String, Malformed> {
    let mut content: Vec<Json<'_>> = Vec::new();
    for part in &answer.parts {
        write_part(part, context, &mut content)?;
    }
    let refused = answer
        .parts
        .iter()
        .any(|part| matches!(part, Part::Refusal(_)));
    let (reason, sequence) = stop_reason(answer.stop.as_ref(), refused);
    let tokens = answer.tokens.unwrap_or_default();
    let body = Object::new()
        .with("model", answer.model.as_ref().unwrap_or(&context.model))
        .with("id", context.mint("msg_"))
        .with("type", "message")
        .with("role", "assistant")
        .with("content", content)
        .with("stop_reason", reason)
        .with("stop_sequence", sequence.map_or(Json::Null, Json::from))
        .with_some("stop_details", answer.explained.as_deref().map(explained))
        .with("usage", usage::object(&tokens));
    Ok(Json::Object(body).to_text())
}

fn write_part<'a>(
    part: &'a Part,
    context: &ReplyContext,
    content: &mut Vec<Json<'a>>,
) -> Result<(), Malformed> {
    let block = match part {
        Part::Text(text, citations) => {
            let block = Object::new().with("type", "text").with("text", text);
            let list: Vec<Json<'a>> = citations.iter().map(|c| cited(c).into()).collect();
            block.with_some("citations", (!list.is_empty()).then_some(list))
        }
        Part::Refusal(text) => Object::new().with("type", "text").with("text", text),
        Part::Thinking { text, blob, .. } => {
            let proof = blob.as_ref().map(|blob| blob.for_client(&context.endpoint));
            match (text.is_empty(), proof) {
                (true, Some(proof)) => hidden(proof),
                (_, proof) => Object::new()
                    .with("type", "thinking")
                    .with("thinking", text)
                    .with("signature", proof.unwrap_or_default()),
            }
        }
        Part::Call {
            id,
            name,
            input,
            blob,
            ..
        } => {
            if let Some(blob) = blob {
                debug_assert_eq!(blob.kind, BlobKind::Call);
                content.push(hidden(blob.for_client(&context.endpoint)).into());
            }
            let input = match input.is_empty() {
                true => Json::from(Object::new()),
                false => Json::parse(input).map_err(|_| Malformed)?,
            };
            Object::new()
                .with("type", "tool_use")
                .with("id", id)
                .with("name", name)
                .with("input", input)
        }
    };
    content.push(block.into());
    Ok(())
}
