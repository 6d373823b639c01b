//! What the gateway reads of a messages request.

use crate::dialect::call::{self, Call, Wanted};
use crate::refusal::Invalid;

const FIELDS: &[&str] = &["model", "messages", "stream", "inference_geo"];

/// Reads a request body. Its `metadata` carries a user's id and so is no
/// source of tags; usage comes with every stream and need not be asked for.
pub fn read(body: &str) -> Result<Call<'_>, Invalid> {
    let fields = call::read_fields(body, FIELDS)?;
    let wanted = Wanted {
        model: call::string(&fields, "model")?,
        stream: call::flag(&fields, "stream")?,
    };
    call::filled_list(&fields, "messages")?;
    Ok(Call {
        body,
        wanted,
        fields,
        hide_usage: false,
        tags: Vec::new(),
    })
}
