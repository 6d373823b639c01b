//! The usage row of a request: who, where, why, usage and cost. It has no prompt,
//! completion, credential or address.

mod contact;
mod spent;
mod sql;

pub use contact::{Contact, Lost, Served, Tried};
pub use sql::{INSERT, SUM_UP};

use crate::config::limits::Measure;
use crate::dialect::{Api, Wanted};
use crate::refusal::Refusal;
use crate::regions::EgressRules;
use crate::request::caller::{Caller, KeyRecord, Tags};
use crate::request::egress::Egress;
use crate::request::head::{Head, Origin};
use crate::request::plan::{Attempt, Plan};
use crate::request::zone::Verdict;
use crate::units::{Millis, NanoUsd, RequestId, Tokens};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Bytes of text that make about one token: what estimates are made with.
const BYTES_PER_TOKEN: u64 = 4;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered to the end.
    Ok,
    /// The provider's own error was passed on.
    ProviderError,
    /// The gateway refused the request.
    Refused,
    /// The response broke after its first content.
    Failed,
    /// The client left before the end.
    ClientGone,
    /// Its cost is unknown: the platform ended the call, or its instance died. What was
    /// reserved is held, see [`Row::held_nano`]. A negative amount takes back what was
    /// settled or released since.
    #[serde(alias = "unsettled")]
    Held,
    /// The provider continues in the background, and the response has not been fetched
    /// yet. The reservation is held; the cost gets its own row once the response is
    /// fetched.
    Background,
}

/// A usage row. Its fields are the columns of the table `usage`, see
/// `migrations/`; [`INSERT`] takes a JSON list of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The request's id.
    pub id: String,
    /// When it arrived, milliseconds since 1970.
    pub at: Millis,
    /// The key that was used.
    pub key_id: String,
    /// The team that pays.
    pub team: String,
    /// The tag `feature`.
    pub feature: Option<String>,
    /// The tag `environment`.
    pub environment: Option<String>,
    /// All other tags, as a JSON object.
    pub tags: String,
    /// The caller's country as reported.
    pub country: String,
    /// The data centre the gateway ran in.
    pub colo: String,
    /// The zone.
    pub zone: String,
    /// Why that zone.
    pub zone_reason: String,
    /// The version of the region map.
    pub map: String,
    /// What the client called.
    pub dialect: Api,
    /// The model's name as asked for.
    pub model_asked: String,
    /// The model by its own name.
    pub model: Option<String>,
    /// The model that the provider says has served it.
    pub model_served: Option<String>,
    /// The endpoint that answered, or was tried last.
    pub endpoint: Option<String>,
    /// Where that endpoint processes.
    pub hosting: Option<String>,
    /// How many endpoints were contacted.
    pub attempts: u32,
    /// Whether the client wanted a stream.
    pub stream: bool,
    /// The status the client got.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// The refusal's or fault's word.
    pub error: Option<String>,
    /// Why the model stopped.
    pub stopped: Option<String>,
    /// The service tier that served it.
    pub tier: Option<String>,
    /// What was used.
    #[serde(flatten)]
    pub tokens: Tokens,
    /// The counts are the gateway's estimate, not the provider's.
    pub estimated: bool,
    /// What it cost; `None` where no price is known.
    pub cost_nano: Option<NanoUsd>,
    /// Milliseconds until an endpoint's answer began.
    pub first_byte_ms: Option<u64>,
    /// Milliseconds until the end.
    pub duration_ms: u64,
    /// The zone the key is pinned to.
    pub key_zone: Option<String>,
    /// The zone the request asked for.
    pub zone_asked: Option<String>,
    /// The signed receipt the client got.
    pub receipt: Option<String>,
    /// The failed attempts, as a JSON list of [`Tried`].
    pub failures: String,
    /// What these may have cost, by estimate; `None` where no price is known.
    pub lost_nano: Option<NanoUsd>,
    /// The most it could cost, which was reserved for it; `None` where no price is
    /// known, or nothing was to be sent.
    pub reserved_nano: Option<NanoUsd>,
    /// It cost more than that.
    pub over_bound: bool,
    /// The kind of loop that it seems to be part of, see `runaway/`.
    pub runaway: Option<String>,
    /// Its egress, by kind, separated by commas.
    #[serde(default)]
    pub egress: String,
    /// How often tools ran at the provider, by kind, as a JSON object.
    #[serde(default)]
    pub counts: String,
    /// The unknown numbers in its usage, by their fields' names, separated by commas:
    /// its cost is a lower bound.
    #[serde(default)]
    pub at_least: String,
    /// What it used may be hidden until its end: the model thinks, or reads what
    /// the request does not hold.
    #[serde(skip)]
    pub hides: bool,
    /// So may be what an attempt used that came to nothing.
    #[serde(skip)]
    pub lost_hides: bool,
    /// The most it can have cost, where its cost is unknown; not part of any cost.
    #[serde(default)]
    pub held_nano: NanoUsd,
    /// How many calls that is held for.
    #[serde(default)]
    pub held_calls: i64,
    /// The budgets it goes from, and how much of each is spent, in percent.
    #[serde(skip)]
    pub budgets: Vec<(String, u8)>,
    /// The limit that had no room, and the model that was asked for.
    #[serde(skip)]
    pub downgraded: Option<String>,
    /// Every endpoint that was contacted, for the receipt.
    #[serde(skip)]
    pub contacts: Vec<Contact>,
}

