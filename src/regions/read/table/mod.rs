//! Taking a TOML table apart, field by field. Everything that is wrong with it
//! is noted, not just the first thing, and so is where each field stands.

mod left;
mod needed;
mod numbers;

use super::Notes;
use crate::regions::check::Rule;
use crate::regions::finding::Spot;
use crate::regions::problem::Source;
use serde::de::value::{Error as DeError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::de::{DeTable, DeValue};
use toml::Spanned;

/// A table that is being read.
pub struct Table<'s> {
    source: &'s Source,
    /// Where it stands in the configuration.
    pub spot: Spot,
    at: usize,
    fields: DeTable<'s>,
    /// The names that were asked for: what a misspelt one is compared with.
    known: Vec<&'static str>,
}

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub text: String,
    /// Its offset in the file.
    pub at: usize,
}

impl<'s> Table<'s> {
    /// A whole file. Syntax errors are noted, and what can be read is read.
    pub fn of(source: &'s Source, spot: Spot, notes: &mut Notes) -> Table<'s> {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        let mut twice_at = usize::MAX;
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            if error.message() == "duplicate key" {
                // Every line of a table that stands twice is told; the first
                // of them is enough.
                let line = source.line(at);
                let told = line.checked_sub(twice_at).is_some_and(|gap| gap <= 2);
                twice_at = line;
                if told {
                    continue;
                }
                let what = "this name stands in the file already";
                let problem = source.problem(Rule::DuplicateName, at, what);
                notes
                    .problems
                    .push(problem.instead("another name, or one of the two"));
                continue;
            }
            let what = format!("this is no TOML: {}", error.message());
            notes.problems.push(source.problem(Rule::Syntax, at, what));
        }
        notes.lines.note(spot.clone(), source, 0);
        let fields = table.into_inner();
        Table {
            source,
            spot,
            at: 0,
            fields,
            known: Vec::new(),
        }
    }

