//! The cost of a response: tokens, further passes, tools; and what counts where the
//! cost is unknown.

use super::{Outcome, Row, Served, BYTES_PER_TOKEN};
use crate::config::prices::PriceBook;
use crate::dialect::{Beyond, Reading};
use crate::regions::egress::BACKGROUND;
use crate::regions::{Claim, Dialect, EgressRules};
use crate::units::{Millis, NanoUsd, Tokens};

impl Row {
    /// Ends the row with the reading of the response.
    pub fn answered(
        &mut self,
        served: Served<'_>,
        reading: Reading,
        client_gone: bool,
        prices: &PriceBook,
        now: Millis,
    ) {
        self.status = served.status;
        self.duration_ms = now.since(self.at);
        if served.status >= 400 {
            self.outcome = Outcome::ProviderError;
            self.error = Some(format!("provider_{}", served.status));
            self.cost_nano = Some(NanoUsd(0));
            self.hidden_losses();
            return;
        }
        if reading.goes_on && reading.fault.is_none() && self.asked_for(BACKGROUND) {
            return self.hold(Outcome::Background, now);
        }
        self.outcome = match (client_gone, &reading.fault) {
            (true, _) => Outcome::ClientGone,
            (false, Some(_)) => Outcome::Failed,
            (false, None) => Outcome::Ok,
        };
        self.error = reading
            .fault
            .as_ref()
            .map(|fault| fault.as_str().chars().take(64).collect());
        let mut beyond = reading.beyond;
        self.unreported(served.attempt.dialect(), &mut beyond);
        let claim = served.attempt.claim();
        let hides = self.hides || reading.thought || beyond.absurd;
        let counted = reading.has_usage && !beyond.absurd;
        let mut tokens = reading.tokens;
        if beyond.absurd {
            tokens = Tokens::default();
            (beyond.passes, beyond.within) = (Vec::new(), Vec::new());
        }
        if counted {
            unexplained(&tokens, claim, &mut beyond);
        } else {
            self.estimated = true;
            estimate(&mut tokens, reading.output_bytes, served.request_bytes);
        }
        // Other tiers and speeds have other prices, which the book does not know.
        let usual = matches!(reading.tier.as_deref(), None | Some("default" | "standard"));
        let by = self.billed_by(claim, reading.served_model.as_deref(), &beyond);
        self.cost_nano = match counted || !hides {
            true if usual && !beyond.other_speed => cost(prices, claim, by, &tokens, &beyond),
            true => None,
            // Thinking and content that is read elsewhere are counted only at the end,
            // and an impossible count is ignored: the cost may be all that is left of
            // the reservation. Without a reservation it is unknown.
            false => self.unlost(),
        };
        self.tokens = beyond
            .passes
            .iter()
            .fold(tokens, |sum, pass| sum.plus(&pass.tokens));
        self.counts = match beyond.uses.is_empty() {
            true => String::new(),
            false => serde_json::to_string(&beyond.uses).unwrap_or_default(),
        };
        self.at_least = Vec::from_iter(beyond.unknown).join(",");
        self.model_served = reading.served_model;
        self.stopped = reading.stopped;
        self.tier = reading.tier;
        self.hidden_losses();
    }

    /// Notes what the call may use without its showing: a model that thinks, and
    /// input that the request does not hold.
    pub fn may_hide(&mut self, thinks: bool, rules: &EgressRules) {
        let kinds = self.egress.split(',').filter_map(|label| {
            let kind = label.split(':').next()?;
            rules.kinds.get(kind)
        });
        self.hides = thinks || kinds.into_iter().any(|kind| kind.hides_input);
    }

    /// The model whose prices the sum has: where the request named others to fall
    /// back to, the one that the provider says has served it.
    fn billed_by<'m>(&self, claim: &'m Claim, served: Option<&'m str>, beyond: &Beyond) -> &'m str {
        match served {
            Some(served) if self.asked_for("other-model") && beyond.within.is_empty() => {
                named(claim, served)
            }
            _ => &claim.model,
        }
    }

    /// Whether the request asked its provider for a kind of egress.
    fn asked_for(&self, kind: &str) -> bool {
        self.egress.split(',').any(|one| one == kind)
    }