impl Row {
    /// The row of a caller whose zone is known, before anything else is.
    pub fn new(id: &RequestId, at: Millis, caller: &Caller, api: Api) -> Row {
        let Origin { reported, colo, .. } = &caller.origin;
        let mut row = Row {
            id: id.to_string(),
            at,
            key_id: caller.key.id.clone(),
            team: caller.key.team.clone(),
            feature: None,
            environment: None,
            tags: String::new(),
            country: reported.clone(),
            colo: colo.clone(),
            zone: String::new(),
            zone_reason: String::new(),
            map: String::new(),
            dialect: api,
            model_asked: String::new(),
            model: None,
            model_served: None,
            endpoint: None,
            hosting: None,
            attempts: 0,
            stream: false,
            status: 0,
            outcome: Outcome::Refused,
            error: None,
            stopped: None,
            tier: None,
            tokens: Tokens::default(),
            estimated: false,
            cost_nano: None,
            first_byte_ms: None,
            duration_ms: 0,
            key_zone: caller.key.zone.clone(),
            zone_asked: (caller.asked_zone.as_ref()).map(|zone| zone.chars().take(64).collect()),
            receipt: None,
            failures: "[]".to_owned(),
            lost_nano: Some(NanoUsd(0)),
            reserved_nano: None,
            over_bound: false,
            runaway: None,
            egress: String::new(),
            counts: String::new(),
            at_least: String::new(),
            hides: false,
            lost_hides: false,
            held_nano: NanoUsd(0),
            held_calls: 0,
            budgets: Vec::new(),
            downgraded: None,
            contacts: Vec::new(),
        };
        row.tagged(&caller.tags);
        row
    }

    fn tagged(&mut self, tags: &Tags) {
        let tag = |name| tags.get(name).map(str::to_owned);
        self.feature = tag("feature");
        self.environment = tag("environment");
        let others = tags.except(&["team", "feature", "environment"]);
        self.tags = serde_json::to_string(&others).unwrap_or_default();
    }

    /// Notes what the body asks for, and the tags it carries.
    pub fn called(&mut self, wanted: &Wanted, tags: &Tags) {
        self.model_asked = wanted.model.chars().take(100).collect();
        self.stream = wanted.stream;
        self.tagged(tags);
    }

    /// The row of what is held for a lost instance: the most that its calls can have
    /// cost, and their number, as it reported last. A negative amount is no longer
    /// held.
    pub fn held(id: &RequestId, at: Millis, team: &str, money: NanoUsd, calls: i64) -> Row {
        let mut key = KeyRecord::anybody();
        team.clone_into(&mut key.team);
        let caller = Caller::new(key, &Head::default());
        Row {
            outcome: Outcome::Held,
            cost_nano: Some(NanoUsd(0)),
            held_nano: money,
            held_calls: calls,
            ..Row::new(id, at, &caller, Api::Chat)
        }
    }

    /// Ends the row of a call that the platform ended: its cost is unknown, so its
    /// reservation is held.
    pub fn cut_off(&mut self, now: Millis) {
        self.hold(Outcome::Held, now);
    }

    /// Whether what was reserved for the call is held.
    pub fn is_held(&self) -> bool {
        matches!(self.outcome, Outcome::Held | Outcome::Background)
    }

    fn hold(&mut self, outcome: Outcome, now: Millis) {
        self.outcome = outcome;
        self.cost_nano = self.reserved_nano.map(|_| NanoUsd(0));
        // What its attempts may have cost is in what was reserved.
        self.lost_nano = Some(NanoUsd(0));
        self.held_nano = self.reserved_nano.unwrap_or(NanoUsd(0));
        self.held_calls = 1;
        self.duration_ms = now.since(self.at);
    }

    /// What a call took of its team's money, where that is known.
    pub fn took(&self) -> Option<NanoUsd> {
        if self.is_held() {
            return None;
        }
        let sum = self.cost_nano?.0.checked_add(self.lost_nano?.0)?;
        Some(NanoUsd(sum))
    }

