//! Drills: an endpoint is treated as failing for a while, so that a team can
//! watch its failover at noon. Nothing else changes: the zone, the plan and the
//! books are as always.

use crate::admin::Denied;
use crate::units::Millis;
use crate::upstream::judge::Why;
use serde::{Deserialize, Serialize};

/// How an endpoint is made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Too many requests: what a provider's 429 says.
    #[serde(rename = "429")]
    Limited,
    /// It has more to do than it can: a 529.
    #[serde(rename = "529")]
    Overloaded,
    /// It cannot be reached.
    Connect,
    /// It is asked and never answers.
    Slow,
    /// Its answers break off when they have begun.
    Cut,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] = [
        Kind::Limited,
        Kind::Overloaded,
        Kind::Connect,
        Kind::Slow,
        Kind::Cut,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Limited => "429",
            Kind::Overloaded => "529",
            Kind::Connect => "connect",
            Kind::Slow => "slow",
            Kind::Cut => "cut",
        }
    }

    /// Reads it.
    pub fn read(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What it looks like to the gateway.
    pub fn why(self) -> Why {
        match self {
            Kind::Limited => Why::RateLimited,
            Kind::Overloaded => Why::Overloaded,
            Kind::Connect => Why::NoConnection,
            Kind::Slow => Why::TimedOut,
            Kind::Cut => Why::BrokeOff,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Kind::Limited => "limiting requests (429)",
            Kind::Overloaded => "overloaded (529)",
            Kind::Connect => "unreachable",
            Kind::Slow => "never answering",
            Kind::Cut => "breaking off its answers",
        }
    }
}

/// One drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// The endpoint.
    pub endpoint: String,
    /// How it fails.
    pub kind: Kind,
    /// When it began.
    pub from: Millis,
    /// When it is over, whoever forgets to end it.
    pub until: Millis,
    /// Who began it.
    pub who: String,
}

/// What is asked for when one is to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The endpoint.
    pub endpoint: String,
    /// How it is to fail.
    pub kind: String,
    /// For so many seconds.
    pub seconds: u64,
    /// Why, in their own words.
    #[serde(default)]
    pub why: String,
    /// It is meant, in production too.
    #[serde(default)]
    pub production: bool,
}

/// Where a gateway runs, by its variable ENVIRONMENT.
pub use crate::regions::bindings::ENVIRONMENT;

impl Wish {
    /// The drill, if it may begin: `endpoints` are those there are, and
    /// `environment` is what the gateway says of itself. Whoever says nothing
    /// is taken for production.
    pub fn drill(
        &self,
        endpoints: &[&str],
        environment: Option<&str>,
        who: &str,
        now: Millis,
    ) -> Result<Drill, Denied> {
        if !endpoints.contains(&self.endpoint.as_str()) {
            let near = endpoints
                .iter()
                .map(|name| (strsim::jaro_winkler(&self.endpoint, name), name))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let meant = near.map_or(String::new(), |(_, name)| format!(" Did you mean {name}?"));
            let name: String = self.endpoint.chars().take(100).collect();
            return Err(Denied::NotFound(format!(
                "There is no endpoint {name}.{meant}"
            )));
        }
        let kinds = || Kind::ALL.map(Kind::as_str).join(", ");
        let kind = Kind::read(&self.kind)
            .ok_or_else(|| Denied::Invalid(format!("`kind` is one of {}.", kinds())))?;
        let ms = self.seconds.saturating_mul(1_000);
        if ms == 0 || ms > LONGEST {
            return Err(Denied::Invalid(
                "A drill takes between a second and four hours.".to_owned(),
            ));
        }
        let harmless = environment.is_some_and(|name| !name.is_empty() && name != "production");
        if !harmless && !self.production {
            return Err(Denied::Conflict("This gateway is production: real calls would fail over. Say `--production` if that is meant.".to_owned()));
        }
        Ok(Drill {
            endpoint: self.endpoint.clone(),
            kind,
            from: now,
            until: Millis(now.0.saturating_add(ms)),
            who: who.to_owned(),
        })
    }
}

/// The longest drill, in milliseconds: to remove an endpoint for good
/// switches it off in the map.
pub const LONGEST: u64 = 4 * 3_600_000;

impl Drill {
    /// Whether it is going on.
    pub fn is_on(&self, now: Millis) -> bool {
        self.from <= now && now < self.until
    }

    /// What everybody should see while it goes on.
    pub fn banner(&self) -> String {
        format!(
            "Drill: {} is treated as {} until {}, by {}.",
            self.endpoint,
            self.kind.words(),
            self.until.rfc3339(),
            self.who
        )
    }
}

/// The drills that go on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Drills(pub Vec<Drill>);

impl Drills {
    /// How an endpoint is made to fail now.
    pub fn of(&self, endpoint: &str, now: Millis) -> Option<Kind> {
        let on = |drill: &&Drill| drill.endpoint == endpoint && drill.is_on(now);
        self.0.iter().find(on).map(|drill| drill.kind)
    }

    /// Begins one, in place of one at the same endpoint; forgets what is over.
    pub fn begin(&mut self, drill: Drill) {
        self.0
            .retain(|other| other.endpoint != drill.endpoint && other.is_on(drill.from));
        self.0.push(drill);
    }

    /// Ends the drill at an endpoint; whether there was one.
    pub fn end(&mut self, endpoint: &str, now: Millis) -> bool {
        let was_on = self.of(endpoint, now).is_some();
        self.0
            .retain(|drill| drill.endpoint != endpoint && drill.is_on(now));
        was_on
    }
}
