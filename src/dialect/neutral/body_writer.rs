//! Writes the body of a provider's request field by field, and collects what the
//! dialect, the endpoint or the model does not support.

use super::json::{Json, Object};
use super::params::Param;
use super::unsupported::UnsupportedFields;
use super::{Blob, Block, ChatRequest, Target, What};
use crate::dialect::Api;
use crate::regions::Dialect;
use std::collections::BTreeSet;

/// Writes the body of a request.
#[derive(Debug)]
pub struct BodyWriter<'a> {
    target: Target<'a>,
    body: Object<'a>,
    client: Api,
    older: Vec<(Param, &'static str)>,
    /// What is not supported.
    pub unsupported: UnsupportedFields<'a>,
}

impl<'a> BodyWriter<'a> {
    /// An empty body.
    pub fn new(request: &ChatRequest<'_>, target: Target<'a>) -> BodyWriter<'a> {
        BodyWriter {
            target,
            body: Object::new(),
            client: request.client,
            older: request.older.clone(),
            unsupported: UnsupportedFields::default(),
        }
    }

    /// The endpoint and model it is for.
    pub fn target(&self) -> Target<'a> {
        self.target
    }

    /// The operation that the client called.
    pub fn client(&self) -> Api {
        self.client
    }

    /// Whether the endpoint may get a blob: it made the blob, or accepts signatures of
    /// the endpoint that did. A blob without a name belongs to endpoints of the
    /// client's own dialect.
    pub fn owns(&self, blob: &Blob<'_>, dialect: Dialect) -> bool {
        match &blob.origin {
            Some(origin) => self.target.signers.share(origin, self.target.endpoint),
            None => self.client.native() == dialect && !self.target.signers.are_foreign(),
        }
    }

    /// Writes a field that every endpoint of the dialect has.
    pub fn set(&mut self, field: &'a str, value: impl Into<Json<'a>>) {
        let field = self
            .target
            .quirks
            .rename
            .get(field)
            .map_or(field, String::as_str);
        self.body.set(field, value);
    }

    /// Writes a parameter, if it is set and the endpoint and the model take it.
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

    /// Whether the endpoint takes a field of its dialect.
    pub fn endpoint_takes(&self, field: &str) -> bool {
        !self
            .target
            .quirks
            .unknown
            .iter()
            .any(|unknown| unknown == field)
    }

    /// Writes a parameter that the dialect does not have, if the endpoint takes it.
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

    /// The client's name for a parameter.
    fn client_name(&self, param: Param) -> &'static str {
        let older = self.older.iter().find(|(of, _)| *of == param);
        older.map_or_else(|| param.called_in(self.client), |(_, name)| name)
    }

    /// Lists a parameter as unsupported.
    pub fn unsupported(&mut self, param: Param) {
        match param.is_hint() {
            true => self.leave_out(param),
            false => self.unsupported.refuse(self.client_name(param)),
        }
    }

    /// Lists a parameter as left out or changed in a way that does not change the
    /// response.
    pub fn leave_out(&mut self, param: Param) {
        self.unsupported.leave_out(self.client_name(param));
    }

    /// The same, if it is set.
    pub fn leave_out_if(&mut self, there: bool, param: Param) {
        if there {
            self.leave_out(param);
        }
    }

    /// Lists a block as unsupported. Thinking is only left out, since it is useful only
    /// to the model that made it.
    pub fn unsupported_block(&mut self, block: &Block<'a>) {
        match block.what {
            What::Thinking { .. } => self.unsupported.leave_out(block.path),
            _ => self.unsupported.refuse(block.path),
        }
    }

    /// Lists a parameter as unsupported, if it is set.
    pub fn unsupported_if(&mut self, there: bool, param: Param) {
        if there {
            self.unsupported(param);
        }
    }

    /// Passes fields of the client's dialect on to the same dialect; elsewhere they are
    /// unsupported.
    pub fn extras(&mut self, request: &'a ChatRequest<'_>, same: bool) {
        // There may be many; each is written once.
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

    /// Lists cache marks as left out.
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

    /// The body, and what is not supported.
    pub fn finish(self) -> (Json<'a>, UnsupportedFields<'a>) {
        (Json::Object(self.body), self.unsupported)
    }
}
