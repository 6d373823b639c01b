//! What is found wrong with a configuration, and where in it: said of the map
//! itself, not of a file, so that the gateway can check a published map with
//! the same code that checks the files.

use super::check::Rule;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A place in the configuration, as the keys that lead to it:
/// `zones`, `eu`, `hosting`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spot(pub Vec<String>);

impl Spot {
    /// The spot that these keys lead to.
    pub fn at(keys: &[&str]) -> Spot {
        Spot(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    /// A field of a zone.
    pub fn zone(id: &str, field: &str) -> Spot {
        Spot::at(&["zones", id, field])
    }

    /// A field of an endpoint.
    pub fn endpoint(name: &str, field: &str) -> Spot {
        Spot::at(&["endpoints", name, field])
    }

    /// A field of a claim.
    pub fn claim(endpoint: &str, model: &str, field: &str) -> Spot {
        Spot::at(&["endpoints", endpoint, "models", model, field])
    }

    /// A field of `policy.toml`.
    pub fn policy(field: &str) -> Spot {
        Spot::at(&["policy", field])
    }

    /// The spot one key further.
    pub fn then(&self, key: &str) -> Spot {
        let mut keys = self.0.clone();
        keys.push(key.to_owned());
        Spot(keys)
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a look.
    Warning,
    /// The configuration is refused.
    Error,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub spot: Spot,
    /// What is wrong.
    pub what: String,
    /// What to write instead, where that can be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

impl Finding {
    /// A finding of a rule, as bad as the rule says.
    pub fn new(rule: Rule, spot: Spot, what: impl Into<String>) -> Finding {
        Finding {
            rule,
            severity: rule.severity(),
            spot,
            what: what.into(),
            instead: None,
        }
    }

    /// The same, with the way out.
    pub fn instead(mut self, text: impl Into<String>) -> Finding {
        self.instead = Some(text.into());
        self
    }

    /// The same, with the candidate that is spelt most like `wrong`.
    pub fn suggest<'a>(mut self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Finding {
        self.instead = nearest(wrong, known);
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.spot, self.what, self.rule.id())?;
        match &self.instead {
            Some(instead) => write!(f, "; write instead: {instead}"),
            None => Ok(()),
        }
    }
}

/// The candidate spelt most like `wrong`, if any is close.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wrong = wrong.to_lowercase();
    let likeness = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        match strsim::damerau_levenshtein(&wrong, &candidate) {
            // The right letters in the wrong order.
            0 | 1 if sorted(&wrong) == sorted(&candidate) => 2.0,
            0 | 1 => 1.0,
            _ => strsim::jaro_winkler(&wrong, &candidate),
        }
    };
    known
        .into_iter()
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| format!("`{candidate}`"))
}

fn sorted(word: &str) -> Vec<char> {
    let mut letters: Vec<char> = word.chars().collect();
    letters.sort_unstable();
    letters
}
