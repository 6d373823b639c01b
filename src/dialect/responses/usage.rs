//! The usage of responses. Input includes what caches served, output includes
//! reasoning.

use crate::dialect::form::{Json, Object};
use crate::units::Tokens;

/// In kinds that do not overlap.
pub fn tokens(usage: &Json<'_>) -> Tokens {
    let count = |name: &str| usage.count(name).unwrap_or(0);
    let detail = |of: &str, name: &str| usage.get(of).and_then(|d| d.count(name)).unwrap_or(0);
    let read = detail("input_tokens_details", "cached_tokens");
    let written = detail("input_tokens_details", "cache_write_tokens");
    Tokens {
        input: count("input_tokens")
            .saturating_sub(read)
            .saturating_sub(written),
        cache_read: read,
        cache_write_5m: written,
        output: count("output_tokens"),
        reasoning: detail("output_tokens_details", "reasoning_tokens"),
        ..Tokens::default()
    }
}

/// The same the other way.
pub fn object(tokens: &Tokens) -> Object<'static> {
    let (input, output) = (tokens.input_total(), tokens.output_total());
    Object::new()
        .with("input_tokens", input)
        .with(
            "input_tokens_details",
            Object::new().with("cached_tokens", tokens.cache_read),
        )
        .with("output_tokens", output)
        .with(
            "output_tokens_details",
            Object::new().with("reasoning_tokens", tokens.reasoning),
        )
        .with("total_tokens", input.saturating_add(output))
}
