//! What the gateway reads of a responses request that goes on as it is.

use crate::dialect::call::{self, Call, Wanted};
use crate::dialect::openai::request::tags;
use crate::refusal::Invalid;

const FIELDS: &[&str] = &[
    "model",
    "stream",
    "metadata",
    "reasoning",
    "max_output_tokens",
];

/// Reads a request body. Usage comes with every stream and need not be asked
/// for.
pub fn read(body: &str) -> Result<Call<'_>, Invalid> {
    let fields = call::read_fields(body, FIELDS)?;
    let wanted = Wanted {
        model: call::string(&fields, "model")?,
        stream: call::flag(&fields, "stream")?,
        thinks: call::thinks(&fields, "reasoning"),
    };
    let tags = call::find(&fields, "metadata").map_or_else(Vec::new, |m| tags(m.json));
    Ok(Call {
        body,
        wanted,
        fields,
        hide_usage: false,
        tags,
    })
}