    /// Notes whether it cost more than was reserved.
    pub fn note_bound(&mut self) {
        let both = self.took().zip(self.reserved_nano);
        self.over_bound = both.is_some_and(|(took, reserved)| took > reserved);
    }

    /// What it takes from an account; the whole reservation where that is unknown.
    pub fn takes(&self, measure: Measure, reserved: i64) -> i64 {
        let took = self.took();
        let tokens = &self.tokens;
        match measure {
            Measure::Money => took.or(self.reserved_nano).unwrap_or(NanoUsd(0)).0,
            Measure::Requests => i64::from(self.attempts > 0),
            Measure::Tokens if took.is_none() => reserved,
            Measure::Tokens => {
                let all = tokens.input_total().saturating_add(tokens.output_total());
                i64::try_from(all).unwrap_or(i64::MAX)
            }
            Measure::Concurrent => 0,
        }
    }

    /// Notes the zone and the map it was decided by.
    pub fn zoned(&mut self, zone: &Verdict, map: &str) {
        self.zone.clone_from(&zone.zone);
        self.zone_reason.clone_from(&zone.because);
        self.map = map.to_owned();
    }

    /// Notes what it asks a provider to do beyond answering. The hosts and words
    /// of a request that is refused are its own.
    pub fn asks(&mut self, egress: &Egress, rules: &EgressRules, forbidden: bool) {
        let labels = egress.labels(rules).into_iter();
        let kind = |label: String| match (forbidden, label.split_once(':')) {
            (true, Some((kind, _))) => kind.to_owned(),
            _ => label,
        };
        let labels: BTreeSet<String> = labels.map(kind).collect();
        self.egress = Vec::from_iter(labels).join(",");
    }

    /// Notes what was planned.
    pub fn planned(&mut self, plan: &Plan<'_>) {
        self.model = Some(plan.model.to_owned());
    }

    /// Notes that an endpoint is contacted.
    pub fn attempted(&mut self, attempt: Attempt<'_>) {
        self.attempts += 1;
        self.contacts.push(Contact {
            endpoint: attempt.endpoint().name.clone(),
            host: attempt.endpoint().host.clone(),
            hosting: attempt.claim().hosting.0.clone(),
            guarantee: attempt.claim().guarantee,
        });
        self.at_endpoint(attempt);
    }

    /// Notes which endpoint it is, of those that were contacted.
    pub fn at_endpoint(&mut self, attempt: Attempt<'_>) {
        self.endpoint = Some(attempt.endpoint().name.clone());
        self.hosting = Some(attempt.claim().hosting.to_string());
    }

    /// Records a failed attempt. If the provider may charge for it, its input counts as
    /// billed.
    pub fn came_to_nothing(&mut self, tried: Tried, lost: Lost<'_>) {
        let is_free = tried.drill || self.dialect.is_free();
        if lost.may_be_billed && !is_free {
            let tokens = Tokens {
                input: lost.request_bytes.div_ceil(BYTES_PER_TOKEN),
                ..Tokens::default()
            };
            let claim = lost.attempt.claim();
            let cost = lost
                .prices
                .cost(&claim.model, claim.uplift_percent, &tokens);
            let sum = self.lost_nano.zip(cost);
            self.lost_nano = sum
                .and_then(|(sum, cost)| sum.0.checked_add(cost.0))
                .map(NanoUsd);
        }
        let unseen = tried.may_have_worked_unseen();
        self.lost_hides |= self.hides && unseen && lost.may_be_billed && !is_free;
        let mut all: Vec<Tried> = serde_json::from_str(&self.failures).unwrap_or_default();
        all.push(tried);
        self.failures = serde_json::to_string(&all).unwrap_or_default();
    }

    /// Ends the row with a refusal.
    pub fn refused(&mut self, refusal: &Refusal, now: Millis) {
        self.status = refusal.status();
        let garbled = matches!(refusal, Refusal::ProviderGarbled { .. });
        self.outcome = match refusal {
            Refusal::ProviderGarbled { .. } => Outcome::Failed,
            Refusal::ClientLeft => Outcome::ClientGone,
            _ => Outcome::Refused,
        };
        self.error = Some(refusal.code().to_owned());
        // The cost of a broken call is unknown.
        let known = *refusal != Refusal::Internal && !garbled;
        self.cost_nano = known.then_some(NanoUsd(0));
        self.hidden_losses();
        self.duration_ms = now.since(self.at);
    }
}

/// Rows as [`INSERT`] takes them.
pub fn to_json<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    let rows: Vec<&Row> = rows.into_iter().collect();
    serde_json::to_string(&rows).unwrap_or_else(|_| "[]".to_owned())
}
