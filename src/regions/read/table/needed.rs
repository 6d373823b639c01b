//! Numbers that must be there.

use super::{Notes, Table};

impl Table<'_> {
    /// A whole number above 0 that must be there.
    pub fn positive(
        &mut self,
        name: &'static str,
        example: &str,
        notes: &mut Notes,
    ) -> Option<u32> {
        let there = self.fields.contains_key(name);
        let expected = format!("a whole number above 0, such as {example}");
        let number = self.maybe_positive(name, &expected, notes);
        if !there {
            self.missing(name, example, notes);
        }
        number
    }
}
