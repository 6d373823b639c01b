//! The most a call can cost, before it is sent: what is reserved for it.

mod reads;

use super::Need;
use crate::config::limits::{Applied, Measure};
use crate::config::prices::PriceBook;
use crate::dialect::neutral::{LONGEST_OUTPUT, USUAL_MAX_OUTPUT};
use crate::dialect::responses::request_write::LEAST_OUTPUT;
use crate::dialect::{Api, Call};
use crate::refusal::{Invalid, Missing, Refusal, Unbounded};
use crate::regions::{Claim, Dialect, EgressRules};
use crate::request::egress::Egress;
use crate::request::plan::{Attempt, Plan};
use reads::{Extra, Runs};

/// The longest answers that a beta feature asks for.
const LONG_OUTPUT: u64 = 300_000;
/// Where a claim does not say how many answers a request may have: OpenAI's limit.
const USUAL_ANSWERS: u64 = 128;

/// A request, as far as its cost depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Weighed<'a> {
    /// What it calls.
    pub api: Api,
    /// What it says.
    pub call: &'a Call<'a>,
    /// What it asks a provider to do beyond answering.
    pub egress: &'a Egress,
    /// What is known of that.
    pub rules: &'a EgressRules,
}

/// The most a call can take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bound {
    /// In billionths of a dollar; `None` where nobody can say.
    pub money: Option<i64>,
    /// In tokens, in and out, as far as the body holds them.
    pub tokens: i64,
    /// Why nobody can say, where it is not for want of the model's price.
    pub unbounded: Option<Box<Unbounded>>,
}

impl Bound {
    /// What it means for the limits that hold for the call. One that no budget is
    /// about is noted in an account without an end.
    pub fn needs(&self, mut applied: Vec<Applied>, model: &str) -> Result<Vec<Need>, Refusal> {
        let has_budget = applied.iter().any(|one| one.measure == Measure::Money);
        if !has_budget && self.money != Some(0) {
            applied.push(Applied::unbudgeted());
        }
        let needs = applied.into_iter().map(|applied| {
            let amount = match applied.measure {
                // Of a call without a price it is noted that there is one.
                Measure::Money if applied.is_unbudgeted() => self.money.unwrap_or(1),
                Measure::Money => self
                    .money
                    .ok_or_else(|| self.unknown(&applied.limit, model))?,
                Measure::Tokens => self.tokens,
                Measure::Requests | Measure::Concurrent => 1,
            };
            Ok(Need { applied, amount })
        });
        needs.collect()
    }

    /// A budget holds for the call, and nobody can say what it may cost.
    fn unknown(&self, limit: &str, model: &str) -> Refusal {
        let limit = limit.to_owned();
        match &self.unbounded {
            Some(unbounded) => Refusal::Unbounded(Box::new(Unbounded {
                limit,
                ..(**unbounded).clone()
            })),
            None => Refusal::NoBound {
                limit,
                model: model.to_owned(),
            },
        }
    }
}

/// The most a call can take of the endpoints it may be sent to, `twice` if two
/// of them may be asked at once.
pub fn bound(
    plan: &Plan<'_>,
    asked: Weighed<'_>,
    prices: &PriceBook,
    twice: bool,
) -> Result<Bound, Refusal> {
    if asked.api.is_free() {
        return Ok(Bound {
            money: Some(0),
            ..Bound::default()
        });
    }
    answers(plan, asked)?;
    let (mut money, mut tokens, mut unbounded) = (Some(0), 0, None);
    for attempt in plan.attempts() {
        let (of_tokens, of_money) = most(attempt, asked, prices);
        tokens = tokens.max(of_tokens);
        match of_money {
            Ok(of_money) => money = money.zip(of_money).map(|(a, b): (i64, i64)| a.max(b)),
            Err(why) => {
                unbounded.get_or_insert(why);
            }
        }
    }
    let times = if twice { 2 } else { 1 };
    Ok(Bound {
        money: money
            .filter(|_| unbounded.is_none())
            .map(|nano| nano.saturating_mul(times)),
        tokens: i64::try_from(tokens)
            .unwrap_or(i64::MAX)
            .saturating_mul(times),
        unbounded,
    })
}

/// Whether any endpoint gives so many answers.
fn answers(plan: &Plan<'_>, asked: Weighed<'_>) -> Result<(), Refusal> {
    let wanted = asked.call.amounts.answers.unwrap_or(1);
    let claimed = |attempt: Attempt<'_>| match attempt.claim().max_choices {
        Some(most) => u64::from(most),
        None => USUAL_ANSWERS,
    };
    let most = plan.attempts().map(claimed).max().unwrap_or(1);
    if wanted <= most {
        return Ok(());
    }
    let best_of = asked.call.field("best_of").map(|value| value.json);
    let field = match best_of == Some(wanted.to_string().as_str()) {
        true => "best_of",
        false => "n",
    };
    Err(Refusal::Body(Invalid::Answers {
        field: field.to_owned(),
        most,
        model: plan.model.to_owned(),
    }))
}

