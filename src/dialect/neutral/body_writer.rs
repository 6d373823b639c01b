//! Writes the body of a provider's request field by field, and collects what the
//! dialect, the endpoint or the model does not support.

use super::json::{Json, Object};
use super::params::Param;
use super::unsupported::UnsupportedFields;
use super::{Blob, Block, ChatRequest, Target, What};
use crate::dialect::Api;
use crate::regions::Dialect;
use std::collections::BTreeSet;

/// The body of a request that is being written.
#[derive(Debug)]
pub struct BodyWriter<'a> {
    target: Target<'a>,
    body: Object<'a>,
    client: Api,
    older: Vec<(Param, &'static str)>,
    /// What could not be said.
    pub unsupported: UnsupportedFields<'a>,
}

impl<'a> BodyWriter<'a> {
    /// An empty one.
    pub fn new(request: &ChatRequest<'_>, target: Target<'a>) -> BodyWriter<'a> {
        BodyWriter {
            target,
            body: Object::new(),
            client: request.client,
            older: request.older.clone(),
            unsupported: UnsupportedFields::default(),
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
    pub fn put<V: Into<Json<'a>>>(&mut self, param: Param, field: &'a str, value: Option<V>) {
        let Some(value) = value else { return };
        match self.endpoint_takes(field) {
            true if !self.model_takes(field) => self.leave_out(param),
            true => self.set(field, value),
            false => self.unsupported(param),
        }
    }

    /// Whether the model takes a field of its dialect.
    pub fn model_takes(&self, field: &str) -> bool {
        !self.target.without.iter().any(|out| out == field)
    }

    /// Whether the endpoint knows a field of its dialect.
    pub fn endpoint_takes(&self, field: &str) -> bool {
        !self
            .target
            .quirks
            .unknown
            .iter()
            .any(|unknown| unknown == field)
    }

    /// A setting that the dialect does not have, though the endpoint may.
    pub fn put_if_known<V: Into<Json<'a>>>(
        &mut self,
        param: Param,
        field: &'a str,
        value: Option<V>,
    ) {
        let Some(value) = value else { return };
        match self.target.quirks.known.iter().any(|known| known == field) {
            true => self.set(field, value),
            false => self.unsupported(param),
        }
    }

    /// What the client calls a setting.
    fn client_name(&self, param: Param) -> &'static str {
        let older = self.older.iter().find(|(of, _)| *of == param);
        older.map_or_else(|| param.called_in(self.client), |(_, name)| name)
    }

    /// A setting cannot be said.
    pub fn unsupported(&mut self, param: Param) {
        match param.is_hint() {
            true => self.leave_out(param),
            false => self.unsupported.refuse(self.client_name(param)),
        }
    }

    /// A setting is not said, or not quite as it was, and the answer is still what
    /// was asked for.
    pub fn leave_out(&mut self, param: Param) {
        self.unsupported.leave_out(self.client_name(param));
    }

    /// The same, if it is there.
    pub fn leave_out_if(&mut self, there: bool, param: Param) {
        if there {
            self.leave_out(param);
        }
    }

    /// A block cannot be said. Thoughts are of use only to the model that had them.
    pub fn unsupported_block(&mut self, block: &Block<'a>) {
        match block.what {
            What::Thinking { .. } => self.unsupported.leave_out(block.path),
            _ => self.unsupported.refuse(block.path),
        }
    }

    /// A setting cannot be said, if it is there.
    pub fn unsupported_if(&mut self, there: bool, param: Param) {
        if there {
            self.unsupported(param);
        }
    }

    /// What only the client's dialect knows: passed on to the same dialect.
    pub fn extras(&mut self, request: &'a ChatRequest<'_>, same: bool) {
        // They are many at times, and each stands once.
        let mut written: BTreeSet<String> = self.body.names().map(str::to_owned).collect();
        for extra in &request.extras {
            match (same, &extra.name) {
                (true, Some(name)) if self.endpoint_takes(name) => {
                    let name = name.as_ref();
                    let renamed = self.target.quirks.rename.get(name);
                    written.extend(renamed.cloned());
                    match renamed.is_some() || written.contains(name) {
                        true => self.set(name, extra.value.lend()),
                        false => self.body.push(name, extra.value.lend()),
                    }
                }
                _ if extra.hint => self.unsupported.leave_out(extra.path),
                _ => self.unsupported.refuse(extra.path),
            }
        }
    }

    /// Marks for a cache cannot be said.
    pub fn leave_out_cache_marks(&mut self, request: &'a ChatRequest<'_>) {
        let said = request.turns.iter().flat_map(|turn| &turn.blocks);
        let blocks = request.system.iter().chain(said);
        let blocks = blocks.map(|block| (block.path, block.cache));
        let tools = request.tools.iter().map(|tool| (tool.path, tool.cache));
        for (path, mark) in blocks.chain(tools) {
            let mark = mark.map(|_| path.field("cache_control"));
            mark.into_iter()
                .for_each(|mark| self.unsupported.leave_out(mark));
        }
    }

    /// The body, and what it could not say.
    pub fn finish(self) -> (Json<'a>, UnsupportedFields<'a>) {
        (Json::Object(self.body), self.unsupported)
    }
}
