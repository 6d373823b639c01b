//! Translates a client's request for an endpoint. In the same dialect the client's own
//! bytes are sent, with only the model's name, the usage option and the fields that the
//! endpoint's claim depends on set. In another dialect the request is written anew;
//! what that does not support is refused or, if the client allows it, left out and
//! reported.

mod address;

use crate::dialect::neutral::{
    ChatRequest, Json, Named, Object, Signers, Target, UnsupportedFields,
};
use crate::dialect::outgoing::Outgoing;
use crate::dialect::responses::stored::Stored;
use crate::dialect::{self, openai, responses, Api, Call, Edits};
use crate::refusal::Refusal;
use crate::regions::{Dialect, Endpoint, StreamUsage, ThinkingStyle};
use crate::request::egress::{Egress, Offers};
use crate::request::head::OnUnsupported;
use crate::request::plan::Attempt;
pub use address::segment;
use address::{located, path};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The extra bytes that another dialect may need.
const ROOM: usize = 4_096;

/// The version of Anthropic's API for clients of other APIs.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// A request to a provider. It can be made only from an [`Attempt`], so it cannot leave
/// the zone.
#[derive(Debug)]
pub struct Outbound<'c> {
    attempt: Attempt<'c>,
    dialect: Dialect,
    path: String,
    /// How it is sent.
    pub method: &'static str,
    /// The headers, but for the credential.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Outgoing,
    /// How the answer gets to the client.
    pub back: Back,
    /// What was left out, by the client's names.
    pub dropped: Vec<String>,
}

/// How an answer gets to the client.
#[derive(Debug, Clone, PartialEq)]
pub enum Back {
    /// Unchanged, except that an event with only usage may be hidden.
    AsIs {
        /// Whether that event is hidden.
        hide_usage: bool,
    },
    /// Translated.
    Translated(Wishes),
    /// As a number of tokens.
    Count,
    /// As embeddings.
    Embeddings {
        /// Their numbers in base64.
        base64: bool,
    },
}

/// Parts of a request that matter only for the response.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wishes {
    /// The answer to JSON mode comes as a call of a tool.
    pub unwraps_json: bool,
    /// The custom tools: the client gets the text of their calls.
    pub custom: BTreeSet<String>,
    /// The tools that stand in namespaces, by their full names.
    pub namespaces: BTreeMap<String, Named>,
    /// Usage in the stream.
    pub usage: bool,
    /// Log probabilities.
    pub logprobs: bool,
    /// Fields that the response repeats.
    pub echo: Object<'static>,
}

impl<'c> Outbound<'c> {
    /// What it was made from.
    pub fn attempt(&self) -> Attempt<'c> {
        self.attempt
    }

    /// The dialect it is written in.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The path with its query. All of it comes from the map.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The address: host and path come from the map alone.
    pub fn url(&self) -> String {
        format!("https://{}{}", self.attempt.endpoint().host, self.path)
    }
}

/// A client's request, as it is translated for each attempt.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    /// The operation that was called.
    pub api: Api,
    /// What is done with fields that the endpoint's dialect does not support.
    pub unsupported: OnUnsupported,
    /// Its body.
    pub body: &'a Rc<String>,
    /// The top-level fields of the body.
    pub call: &'a Call<'a>,
    /// Whose signatures each endpoint of the plan accepts.
    pub signers: &'a Signers<'a>,
    /// It carries blobs with the name of the endpoint that made them.
    pub named_blobs: bool,
    /// What it asks a provider to do beyond answering.
    pub egress: &'a Egress,
    /// The operation on a stored response, if the request is one.
    pub stored: Option<&'a Stored>,
}

