//! Prices as catalogues write them, `3e-06` a token, to dollars a million
//! tokens. Decimal text to integers: no floating point on the way.

use meridian::units::NanoUsd;

/// A billionth of a dollar is the least that the price book counts.
const NANO: i32 = 9;
/// No price has so many digits or so far a point.
const DIGITS: usize = 18;

/// What a JSON number of dollars a token is a million tokens.
pub fn per_token(number: &str) -> Option<NanoUsd> {
    nano(number, 6)
}

/// A JSON number of dollars, for a million tokens or for one use.
pub fn dollars(number: &str) -> Option<NanoUsd> {
    nano(number, 0)
}

/// A JSON number times ten to a power, in billionths; none if it is negative,
/// too large, or has a part of a billionth.
fn nano(number: &str, power: i32) -> Option<NanoUsd> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent),
        None => (number, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_end_matches('0');
    let trailing = digits.len() - significant.len();
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some(NanoUsd(0));
    }
    if significant.len() > DIGITS {
        return None;
    }
    let exponent: i32 = exponent.parse().ok()?;
    let point = i32::try_from(trailing).ok()? - i32::try_from(fraction.len()).ok()?;
    let power = exponent.checked_add(point)?.checked_add(power + NANO)?;
    let scale = 10_i64.checked_pow(u32::try_from(power).ok()?)?;
    let nano = significant.parse::<i64>().ok()?.checked_mul(scale)?;
    Some(NanoUsd(nano))
}

/// Dollars as the price book writes them: `3.00`, `0.125`, `0`.
pub fn written(amount: NanoUsd) -> String {
    if amount.0 == 0 {
        return "0".to_owned();
    }
    let full = amount.to_string();
    let full = full.trim_start_matches('$').trim_end_matches('0');
    let decimals = full.split_once('.').map_or(0, |(_, after)| after.len());
    format!("{full}{}", "0".repeat(2_usize.saturating_sub(decimals)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_per_token_becomes_exact_dollars_a_million() {
        for (number, expected) in [
            ("3e-06", "3.00"),
            ("1.5e-05", "15.00"),
            ("0.00000015", "0.15"),
            ("1.25e-7", "0.125"),
            ("3.75E-06", "3.75"),
            ("0.00012", "120.00"),
            ("1e+1", "10000000.00"),
            ("1e-15", "0.000000001"),
            ("0.0", "0"),
            ("0e99999999999", "0"),
        ] {
            let amount = per_token(number).map(written);
            assert_eq!(amount.as_deref(), Some(expected), "{number}");
        }
        assert_eq!(dollars("0.0250").map(written).as_deref(), Some("0.025"));
        assert_eq!(dollars("3").map(written).as_deref(), Some("3.00"));
    }

    #[test]
    fn what_is_no_exact_price_is_none() {
        for number in [
            "",
            "-3e-06",
            "null",
            "\"3\"",
            ".5",
            "1.0000000000000001e-07",
            "1e-16",
            "1e400",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            "99999999999999999999999",
            "99999999999",
            "1e",
            "3.e-x",
        ] {
            assert_eq!(per_token(number), None, "{number}");
        }
        let long = format!("0.{}1", "0".repeat(1_000_000));
        assert_eq!(per_token(&long), None);
    }
}
