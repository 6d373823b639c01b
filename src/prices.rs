//! The price book and the arithmetic of a call's cost, in integers throughout.
//! A kind of token that was used but has no price leaves the call unpriced: it
//! is never counted as free.

use crate::units::{NanoUsd, Tokens};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
}

/// Prices by the models' own names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PriceBook(pub BTreeMap<String, Price>);

impl PriceBook {
    /// The cost of `tokens` of `model`, at a host that charges
    /// `uplift_percent` above the list price; `None` if any part has no price.
    pub fn cost(&self, model: &str, uplift_percent: u32, tokens: &Tokens) -> Option<NanoUsd> {
        let price = self.0.get(model)?;
        let parts = [
            (tokens.input, Some(price.input)),
            (tokens.cache_read, price.cache_read),
            (tokens.cache_write_5m, price.cache_write_5m),
            (tokens.cache_write_1h, price.cache_write_1h),
            (tokens.audio_input, price.audio_input),
            (tokens.output, Some(price.output)),
            (tokens.audio_output, price.audio_output),
        ];
        let mut sum: i128 = 0;
        for (count, per_million) in parts {
            if count > 0 {
                let part = i128::from(count).checked_mul(i128::from(per_million?.0))?;
                sum = sum.checked_add(part)?;
            }
        }
        let with_uplift = sum.checked_mul(100 + i128::from(uplift_percent))?;
        // Rounded once, at the end: a million tokens, times the percentage's hundred.
        let scale: i128 = 100_000_000;
        let nano = with_uplift.checked_add(scale / 2)? / scale;
        i64::try_from(nano).ok().map(NanoUsd)
    }
}

impl PriceBook {
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
        let writes = [
            price.cache_write_5m,
            price.cache_write_1h,
            price.audio_input,
        ];
        let into = i128::from(input).checked_mul(dearest(price.input, &writes))?;
        let out = i128::from(output).checked_mul(dearest(price.output, &[price.audio_output]))?;
        let sum = into.checked_add(out)?;
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

    use super::{BTreeMap, NanoUsd, Price, PriceBook};
    use crate::regions::check::Rule;
    use crate::regions::finding::Spot;
    use crate::regions::problem::Source;
    use crate::regions::read::{Notes, Table, Text};

    /// Reads `prices.toml`.
    pub fn read(source: &Source, notes: &mut Notes) -> PriceBook {
        let mut book = BTreeMap::new();
        let mut file = Table::of(source, Spot::at(&["prices"]), notes);
        for (model, mut table) in file.tables(notes) {
            let example = "\"0.15\"";
            let input = table.text("input", example, notes);
            let output = table.text("output", example, notes);
            let mut maybe = |name| {
                let written = table.maybe_text(name, notes)?;
                dollars(source, &written, notes)
            };
            let price = Price {
                cache_read: maybe("cache_read"),
                cache_write_5m: maybe("cache_write_5m"),
                cache_write_1h: maybe("cache_write_1h"),
                audio_input: maybe("audio_input"),
                audio_output: maybe("audio_output"),
                input: input
                    .and_then(|text| dollars(source, &text, notes))
                    .unwrap_or_default(),
                output: output
                    .and_then(|text| dollars(source, &text, notes))
                    .unwrap_or_default(),
            };
            table.words("source", "\"https://…\"", notes);
            table.date("from", notes);
            table.finish(notes);
            book.insert(model.text, price);
        }
        PriceBook(book)
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
    fn the_largest_counts_do_not_overflow_into_a_wrong_price() {
        let tokens = Tokens {
            input: u64::MAX,
            ..Tokens::default()
        };
        assert_eq!(book().cost("m", 0, &tokens), None);
    }
}
