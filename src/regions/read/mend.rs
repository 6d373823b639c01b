//! Getting past what is no TOML: a statement after which the parser would lose
//! its way is noted and blanked, and the rest of the file is read and checked
//! all the same. What the parser gets past itself is left to it.

use super::Notes;
use crate::regions::check::Rule;
use crate::regions::problem::Source;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Blanks the statements that keep the rest of a file from being read. A table
/// whose header is broken goes as a whole: nobody knows whose fields it has.
pub fn mend(source: &mut Source, notes: &mut Notes) {
    let mut from = 0;
    loop {
        let found = Found::in_text(&source.text);
        let Some((at, message)) = found.errors.iter().find(|(at, _)| *at >= from) else {
            return;
        };
        let statements = statements(&source.text).into_iter();
        let tried = statements.filter(|s| s.start <= *at).map(|statement| {
            let text = blanked(&source.text, &statement);
            (Found::in_text(&text), statement, text)
        });
        // Of those that mend most, the nearest.
        let best = tried.reduce(|best, next| {
            let better = next.0.errors.len() <= best.0.errors.len();
            if better {
                next
            } else {
                best
            }
        });
        match best {
            Some((then, statement, text))
                if then.errors.len() < found.errors.len()
                    && (then.entries >= found.entries || is_header(source, &statement)) =>
            {
                let what = format!("this is no TOML: {message}");
                let problem = source.problem(Rule::Syntax, statement.start, what);
                notes.problems.push(problem);
                source.text = text;
            }
            _ => from = *at + 1,
        }
    }
}

fn is_header(source: &Source, statement: &Range<usize>) -> bool {
    let text = source.text.get(statement.clone());
    text.is_some_and(|text| text.starts_with('['))
}

/// What the parser makes of a text.
struct Found {
    errors: Vec<(usize, String)>,
    /// How many fields and tables it has read.
    entries: usize,
}

impl Found {
    fn in_text(text: &str) -> Found {
        let (table, errors) = DeTable::parse_recoverable(text);
        let errors = errors.iter().map(|error| {
            let at = error.span().map_or(0, |span| span.start);
            (at, error.message().to_owned())
        });
        // A name that stands twice is well-formed.
        let mut errors: Vec<_> = errors.filter(|(_, what)| what != "duplicate key").collect();
        errors.sort();
        Found {
            errors,
            entries: entries(table.get_ref()),
        }
    }
}

fn entries(table: &DeTable<'_>) -> usize {
    let inside = table.values().map(|value| match value.get_ref() {
        DeValue::Table(table) => 1 + entries(table),
        _ => 1,
    });
    inside.sum()
}

/// Where fields begin and end, and tables that have a header, by the lines that
/// are not indented.
fn statements(text: &str) -> Vec<Range<usize>> {
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        match line.chars().next() {
            Some(first) if !first.is_whitespace() && !"#]}".contains(first) => {
                starts.push((at, first == '['));
            }
            _ => {}
        }
        at += line.len();
    }
    let end = |n: usize, table: bool| {
        let mut later = starts.iter().skip(n + 1);
        let next = later.find(|(_, header)| *header || !table);
        next.map_or(text.len(), |(next, _)| *next)
    };
    let all = starts.iter().enumerate();
    all.map(|(n, (at, header))| *at..end(n, *header)).collect()
}

/// The text with spaces for a part of it: everything else stays where it is.
fn blanked(text: &str, part: &Range<usize>) -> String {
    let bytes = text.bytes().enumerate().map(|(at, byte)| match byte {
        b'\n' | b'\r' => byte,
        _ if part.contains(&at) => b' ',
        _ => byte,
    });
    String::from_utf8(bytes.collect()).unwrap_or_default()
}
