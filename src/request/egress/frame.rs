//! The state of the open objects and lists in a scan.

use super::{cut, Found};

/// The meaning of a field's value, from the field's name.
#[derive(Debug, Clone, Copy)]
pub enum Meaning<'r> {
    /// Nothing; what is inside is looked at.
    Plain,
    /// The value belongs to the caller and is not inspected.
    Opaque,
    /// The value says what its object is.
    Type,
    /// The value lists beta features.
    Betas,
    /// A kind of egress.
    Kind(&'r str),
    /// It is unknown.
    Unknown,
}

/// An object or a list that is open.
pub struct Frame<'r, 'b> {
    pub is_object: bool,
    /// The field whose value comes next, as it stands in the body.
    pub key: Option<&'b str>,
    /// What the value that comes next means.
    pub meaning: Meaning<'r>,
    /// The place of the value that comes next, in a list.
    pub index: usize,
    pub opaque: bool,
    /// The field that holds it asks for something already.
    pub asked: bool,
    pub own: Own,
}

impl Frame<'_, '_> {
    /// Adds to a path where the value stands that comes next.
    pub fn step(&self, path: &mut String) {
        match self.is_object {
            true => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&cut(self.key.unwrap_or_default()));
            }
            false => path.push_str(&format!("[{}]", self.index)),
        }
    }

    /// Whether plain values in it mean nothing.
    pub fn says_nothing(&self) -> bool {
        !self.is_object && (self.opaque || matches!(self.meaning, Meaning::Plain))
    }
}

/// What an object says of itself.
#[derive(Default)]
pub struct Own {
    pub typed: bool,
    /// One of its types is more than the mention of something.
    pub means_it: bool,
    /// What its type asks for.
    pub types: Vec<Found>,
    /// What its fields ask for.
    pub fields: Vec<Found>,
    pub uses: Option<u64>,
    pub uses_told: bool,
    /// Fields that are not null, and whether one of them is `id`.
    pub filled: usize,
    pub has_id: bool,
}

impl Own {
    /// Takes in how often it may be done. Two different numbers are ambiguous, so
    /// neither counts.
    pub fn tell_uses(&mut self, value: Scalar<'_>) {
        let number = match value {
            Scalar::Other(number) => number.parse().ok(),
            Scalar::Text(_) => None,
        };
        self.uses = number.filter(|_| !self.uses_told);
        self.uses_told = true;
    }
}

/// A value that holds no others.
#[derive(Clone, Copy)]
pub enum Scalar<'b> {
    /// A string, as it stands between its quotes.
    Text(&'b str),
    /// Anything else.
    Other(&'b str),
}

impl Scalar<'_> {
    /// Whether it is the same as nothing.
    pub fn is_off(self) -> bool {
        matches!(self, Scalar::Text("") | Scalar::Other("null" | "false"))
    }
}
