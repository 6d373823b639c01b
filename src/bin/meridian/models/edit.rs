//! Edits of a TOML file as text: comments and order stay. Where things stand,
//! the parser says; what is written, is written between.

use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::{DeTable, DeValue};
use toml::Spanned;

/// Text in place of a part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file.
    pub file: String,
    /// What is replaced; empty for an insertion.
    pub range: Range<usize>,
    /// The text.
    pub text: String,
}

/// The config files that are proposed to be changed, by their paths.
pub type Files = BTreeMap<String, String>;

/// A file with the places of its parts.
pub struct Document<'s> {
    file: &'s str,
    text: &'s str,
    root: DeTable<'s>,
}

impl<'s> Document<'s> {
    /// A file; none if it is no TOML.
    pub fn new(file: &'s str, text: &'s str) -> Option<Document<'s>> {
        let root = DeTable::parse(text).ok()?.into_inner();
        Some(Document { file, text, root })
    }

    /// The table that these keys lead to.
    fn table(&self, path: &[&str]) -> Option<&DeTable<'s>> {
        path.iter().try_fold(&self.root, |table, key| {
            table.get(*key)?.get_ref().as_table()
        })
    }

    fn value(&self, path: &[&str]) -> Option<&Spanned<DeValue<'s>>> {
        let (last, before) = path.split_last()?;
        self.table(before)?.get(*last)
    }

    /// Whether something stands there.
    pub fn has(&self, path: &[&str]) -> bool {
        self.value(path).is_some()
    }

    /// The text there.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.value(path)?.get_ref().as_str()
    }

    /// The names in a table, in the order of the file.
    pub fn keys(&self, path: &[&str]) -> Vec<&str> {
        let Some(table) = self.table(path) else {
            return Vec::new();
        };
        let mut keys: Vec<_> = table.keys().collect();
        keys.sort_by_key(|key| key.span().start);
        keys.into_iter().map(|key| key.get_ref().as_ref()).collect()
    }

    /// Another value in place of one that stands there.
    pub fn replace(&self, path: &[&str], value: &str) -> Option<Edit> {
        self.edit(self.value(path)?.span(), value.to_owned())
    }

    /// Lines after a value, or after a table with all that is in it.
    pub fn after(&self, path: &[&str], lines: &str) -> Option<Edit> {
        self.insert(self.last(path)?, lines)
    }

    /// Lines after a table's own values, before its sub-tables.
    pub fn after_values(&self, path: &[&str], lines: &str) -> Option<Edit> {
        let table = self.table(path)?;
        let values = table.iter().filter(|(_, value)| !is_section(value));
        let end = values.map(|(_, value)| value.span().end).max()?;
        self.insert(end, lines)
    }

    fn insert(&self, end: usize, lines: &str) -> Option<Edit> {
        let rest = self.text.get(end..)?;
        Some(match rest.find('\n') {
            Some(line) => self.edit(end + line + 1..end + line + 1, lines.to_owned())?,
            None => self.edit(self.text.len()..self.text.len(), format!("\n{lines}"))?,
        })
    }

    fn edit(&self, range: Range<usize>, text: String) -> Option<Edit> {
        self.text.get(range.clone())?;
        Some(Edit {
            file: self.file.to_owned(),
            range,
            text,
        })
    }

    /// Where the last thing of a part ends.
    fn last(&self, path: &[&str]) -> Option<usize> {
        let (name, before) = path.split_last()?;
        let (key, value) = self.table(before)?.get_key_value(*name)?;
        Some(end_of(key.span().end, value))
    }
}

/// Whether it is a table with a line of its own, and not `{ … }` in a line.
fn is_section(value: &Spanned<DeValue<'_>>) -> bool {
    let inner = value.get_ref().as_table();
    inner.is_some_and(|table| {
        table
            .values()
            .any(|inner| inner.span().start >= value.span().end)
    })
}

fn end_of(key: usize, value: &Spanned<DeValue<'_>>) -> usize {
    let own = key.max(value.span().end);
    let inner = value.get_ref().as_table();
    let inner = inner.into_iter().flat_map(|table| table.iter());
    let ends = inner.map(|(key, value)| end_of(key.span().end, value));
    ends.fold(own, usize::max)
}

/// A name as a key: bare where TOML allows it.
pub fn key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match !name.is_empty() && name.bytes().all(bare) {
        true => name.to_owned(),
        false => quoted(name),
    }
}

/// A text in quotes. What JSON escapes TOML escapes likewise.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A file's text with its edits made.
pub fn apply(text: &str, edits: &[&Edit]) -> Option<String> {
    let mut edits = edits.to_vec();
    edits.sort_by_key(|edit| edit.range.start);
    let mut done = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        done.push_str(text.get(at..edit.range.start)?);
        done.push_str(&edit.text);
        at = edit.range.end;
    }
    done.push_str(text.get(at..)?);
    Some(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# head\n[a]\nx = \"1\" # why\ny = [\n  1,\n]\n\n[a.deep]\nz = { k = 2 }   # last of a\n\n# about b\n[\"b.c\"]\nx = '3'";

    fn edited(edit: impl Fn(&Document<'_>) -> Option<Edit>) -> String {
        let document = Document::new("f.toml", TEXT).unwrap();
        let edit = edit(&document).unwrap();
        let done = apply(TEXT, &[&edit]).unwrap();
        assert!(Document::new("f.toml", &done).is_some(), "{done}");
        done
    }

    #[test]
    fn edits_change_nothing_but_their_place() {
        let value = edited(|d| d.replace(&["a", "x"], "\"2\""));
        assert_eq!(value, TEXT.replace("x = \"1\" # why", "x = \"2\" # why"));
        let value = edited(|d| d.replace(&["b.c", "x"], "\"4\""));
        assert_eq!(value, TEXT.replace("'3'", "\"4\""));
        let line = edited(|d| d.after(&["a", "x"], "n = 1\n"));
        assert_eq!(line, TEXT.replace("# why\n", "# why\nn = 1\n"));
        let own = edited(|d| d.after_values(&["a"], "\n[a.new]\nn = 1\n"));
        assert_eq!(
            own,
            TEXT.replace("]\n\n[a.deep]", "]\n\n[a.new]\nn = 1\n\n[a.deep]")
        );
        let whole = edited(|d| d.after(&["a"], "\n[n]\n"));
        assert_eq!(whole, TEXT.replace("last of a\n", "last of a\n\n[n]\n"));
        let end = edited(|d| d.after(&["b.c"], "\n[n]\n"));
        assert_eq!(end, format!("{TEXT}\n\n[n]\n"));
    }

    #[test]
    fn keys_come_in_the_order_of_the_file() {
        let document = Document::new("f.toml", "b = 1\na = 2\n[z]\n[c]\n").unwrap();
        assert_eq!(document.keys(&[]), ["b", "a", "z", "c"]);
        assert_eq!(key("gpt-5"), "gpt-5");
        assert_eq!(key("gpt-5.4"), "\"gpt-5.4\"");
        assert_eq!(key("a\"b"), "\"a\\\"b\"");
    }
}
