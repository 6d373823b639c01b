//! Why a body is no request, and where it is not.

use std::fmt;

/// Why a body is no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalid {
    /// It is not UTF-8.
    Encoding,
    /// It is no JSON object, or a field stands in it twice.
    Json {
        /// What the parser says, with line and column.
        detail: String,
    },
    /// A field is missing.
    Missing {
        /// Where it should stand, as `messages[2].content`.
        field: String,
    },
    /// A field is of the wrong type.
    Type {
        /// Where it stands.
        field: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A field says what is not known.
    Value {
        /// Where it stands.
        field: String,
        /// What it says.
        value: String,
    },
}

impl Invalid {
    /// What the JSON parser says, with line and column.
    pub fn of(error: &serde_json::Error) -> Invalid {
        Invalid::Json {
            detail: error.to_string(),
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Invalid::Encoding => f.write_str("The body is not UTF-8."),
            Invalid::Json { detail } => write!(f, "The body is not valid JSON: {detail}."),
            Invalid::Missing { field } => write!(f, "The body lacks the field `{field}`."),
            Invalid::Type { field, expected } => {
                write!(f, "The field `{field}` must be {expected}.")
            }
            Invalid::Value { field, value } => {
                write!(
                    f,
                    "The field `{field}` says `{value}`, which is not known here."
                )
            }
        }
    }
}
