//! Who sells models: by which hosts the map reaches them, and what the
//! catalogues call them.

use meridian::regions::Endpoint;

/// One seller.
#[derive(Debug, PartialEq, Eq)]
pub struct Seller {
    /// Its name.
    pub name: &'static str,
    /// How its host names end.
    hosts: &'static [&'static str],
    /// `litellm_provider` begins with one of these.
    litellm: &'static [&'static str],
    /// Its id in genai-prices.
    genai: Option<&'static str>,
    /// Its id in models.dev.
    models_dev: Option<&'static str>,
    /// Whether others' models are sold there too, so that only models of
    /// makers that the map has are of interest.
    pub of_many: bool,
}

/// All sellers. Where several sell a model, the first one's price is the list price.
pub static SELLERS: [Seller; 11] = [
    maker(
        "OpenAI",
        &["api.openai.com"],
        &["openai"],
        "openai",
        "openai",
    ),
    maker(
        "Anthropic",
        &["api.anthropic.com"],
        &["anthropic"],
        "anthropic",
        "anthropic",
    ),
    maker(
        "Google",
        &["generativelanguage.googleapis.com"],
        &["gemini"],
        "google",
        "google",
    ),
    maker(
        "Mistral",
        &["mistral.ai"],
        &["mistral"],
        "mistral",
        "mistral",
    ),
    maker(
        "Cohere",
        &["api.cohere.com"],
        &["cohere", "cohere_chat"],
        "cohere",
        "cohere",
    ),
    maker("xAI", &["api.x.ai"], &["xai"], "x-ai", "xai"),
    maker(
        "DeepSeek",
        &["api.deepseek.com"],
        &["deepseek"],
        "deepseek",
        "deepseek",
    ),
    Seller {
        name: "Groq",
        hosts: &["api.groq.com"],
        litellm: &["groq"],
        genai: Some("groq"),
        models_dev: Some("groq"),
        of_many: true,
    },
    Seller {
        name: "Amazon Bedrock",
        hosts: &["amazonaws.com", "api.aws"],
        litellm: &["bedrock", "bedrock_converse", "bedrock_mantle"],
        genai: Some("aws"),
        models_dev: Some("amazon-bedrock"),
        of_many: true,
    },
    Seller {
        name: "Google Vertex",
        hosts: &["aiplatform.googleapis.com", "rep.googleapis.com"],
        litellm: &[
            "vertex_ai",
            "vertex_ai-language-models",
            "vertex_ai-anthropic_models",
            "vertex_ai-embedding-models",
            "vertex_ai-mistral_models",
        ],
        genai: None,
        models_dev: Some("google-vertex"),
        of_many: true,
    },
    Seller {
        name: "Azure",
        hosts: &["openai.azure.com", "services.ai.azure.com"],
        litellm: &["azure"],
        genai: Some("azure"),
        models_dev: Some("azure"),
        of_many: true,
    },
];

const fn maker(
    name: &'static str,
    hosts: &'static [&'static str],
    litellm: &'static [&'static str],
    genai: &'static str,
    models_dev: &'static str,
) -> Seller {
    Seller {
        name,
        hosts,
        litellm,
        genai: Some(genai),
        models_dev: Some(models_dev),
        of_many: false,
    }
}

impl Seller {
    /// The seller that an endpoint belongs to.
    pub fn of(endpoint: &Endpoint) -> Option<&'static Seller> {
        let reached = |end: &&str| {
            let rest = endpoint.host.strip_suffix(*end);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(['.', '-']))
        };
        SELLERS
            .iter()
            .find(|seller| seller.hosts.iter().any(reached))
    }

    /// The seller that LiteLLM calls so.
    pub fn in_litellm(provider: &str) -> Option<&'static Seller> {
        SELLERS
            .iter()
            .find(|seller| seller.litellm.contains(&provider))
    }

    /// The seller that genai-prices calls so.
    pub fn in_genai(id: &str) -> Option<&'static Seller> {
        SELLERS.iter().find(|seller| seller.genai == Some(id))
    }

    /// The seller that models.dev calls so.
    pub fn in_models_dev(id: &str) -> Option<&'static Seller> {
        SELLERS.iter().find(|seller| seller.models_dev == Some(id))
    }

    /// Its place among all: the smaller, the more its price is the list price.
    pub fn rank(&self) -> usize {
        SELLERS
            .iter()
            .position(|one| one == self)
            .unwrap_or(SELLERS.len())
    }
}
