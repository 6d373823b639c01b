//! The pass over a body's bytes. The body has been validated as JSON; anything
//! unexpected counts as too much egress.

use super::address::{host_of, is_inline};
use super::frame::{Frame, Meaning, Own, Scalar};
use super::seen::{Names, Types};
use super::{cut, unknown, Egress, Found, MOST_FOUND};
use crate::dialect::tokens::{decoded, Tokens};
use crate::regions::egress::{Vocabulary, MENTION, OPAQUE, PLAIN};
use crate::regions::EgressRules;
use std::borrow::Cow;

/// JSON that was checked is nested less deeply than this.
const DEEPEST: usize = 200;

/// The field that says how often a tool may be used.
const MAX_USES: &str = "max_uses";

/// The most steps of a path that are reported.
const LONGEST_PATH: usize = 16;

/// Scans a body.
pub fn scan(rules: &EgressRules, vocabulary: &Vocabulary, body: &str, egress: &mut Egress) {
    let mut scan = Scan {
        rules,
        vocabulary,
        tokens: Tokens::of(body),
        names: Names::default(),
        types: Types::default(),
        stack: Vec::new(),
        egress,
    };
    if scan.run().is_none() || !scan.stack.is_empty() {
        egress.too_much = true;
    }
}

struct Scan<'r, 'b, 'o> {
    rules: &'r EgressRules,
    vocabulary: &'r Vocabulary,
    tokens: Tokens<'b>,
    names: Names<'r, 'b>,
    types: Types<'r, 'b>,
    stack: Vec<Frame<'r, 'b>>,
    egress: &'o mut Egress,
}

