//! What an endpoint is and what is claimed of it. An endpoint is a row of
//! data: host, dialect, credentials, and one claim per model about where that
//! model is processed there.

use super::claim::Claim;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A place where requests are processed, as the map names it: `eu`, `us`, `jp`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hosting(pub String);

impl fmt::Display for Hosting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a provider promises about a place, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Guarantee {
    /// A location without a promise.
    #[serde(rename = "none")]
    None,
    /// Data at rest stays there.
    #[serde(rename = "storage")]
    Storage,
    /// Requests are processed there.
    #[serde(rename = "processing")]
    Processing,
    /// Processed and stored there.
    #[serde(rename = "processing+storage")]
    ProcessingAndStorage,
}

impl Guarantee {
    /// As written in the map.
    pub fn as_str(self) -> &'static str {
        match self {
            Guarantee::None => "none",
            Guarantee::Storage => "storage",
            Guarantee::Processing => "processing",
            Guarantee::ProcessingAndStorage => "processing+storage",
        }
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The language an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Dialect {
    /// OpenAI's chat completions.
    #[serde(rename = "openai-chat")]
    OpenAiChat,
    /// OpenAI's responses.
    #[serde(rename = "openai-responses")]
    OpenAiResponses,
    /// Anthropic's messages.
    #[serde(rename = "anthropic-messages")]
    AnthropicMessages,
    /// Bedrock's Converse.
    #[serde(rename = "bedrock-converse")]
    BedrockConverse,
    /// Google's generateContent, at the Gemini API and at Vertex.
    #[serde(rename = "gemini")]
    Gemini,
    /// Cohere's embeddings.
    #[serde(rename = "cohere-embed")]
    CohereEmbed,
}

impl Dialect {
    /// As written in the map and in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::OpenAiChat => "openai-chat",
            Dialect::OpenAiResponses => "openai-responses",
            Dialect::AnthropicMessages => "anthropic-messages",
            Dialect::BedrockConverse => "bedrock-converse",
            Dialect::Gemini => "gemini",
            Dialect::CohereEmbed => "cohere-embed",
        }
    }

    /// Body fields an endpoint may fix. The request's reader must know each of
    /// them: a field it did not know would end up in the body twice, and the
    /// provider might take the caller's.
    pub fn fixable(self) -> &'static [&'static str] {
        match self {
            Dialect::AnthropicMessages => &["inference_geo", "anthropic_version"],
            _ => &[],
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an endpoint wants to be paid for: which header, which secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Auth {
    /// `Authorization: Bearer <secret>`.
    Bearer {
        /// Name of the Worker secret.
        secret: String,
    },
    /// `x-api-key: <secret>`.
    ApiKey {
        /// Name of the Worker secret.
        secret: String,
    },
    /// `api-key: <secret>`, as Azure has it.
    AzureKey {
        /// Name of the Worker secret.
        secret: String,
    },
    /// `x-goog-api-key: <secret>`.
    GoogleKey {
        /// Name of the Worker secret.
        secret: String,
    },
    /// A token that a Google service account signs for; the secret is its key,
    /// the JSON file that Google gives out.
    Google {
        /// Name of the Worker secret.
        secret: String,
    },
    /// A token that Microsoft Entra gives an application; the secret is
    /// `tenant:client id:client secret`.
    Entra {
        /// Name of the Worker secret.
        secret: String,
    },
    /// A signature by an AWS access key; the secret is `id:secret`, or
    /// `id:secret:session token`.
    SigV4 {
        /// Name of the Worker secret.
        secret: String,
    },
}

impl Auth {
    /// The name of the Worker secret that holds the credential.
    pub fn secret(&self) -> &str {
        match self {
            Auth::Bearer { secret }
            | Auth::ApiKey { secret }
            | Auth::AzureKey { secret }
            | Auth::GoogleKey { secret }
            | Auth::Google { secret }
            | Auth::Entra { secret }
            | Auth::SigV4 { secret } => secret,
        }
    }

    /// How it pays, as the map writes it before the colon.
    pub fn kind(&self) -> &'static str {
        match self {
            Auth::Bearer { .. } => "bearer",
            Auth::ApiKey { .. } => "x-api-key",
            Auth::AzureKey { .. } => "api-key",
            Auth::GoogleKey { .. } => "x-goog-api-key",
            Auth::Google { .. } => "google",
            Auth::Entra { .. } => "entra",
            Auth::SigV4 { .. } => "sigv4",
        }
    }
}

/// What kind of deployment an Azure endpoint is. Its host name does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sku {
    /// Pay as you go, in the resource's region.
    Standard,
    /// Provisioned, in the resource's region.
    ProvisionedManaged,
    /// Pay as you go, in the data zone: the EU or the US.
    DataZoneStandard,
    /// Provisioned, in the data zone.
    DataZoneProvisionedManaged,
    /// Pay as you go, anywhere.
    GlobalStandard,
    /// Provisioned, anywhere.
    GlobalProvisionedManaged,
    /// For trials: no promise of any kind.
    DeveloperTier,
}

