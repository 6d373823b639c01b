//! A call to which a budget applies and whose maximum cost is unknown: what makes it
//! unknown, and which line in which file would make it known.

use std::fmt;

/// What makes the maximum cost of a call unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbounded {
    /// The budget.
    pub limit: String,
    /// The endpoint that it would go to.
    pub endpoint: String,
    /// The model.
    pub model: String,
    /// Where in the request.
    pub at: String,
    /// What the provider would do, as in "asks the provider to …".
    pub does: String,
    /// What is not known.
    pub missing: Missing,
}

/// What is unknown about a call's cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The context length of the model.
    Context,
    /// How often a tool is run.
    Uses {
        /// The kind of egress.
        kind: String,
    },
    /// What a run of it costs.
    UsePrice {
        /// The kind of egress.
        kind: String,
    },
    /// The other model that works on it, and its price.
    OtherModel,
    /// What is charged for another tier.
    Tier,
    /// No setting could make it known.
    Nothing,
}

impl fmt::Display for Unbounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (endpoint, model) = (&self.endpoint, &self.model);
        write!(f, "The budget `{}` applies to this call, and the maximum cost of the call is unknown: `{}` asks the provider to {}", self.limit, self.at, self.does)?;
        let claim = format!("[{endpoint}.models.\"{model}\"");
        match &self.missing {
            Missing::Context => write!(f, ", and what it reads there is not in the request. Nothing was sent to a provider. Send the content as text, or have an operator add `context`, the most input tokens that the model accepts, under `{claim}]` in regions/endpoints."),
            Missing::Uses { kind } => write!(f, ", without a limit on how often. Nothing was sent to a provider. Set the limit in the request (`max_uses` for Anthropic's searches, `max_tool_calls` in responses), or have an operator add `max_uses` under `{claim}.egress.{kind}]` in regions/endpoints."),
            Missing::UsePrice { kind } => write!(f, ", and the model `{model}` has no price for it. Nothing was sent to a provider. Remove it, or have an operator add the price of `{kind}` to prices.toml."),
            Missing::OtherModel => f.write_str(", at a price that the gateway does not know. Nothing was sent to a provider. Remove it."),
            Missing::Tier => f.write_str(", at a price that the gateway does not know. Nothing was sent to a provider. Remove it."),
            Missing::Nothing => f.write_str(", and how much it reads there cannot be known. Nothing was sent to a provider. Send the content itself."),
        }
    }
}