    /// The file it stands in.
    pub fn source(&self) -> &'s Source {
        self.source
    }

    fn take(&mut self, name: &'static str, notes: &mut Notes) -> Option<Spanned<DeValue<'s>>> {
        self.known.push(name);
        let (key, value) = self.fields.remove_entry(name)?;
        notes
            .lines
            .note(self.spot.then(name), self.source, key.span().start);
        Some(value)
    }

    fn wrong(&self, at: usize, name: &str, expected: &str, notes: &mut Notes) {
        notes.lines.unread(self.spot.then(name));
        self.unlike(at, name, expected, notes);
    }

    fn unlike(&self, at: usize, name: &str, expected: &str, notes: &mut Notes) {
        let what = format!("`{name}` is not {expected}");
        notes
            .problems
            .push(self.source.problem(Rule::WrongType, at, what));
    }

    fn missing(&self, name: &str, example: &str, notes: &mut Notes) {
        notes.lines.unread(self.spot.then(name));
        let what = format!("`{name}` is missing");
        let problem = self.source.problem(Rule::MissingField, self.at, what);
        notes
            .problems
            .push(problem.instead(format!("`{name} = {example}`")));
    }

    /// A text that may be missing.
    pub fn maybe_text(&mut self, name: &'static str, notes: &mut Notes) -> Option<Text> {
        let value = self.take(name, notes)?;
        let at = value.span().start;
        match value.into_inner() {
            DeValue::String(text) => Some(Text {
                text: text.into_owned(),
                at,
            }),
            _ => {
                self.wrong(at, name, "a text in quotes", notes);
                None
            }
        }
    }

    /// A text that must be there; `example` is shown where it is not.
    pub fn text(&mut self, name: &'static str, example: &str, notes: &mut Notes) -> Option<Text> {
        let there = self.fields.contains_key(name);
        let text = self.maybe_text(name, notes);
        if !there {
            self.missing(name, example, notes);
        }
        text
    }

    /// A text that must be there, without its place.
    pub fn words(
        &mut self,
        name: &'static str,
        example: &str,
        notes: &mut Notes,
    ) -> Option<String> {
        self.text(name, example, notes).map(|found| found.text)
    }

    /// A text that is one of a few words.
    pub fn choice<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        example: &str,
        notes: &mut Notes,
    ) -> Option<T> {
        let found = self.text(name, example, notes)?;
        self.chosen(name, &found, notes)
    }

    /// The same, where it may be missing.
    pub fn maybe_choice<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        notes: &mut Notes,
    ) -> Option<T> {
        let found = self.maybe_text(name, notes)?;
        self.chosen(name, &found, notes)
    }

    /// One word of a few, or a list of them.
    pub fn choices<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        example: &str,
        notes: &mut Notes,
    ) -> Vec<T> {
        let one = self
            .fields
            .get(name)
            .is_none_or(|value| !value.get_ref().is_array());
        let found = match one {
            true => self.text(name, example, notes).into_iter().collect(),
            false => self.maybe_list(name, notes).unwrap_or_default(),
        };
        let found = found.iter();
        found
            .filter_map(|word| self.chosen(name, word, notes))
            .collect()
    }

    fn chosen<T: DeserializeOwned>(
        &self,
        name: &str,
        found: &Text,
        notes: &mut Notes,
    ) -> Option<T> {
        let word: StrDeserializer<'_, DeError> = found.text.as_str().into_deserializer();
        T::deserialize(word)
            .map_err(|error| {
                let message = error.to_string();
                // serde names the known words in backticks, after the wrong one.
                let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
                let what = format!(
                    "`{}` is no {name}; there are: {}",
                    found.text,
                    known.join(", ")
                );
                notes.lines.unread(self.spot.then(name));
                let problem = self.source.problem(Rule::UnknownWord, found.at, what);
                notes.problems.push(problem.suggest(&found.text, known));
            })
            .ok()
    }

    /// A date that must be there.
    pub fn date(&mut self, name: &'static str, notes: &mut Notes) -> Option<String> {
        let Some(value) = self.take(name, notes) else {
            self.missing(name, "2027-05-31", notes);
            return None;
        };
        match value.get_ref() {
            DeValue::Datetime(when) if when.date.is_some() && when.time.is_none() => {
                when.date.map(|date| date.to_string())
            }
            _ => {
                self.wrong(
                    value.span().start,
                    name,
                    "a date such as 2027-05-31, without quotes",
                    notes,
                );
                None
            }
        }
    }

    /// True or false; false where it is missing.
    pub fn flag(&mut self, name: &'static str, notes: &mut Notes) -> bool {
        let Some(value) = self.take(name, notes) else {
            return false;
        };
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(value.span().start, name, "true or false", notes);
        }
        flag.unwrap_or_default()
    }

    /// A list of texts; `None` where it is missing.
    pub fn maybe_list(&mut self, name: &'static str, notes: &mut Notes) -> Option<Vec<Text>> {
        let value = self.take(name, notes)?;
        self.texts(name, value, notes)
    }

    fn texts(
        &self,
        name: &str,
        value: Spanned<DeValue<'s>>,
        notes: &mut Notes,
    ) -> Option<Vec<Text>> {
        let at = value.span().start;
        let DeValue::Array(entries) = value.into_inner() else {
            self.wrong(at, name, "a list such as [\"eu\"]", notes);
            return None;
        };
        let mut texts = Vec::new();
        for entry in entries {
            let at = entry.span().start;
            match entry.into_inner() {
                DeValue::String(text) => texts.push(Text {
                    text: text.into_owned(),
                    at,
                }),
                _ => self.unlike(at, name, "a list of texts in quotes", notes),
            }
        }
        Some(texts)
    }

    /// A list of texts that must be there.
    pub fn list(&mut self, name: &'static str, example: &str, notes: &mut Notes) -> Vec<Text> {
        let there = self.fields.contains_key(name);
        let list = self.maybe_list(name, notes).unwrap_or_default();
        if !there {
            self.missing(name, example, notes);
        }
        list
    }

    /// A table inside this one, empty where it is missing.
    pub fn table(&mut self, name: &'static str, notes: &mut Notes) -> Option<Table<'s>> {
        let value = self.take(name, notes)?;
        let at = value.span().start;
        let spot = self.spot.then(name);
        match value.into_inner() {
            DeValue::Table(fields) => Some(Table {
                source: self.source,
                spot,
                at,
                fields,
                known: Vec::new(),
            }),
            _ => {
                self.wrong(at, name, "a table", notes);
                None
            }
        }
    }

    /// Ends the reading: whatever nobody asked for is a mistake.
    pub fn finish(mut self, notes: &mut Notes) {
        for (key, _) in std::mem::take(&mut self.fields) {
            self.unknown(key.get_ref(), key.span().start, notes);
        }
    }

    fn unknown(&self, name: &str, at: usize, notes: &mut Notes) {
        let what = match self.known.is_empty() {
            true => format!("`{name}` is no table"),
            false => format!(
                "there is no field `{name}` here; there are: {}",
                self.known.join(", ")
            ),
        };
        let problem = self.source.problem(Rule::UnknownField, at, what);
        let problem = problem.suggest(name, self.known.iter().copied());
        if let Some(meant) = &problem.instead {
            // A misspelt field is not missing besides.
            let missing = (self.source.line(self.at), format!("{meant} is missing"));
            notes.problems.retain(|other| {
                other.file != problem.file || (other.line, &other.what) != (missing.0, &missing.1)
            });
        }
        notes.problems.push(problem);
    }
}