impl Sku {
    /// As Azure and the map write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Sku::Standard => "Standard",
            Sku::ProvisionedManaged => "ProvisionedManaged",
            Sku::DataZoneStandard => "DataZoneStandard",
            Sku::DataZoneProvisionedManaged => "DataZoneProvisionedManaged",
            Sku::GlobalStandard => "GlobalStandard",
            Sku::GlobalProvisionedManaged => "GlobalProvisionedManaged",
            Sku::DeveloperTier => "DeveloperTier",
        }
    }
}

/// When an endpoint's streams say what was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamUsage {
    /// When the request asks for it.
    #[default]
    Asked,
    /// Always; the request need not ask, and may be refused if it does.
    Always,
}

/// How a model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThinkingStyle {
    /// Not at all: it cannot.
    None,
    /// By a word for the effort.
    Effort,
    /// By a number of tokens.
    Budget,
    /// It decides itself; a word for the effort steers it.
    Adaptive,
}

impl ThinkingStyle {
    /// As written in the map.
    pub fn as_str(self) -> &'static str {
        match self {
            ThinkingStyle::None => "none",
            ThinkingStyle::Effort => "effort",
            ThinkingStyle::Budget => "budget",
            ThinkingStyle::Adaptive => "adaptive",
        }
    }
}

/// Where an endpoint's operations are, if not where its dialect has them.
/// `{model}` stands for the model's id there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paths {
    /// For an answer in one piece.
    pub once: String,
    /// For a stream.
    pub stream: String,
}

/// What an endpoint does otherwise than its dialect. An endpoint that has any
/// gets requests written anew, not the client's own bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Quirks {
    /// Fields at the top of the body that have another name there.
    pub rename: BTreeMap<String, String>,
    /// Fields at the top of the body that it does not know.
    pub unknown: Vec<String>,
    /// Settings beyond its dialect that it knows, such as `top_k`.
    pub known: Vec<String>,
    /// Ids of tool calls must be nine letters or digits.
    pub short_ids: bool,
    /// Documents stand at `document_url`, also those that are in the request.
    #[serde(default)]
    pub document_urls: bool,
    /// The highest temperature that it takes.
    #[serde(default)]
    pub max_temperature: Option<serde_json::Number>,
}

impl Quirks {
    /// Whether there are any.
    pub fn are_any(&self) -> bool {
        *self != Quirks::default()
    }
}

/// One provider endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its name in the map: `openai-eu`.
    pub name: String,
    /// The host that is contacted.
    pub host: String,
    /// What stands between the host and the dialect's path, mostly `/v1`.
    pub base_path: String,
    /// The dialects it speaks, never none: a client's own if it is among
    /// them, else the first.
    pub dialects: Vec<Dialect>,
    /// Where its operations are, if not where its dialect has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Paths>,
    /// What stands behind the path, as `api-version=2024-10-21`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Headers that are set whatever the caller says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Body fields that are taken out: the address says them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// What it does otherwise than its dialect.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub quirks: Quirks,
    /// The credential it wants.
    pub auth: Auth,
    /// Body fields that the claims depend on: set whatever the caller says.
    #[serde(default)]
    pub fixed: Vec<(String, serde_json::Value)>,
    /// When its streams say what was used.
    #[serde(default)]
    pub stream_usage: StreamUsage,
    /// Azure's kind of deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// Listed but never used, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off: Option<String>,
    /// Why it may be the only endpoint that serves a model in a zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<String>,
    /// One claim per model.
    pub models: Vec<Claim>,
}

fn is_plain(quirks: &Quirks) -> bool {
    !quirks.are_any()
}

impl Endpoint {
    /// Whether it speaks a dialect.
    pub fn speaks(&self, dialect: Dialect) -> bool {
        self.dialects.contains(&dialect)
    }

    /// Its dialects in words.
    pub fn spoken(&self) -> String {
        let words: Vec<&str> = self.dialects.iter().map(|d| d.as_str()).collect();
        words.join(", ")
    }

    /// The claim about one model, if the endpoint serves it.
    pub fn claim(&self, model: &str) -> Option<&Claim> {
        self.models.iter().find(|claim| claim.model == model)
    }
}
