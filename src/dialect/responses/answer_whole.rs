//! Writing a whole response.

use super::calls::OpenCall;
use super::items::{annotation, incomplete, message_item, reasoning_item, response, MessagePart};
use crate::dialect::neutral::{Answer, Citation, Json, Part, ReplyContext};

/// Writes a whole response.
pub fn whole(answer: &Answer, context: &ReplyContext) -> String {
    let mut items: Vec<Json<'static>> = Vec::new();
    let mut said: Vec<MessagePart> = Vec::new();
    let flush = |said: &mut Vec<MessagePart>, items: &mut Vec<Json<'static>>| {
        if !said.is_empty() {
            let content = said.drain(..).map(|part| part.part().into()).collect();
            let id = context.mint_nth("msg_", items.len());
            items.push(message_item(&id, "completed", content).into());
        }
    };
    for part in &answer.parts {
        match part {
            Part::Text(text, citations) => add_text(text, citations, &mut said),
            Part::Refusal(text) => {
                let mut refusal = MessagePart::new(true);
                refusal.say(text);
                said.push(refusal);
            }
            Part::Thinking { text, blob, .. } => {
                flush(&mut said, &mut items);
                let id = context.mint_nth("rs_", items.len());
                let proof = blob.as_ref().map(|blob| blob.for_client(&context.endpoint));
                items.push(reasoning_item(&id, text, proof).into());
            }
            Part::Call {
                id: call,
                name,
                input,
                blob,
                ..
            } => {
                flush(&mut said, &mut items);
                if let Some(blob) = blob {
                    let id = context.mint_nth("rs_", items.len());
                    let proof = blob.for_client(&context.endpoint);
                    items.push(reasoning_item(&id, "", Some(proof)).into());
                }
                let call = OpenCall::new(context, items.len(), call.clone(), name.clone());
                items.push(call.whole(input).into());
            }
        }
    }
    if let Some(why) = &answer.explained {
        let mut refusal = MessagePart::new(true);
        refusal.say(why);
        said.push(refusal);
    }
    if let (true, Some(first)) = (context.reports_logprobs, said.first_mut()) {
        first.logprobs.clone_from(&answer.logprobs);
    }
    flush(&mut said, &mut items);
    let status = match incomplete(answer.stop.as_ref()) {
        Some(_) => "incomplete",
        None => "completed",
    };
    Json::Object(response(context, answer, status, items)).to_text()
}

/// Neighbouring texts are one part; each keeps the place of its citations.
fn add_text(text: &str, citations: &[Citation], said: &mut Vec<MessagePart>) {
    if !matches!(said.last(), Some(last) if !last.refusal) {
        said.push(MessagePart::new(false));
    }
    if let Some(last) = said.last_mut() {
        let from = last.length();
        let to = last.say(text);
        let cited = citations.iter().map(|c| annotation(c, from, to).into());
        last.citations.extend(cited);
    }
}
