//! Small edits to a JSON object's text that leave every other byte alone:
//! prompt caches at the providers depend on it.

use super::Call;
use std::ops::Range;

/// What is to change in a body.
#[derive(Debug, Default)]
pub struct Edits {
    replaced: Vec<(Range<usize>, String)>,
    added: Vec<(String, String)>,
}

impl Edits {
    /// Sets a top-level field to `json`, where it stands or anew.
    pub fn set(&mut self, call: &Call<'_>, name: &str, json: String) {
        match call.field(name) {
            Some(value) => self.replaced.push((value.at.clone(), json)),
            None => self.added.push((name.to_owned(), json)),
        }
    }

    /// The edited body.
    pub fn apply(mut self, body: &str) -> String {
        self.replaced.sort_by_key(|(at, _)| at.start);
        let extra: usize = self
            .replaced
            .iter()
            .map(|(_, json)| json.len())
            .sum::<usize>()
            + self
                .added
                .iter()
                .map(|(k, v)| k.len() + v.len() + 4)
                .sum::<usize>();
        let mut edited = String::with_capacity(body.len() + extra);
        let mut done = 0;
        // A body that was read is an object: its first brace opens it.
        if let (false, Some(brace)) = (self.added.is_empty(), body.find('{')) {
            edited.push_str(body.get(..=brace).unwrap_or_default());
            for (name, json) in &self.added {
                edited.push_str(&format!("\"{name}\":{json},"));
            }
            done = brace + 1;
        }
        for (at, json) in &self.replaced {
            edited.push_str(body.get(done..at.start).unwrap_or_default());
            edited.push_str(json);
            done = at.end;
        }
        edited.push_str(body.get(done..).unwrap_or_default());
        edited
    }
}
