//! Calls of custom tools in a chat completion: text where functions have
//! arguments.

use crate::dialect::neutral::{Delta, Json, ReplyContext, TextReader, TextWriter};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a call is, and the field that holds what it is called with.
pub fn kind(custom: bool) -> (&'static str, &'static str) {
    match custom {
        true => ("custom", "input"),
        false => ("function", "arguments"),
    }
}

/// The calls whose clients get the text that is in the arguments, by our numbers.
#[derive(Debug, Default)]
pub struct CustomTexts(BTreeMap<u32, TextReader>);

impl CustomTexts {
    /// A call begins: its kind, and the field that its input stands in.
    pub fn begin(
        &mut self,
        call: u32,
        name: &str,
        context: &ReplyContext,
    ) -> (&'static str, &'static str) {
        let custom = context.custom.contains(name);
        if custom {
            self.0.insert(call, TextReader::default());
        }
        kind(custom)
    }

    /// What a piece of a call's arguments is to its client: its kind, its field, and
    /// what that holds.
    pub fn said<'d>(
        &mut self,
        call: u32,
        json: &'d str,
    ) -> (&'static str, &'static str, Cow<'d, str>) {
        let reader = self.0.get_mut(&call);
        let (kind, field) = kind(reader.is_some());
        let said = match reader {
            Some(reader) => {
                let mut text = String::new();
                reader.push(json, &mut text);
                text.into()
            }
            None => json.into(),
        };
        (kind, field, said)
    }
}

/// The calls whose text may go on, by our numbers.
#[derive(Debug, Default)]
pub struct CustomCalls(BTreeMap<u32, TextWriter>);

impl CustomCalls {
    /// A call begins.
    pub fn begin(&mut self, call: u32) {
        self.0.insert(call, TextWriter::default());
    }

    /// Takes a piece of a call, if it is one of a custom tool.
    pub fn takes(&mut self, call: u32, piece: &Json<'_>, on: &mut dyn FnMut(Delta<'_>)) -> bool {
        let Some(text) = self.0.get_mut(&call) else {
            return false;
        };
        if let Some(piece) = piece.filled("input") {
            let json = text.push(piece).into();
            on(Delta::Input { call, json });
        }
        true
    }

    /// All texts are over.
    pub fn finish(&mut self, on: &mut dyn FnMut(Delta<'_>)) {
        for (call, mut text) in std::mem::take(&mut self.0) {
            let json = text.finish().into();
            on(Delta::Input { call, json });
        }
    }
}
