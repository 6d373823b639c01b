//! What an endpoint is and what is claimed of it. An endpoint is a row of
//! data: host, dialect, credentials, and one claim per model about where that
//! model is processed there.

use serde::{Deserialize, Serialize};
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

/// The language an endpoint or a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Dialect {
    /// OpenAI's chat completions.
    #[serde(rename = "openai-chat")]
    OpenAiChat,
    /// Anthropic's messages.
    #[serde(rename = "anthropic-messages")]
    AnthropicMessages,
}

impl Dialect {
    /// As written in the map and in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::OpenAiChat => "openai-chat",
            Dialect::AnthropicMessages => "anthropic-messages",
        }
    }

    /// Body fields an endpoint may fix. The request's reader must know each of
    /// them: a field it did not know would end up in the body twice, and the
    /// provider might take the caller's.
    pub fn fixable(self) -> &'static [&'static str] {
        match self {
            Dialect::OpenAiChat => &[],
            Dialect::AnthropicMessages => &["inference_geo"],
        }
    }

    /// The operation's path, behind what stands at each host before it.
    pub fn path(self) -> &'static str {
        match self {
            Dialect::OpenAiChat => "/chat/completions",
            Dialect::AnthropicMessages => "/messages",
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
    /// A token that a Google service account signs for; the secret is its key.
    Google {
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
            | Auth::Google { secret } => secret,
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

/// What is claimed of one model at one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The model's own name, the same at every endpoint.
    pub model: String,
    /// What this endpoint calls it.
    pub id: String,
    /// Where it is processed.
    pub hosting: Hosting,
    /// How firmly that is promised.
    pub guarantee: Guarantee,
    /// Where the promise is written.
    pub source: String,
    /// When somebody last checked, `YYYY-MM-DD`.
    pub reviewed: String,
    /// Who did.
    pub reviewer: String,
    /// What this host charges above the list price, in percent.
    #[serde(default)]
    pub uplift_percent: u32,
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
    /// The dialect it speaks.
    pub dialect: Dialect,
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
    /// One claim per model.
    pub models: Vec<Claim>,
}

impl Endpoint {
    /// The claim about one model, if the endpoint serves it.
    pub fn claim(&self, model: &str) -> Option<&Claim> {
        self.models.iter().find(|claim| claim.model == model)
    }
}
