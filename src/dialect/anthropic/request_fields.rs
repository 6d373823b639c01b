//! The top-level fields of a messages request that the gateway reads.

use crate::dialect::call::{self, Call, Wanted};
use crate::dialect::Amounts;
use crate::refusal::Invalid;

const FIELDS: &[&str] = &[
    "max_tokens",
    "service_tier",
    "model",
    "messages",
    "stream",
    "inference_geo",
    "anthropic_version",
    "thinking",
];

/// Reads a request body. Its `metadata` carries a user's id and so is no
/// source of tags; usage comes with every stream and need not be asked for.
pub fn read(body: &str) -> Result<Call<'_>, Invalid> {
    let fields = call::read_fields(body, FIELDS)?;
    let wanted = Wanted {
        model: call::string(&fields, "model")?,
        stream: call::flag(&fields, "stream")?,
        thinks: call::thinks(&fields, "thinking"),
    };
    call::filled_list(&fields, "messages")?;
    Ok(Call {
        body,
        wanted,
        amounts: Amounts::of_messages(&fields)?,
        fields,
        hide_usage: false,
        tags: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regions::Dialect;

    #[test]
    fn every_field_an_endpoint_may_fix_is_read() {
        for field in Dialect::AnthropicMessages.fixable() {
            assert!(
                FIELDS.contains(field),
                "{field} would stand in the body twice"
            );
        }
    }

    #[test]
    fn a_field_that_stands_twice_is_refused_however_it_is_spelt() {
        for body in [
            r#"{"model":"a","model":"b","messages":[{}]}"#,
            r#"{"model":"a","mod\u0065l":"b","messages":[{}]}"#,
            r#"{"model":"a","inference_geo":"us","inference_ge\u006f":"global","messages":[{}]}"#,
        ] {
            assert!(matches!(read(body), Err(Invalid::Json { .. })), "{body}");
        }
    }
}
