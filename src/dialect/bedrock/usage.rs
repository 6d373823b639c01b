//! Bedrock's usage. Input excludes what caches served, and the counts of
//! caches stand there under two names: one of them is enough.

use crate::dialect::neutral::Json;
use crate::units::Tokens;

/// In kinds that do not overlap.
pub fn tokens(usage: &Json<'_>) -> Tokens {
    let count = |name: &str| usage.count(name);
    let either = |name: &str, other: &str| count(name).or(count(other)).unwrap_or(0);
    let written = either("cacheWriteInputTokens", "cacheWriteInputTokenCount");
    let details = usage.list("cacheDetails").iter();
    let hour = details.filter(|entry| entry.text("ttl") == Some("1h"));
    let hour: u64 = hour.filter_map(|entry| entry.count("inputTokens")).sum();
    let hour = hour.min(written);
    Tokens {
        input: count("inputTokens").unwrap_or(0),
        cache_read: either("cacheReadInputTokens", "cacheReadInputTokenCount"),
        cache_write_5m: written - hour,
        cache_write_1h: hour,
        output: count("outputTokens").unwrap_or(0),
        ..Tokens::default()
    }
}