/// Prepares a call for one attempt.
pub fn prepare<'c>(attempt: Attempt<'c>, inbound: Inbound<'_>) -> Result<Outbound<'c>, Refusal> {
    if let Some(wish) = inbound.stored {
        return Ok(stored(attempt, wish));
    }
    // Blobs with an endpoint's name are unwrapped, or left out.
    let is_prompt = inbound.api == Api::Completions;
    if is_own(attempt, inbound.api) && (is_prompt || !inbound.named_blobs) {
        return Ok(own(attempt, inbound));
    }
    let tree = Json::parse_request(inbound.call.body).map_err(Refusal::Body)?;
    if inbound.api == Api::Embeddings {
        return embeddings(attempt, inbound, &tree);
    }
    let request = dialect::read_request(inbound.api, &tree).map_err(Refusal::Body)?;
    // Of several dialects of an endpoint, use the one that supports most of the
    // request.
    let others = attempt.endpoint().dialects.iter().copied();
    let others = others.filter(|other| *other != attempt.dialect());
    let mut best: Option<Draft<'_>> = None;
    for dialect in std::iter::once(attempt.dialect()).chain(others) {
        let target = Target::of(attempt.endpoint(), attempt.claim(), inbound.signers);
        let Some((body, unsupported)) = dialect::write_request(dialect, &request, target) else {
            continue;
        };
        let draft = Draft {
            dialect,
            body,
            unsupported,
            back: back(&request, &tree, dialect, inbound),
        };
        if draft.unsupported.is_empty() {
            return finish(attempt, inbound, draft);
        }
        let keeps = |draft: &Draft<'_>| draft.unsupported.are_only_hints();
        if best
            .as_ref()
            .is_none_or(|best| !keeps(best) && keeps(&draft))
        {
            best = Some(draft);
        }
    }
    finish(attempt, inbound, best.ok_or(Refusal::Internal)?)
}

/// A request written in another dialect.
struct Draft<'a> {
    dialect: Dialect,
    body: Json<'a>,
    unsupported: UnsupportedFields<'a>,
    back: Back,
}

fn back(
    request: &ChatRequest<'_>,
    tree: &Json<'_>,
    dialect: Dialect,
    inbound: Inbound<'_>,
) -> Back {
    if inbound.api.counts() {
        return Back::Count;
    }
    Back::Translated(Wishes {
        unwraps_json: dialect::unwraps_json(request, dialect),
        custom: request.custom_tools(),
        namespaces: request.namespaces(),
        usage: inbound.api == Api::Chat && !inbound.call.hide_usage,
        logprobs: request.params.logprobs,
        echo: match inbound.api {
            Api::Responses => responses::items::echo(tree),
            _ => Object::new(),
        },
    })
}

fn embeddings<'c>(
    attempt: Attempt<'c>,
    inbound: Inbound<'_>,
    tree: &Json<'_>,
) -> Result<Outbound<'c>, Refusal> {
    let (endpoint, dialect) = (attempt.endpoint(), attempt.dialect());
    let embed = dialect::embed::read(tree).map_err(Refusal::Body)?;
    let written = dialect::embed::write(&embed, endpoint, dialect, &attempt.claim().id);
    let (body, unsupported) = written.ok_or(Refusal::Internal)?;
    let back = Back::Embeddings {
        base64: embed.base64,
    };
    let draft = Draft {
        dialect,
        body,
        unsupported,
        back,
    };
    finish(attempt, inbound, draft)
}

/// Whether the endpoint takes the client's own bytes.
fn is_own(attempt: Attempt<'_>, api: Api) -> bool {
    let same = match api {
        // Embeddings stand beside both of OpenAI's dialects.
        Api::Embeddings => matches!(
            attempt.dialect(),
            Dialect::OpenAiChat | Dialect::OpenAiResponses
        ),
        _ => attempt.dialect() == api.native() && !attempt.endpoint().quirks.are_any(),
    };
    same
}

