//! The engineers' config, `gateway.toml`: the names applications may use for a model
//! instead of its own, how long models may take, what may be spent, the runaway rules,
//! and what happens when a caller disconnects early.

use crate::config::cors::Cors;
use crate::config::limits::Limits;
use crate::config::runaway::Rules;
use crate::config::timeouts::{Changed, Timeouts};
use crate::units::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What `gateway.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Gateway {
    /// Alias to model name.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// What to do when a caller disconnects.
    #[serde(default)]
    pub on_disconnect: OnDisconnect,
    /// Limits for all models.
    #[serde(default)]
    pub timeouts: Changed,
    /// Limits for calls that make a model think.
    #[serde(default)]
    pub reasoning: Changed,
    /// What is different for single models, by their own names.
    #[serde(default)]
    pub models: BTreeMap<String, Special>,
    /// What may be spent.
    #[serde(default)]
    pub limits: Limits,
    /// The runaway rules.
    #[serde(default)]
    pub runaway: Rules,
    /// Who may call from a browser.
    #[serde(default)]
    pub cors: Cors,
}

/// What to do with a response whose caller has disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDisconnect {
    /// Close the connection to the provider: tokens that are not generated are not
    /// billed.
    #[default]
    Stop,
    /// Read it to its end, so that the usage is the provider's own count.
    Finish,
}

/// What is different for one model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Special {
    /// A second endpoint is asked when the first is slower than it usually is.
    #[serde(default)]
    pub hedge: bool,
    /// What to do when a caller disconnects.
    #[serde(default)]
    pub on_disconnect: Option<OnDisconnect>,
    /// Limits.
    #[serde(default)]
    pub timeouts: Changed,
}

/// The policy for calls of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelPolicy {
    /// How long things may take.
    pub timeouts: Timeouts,
    /// Whether a second endpoint is asked when the first is slow.
    pub hedge: bool,
    /// What to do when a caller disconnects.
    pub on_disconnect: OnDisconnect,
}

impl Gateway {
    /// The model's own name for whatever an application calls it.
    pub fn model<'a>(&'a self, asked: &'a str) -> &'a str {
        self.aliases.get(asked).map_or(asked, String::as_str)
    }

    /// A name of a model's that may be used: its own, or an alias.
    pub fn name_for<'a>(&'a self, model: &'a str, may_use: impl Fn(&str) -> bool) -> &'a str {
        let aliases = self.aliases.iter().filter(|(_, meant)| *meant == model);
        let mut names = std::iter::once(model).chain(aliases.map(|(alias, _)| alias.as_str()));
        names.find(|name| may_use(name)).unwrap_or(model)
    }

    /// The policy for a call of a model; `thinks` if the model will think first.
    pub fn model_policy(&self, model: &str, thinks: bool) -> ModelPolicy {
        let usual = match thinks {
            // The timeouts for all models do not apply to models that think, which have
            // their own table.
            true => self.reasoning.over(Timeouts::REASONING),
            false => self.timeouts.over(Timeouts::USUAL),
        };
        let special = self.models.get(model);
        ModelPolicy {
            timeouts: special.map_or(usual, |special| special.timeouts.over(usual)),
            hedge: special.is_some_and(|special| special.hedge),
            on_disconnect: special
                .and_then(|special| special.on_disconnect)
                .unwrap_or(self.on_disconnect),
        }
    }
}

impl ModelPolicy {
    /// When a call that came at a time must be over.
    pub fn until(&self, arrived: Millis) -> Millis {
        Millis(arrived.0.saturating_add(self.timeouts.total.0))
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use reading::read;

#[cfg(not(target_arch = "wasm32"))]
mod reading {
    //! From `gateway.toml`.

    use super::{Gateway, Special};
    use crate::config::timeouts::{read_span, Changed};
    use crate::regions::finding::Spot;
    use crate::regions::problem::Source;
    use crate::regions::read::{Notes, Table};

    /// Reads `gateway.toml`.
    pub fn read(source: &Source, notes: &mut Notes) -> Gateway {
        let mut table = Table::of(source, Spot::at(&["gateway"]), notes);
        let mut gateway = Gateway {
            on_disconnect: table
                .maybe_choice("on_disconnect", notes)
                .unwrap_or_default(),
            ..Gateway::default()
        };
        if let Some(mut timeouts) = table.table("timeouts", notes) {
            if let Some(mut reasoning) = timeouts.table("reasoning", notes) {
                gateway.reasoning = changed(&mut reasoning, notes);
                reasoning.finish(notes);
            }
            gateway.timeouts = changed(&mut timeouts, notes);
            timeouts.finish(notes);
        }
        if let Some(mut models) = table.table("models", notes) {
            for (name, mut model) in models.tables(notes) {
                let mut special = Special {
                    hedge: model.flag("hedge", notes),
                    on_disconnect: model.maybe_choice("on_disconnect", notes),
                    timeouts: Changed::default(),
                };
                if let Some(mut timeouts) = model.table("timeouts", notes) {
                    special.timeouts = changed(&mut timeouts, notes);
                    timeouts.finish(notes);
                }
                model.finish(notes);
                gateway.models.insert(name.text, special);
            }
        }
        if let Some(mut aliases) = table.table("aliases", notes) {
            for (alias, model) in aliases.words_left(notes) {
                gateway.aliases.insert(alias.text, model.text);
            }
        }
        gateway.limits = crate::config::limits::read(&mut table, notes);
        gateway.runaway = crate::config::runaway::read(&mut table, notes);
        gateway.cors = crate::config::cors::read(&mut table, notes);
        table.finish(notes);
        gateway
    }

    fn changed(table: &mut Table<'_>, notes: &mut Notes) -> Changed {
        let mut span = |name| read_span(table, name, notes);
        Changed {
            connect: span("connect"),
            first_token: span("first_token"),
            between_tokens: span("between_tokens"),
            answer: span("answer"),
            total: span("total"),
            keep_alive: span("keep_alive"),
        }
    }
}
