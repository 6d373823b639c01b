//! The endpoint and the model a request is written for.

use super::Signers;
use crate::regions::{Claim, Endpoint, Quirks, StreamUsage, ThinkingStyle};

/// The endpoint and the model that a request is written for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'t> {
    /// The endpoint's name.
    pub endpoint: &'t str,
    /// What it calls the model.
    pub model: &'t str,
    /// The model by its own name.
    pub name: &'t str,
    /// Its deviations from its dialect.
    pub quirks: &'t Quirks,
    /// How thinking is requested.
    pub thinking: Option<ThinkingStyle>,
    /// Fields of the dialect that the model does not take.
    pub without: &'t [String],
    /// Whose signatures it takes, and who else does.
    pub signers: &'t Signers<'t>,
    /// The output limit for dialects that require one, where the client sets none.
    pub max_output: u64,
    /// The most tokens that the model generates, thinking included.
    pub longest: u64,
    /// Its streams report usage only on request.
    pub asks_for_usage: bool,
}

/// The output limit for dialects that require one, where the client sets none: enough
/// for nearly any response, and far less to reserve than the maximum of current models.
pub const USUAL_MAX_OUTPUT: u64 = 16_384;
/// The most tokens that a model generates where nothing is claimed.
pub const LONGEST_OUTPUT: u64 = 128_000;

impl<'t> Target<'t> {
    /// From the map.
    pub fn of(endpoint: &'t Endpoint, claim: &'t Claim, signers: &'t Signers<'t>) -> Target<'t> {
        let longest = claim.max_output.map_or(LONGEST_OUTPUT, u64::from);
        Target {
            endpoint: &endpoint.name,
            model: &claim.id,
            name: &claim.model,
            quirks: &endpoint.quirks,
            thinking: claim.thinking,
            without: &claim.without,
            signers,
            max_output: longest.min(USUAL_MAX_OUTPUT),
            longest,
            asks_for_usage: endpoint.stream_usage == StreamUsage::Asked,
        }
    }

    /// Whether the model is one of Anthropic's, wherever it is hosted.
    pub fn is_claude(&self) -> bool {
        [self.model, self.name]
            .iter()
            .any(|name| name.contains("claude"))
    }
}