/// The client's own bytes, with the few edits there are.
fn own<'c>(attempt: Attempt<'c>, inbound: Inbound<'_>) -> Outbound<'c> {
    let Inbound {
        api,
        body,
        call,
        egress,
        ..
    } = inbound;
    let endpoint = attempt.endpoint();
    let mut edits = Edits::default();
    if attempt.claim().id != call.wanted.model && !is_out(endpoint, "model") {
        let id = serde_json::Value::from(attempt.claim().id.as_str());
        edits.set(call, "model", id.to_string());
    }
    for (field, value) in &endpoint.fixed {
        edits.set(call, field, value.to_string());
    }
    for field in &endpoint.without {
        edits.remove(call, field);
    }
    if api == Api::Completions {
        openai::completions::limit(call, &mut edits);
    }
    let has_usage_option = matches!(api, Api::Chat | Api::Completions);
    if has_usage_option && endpoint.stream_usage == StreamUsage::Asked {
        openai::request_fields::ask_for_usage(call, &mut edits);
    }
    if api == Api::Responses && !attempt.keeps_answers() {
        let thinks = attempt.claim().thinking == Some(ThinkingStyle::Effort);
        responses::request_fields::keep_nothing(call, thinks, &mut edits);
    }
    let mut headers = usual_headers(endpoint);
    for (name, value) in &egress.headers {
        let fixed = endpoint.headers.iter().any(|(fixed, _)| fixed == name);
        if !fixed {
            headers.push(((*name).to_owned(), value.clone()));
        }
    }
    Outbound {
        attempt,
        method: "POST",
        dialect: attempt.dialect(),
        path: path(attempt, attempt.dialect(), api, call.wanted.stream),
        headers,
        body: edits.apply(body),
        back: Back::AsIs {
            hide_usage: call.hide_usage,
        },
        dropped: egress.left_out(),
    }
}

fn is_out(endpoint: &Endpoint, field: &str) -> bool {
    endpoint.without.iter().any(|out| out == field)
}

/// Makes a request of a draft.
fn finish<'c>(
    attempt: Attempt<'c>,
    inbound: Inbound<'_>,
    draft: Draft<'_>,
) -> Result<Outbound<'c>, Refusal> {
    let endpoint = attempt.endpoint();
    let Draft {
        dialect,
        mut body,
        unsupported,
        back,
    } = draft;
    if let Json::Object(fields) = &mut body {
        for (field, value) in &endpoint.fixed {
            fields.set(field.clone(), Json::of(value));
        }
        fields.0.retain(|(name, _)| !is_out(endpoint, name));
    }
    let egress = inbound.egress;
    let place = |name: String| egress.place_of(name);
    let is_refused = match inbound.unsupported {
        OnUnsupported::Strict => !unsupported.is_empty(),
        OnUnsupported::Refuse => !unsupported.are_only_hints(),
        OnUnsupported::Drop => false,
    };
    if is_refused {
        return Err(Refusal::Unsupported {
            endpoint: endpoint.name.clone(),
            dialect: dialect.as_str(),
            fields: match inbound.unsupported {
                OnUnsupported::Strict => unsupported.into_names(),
                _ => unsupported.refused(),
            }
            .into_iter()
            .map(place)
            .collect(),
        });
    }
    let lost = unsupported.into_names().into_iter();
    let mut dropped: Vec<String> = egress.offers.iter().flat_map(Offers::names).collect();
    dropped.extend(lost.map(place));
    let mut headers = usual_headers(endpoint);
    if dialect == Dialect::AnthropicMessages {
        let version = ("anthropic-version".to_owned(), ANTHROPIC_VERSION.to_owned());
        if !headers.iter().any(|(name, _)| *name == version.0) {
            headers.push(version);
        }
    }
    Ok(Outbound {
        attempt,
        method: "POST",
        dialect,
        path: path(attempt, dialect, inbound.api, inbound.call.wanted.stream),
        headers,
        body: body.to_text_of(inbound.call.body.len() + ROOM).into(),
        back,
        dropped,
    })
}

fn usual_headers(endpoint: &Endpoint) -> Vec<(String, String)> {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(endpoint.headers.iter().cloned());
    headers
}

/// The request for an operation on a stored response.
fn stored<'c>(attempt: Attempt<'c>, wish: &Stored) -> Outbound<'c> {
    Outbound {
        attempt,
        method: wish.method,
        dialect: attempt.dialect(),
        path: located(attempt, &wish.operation(segment)),
        headers: usual_headers(attempt.endpoint()),
        body: String::new().into(),
        back: Back::AsIs { hide_usage: false },
        dropped: Vec::new(),
    }
}
