//! What a client may call: the operations that its SDK knows, and which of an
//! endpoint's dialects can serve each.

use crate::regions::{Claim, Dialect, Endpoint};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An operation that clients call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Api {
    /// OpenAI's chat completions.
    #[serde(rename = "openai-chat")]
    Chat,
    /// OpenAI's completions of a prompt, the API before chat.
    #[serde(rename = "openai-completions")]
    Completions,
    /// OpenAI's responses.
    #[serde(rename = "openai-responses")]
    Responses,
    /// Operations on a stored response.
    #[serde(rename = "openai-responses-stored")]
    Stored,
    /// OpenAI's counting of a response's input.
    #[serde(rename = "openai-input-tokens")]
    InputTokens,
    /// OpenAI's compaction of a conversation for its responses.
    #[serde(rename = "openai-compact")]
    Compact,
    /// OpenAI's embeddings.
    #[serde(rename = "openai-embeddings")]
    Embeddings,
    /// Anthropic's messages.
    #[serde(rename = "anthropic-messages")]
    Messages,
    /// Anthropic's counting of a message's tokens.
    #[serde(rename = "anthropic-count-tokens")]
    CountTokens,
}

/// A client's dialect: its requests, answers and errors are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// OpenAI's chat completions.
    Chat,
    /// OpenAI's responses.
    Responses,
    /// Anthropic's messages.
    Messages,
}

/// Whose SDK it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// OpenAI's.
    OpenAi,
    /// Anthropic's.
    Anthropic,
    /// Google's: no operation of it is served.
    Google,
    /// Amazon's: no operation of it is served.
    Aws,
}

impl Api {
    /// All there are.
    pub const ALL: [Api; 9] = [
        Api::Chat,
        Api::Completions,
        Api::Responses,
        Api::Stored,
        Api::InputTokens,
        Api::Compact,
        Api::Embeddings,
        Api::Messages,
        Api::CountTokens,
    ];

    /// As written in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Api::Chat => "openai-chat",
            Api::Completions => "openai-completions",
            Api::Responses => "openai-responses",
            Api::Stored => "openai-responses-stored",
            Api::InputTokens => "openai-input-tokens",
            Api::Compact => "openai-compact",
            Api::Embeddings => "openai-embeddings",
            Api::Messages => "anthropic-messages",
            Api::CountTokens => "anthropic-count-tokens",
        }
    }

    /// Where clients call it.
    pub fn path(self) -> &'static str {
        match self {
            Api::Chat => "/v1/chat/completions",
            Api::Completions => "/v1/completions",
            Api::Responses => "/v1/responses",
            Api::Stored => "/v1/responses/{id}",
            Api::InputTokens => "/v1/responses/input_tokens",
            Api::Compact => "/v1/responses/compact",
            Api::Embeddings => "/v1/embeddings",
            Api::Messages => "/v1/messages",
            Api::CountTokens => "/v1/messages/count_tokens",
        }
    }

    /// The dialect of its clients.
    pub fn client(self) -> Client {
        match self {
            Api::Chat | Api::Completions | Api::Embeddings => Client::Chat,
            Api::Responses | Api::Stored | Api::InputTokens | Api::Compact => Client::Responses,
            Api::Messages | Api::CountTokens => Client::Messages,
        }
    }

    /// Whose SDK calls it.
    pub fn family(self) -> Family {
        match self.client() {
            Client::Messages => Family::Anthropic,
            Client::Chat | Client::Responses => Family::OpenAi,
        }
    }

    /// Whether it is free: the provider generates nothing for it.
    pub fn is_free(self) -> bool {
        self.counts() || self == Api::Stored
    }

    /// Whether it counts tokens alone.
    pub fn counts(self) -> bool {
        matches!(self, Api::CountTokens | Api::InputTokens)
    }

    /// The dialect it is itself.
    pub fn native(self) -> Dialect {
        match self.client() {
            Client::Chat => Dialect::OpenAiChat,
            Client::Responses => Dialect::OpenAiResponses,
            Client::Messages => Dialect::AnthropicMessages,
        }
    }

    /// The dialect an endpoint serves it in: the client's own if it has that, else the
    /// first that can.
    fn dialect_at(self, endpoint: &Endpoint) -> Option<Dialect> {
        // An endpoint that says where its operation is has that one alone.
        let embeds = self == Api::Embeddings;
        let talks = matches!(self, Api::Chat | Api::Responses | Api::Messages);
        if endpoint.paths.is_some() {
            let only = super::embed::predicts(endpoint);
            if only && !embeds || !only && !talks {
                return None;
            }
        }
        // Anthropic's token counting has no `inference_geo`, so it cannot be held to a
        // place.
        let is_held = |(field, _): &(String, _)| field == "inference_geo";
        if self.counts() && endpoint.fixed.iter().any(is_held) {
            return None;
        }
        let able = |dialect: &Dialect| self.served_in(*dialect);
        match endpoint.speaks(self.native()) && able(&self.native()) {
            true => Some(self.native()),
            false => endpoint.dialects.iter().copied().find(able),
        }
    }

    /// The dialect in which an endpoint serves it with one of its models. Completions
    /// are never translated, so they are served only where the claim says so and the
    /// endpoint takes the client's own bytes.
    pub fn dialect_for(self, endpoint: &Endpoint, claim: &Claim) -> Option<Dialect> {
        let takes_prompts = claim.completions && !endpoint.quirks.are_any();
        match self {
            Api::Completions if !takes_prompts => None,
            _ => self.dialect_at(endpoint),
        }
    }

    fn served_in(self, dialect: Dialect) -> bool {
        match self {
            Api::Chat | Api::Responses | Api::Messages => dialect != Dialect::CohereEmbed,
            Api::Completions => dialect == Dialect::OpenAiChat,
            Api::Stored | Api::Compact => dialect == Dialect::OpenAiResponses,
            Api::Embeddings => matches!(
                dialect,
                Dialect::OpenAiChat
                    | Dialect::OpenAiResponses
                    | Dialect::Gemini
                    | Dialect::CohereEmbed
            ),
            Api::CountTokens | Api::InputTokens => matches!(
                dialect,
                Dialect::AnthropicMessages
                    | Dialect::OpenAiResponses
                    | Dialect::BedrockConverse
                    | Dialect::Gemini
            ),
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
