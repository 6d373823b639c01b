//! What is left of a table when its fields are read: named tables, lists,
//! texts or values, in the order they were written.

use super::{Notes, Table, Text};
use toml::de::DeValue;

impl<'s> Table<'s> {
    /// Everything that is left, as named tables in the order they were written.
    pub fn tables(&mut self, notes: &mut Notes) -> Vec<(Text, Table<'s>)> {
        let mut tables = Vec::new();
        for (key, value) in std::mem::take(&mut self.fields) {
            let at = key.span().start;
            let name = key.into_inner().into_owned();
            let spot = self.spot.then(&name);
            match value.into_inner() {
                DeValue::Table(fields) => {
                    notes.lines.note(spot.clone(), self.source, at);
                    let table = Table {
                        source: self.source,
                        spot,
                        at,
                        fields,
                        known: Vec::new(),
                    };
                    tables.push((Text { text: name, at }, table));
                }
                _ => self.unknown(&name, at, notes),
            }
        }
        tables
    }

    /// Everything that is left, as named lists of texts.
    pub fn lists(&mut self, notes: &mut Notes) -> Vec<(Text, Vec<Text>)> {
        let mut lists = Vec::new();
        for (key, value) in std::mem::take(&mut self.fields) {
            let at = key.span().start;
            let name = key.into_inner().into_owned();
            notes.lines.note(self.spot.then(&name), self.source, at);
            let list = self.texts(&name, value, notes).unwrap_or_default();
            lists.push((Text { text: name, at }, list));
        }
        lists
    }

    /// Everything that is left, as named texts.
    pub fn words_left(&mut self, notes: &mut Notes) -> Vec<(Text, Text)> {
        let mut words = Vec::new();
        for (key, value) in std::mem::take(&mut self.fields) {
            let at = key.span().start;
            let name = key.into_inner().into_owned();
            notes.lines.note(self.spot.then(&name), self.source, at);
            match value.get_ref().as_str() {
                Some(text) => {
                    let text = Text {
                        text: text.to_owned(),
                        at: value.span().start,
                    };
                    words.push((Text { text: name, at }, text));
                }
                None => self.wrong(value.span().start, &name, "a text in quotes", notes),
            }
        }
        words
    }

    /// Everything that is left, as JSON values.
    pub fn values(&mut self, notes: &mut Notes) -> Vec<(Text, serde_json::Value)> {
        let mut values = Vec::new();
        for (key, value) in std::mem::take(&mut self.fields) {
            let at = key.span().start;
            let name = key.into_inner().into_owned();
            notes.lines.note(self.spot.then(&name), self.source, at);
            let value = match value.get_ref() {
                DeValue::String(text) => text.as_ref().into(),
                DeValue::Boolean(flag) => (*flag).into(),
                DeValue::Integer(n) => n.as_str().parse::<i64>().unwrap_or_default().into(),
                _ => {
                    self.wrong(
                        value.span().start,
                        &name,
                        "a text, a number, true or false",
                        notes,
                    );
                    continue;
                }
            };
            values.push((Text { text: name, at }, value));
        }
        values
    }
}
