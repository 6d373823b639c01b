//! Fields of a request that the target dialect does not support. A writer leaves them
//! out and lists them here. Fields that change the response are refused, unless the
//! client allows to drop them; hints are left out. Both are reported.

use super::place::{paths, Place};

/// The most fields that are listed by name.
const MOST: usize = 64;

/// Stands for all further fields.
const AND_MORE: &str = "and more";

/// What is not supported, by the client's names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UnsupportedFields<'p> {
    /// Fields that change the response.
    refused: Vec<UnsupportedField<'p>>,
    /// Fields that do not.
    hints: Vec<UnsupportedField<'p>>,
}

/// A field that is not supported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UnsupportedField<'p> {
    /// A parameter, by its name.
    Named(&'static str),
    /// A place in the body.
    At(Place<'p>),
}

impl<'p> UnsupportedFields<'p> {
    /// Lists a field that changes the response.
    pub fn refuse(&mut self, field: impl Into<UnsupportedField<'p>>) {
        add(&mut self.refused, field.into());
    }

    /// The same, if `lost`.
    pub fn refuse_if(&mut self, lost: bool, field: impl Into<UnsupportedField<'p>>) {
        if lost {
            self.refuse(field);
        }
    }

    /// Lists a hint that is left out.
    pub fn leave_out(&mut self, hint: impl Into<UnsupportedField<'p>>) {
        add(&mut self.hints, hint.into());
    }

    /// The same, if `left_out`.
    pub fn leave_out_if(&mut self, left_out: bool, hint: impl Into<UnsupportedField<'p>>) {
        if left_out {
            self.leave_out(hint);
        }
    }

    /// Whether no listed field changes the response.
    pub fn are_only_hints(&self) -> bool {
        self.refused.is_empty()
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.refused.is_empty() && self.hints.is_empty()
    }

    /// The fields that change the response.
    pub fn refused(&self) -> Vec<String> {
        names(self.refused.iter())
    }

    /// The hints that are left out.
    pub fn left_out(&self) -> Vec<String> {
        names(self.hints.iter())
    }

    /// All fields.
    pub fn into_names(self) -> Vec<String> {
        names(self.refused.iter().chain(&self.hints))
    }
}

/// The number is bounded, so that adding a field is constant work.
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
