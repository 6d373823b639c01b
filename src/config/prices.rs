//! The price book and the arithmetic of a call's cost, in integers throughout.
//! A kind of token that was used but has no price leaves the call unpriced: it
//! is never counted as free.

use crate::units::{NanoUsd, Tokens};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::iter;

/// What a million tokens of each kind cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Uncached input.
    pub input: NanoUsd,
    /// Output, thinking included.
    pub output: NanoUsd,
    /// Input read from a cache.
    #[serde(default)]
    pub cache_read: Option<NanoUsd>,
    /// Input written to a five-minute cache.
    #[serde(default)]
    pub cache_write_5m: Option<NanoUsd>,
    /// Input written to an hour's cache.
    #[serde(default)]
    pub cache_write_1h: Option<NanoUsd>,
    /// Audio input.
    #[serde(default)]
    pub audio_input: Option<NanoUsd>,
    /// Audio output.
    #[serde(default)]
    pub audio_output: Option<NanoUsd>,
    /// What a tool costs each time it runs at the provider, by the kinds of
    /// `regions/egress.toml`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub per_use: BTreeMap<String, NanoUsd>,
    /// What a call with a long input costs instead, its output included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_input: Option<LongInput>,
}

/// The price of calls whose input is longer than so many tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongInput {
    /// The most tokens of input, cached ones included, at the ordinary price.
    pub above: u64,
    /// The price of all tokens of a call above that.
    pub price: Box<Price>,
}

impl Price {
    /// The prices that a call with so many tokens of input can have, the
    /// ordinary one first; the last is the one that it has.
    fn steps(&self, input: u64) -> impl Iterator<Item = &Price> {
        iter::successors(Some(self), move |price| {
            let long = price.long_input.as_ref()?;
            (input > long.above).then_some(&*long.price)
        })
    }

    /// The price of a call with so many tokens of input.
    pub fn for_input(&self, input: u64) -> &Price {
        self.steps(input).last().unwrap_or(self)
    }

    /// Dollars a million tokens, times the tokens; none if any kind has no price.
    fn sum(&self, tokens: &Tokens) -> Option<i128> {
        let parts = [
            (tokens.input, Some(self.input)),
            (tokens.cache_read, self.cache_read),
            (tokens.cache_write_5m, self.cache_write_5m),
            (tokens.cache_write_1h, self.cache_write_1h),
            (tokens.audio_input, self.audio_input),
            (tokens.output, Some(self.output)),
            (tokens.audio_output, self.audio_output),
        ];
        let mut sum: i128 = 0;
        for (count, per_million) in parts {
            if count > 0 {
                let part = i128::from(count).checked_mul(i128::from(per_million?.0))?;
                sum = sum.checked_add(part)?;
            }
        }
        Some(sum)
    }
}

/// Prices by the models' own names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PriceBook(pub BTreeMap<String, Price>);

impl PriceBook {
    /// The cost of one call's `tokens` of `model`, at a host that charges
    /// `uplift_percent` above the list price; `None` if any part has no price.
    pub fn cost(&self, model: &str, uplift_percent: u32, tokens: &Tokens) -> Option<NanoUsd> {
        let price = self.0.get(model)?.for_input(input_of(tokens));
        rounded(price.sum(tokens)?, uplift_percent)
    }

    /// The cost of the tokens of many calls together, at the ordinary price:
    /// which of the calls had a long input is not known.
    pub fn cost_of_many(
        &self,
        model: &str,
        uplift_percent: u32,
        tokens: &Tokens,
    ) -> Option<NanoUsd> {
        rounded(self.0.get(model)?.sum(tokens)?, uplift_percent)
    }
}

/// All tokens that a model read, from a cache or not.
fn input_of(tokens: &Tokens) -> u64 {
    let kinds = [
        tokens.input,
        tokens.cache_read,
        tokens.cache_write_5m,
        tokens.cache_write_1h,
        tokens.audio_input,
    ];
    kinds.into_iter().fold(0, u64::saturating_add)
}

/// Rounded once, at the end: a million tokens, times the percentage's hundred.
fn rounded(sum: i128, uplift_percent: u32) -> Option<NanoUsd> {
    let with_uplift = sum.checked_mul(100 + i128::from(uplift_percent))?;
    let scale: i128 = 100_000_000;
    let nano = with_uplift.checked_add(scale / 2)? / scale;
    i64::try_from(nano).ok().map(NanoUsd)
}

