//! What an ask holds and the dialect it is written in cannot say. A writer
//! goes on as if it were not there and notes it. What changes the answer is
//! refused, unless the client lets it go; a hint is left out. Both are reported.

use super::place::{paths, Place};

/// As many are told one by one.
const MOST: usize = 64;

/// Stands for all others.
const AND_MORE: &str = "and more";

/// What could not be said, by the client's own names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UnsupportedFields<'p> {
    /// What changes the answer.
    refused: Vec<UnsupportedField<'p>>,
    /// What does not.
    hints: Vec<UnsupportedField<'p>>,
}

/// One thing that could not be said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UnsupportedField<'p> {
    /// A setting, by its name.
    Named(&'static str),
    /// What stands somewhere in the body.
    At(Place<'p>),
}

impl<'p> UnsupportedFields<'p> {
    /// Notes a loss that changes the answer.
    pub fn refuse(&mut self, field: impl Into<UnsupportedField<'p>>) {
        add(&mut self.refused, field.into());
    }

    /// Notes a loss that changes the answer if there is one.
    pub fn refuse_if(&mut self, lost: bool, field: impl Into<UnsupportedField<'p>>) {
        if lost {
            self.refuse(field);
        }
    }

    /// Notes that a hint is left out.
    pub fn leave_out(&mut self, hint: impl Into<UnsupportedField<'p>>) {
        add(&mut self.hints, hint.into());
    }

    /// Notes that a hint is left out if there is one.
    pub fn leave_out_if(&mut self, left_out: bool, hint: impl Into<UnsupportedField<'p>>) {
        if left_out {
            self.leave_out(hint);
        }
    }

    /// Nothing was lost that changes the answer.
    pub fn are_only_hints(&self) -> bool {
        self.refused.is_empty()
    }

    /// Nothing was lost at all.
    pub fn is_empty(&self) -> bool {
        self.refused.is_empty() && self.hints.is_empty()
    }

    /// What was lost that changes the answer.
    pub fn refused(&self) -> Vec<String> {
        names(self.refused.iter())
    }

    /// The hints that are left out.
    pub fn left_out(&self) -> Vec<String> {
        names(self.hints.iter())
    }

    /// All that was lost.
    pub fn into_names(self) -> Vec<String> {
        names(self.refused.iter().chain(&self.hints))
    }
}

/// Their number is bounded, so a long list is no more work a loss than a short one.
fn add<'p>(unsupported: &mut Vec<UnsupportedField<'p>>, field: UnsupportedField<'p>) {
    if unsupported.len() > MOST || unsupported.contains(&field) {
        return;
    }
    unsupported.push(match unsupported.len() == MOST {
        true => UnsupportedField::Named(AND_MORE),
        false => field,
    });
}

fn names<'l, 'p: 'l>(
    unsupported: impl Iterator<Item = &'l UnsupportedField<'p>> + Clone,
) -> Vec<String> {
    let places = unsupported.clone().filter_map(|field| match field {
        UnsupportedField::At(place) => Some(*place),
        UnsupportedField::Named(_) => None,
    });
    let mut paths = paths(&places.collect::<Vec<_>>()).into_iter();
    let mut names: Vec<String> = Vec::new();
    for field in unsupported {
        let name = match field {
            UnsupportedField::Named(name) => (*name).to_owned(),
            UnsupportedField::At(_) => paths.next().unwrap_or_default(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

impl From<&'static str> for UnsupportedField<'_> {
    fn from(name: &'static str) -> Self {
        UnsupportedField::Named(name)
    }
}

impl<'p> From<Place<'p>> for UnsupportedField<'p> {
    fn from(place: Place<'p>) -> UnsupportedField<'p> {
        UnsupportedField::At(place)
    }
}