type Money = Result<Option<i64>, Box<Unbounded>>;

/// The most tokens that the body holds and an answer may have at one endpoint,
/// and the most that the call can cost there.
fn most(attempt: Attempt<'_>, asked: Weighed<'_>, prices: &PriceBook) -> (u64, Money) {
    let claim = attempt.claim();
    let output = most_output(attempt, asked);
    let amounts = asked.call.amounts;
    let answers = amounts.answers.unwrap_or(1).max(1);
    let held = reads::held(asked);
    let context = reads::context(claim, asked);
    let fits = held.min(context.unwrap_or(u64::MAX));
    let predicted = if amounts.predicts { held } else { 0 };
    // Some hosts may count a prompt that is repeated as output.
    let echoed = if amounts.echoes { held } else { 0 };
    let said = output
        .saturating_mul(amounts.prompts.unwrap_or(1))
        .saturating_add(echoed)
        .saturating_mul(answers)
        .saturating_add(predicted);
    let tokens = fits.saturating_add(said);
    let money = || {
        let missing = |(at, does, missing): (String, String, Missing)| {
            Box::new(Unbounded {
                limit: String::new(),
                endpoint: attempt.endpoint().name.clone(),
                model: claim.model.clone(),
                at,
                does,
                missing,
            })
        };
        let hidden = reads::hidden(asked);
        let Runs { runs, cost } = reads::runs(claim, asked, prices).map_err(missing)?;
        let mut times = runs.saturating_add(1);
        let mut each = said;
        if asked.egress.bulk.compacts {
            // Before and after each of them the conversation may be compacted,
            // which is read and said anew.
            times = times.saturating_mul(2).saturating_add(1);
            each = each.max(longest(claim, asked));
        }
        let read = match (&hidden, context) {
            (None, context) => {
                let later = (times - 1).saturating_mul(each);
                let grown = held.saturating_add(later);
                grown.min(context.unwrap_or(u64::MAX))
            }
            (Some(_), Some(context)) => context,
            (Some(Extra { at, does, .. }), None) => {
                let line = match asked.api {
                    Api::Embeddings => Missing::Nothing,
                    _ => Missing::Context,
                };
                return Err(missing((at.clone(), does.clone(), line)));
            }
        };
        let (input, output) = (read.saturating_mul(times), each.saturating_mul(times));
        let tokens = prices.most(&claim.model, claim.uplift_percent, input, output);
        Ok(tokens.map(|tokens| tokens.0.saturating_add(cost)))
    };
    (tokens, money())
}

/// The most that a model says, whatever it is told.
fn longest(claim: &Claim, asked: Weighed<'_>) -> u64 {
    let claimed = claim.max_output.map_or(LONGEST_OUTPUT, u64::from);
    match asked.egress.bulk.long_output {
        true => claimed.max(LONG_OUTPUT),
        false => claimed,
    }
}

/// How many tokens one answer can have. A model that is told more than it can
/// say does not say more.
fn most_output(attempt: Attempt<'_>, asked: Weighed<'_>) -> u64 {
    if asked.api == Api::Embeddings {
        return 0;
    }
    let claim = attempt.claim();
    let longest = longest(claim, asked);
    // Nothing limits what a conversation is compacted to.
    let limit = asked
        .call
        .amounts
        .output
        .filter(|_| asked.api != Api::Compact);
    match limit {
        Some(limit) => {
            // The limit as it is sent, which may be larger than the client's.
            let sent = match attempt.endpoint().speaks(Dialect::OpenAiResponses) {
                true => limit.max(LEAST_OUTPUT),
                false => limit,
            };
            match claim.max_output {
                Some(_) => sent.min(longest),
                None => sent,
            }
        }
        // Who writes it anew for a dialect that must be told says this much, and
        // what is to be thought on top, which `longest` takes in.
        None if is_told(attempt, asked) => longest.min(USUAL_MAX_OUTPUT),
        None => longest,
    }
}

/// Whether the gateway itself says how long the answer may be.
fn is_told(attempt: Attempt<'_>, asked: Weighed<'_>) -> bool {
    let only = attempt.endpoint().dialects.as_slice() == [Dialect::AnthropicMessages];
    only && asked.api != Api::Messages && asked.call.wanted.thinks.is_none()
}