impl PriceBook {
    /// The price of one run of a tool for a model; `None` where it is unknown.
    pub fn per_use(&self, model: &str, kind: &str) -> Option<NanoUsd> {
        self.0.get(model)?.per_use.get(kind).copied()
    }

    /// The most that so many tokens of `model` can cost, of whatever kind they
    /// turn out to be.
    pub fn most(
        &self,
        model: &str,
        uplift_percent: u32,
        input: u64,
        output: u64,
    ) -> Option<NanoUsd> {
        let price = self.0.get(model)?;
        let dearest = |list: NanoUsd, others: &[Option<NanoUsd>]| {
            let others = others.iter().flatten().copied();
            i128::from(others.fold(list, NanoUsd::max).0)
        };
        let into = |step: &Price| {
            let writes = [step.cache_write_5m, step.cache_write_1h, step.audio_input];
            dearest(step.input, &writes)
        };
        let out = |step: &Price| dearest(step.output, &[step.audio_output]);
        let into = price.steps(input).map(into).max()?;
        let out = price.steps(input).map(out).max()?;
        let into = i128::from(input).checked_mul(into)?;
        let sum = into.checked_add(i128::from(output).checked_mul(out)?)?;
        let with_uplift = sum.checked_mul(100 + i128::from(uplift_percent))?;
        let scale: i128 = 100_000_000;
        let nano = with_uplift.checked_add(scale - 1)? / scale;
        i64::try_from(nano).ok().map(NanoUsd)
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use reading::read;

#[cfg(not(target_arch = "wasm32"))]
mod reading {
    //! `prices.toml`, where people write dollars as decimal strings.

    use super::{BTreeMap, LongInput, NanoUsd, Price, PriceBook};
    use crate::regions::check::Rule;
    use crate::regions::finding::Spot;
    use crate::regions::problem::Source;
    use crate::regions::read::{Notes, Table, Text};

    /// Reads `prices.toml`.
    pub fn read(source: &Source, notes: &mut Notes) -> PriceBook {
        let mut book = BTreeMap::new();
        let mut file = Table::of(source, Spot::at(&["prices"]), notes);
        for (model, mut table) in file.tables(notes) {
            let mut price = of_tokens(source, &mut table, notes);
            if let Some(mut kinds) = table.table("per_use", notes) {
                for (kind, written) in kinds.words_left(notes) {
                    let each = dollars(source, &written, notes);
                    price.per_use.extend(each.map(|each| (kind.text, each)));
                }
                kinds.finish(notes);
            }
            if let Some(mut long) = table.table("long_input", notes) {
                let above = long.positive("above", "272000", notes);
                price.long_input = Some(LongInput {
                    above: above.map_or(0, u64::from),
                    price: Box::new(of_tokens(source, &mut long, notes)),
                });
                long.finish(notes);
            }
            table.words("source", "\"https://…\"", notes);
            table.date("from", notes);
            table.finish(notes);
            book.insert(model.text, price);
        }
        PriceBook(book)
    }

    /// The price of each kind of token.
    fn of_tokens(source: &Source, table: &mut Table<'_>, notes: &mut Notes) -> Price {
        let example = "\"0.15\"";
        let mut needed = |name| {
            let written = table.text(name, example, notes);
            let amount = written.and_then(|text| dollars(source, &text, notes));
            amount.unwrap_or_default()
        };
        let (input, output) = (needed("input"), needed("output"));
        let mut maybe = |name| {
            let written = table.maybe_text(name, notes)?;
            dollars(source, &written, notes)
        };
        Price {
            input,
            output,
            cache_read: maybe("cache_read"),
            cache_write_5m: maybe("cache_write_5m"),
            cache_write_1h: maybe("cache_write_1h"),
            audio_input: maybe("audio_input"),
            audio_output: maybe("audio_output"),
            per_use: BTreeMap::new(),
            long_input: None,
        }
    }

    fn dollars(source: &Source, written: &Text, notes: &mut Notes) -> Option<NanoUsd> {
        let amount = NanoUsd::parse_dollars(&written.text);
        if amount.is_none() {
            let what = format!("`{}` is no amount of dollars", written.text);
            let problem = source.problem(Rule::BadPrice, written.at, what);
            notes
                .problems
                .push(problem.instead("a decimal number such as \"0.15\""));
        }
        amount
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> PriceBook {
        let price = Price {
            input: NanoUsd(3_000_000_000),
            output: NanoUsd(15_000_000_000),
            cache_read: Some(NanoUsd(300_000_000)),
            cache_write_5m: None,
            cache_write_1h: None,
            audio_input: None,
            audio_output: None,
            per_use: BTreeMap::from([("web-search".to_owned(), NanoUsd(10_000_000))]),
            long_input: None,
        };
        PriceBook(BTreeMap::from([("m".to_owned(), price)]))
    }

    #[test]
    fn a_call_costs_the_sum_of_its_kinds() {
        let tokens = Tokens {
            input: 1_000,
            cache_read: 2_000,
            output: 100,
            reasoning: 40,
            ..Tokens::default()
        };
        // 1000 × $3 + 2000 × $0.30 + 100 × $15, a million each.
        assert_eq!(book().cost("m", 0, &tokens), Some(NanoUsd(5_100_000)));
        assert_eq!(book().cost("m", 10, &tokens), Some(NanoUsd(5_610_000)));
    }

    #[test]
    fn what_has_no_price_is_unpriced_not_free() {
        let written = Tokens {
            cache_write_5m: 1,
            ..Tokens::default()
        };
        assert_eq!(book().cost("m", 0, &written), None);
        assert_eq!(book().cost("unknown", 0, &Tokens::default()), None);
        assert_eq!(book().cost("m", 0, &Tokens::default()), Some(NanoUsd(0)));
    }

    #[test]
    fn guard_a_tool_without_a_price_is_not_free() {
        assert_eq!(book().per_use("m", "web-search"), Some(NanoUsd(10_000_000)));
        assert_eq!(book().per_use("m", "code-execution"), None);
        assert_eq!(book().per_use("unknown", "web-search"), None);
    }

    #[test]
    fn the_largest_counts_do_not_overflow_into_a_wrong_price() {
        let tokens = Tokens {
            input: u64::MAX,
            ..Tokens::default()
        };
        assert_eq!(book().cost("m", 0, &tokens), None);
    }

    /// Twice the input and one and a half times the output above 1000 tokens.
    fn tiered() -> PriceBook {
        let mut book = book();
        let price = book.0.get_mut("m").unwrap();
        let long = Price {
            input: NanoUsd(6_000_000_000),
            output: NanoUsd(22_500_000_000),
            cache_read: Some(NanoUsd(600_000_000)),
            per_use: BTreeMap::new(),
            ..price.clone()
        };
        price.long_input = Some(LongInput {
            above: 1_000,
            price: Box::new(long),
        });
        book
    }

    #[test]
    fn field_10_a_long_input_is_dearer_strictly_above_the_threshold_and_all_of_the_call_is() {
        let of = |input, cache_read| {
            let tokens = Tokens {
                input,
                cache_read,
                output: 100,
                ..Tokens::default()
            };
            let cost = tiered().cost("m", 0, &tokens).unwrap();
            assert_eq!(
                tiered().cost_of_many("m", 0, &tokens),
                book().cost("m", 0, &tokens)
            );
            cost.0
        };
        // 100 × $15 and 100 × $22.50 a million.
        assert_eq!(of(999, 0), 999 * 3_000 + 1_500_000);
        assert_eq!(of(1_000, 0), 1_000 * 3_000 + 1_500_000);
        assert_eq!(of(1_001, 0), 1_001 * 6_000 + 2_250_000);
        // What is read from the cache makes the input long too.
        assert_eq!(of(1, 1_000), 6_000 + 1_000 * 600 + 2_250_000);
    }

    #[test]
    fn guard_a_bound_covers_the_dearer_price_of_a_long_input() {
        let most = |input| tiered().most("m", 10, input, 100).unwrap().0;
        for input in [1, 999, 1_000, 1_001, 5_000] {
            let tokens = Tokens {
                input,
                output: 100,
                ..Tokens::default()
            };
            let cost = tiered().cost("m", 10, &tokens).unwrap().0;
            assert!(most(input) >= cost, "{input}");
        }
        assert_eq!(most(1_000), 4_950_000);
        assert_eq!(most(1_001), 9_081_600);
    }
}
