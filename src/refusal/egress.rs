//! A request that asks a provider to do what its zone does not allow: what was
//! asked for, and which line in which file would allow it.

use crate::regions::egress::Forbidden;
use std::fmt;

/// Whether what was asked for is a tool that could be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It is not such a tool.
    No,
    /// It can be left out if the client asks.
    CanGo,
    /// The client asked to leave it out, and it could not be left out.
    Kept,
}

/// What was asked for, and why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressRefused {
    /// Where in the request.
    pub at: String,
    /// The word that asks for it.
    pub word: String,
    /// The kind of egress.
    pub kind: String,
    /// What the provider would do, as in "asks the provider to …".
    pub does: String,
    /// What the client can do in its place, as a sentence; may be empty.
    pub instead: String,
    /// Whether it could be left out.
    pub offer: Offer,
    /// The host that the request names; empty where it cannot be determined.
    pub host: Option<String>,
    /// The dialect of the request, as `regions/egress.toml` names it.
    pub dialect: &'static str,
    /// Why it is not allowed.
    pub forbidden: Forbidden,
}

impl EgressRefused {
    /// The word, where the path does not end in it already.
    fn asked(&self) -> String {
        match self.at.ends_with(&self.word) || self.word.is_empty() {
            true => format!("`{}`", self.at),
            false => format!("`{}` (`{}`)", self.at, self.word),
        }
    }

    /// Whether it is a thread of messages that Anthropic is to keep. Its SDK continues
    /// without one if it gets the error of `dialect/anthropic/error.rs`.
    pub fn is_thread(&self) -> bool {
        let is_anthropics = self.dialect == "anthropic-messages";
        is_anthropics && (self.word == "thread" || self.word.starts_with("message-threads-"))
    }

    /// What to do.
    fn instead(&self) -> &str {
        match self.instead.as_str() {
            "" => "Remove it",
            instead => instead,
        }
    }

    /// What else can be done where it is a tool.
    fn otherwise(&self) -> &'static str {
        match self.offer {
            Offer::No => "",
            Offer::CanGo => ", or send the header `meridian-on-unsupported: drop` to have it left out and listed in the reply",
            Offer::Kept => " from `tools` and from `tool_choice`: `meridian-on-unsupported: drop` leaves out only tools that the model is free to use",
        }
    }

    /// The table of `regions/egress.toml` that its word would stand in.
    fn table(&self) -> String {
        let words = match () {
            () if self.at.ends_with("type") => "types",
            () if self.at.contains("beta") => "betas",
            () => "fields",
        };
        format!("[{}.{words}]", self.dialect)
    }
}

impl fmt::Display for EgressRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (asked, kind) = (self.asked(), &self.kind);
        match &self.forbidden {
            Forbidden::Unknown => write!(f, "The gateway does not know {asked}, which might make a provider send data out of the zone. Nothing was sent to a provider. Remove it, or have somebody who knows what it does add it to `{}` in regions/egress.toml.", self.table()),
            Forbidden::Kind { zone } => write!(f, "{asked} asks the provider to {} (`{kind}`), which the zone `{zone}` does not allow. Nothing was sent to a provider. {}{}. To allow it, compliance staff add `\"{kind}\"` to `allow` under `[egress]` in regions/zones/{zone}.toml.", self.does, self.instead(), self.otherwise()),
            Forbidden::Host { zone } => match self.host.as_deref().unwrap_or_default() {
                "" => write!(f, "{asked} asks the provider to {}, but it is not a plain https address, so its host cannot be checked. Nothing was sent to a provider. Send the content itself, or a plain https address.", self.does),
                host => write!(f, "{asked} asks the provider to {}, at the host `{host}`, which the zone `{zone}` does not list. Nothing was sent to a provider. Send the content itself. To allow the host, compliance staff add `\"{host}\"` to `hosts` under `[egress]` in regions/zones/{zone}.toml.", self.does),
            },
        }
    }
}
