//! Google's usage. Thinking is not in the output count, and tool prompts are not in the
//! input count; cached tokens are in the input count.

use crate::dialect::neutral::Json;
use crate::units::Tokens;

/// In kinds that do not overlap.
pub fn tokens(usage: &Json<'_>) -> Tokens {
    let count = |name: &str| usage.count(name).unwrap_or(0);
    let audio = |name: &str| -> u64 {
        let entries = usage.list(name).iter();
        let audio = entries.filter(|entry| entry.text("modality") == Some("AUDIO"));
        audio.filter_map(|entry| entry.count("tokenCount")).sum()
    };
    let audio_input = audio("promptTokensDetails");
    let audio_output = audio("candidatesTokensDetails");
    let prompt = count("promptTokenCount").saturating_add(count("toolUsePromptTokenCount"));
    let cached = count("cachedContentTokenCount").min(prompt);
    let thoughts = count("thoughtsTokenCount");
    let said = count("candidatesTokenCount").saturating_sub(audio_output);
    Tokens {
        input: (prompt - cached).saturating_sub(audio_input),
        cache_read: cached,
        audio_input,
        output: said.saturating_add(thoughts),
        reasoning: thoughts,
        audio_output,
        ..Tokens::default()
    }
}
