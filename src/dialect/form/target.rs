//! Where an ask is written for, and a body that knows what can be said there.

use super::json::{Json, Object};
use super::losses::{Knob, Losses};
use super::{Ask, Blob, Block, Signers, What};
use crate::dialect::Api;
use crate::regions::{Claim, Dialect, Endpoint, Quirks, StreamUsage, ThinkingStyle};
use std::collections::BTreeSet;

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
    /// Fields of the dialect that the model does not take.
    pub without: &'t [String],
    /// Whose signatures it takes, and who else does.
    pub signers: &'t Signers<'t>,
    /// The most tokens, where the client does not say and must.
    pub max_output: u64,
    /// The most tokens that it says at all, thinking included.
    pub longest: u64,
    /// Its streams say what was used only when asked.
    pub asks_for_usage: bool,
}

/// What an answer may hold where nobody says and the dialect must: enough for
/// nearly any answer, and far less to reserve than the most of today's models.
pub const USUAL_MAX_OUTPUT: u64 = 16_384;
/// The most that a model says where nothing is claimed.
pub const LONGEST_OUTPUT: u64 = 128_000;

impl<'t> Target<'t> {
    /// From the map.
    pub fn of(endpoint: &'t Endpoint, claim: &'t Claim, signers: &'t Signers<'t>) -> Target<'t> {
        let longest = claim.max_output.map_or(LONGEST_OUTPUT, u64::from);
        Target {
            endpoint: &endpoint.name,
            model: &claim.id,
            name: &claim.model,
            quirks: &endpoint.quirks,
            thinking: claim.thinking,
            without: &claim.without,
            signers,
            max_output: longest.min(USUAL_MAX_OUTPUT),
            longest,
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
    older: Vec<(Knob, &'static str)>,
    /// What could not be said.
    pub losses: Losses<'a>,
}

impl<'a> Sheet<'a> {
    /// An empty one.
    pub fn new(ask: &Ask<'_>, target: Target<'a>) -> Sheet<'a> {
        Sheet {
            target,
            body: Object::new(),
            client: ask.client,
            older: ask.older.clone(),
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
    /// made it, or takes what its maker signs. A blob without a name comes from where the client's own
    /// dialect is spoken.
    pub fn owns(&self, blob: &Blob<'_>, dialect: Dialect) -> bool {
        match &blob.origin {
            Some(origin) => self.target.signers.share(origin, self.target.endpoint),
            None => self.client.native() == dialect && !self.target.signers.are_foreign(),
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
            true if !self.takes(field) => self.leave_out(knob),
            true => self.set(field, value),
            false => self.lose(knob),
        }
    }

    /// Whether the model takes a field of its dialect.
    pub fn takes(&self, field: &str) -> bool {
        !self.target.without.iter().any(|out| out == field)
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

    /// What the client calls a setting.
    fn name(&self, knob: Knob) -> &'static str {
        let older = self.older.iter().find(|(of, _)| *of == knob);
        older.map_or_else(|| knob.called_in(self.client), |(_, name)| name)
    }

    /// A setting cannot be said.
    pub fn lose(&mut self, knob: Knob) {
        match knob.is_hint() {
            true => self.leave_out(knob),
            false => self.losses.note(self.name(knob)),
        }
    }

    /// A setting is not said, or not quite as it was, and the answer is still what
    /// was asked for.
    pub fn leave_out(&mut self, knob: Knob) {
        self.losses.leave_out(self.name(knob));
    }

    /// The same, if it is there.
    pub fn leave_out_if(&mut self, there: bool, knob: Knob) {
        if there {
            self.leave_out(knob);
        }
    }

    /// A block cannot be said. Thoughts are of use only to the model that had them.
    pub fn leave_block(&mut self, block: &Block<'a>) {
        match block.what {
            What::Thinking { .. } => self.losses.leave_out(block.path),
            _ => self.losses.note(block.path),
        }
    }

    /// A setting cannot be said, if it is there.
    pub fn lose_if(&mut self, there: bool, knob: Knob) {
        if there {
            self.lose(knob);
        }
    }

    /// What only the client's dialect knows: passed on to the same dialect.
    pub fn extras(&mut self, ask: &'a Ask<'_>, same: bool) {
        // They are many at times, and each stands once.
        let mut written: BTreeSet<String> = self.body.names().map(str::to_owned).collect();
        for extra in &ask.extras {
            match (same, &extra.name) {
                (true, Some(name)) if self.knows(name) => {
                    let name = name.as_ref();
                    let renamed = self.target.quirks.rename.get(name);
                    written.extend(renamed.cloned());
                    match renamed.is_some() || written.contains(name) {
                        true => self.set(name, extra.value.lend()),
                        false => self.body.push(name, extra.value.lend()),
                    }
                }
                _ if extra.hint => self.losses.leave_out(extra.path),
                _ => self.losses.note(extra.path),
            }
        }
    }

    /// Marks for a cache cannot be said.
    pub fn leave_marks(&mut self, ask: &'a Ask<'_>) {
        let said = ask.turns.iter().flat_map(|turn| &turn.blocks);
        let blocks = ask.system.iter().chain(said);
        let blocks = blocks.map(|block| (block.path, block.cache));
        let tools = ask.tools.iter().map(|tool| (tool.path, tool.cache));
        for (path, mark) in blocks.chain(tools) {
            let mark = mark.map(|_| path.field("cache_control"));
            mark.into_iter()
                .for_each(|mark| self.losses.leave_out(mark));
        }
    }

    /// The body, and what it could not say.
    pub fn finish(self) -> (Json<'a>, Losses<'a>) {
        (Json::Object(self.body), self.losses)
    }
}