    /// What is left of the reservation after the failed attempts.
    fn unlost(&self) -> Option<NanoUsd> {
        let (reserved, lost) = self.reserved_nano.zip(self.lost_nano)?;
        Some(NanoUsd(reserved.0.saturating_sub(lost.0).max(0)))
    }

    /// Tools that the request asked for in a dialect whose usage does not count them,
    /// so the number of runs is unknown.
    fn unreported(&self, dialect: Dialect, beyond: &mut Beyond) {
        let counts = matches!(
            dialect,
            Dialect::AnthropicMessages | Dialect::OpenAiResponses
        );
        if counts {
            return;
        }
        for kind in self.egress.split(',') {
            if UNCOUNTED.contains(&kind) && !beyond.uses.contains_key(kind) {
                beyond.mark(kind);
            }
        }
    }

    /// Takes what lost attempts may have used unseen to be all that is left of
    /// what was reserved.
    pub(super) fn hidden_losses(&mut self) {
        if !self.lost_hides {
            return;
        }
        self.estimated = true;
        let left = self.reserved_nano.zip(self.cost_nano);
        let left = left.map(|(reserved, cost)| reserved.0.saturating_sub(cost.0));
        let lost = self.lost_nano.zip(left);
        self.lost_nano = lost.map(|(lost, left)| NanoUsd(lost.0.max(left)));
    }
}

/// Kinds of tools that have a price for each time they run.
const UNCOUNTED: [&str; 5] = [
    "web-search",
    "file-search",
    "code-execution",
    "image-generation",
    "mcp",
];

/// Estimates what the provider did not count from the length of the output.
fn estimate(tokens: &mut Tokens, output_bytes: u64, request_bytes: u64) {
    let of = |bytes: u64| bytes.div_ceil(BYTES_PER_TOKEN);
    tokens.output = tokens.output.max(of(output_bytes));
    if tokens.input_total() == 0 {
        tokens.input = of(request_bytes);
    }
}

/// Names what the counts do not explain: tokens of no kind that is known, and the
/// premium of a place that the endpoint's prices do not have.
fn unexplained(tokens: &Tokens, claim: &Claim, beyond: &mut Beyond) {
    let known = tokens.input_total().saturating_add(tokens.output_total());
    if beyond.total.is_some_and(|total| total > known) {
        beyond.mark("total_tokens");
    }
    if beyond.at_premium && claim.uplift_percent == 0 {
        beyond.mark("inference_geo");
    }
}

/// A model that a provider names, as the price book does: providers have names of
/// their own for it, and put a version's date behind.
fn named<'m>(claim: &'m Claim, model: &'m str) -> &'m str {
    let dated = |rest: &str| {
        let date = rest.strip_prefix('-').unwrap_or_default();
        date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit())
    };
    let rest = model.strip_prefix(claim.model.as_str());
    match model == claim.id || rest.is_some_and(|rest| rest.is_empty() || dated(rest)) {
        true => &claim.model,
        false => model,
    }
}

/// What all of it costs; none if any part has no price.
fn cost(
    prices: &PriceBook,
    claim: &Claim,
    by: &str,
    tokens: &Tokens,
    beyond: &Beyond,
) -> Option<NanoUsd> {
    let of = |model: &str, tokens: &Tokens| prices.cost(model, claim.uplift_percent, tokens);
    let others = beyond.within.iter().filter_map(|pass| {
        let model = named(claim, pass.model.as_deref()?);
        (model != claim.model).then_some((model, &pass.tokens))
    });
    let (mut own, mut sum) = (*tokens, 0_i64);
    for (model, tokens) in others {
        own = own.minus(tokens);
        sum = sum.checked_add(of(model, tokens)?.0)?;
    }
    sum = sum.checked_add(of(by, &own)?.0)?;
    for pass in &beyond.passes {
        let model = pass.model.as_deref().unwrap_or(&claim.model);
        let model = named(claim, model);
        sum = sum.checked_add(of(model, &pass.tokens)?.0)?;
    }
    for (kind, count) in &beyond.uses {
        let each = prices.per_use(&claim.model, kind)?;
        let count = i64::try_from(*count).ok()?;
        sum = sum.checked_add(each.0.checked_mul(count)?)?;
    }
    Some(NanoUsd(sum))
}
