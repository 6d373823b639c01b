//! Where an ask is written for, and a body that knows what can be said there.

use super::json::{Json, Object};
use super::losses::{Knob, Losses};
use super::{Ask, Blob};
use crate::dialect::Api;
use crate::regions::{Claim, Dialect, Endpoint, Quirks, StreamUsage, ThinkingStyle};

/// The endpoint and the model an ask is written for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'t> {
    /// The endpoint's name.
    pub endpoint: &'t str,
    /// What it calls the model.
    pub model: &'t str,
    /// What everybody calls the model.
    pub name: &'t str,
    /// What it does otherwise than its dialect.
    pub quirks: &'t Quirks,
    /// How the model is told to think.
    pub thinking: Option<ThinkingStyle>,
    /// The most tokens, where the client does not say and must.
    pub max_output: u64,
    /// Its streams say what was used only when asked.
    pub asks_for_usage: bool,
}

/// What an answer may hold where nobody says: enough for any answer, and
/// within what today's models can do.
const USUAL_MAX_OUTPUT: u64 = 16_384;

impl<'t> Target<'t> {
    /// From the map.
    pub fn of(endpoint: &'t Endpoint, claim: &'t Claim) -> Target<'t> {
        Target {
            endpoint: &endpoint.name,
            model: &claim.id,
            name: &claim.model,
            quirks: &endpoint.quirks,
            thinking: claim.thinking,
            max_output: claim.max_output.map_or(USUAL_MAX_OUTPUT, u64::from),
            asks_for_usage: endpoint.stream_usage == StreamUsage::Asked,
        }
    }

    /// Whether the model is one of Anthropic's, wherever it is hosted.
    pub fn is_claude(&self) -> bool {
        [self.model, self.name]
            .iter()
            .any(|name| name.contains("claude"))
    }
}

/// The body of a request that is being written.
#[derive(Debug)]
pub struct Sheet<'a> {
    target: Target<'a>,
    body: Object<'a>,
    client: Api,
    /// What could not be said.
    pub losses: Losses,
}

impl<'a> Sheet<'a> {
    /// An empty one.
    pub fn new(ask: &Ask<'_>, target: Target<'a>) -> Sheet<'a> {
        Sheet {
            target,
            body: Object::new(),
            client: ask.client,
            losses: Losses::default(),
        }
    }

    /// Where it is for.
    pub fn target(&self) -> Target<'a> {
        self.target
    }

    /// What the client called.
    pub fn client(&self) -> Api {
        self.client
    }

    /// Whether the endpoint, spoken to in a dialect, may be given a blob: it
    /// made it. A blob without a name comes from where the client's own
    /// dialect is spoken.
    pub fn owns(&self, blob: &Blob<'_>, dialect: Dialect) -> bool {
        match &blob.origin {
            Some(origin) => origin == self.target.endpoint,
            None => self.client.native() == dialect,
        }
    }

    /// Writes a field that every endpoint of the dialect knows.
    pub fn set(&mut self, field: &'a str, value: impl Into<Json<'a>>) {
        let field = self
            .target
            .quirks
            .rename
            .get(field)
            .map_or(field, String::as_str);
        self.body.set(field, value);
    }

    /// Writes a setting, if there is one, unless the endpoint does not know it.
    pub fn put<V: Into<Json<'a>>>(&mut self, knob: Knob, field: &'a str, value: Option<V>) {
        let Some(value) = value else { return };
        match self.knows(field) {
            true => self.set(field, value),
            false => self.lose(knob),
        }
    }

    /// Whether the endpoint knows a field of its dialect.
    pub fn knows(&self, field: &str) -> bool {
        !self
            .target
            .quirks
            .unknown
            .iter()
            .any(|unknown| unknown == field)
    }

    /// A setting that the dialect does not have, though the endpoint may.
    pub fn beyond<V: Into<Json<'a>>>(&mut self, knob: Knob, field: &'a str, value: Option<V>) {
        let Some(value) = value else { return };
        match self.target.quirks.known.iter().any(|known| known == field) {
            true => self.set(field, value),
            false => self.lose(knob),
        }
    }

    /// A setting cannot be said.
    pub fn lose(&mut self, knob: Knob) {
        self.losses.note(knob.called_in(self.client));
    }

    /// A setting cannot be said, if it is there.
    pub fn lose_if(&mut self, there: bool, knob: Knob) {
        if there {
            self.lose(knob);
        }
    }

    /// What only the client's dialect knows: passed on to the same dialect.
    pub fn extras(&mut self, ask: &'a Ask<'_>, same: bool) {
        for extra in &ask.extras {
            match (same, &extra.name) {
                (true, Some(name)) if self.knows(name) => {
                    self.set(name.as_ref(), extra.value.clone());
                }
                _ => self.losses.note(extra.path.as_str()),
            }
        }
    }

    /// The body, and what it could not say.
    pub fn finish(self) -> (Json<'a>, Losses) {
        (Json::Object(self.body), self.losses)
    }
}
