//! The most a call can cost, before it is sent: what is reserved for it.

use super::Need;
use crate::dialect::{Api, Call};
use crate::limits::{Applied, Measure};
use crate::plan::Plan;
use crate::prices::PriceBook;
use crate::refusal::Refusal;

/// Where a request does not say how much may come out, and the region map not
/// what the model can say at most.
const LONGEST_OUTPUT: u64 = 128_000;
/// No model says more than this in one answer, whatever it is told.
const NO_LONGER: u64 = 1_000_000;
/// No provider makes more answers of one request: OpenAI 128, vLLM this many.
const MOST_ANSWERS: u64 = 16_384;
/// Runs of base64 as long as this are a file. What providers make of a file does
/// not follow from its length: images are cut into tiles, documents read.
const SHORTEST_FILE: usize = 4_096;
const TOKENS_A_FILE: u64 = 48_000;

/// The most a call can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bound {
    /// In billionths of a dollar; `None` where no price is known.
    pub money: Option<i64>,
    /// In tokens, in and out.
    pub tokens: i64,
}

impl Bound {
    /// What it means for the limits that hold for the call. One that no budget is
    /// about is noted in an account without an end.
    pub fn needs(&self, mut applied: Vec<Applied>, model: &str) -> Result<Vec<Need>, Refusal> {
        let has_budget = applied.iter().any(|one| one.measure == Measure::Money);
        if !has_budget && self.money != Some(0) {
            applied.push(Applied::endless());
        }
        let needs = applied.into_iter().map(|applied| {
            let amount = match applied.measure {
                // Of a call without a price it is noted that there is one.
                Measure::Money if applied.is_endless() => self.money.unwrap_or(1),
                Measure::Money => self.money.ok_or_else(|| Refusal::NoBound {
                    limit: applied.limit.clone(),
                    model: model.to_owned(),
                })?,
                Measure::Tokens => self.tokens,
                Measure::Requests | Measure::Concurrent => 1,
            };
            Ok(Need { applied, amount })
        });
        needs.collect()
    }
}

/// The most a call can take of the endpoints it may be sent to, `twice` if two
/// of them may be asked at once.
pub fn bound(plan: &Plan<'_>, api: Api, call: &Call<'_>, prices: &PriceBook, twice: bool) -> Bound {
    if api == Api::CountTokens {
        return Bound {
            money: Some(0),
            tokens: 0,
        };
    }
    let input = input_tokens(call.body);
    let (mut money, mut tokens) = (Some(0), 0);
    for attempt in plan.attempts() {
        let claim = attempt.claim();
        let output = most_output(api, call, claim.max_output.map(u64::from));
        let cost = prices.most(&claim.model, claim.uplift_percent, input, output);
        money = money.zip(cost).map(|(a, b): (i64, _)| a.max(b.0));
        tokens = tokens.max(input.saturating_add(output));
    }
    let asked = if twice { 2 } else { 1 };
    Bound {
        money: money.map(|nano| nano.saturating_mul(asked)),
        tokens: i64::try_from(tokens)
            .unwrap_or(i64::MAX)
            .saturating_mul(asked),
    }
}

/// How many tokens can come out of a model that says `most` at most, where that
/// is known. One that is told more than any can say does not say more.
fn most_output(api: Api, call: &Call<'_>, most: Option<u64>) -> u64 {
    if api == Api::Embeddings {
        return 0;
    }
    let number = |name| {
        let json = call.field(name)?.json;
        let whole = json.parse::<u64>().ok();
        // `128.0` is a number too.
        whole.or_else(|| Some(json.parse::<f64>().ok()?.ceil() as u64))
    };
    let limits = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
    let told = limits.into_iter().filter_map(number).max();
    told.map(|told| told.min(NO_LONGER))
        .unwrap_or(most.unwrap_or(LONGEST_OUTPUT))
        .saturating_mul(number("n").unwrap_or(1).clamp(1, MOST_ANSWERS))
}

/// No token is shorter than a byte, and what frames a message is longer as JSON
/// than as tokens.
fn input_tokens(body: &str) -> u64 {
    let mut tokens = 0_u64;
    for run in body.split('"') {
        let length = run.len() as u64;
        let is_file = run.len() >= SHORTEST_FILE && is_base64(run);
        tokens += match is_file {
            true => length.min(TOKENS_A_FILE + length / 16),
            false => length + 1,
        };
    }
    tokens
}

/// Whether a text is a file rather than words: it has no blanks.
fn is_base64(text: &str) -> bool {
    let text = text.split_once(";base64,").map_or(text, |(_, data)| data);
    let plain =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=' | b'\\');
    text.bytes().all(plain)
}
