//! Small edits to the text of a JSON object. All other bytes stay as they are, because
//! providers' prompt caches depend on them.

use super::call::{find, Value};
use super::Call;
use crate::dialect::outgoing::Outgoing;
use std::ops::Range;
use std::rc::Rc;

/// The edits to a body.
#[derive(Debug, Default)]
pub struct Edits {
    replaced: Vec<(Range<usize>, String)>,
    added: Vec<(String, String)>,
}

impl Edits {
    /// Sets a top-level field to `json`: replaces it, or adds it.
    pub fn set(&mut self, call: &Call<'_>, name: &str, json: String) {
        match call.field(name) {
            Some(value) => self.replaced.push((value.at.clone(), json)),
            None => self.added.push((name.to_owned(), json)),
        }
    }

    /// Removes a top-level field, if it is there.
    pub fn remove(&mut self, call: &Call<'_>, name: &str) {
        if let Some(at) = field_with_name(call.body, &call.fields, name) {
            self.replaced.push((at, String::new()));
        }
    }

    /// The edited body.
    pub fn apply(mut self, body: &Rc<String>) -> Outgoing {
        // A body that was read is an object: its first brace opens it.
        if let (false, Some(brace)) = (self.added.is_empty(), body.find('{')) {
            let added = self.added.iter();
            let added = added.map(|(name, json)| format!("\"{name}\":{json},"));
            let opened = brace + 1;
            // Insert before what is removed at the same place.
            self.replaced.insert(0, (opened..opened, added.collect()));
        }
        self.replaced.sort_by_key(|(at, _)| at.start);
        Outgoing::edited(body, self.replaced)
    }
}

/// Where a field stands with its name and its comma, if it is among those that were
/// read from a body.
pub fn field_with_name(
    body: &str,
    fields: &[(&'static str, Value<'_>)],
    name: &str,
) -> Option<Range<usize>> {
    let value = find(fields, name)?;
    let before = body.get(..value.at.start)?;
    let start = key_start(before)?;
    let after = body.get(value.at.end..)?;
    let gap = after.len() - after.trim_start().len();
    Some(match after.trim_start().starts_with(',') {
        true => start..value.at.end + gap + 1,
        // The last field: the comma before it goes.
        false => {
            let kept = before.get(..start)?.trim_end();
            kept.strip_suffix(',').unwrap_or(kept).len()..value.at.end
        }
    })
}

/// Where the key begins that stands right before a value.
fn key_start(before: &str) -> Option<usize> {
    let key = before.trim_end().strip_suffix(':')?.trim_end();
    let inner = key.strip_suffix('"')?;
    // A quote inside a key has an odd number of backslashes before it.
    let mut end = inner.len();
    loop {
        let quote = inner.get(..end)?.rfind('"')?;
        let head = inner.get(..quote)?;
        let slashes = head.len() - head.trim_end_matches('\\').len();
        if slashes % 2 == 0 {
            return Some(quote);
        }
        end = quote;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::anthropic::request_fields::read;

    #[test]
    fn a_field_is_added_before_one_that_is_taken_out() {
        let body = Rc::new(r#"{"model":"m","messages":[{}]}"#.to_owned());
        let call = read(&body).unwrap();
        let mut edits = Edits::default();
        edits.remove(&call, "model");
        edits.set(&call, "messages", "[]".to_owned());
        edits.set(&call, "stream", "true".to_owned());
        let edited = edits.apply(&body).to_string();
        assert_eq!(edited, r#"{"stream":true,"messages":[]}"#);
    }

    #[test]
    fn a_field_that_is_taken_out_leaves_every_other_byte() {
        let cases = [
            (r#"{"model":"m","messages":[{}]}"#, r#"{"messages":[{}]}"#),
            (
                r#"{ "messages":[{}] , "model" : "m" }"#,
                r#"{ "messages":[{}]  }"#,
            ),
            (
                r#"{"x\"":1, "mod\u0065l":"m", "messages":[{}]}"#,
                r#"{"x\"":1,  "messages":[{}]}"#,
            ),
        ];
        for (body, left) in cases {
            let call = read(body).unwrap();
            let mut edits = Edits::default();
            edits.remove(&call, "model");
            edits.remove(&call, "stream");
            assert_eq!(edits.apply(&Rc::new(body.to_owned())).to_string(), left);
        }
    }
}
