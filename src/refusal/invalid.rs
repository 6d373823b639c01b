//! What is wrong with a body, and where.

use std::fmt;

/// Why a body is not a valid request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalid {
    /// It is not UTF-8.
    Encoding,
    /// It is not valid gzip, or incomplete.
    Gzip,
    /// It is not a JSON object, or has a duplicate field.
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
    /// A field is not a whole number in the allowed range.
    Number {
        /// Where it stands.
        field: String,
        /// The least it may be.
        least: u64,
        /// The most.
        most: u64,
    },
    /// It asks for more choices than the model allows.
    Answers {
        /// Where it stands.
        field: String,
        /// The most that is claimed.
        most: u64,
        /// Of this model.
        model: String,
    },
    /// It holds more values than a body of its length may, or an object in it more
    /// fields.
    TooManyValues {
        /// How many it may hold.
        most: usize,
    },
    /// A field has an unknown value.
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
            Invalid::Encoding => f.write_str("The body is not valid UTF-8. Send it as JSON in UTF-8."),
            Invalid::Gzip => f.write_str(
                "The body has the content-encoding `gzip`, but it is not valid gzip, is incomplete, or has too many blocks. Send it again, or uncompressed.",
            ),
            Invalid::Json { detail } => write!(f, "The body is not valid JSON: {detail}."),
            Invalid::TooManyValues { most } => write!(
                f,
                "The body, or an object in it, has more than {most} values, which is too many for its size. Send fewer and longer messages and parts."
            ),
            Invalid::Missing { field } => write!(f, "The required field `{field}` is missing."),
            Invalid::Type { field, expected } => {
                write!(f, "The field `{field}` must be {expected}.")
            }
            Invalid::Number { field, least, most } => write!(f, "The field `{field}` must be a whole number from {least} to {most}, written in digits only."),
            Invalid::Answers { field, most, model } => write!(f, "The field `{field}` asks for more choices than the {most} that the model `{model}` allows for one request (`max_choices` in regions/endpoints). Nothing was sent to a provider. Ask for fewer."),
            Invalid::Value { field, value } => {
                write!(
                    f,
                    "The field `{field}` has the unknown value `{value}`."
                )
            }
        }
    }
}