impl<'r, 'b> Scan<'r, 'b, '_> {
    fn run(&mut self) -> Option<()> {
        while let Some(byte) = self.tokens.next() {
            // It is refused whatever else it asks for.
            if self.egress.too_much {
                return None;
            }
            match byte {
                b'{' => self.open(true)?,
                b'[' => self.open(false)?,
                b'}' => self.close(true)?,
                b']' => self.close(false)?,
                b':' => self.tokens.skip(),
                b',' => {
                    self.tokens.skip();
                    if let Some(frame) = self.stack.last_mut() {
                        frame.index += 1;
                    }
                }
                b'"' => {
                    let text = self.tokens.string()?;
                    match self.stack.last() {
                        Some(frame) if frame.is_object && frame.key.is_none() => {
                            self.field(text)?
                        }
                        _ => self.scalar(Scalar::Text(text)),
                    }
                }
                _ => match self.stack.last_mut() {
                    // Most values are of this kind; in a list they have no meaning.
                    Some(frame) if frame.says_nothing() => frame.index += self.tokens.numbers(),
                    _ => {
                        let token = self.tokens.token()?;
                        self.scalar(Scalar::Other(token));
                    }
                },
            }
        }
        Some(())
    }

    /// A field begins.
    fn field(&mut self, name: &'b str) -> Option<()> {
        let opaque = self.stack.last()?.opaque;
        let decoded = (!opaque).then(|| decoded(name));
        if let Some(Some(name)) = &decoded {
            self.egress.bulk.field(name);
        }
        let meaning = match decoded {
            None => Meaning::Opaque,
            Some(None) => Meaning::Unknown,
            Some(Some(decoded)) => self.names.meaning(self.vocabulary, name, &decoded),
        };
        let frame = self.stack.last_mut()?;
        frame.key = Some(name);
        frame.meaning = meaning;
        Some(())
    }

    /// An object or a list begins.
    fn open(&mut self, is_object: bool) -> Option<()> {
        if self.stack.len() >= DEEPEST {
            return None;
        }
        self.tokens.skip();
        let (meaning, opaque) = match self.stack.last() {
            None => (Meaning::Plain, false),
            Some(frame) => (frame.meaning, frame.opaque),
        };
        let empty_list = !is_object && self.tokens.next() == Some(b']');
        let (mut inner, mut asked) = (Meaning::Plain, false);
        match meaning {
            _ if opaque || empty_list => {}
            Meaning::Plain | Meaning::Opaque => {}
            Meaning::Kind(kind) if self.names_host(kind) => {
                // A list of addresses, or an object that has one.
                inner = if is_object { Meaning::Plain } else { meaning };
            }
            Meaning::Kind(kind) => {
                asked = true;
                self.ask_field(kind, None);
            }
            Meaning::Betas if !is_object => inner = Meaning::Betas,
            Meaning::Betas | Meaning::Type | Meaning::Unknown => self.ask_unknown(""),
        }
        self.count_field();
        self.stack.push(Frame {
            is_object,
            key: None,
            meaning: inner,
            index: 0,
            opaque: opaque || matches!(meaning, Meaning::Opaque),
            asked,
            own: Own::default(),
        });
        Some(())
    }

    fn close(&mut self, is_object: bool) -> Option<()> {
        self.tokens.skip();
        let frame = self.stack.last()?;
        if frame.is_object != is_object {
            return None;
        }
        if is_object && !frame.opaque {
            let frame = self.stack.pop()?;
            self.finish(frame);
        } else {
            self.stack.truncate(self.stack.len().saturating_sub(1));
        }
        self.done();
        Some(())
    }

    /// What an object asked for, now that all of it is known.
    fn finish(&mut self, frame: Frame<'r, 'b>) {
        let own = frame.own;
        let only_mentions = own.typed && !own.means_it;
        for mut found in own.types {
            found.uses = own.uses;
            self.egress.note(found);
        }
        for found in own.fields {
            let rule = self.rules.kinds.get(&found.kind);
            // What a former answer mentions is not asked for again.
            let mentioned = only_mentions && rule.is_some_and(|kind| !kind.hosted_tool);
            if !mentioned {
                self.egress.note(found);
            }
        }
        if let (Some(kind), true, 1, false) = (
            &self.vocabulary.bare_id,
            own.has_id,
            own.filled,
            frame.asked,
        ) {
            self.egress.note(Found {
                kind: kind.clone(),
                at: self.path(),
                word: "id".to_owned(),
                host: None,
                uses: None,
            });
        }
    }

    /// A value that holds no others.
    fn scalar(&mut self, value: Scalar<'b>) {
        let Some(frame) = self.stack.last() else {
            return;
        };
        let (meaning, opaque) = (frame.meaning, frame.opaque);
        if frame.says_nothing() {
            return;
        }
        if !opaque {
            let name = frame.key.filter(|_| frame.is_object);
            self.egress.bulk.value(name, value);
            match meaning {
                Meaning::Plain => self.count_uses(value),
                Meaning::Opaque => {}
                Meaning::Type => self.type_of_object(value),
                Meaning::Betas => self.beta(value),
                _ if value.is_off() => {}
                Meaning::Unknown => self.ask_unknown(""),
                Meaning::Kind(kind) => self.ask(kind, value),
            }
            if !matches!(value, Scalar::Other("null")) {
                self.count_field();
            }
        }
        self.done();
    }

    /// A value is over.
    fn done(&mut self) {
        if let Some(frame) = self.stack.last_mut() {
            frame.key = None;
            if frame.is_object {
                frame.meaning = Meaning::Plain;
            }
        }
    }

    fn count_field(&mut self) {
        if let Some(frame) = self.stack.last_mut().filter(|frame| frame.is_object) {
            frame.own.filled += 1;
            frame.own.has_id |= frame.key == Some("id");
        }
    }

    fn count_uses(&mut self, value: Scalar<'b>) {
        let Some(frame) = self.stack.last_mut() else {
            return;
        };
        // However it is written, it is no shorter than this.
        let key = frame.key.filter(|key| key.len() >= MAX_USES.len());
        if key.and_then(decoded).is_some_and(|name| name == MAX_USES) {
            frame.own.tell_uses(value);
        }
    }

    fn names_host(&self, kind: &str) -> bool {
        self.rules
            .kinds
            .get(kind)
            .is_some_and(|kind| kind.names_host)
    }

    /// A field of a kind has a value that is not nothing.
    fn ask(&mut self, kind: &'r str, value: Scalar<'b>) {
        let (Scalar::Text(raw) | Scalar::Other(raw)) = value;
        let text = decoded(raw).unwrap_or_default();
        let name = self.key().and_then(decoded).unwrap_or_default();
        let harmless = self.vocabulary.harmless.get(name.as_ref());
        if harmless.is_some_and(|values| values.contains(text.as_ref())) {
            return;
        }
        match self.names_host(kind) {
            true if is_inline(&text) => {}
            true => self.ask_field(kind, Some(host_of(&text))),
            false => self.ask_field(kind, None),
        }
    }

    /// The field whose value comes next asks for something.
    fn ask_field(&mut self, kind: &str, host: Option<String>) {
        if self.egress.too_much {
            return;
        }
        let word = self.key().and_then(decoded).unwrap_or_default();
        let found = Found {
            kind: kind.to_owned(),
            at: self.path(),
            word: cut(&word),
            host,
            uses: None,
        };
        // In a list of values it belongs to no object.
        match self.stack.last_mut() {
            Some(frame) if frame.is_object && frame.own.fields.len() >= MOST_FOUND => {
                self.egress.too_much = true;
            }
            Some(frame) if frame.is_object => frame.own.fields.push(found),
            _ => self.egress.note(found),
        }
    }

    /// An unknown word: the name of the field, or its value.
    fn ask_unknown(&mut self, word: &str) {
        if self.egress.too_much {
            return;
        }
        let name = match word {
            "" => self.key().and_then(decoded).unwrap_or_default(),
            word => Cow::Borrowed(word),
        };
        // Where it stands is told once, and costs more than to look for it.
        if self.egress.has_unknown(&name) {
            return;
        }
        let found = unknown(self.path(), &name);
        self.egress.note(found);
    }

    fn type_of_object(&mut self, value: Scalar<'b>) {
        let Scalar::Text(raw) = value else {
            if !value.is_off() {
                self.ask_unknown("");
            }
            return;
        };
        let word = decoded(raw).unwrap_or(Cow::Borrowed(raw));
        self.egress.bulk.object(&word);
        let meaning = self.types.meaning(self.vocabulary, raw, &word);
        let found = match meaning {
            Some(PLAIN | MENTION | OPAQUE) => None,
            _ if self.egress.too_much => None,
            Some(kind) => Some(Found {
                kind: kind.to_owned(),
                at: self.path(),
                word: cut(&word),
                host: None,
                uses: None,
            }),
            None => Some(unknown(self.path(), &word)),
        };
        if let Some(frame) = self.stack.last_mut() {
            frame.own.typed = true;
            frame.own.means_it |= meaning != Some(MENTION);
            if frame.own.types.len() >= MOST_FOUND && found.is_some() {
                self.egress.too_much = true;
            } else {
                frame.own.types.extend(found);
            }
        }
    }

    fn beta(&mut self, value: Scalar<'b>) {
        let Scalar::Text(raw) = value else { return };
        let word = decoded(raw).unwrap_or(Cow::Borrowed(raw));
        self.egress.bulk.beta(&word);
        match self.vocabulary.betas.meaning(&word) {
            Some(PLAIN) => {}
            Some(_) if self.egress.too_much => {}
            Some(kind) => {
                let found = Found {
                    kind: kind.to_owned(),
                    at: self.path(),
                    word: cut(&word),
                    host: None,
                    uses: None,
                };
                self.egress.note(found);
            }
            None => self.ask_unknown(&word),
        }
    }

    /// The field that the value which comes next belongs to, also through lists.
    fn key(&self) -> Option<&'b str> {
        self.stack.iter().rev().find_map(|frame| frame.key)
    }

    /// Where the value stands that comes next.
    fn path(&self) -> String {
        let mut path = String::new();
        for frame in self.stack.iter().take(LONGEST_PATH) {
            frame.step(&mut path);
        }
        if self.stack.len() > LONGEST_PATH {
            path.push('…');
        }
        path
    }
}
