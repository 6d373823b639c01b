//! The usage of responses. Input includes what caches served, output includes
//! reasoning.

use crate::dialect::neutral::{Json, Object};
use crate::dialect::Beyond;
use crate::units::Tokens;
use std::collections::BTreeMap;

/// In kinds that do not overlap.
pub fn tokens(usage: &Json<'_>) -> Tokens {
    let count = |name: &str| usage.count(name).unwrap_or(0);
    let detail = |of: &str, name: &str| usage.get(of).and_then(|d| d.count(name)).unwrap_or(0);
    // A part is never larger than its total, whatever is reported.
    let input = count("input_tokens");
    let read = detail("input_tokens_details", "cached_tokens").min(input);
    let written = detail("input_tokens_details", "cache_write_tokens").min(input - read);
    Tokens {
        input: input - read - written,
        cache_read: read,
        cache_write_5m: written,
        output: count("output_tokens"),
        reasoning: detail("output_tokens_details", "reasoning_tokens"),
        ..Tokens::default()
    }
}

/// Items that cost only their tokens: text of the model, and tools that the client
/// runs.
const FREE: [&str; 22] = [
    "message",
    "reasoning",
    "compaction",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "computer_call",
    "computer_call_output",
    "local_shell_call",
    "local_shell_call_output",
    "shell_call",
    "shell_call_output",
    "apply_patch_call",
    "apply_patch_call_output",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "tool_search_call",
    "tool_search_output",
    // Programs themselves may have a price: they are named.
    "program_output",
    "additional_tools",
];

/// Whether a command ran in a container of the provider's and not at the client.
pub fn ran_in_container(item: &Json<'_>) -> bool {
    let place = item.get("environment").and_then(|place| place.text("type"));
    place.is_some_and(|place| place != "local")
}

/// How many searches one call is on the bill: one for each of its queries, and none
/// where a page that was found is opened or looked through.
fn searches(item: &Json<'_>) -> u64 {
    let Some(action) = item.get("action") else {
        return 1;
    };
    match action.text("type").unwrap_or_default() {
        "open_page" | "find_in_page" => 0,
        _ => (action.list("queries").len() as u64).max(1),
    }
}

/// Counts the tools that ran at the provider, which stand in the answer and not
/// in its usage. Where a provider counts them itself, its count goes first: one
/// call can be several searches.
pub fn tools_that_ran(response: &Json<'_>, beyond: &mut Beyond) {
    if let Some(counts @ Json::Object(_)) = response.get("tool_usage") {
        beyond.tools(&counts.to_text());
    }
    let mut ran: BTreeMap<&str, u64> = BTreeMap::new();
    for item in response.list("output") {
        let kind = match item.text("type").unwrap_or_default() {
            "web_search_call" => {
                let searches = searches(item);
                if searches > 0 {
                    let sum = ran.entry("web-search").or_default();
                    *sum = sum.saturating_add(searches);
                }
                continue;
            }
            "x_search_call" => "web-search",
            "file_search_call" => "file-search",
            "code_interpreter_call" => "code-execution",
            "image_generation_call" => "image-generation",
            "mcp_call" => "mcp",
            "shell_call" if ran_in_container(item) => "code-execution",
            known if FREE.contains(&known) => continue,
            // An unknown tool may have a price.
            other => {
                beyond.mark(&format!("output.{other}"));
                continue;
            }
        };
        *ran.entry(kind).or_default() += 1;
    }
    for (kind, count) in ran {
        if !beyond.uses.contains_key(kind) {
            beyond.used(kind, count);
        }
    }
}

/// The usage of another dialect, in this counting.
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, Value};

    #[test]
    fn guard_searches_are_counted_as_they_are_billed() {
        let items = json!([
            {"type": "web_search_call", "action": {"type": "search", "queries": ["a", "b"]}},
            {"type": "web_search_call", "action": {"type": "open_page", "url": "https://a.example"}},
            {"type": "web_search_call"},
        ]);
        let other = json!({"image_gen": {"input_tokens": 5}, "fax": {"pages": 2}});
        for (told, wanted, unknown) in [
            (json!({"web_search": {"num_requests": 7}}), 7, None),
            (json!({"web_search": {"num_requests": 0}}), 3, None),
            (Value::Null, 3, None),
            (other, 3, Some("tool_usage.fax.pages")),
        ] {
            let response = json!({"output": items, "tool_usage": told}).to_string();
            let mut beyond = Beyond::default();
            tools_that_ran(&Json::parse(&response).unwrap(), &mut beyond);
            assert_eq!(beyond.uses.get("web-search"), Some(&wanted), "{told}");
            assert_eq!(beyond.unknown.first().map(String::as_str), unknown);
        }
    }
}
