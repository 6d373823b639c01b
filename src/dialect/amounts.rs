//! The most that a request lets a provider generate: tokens, choices, tool runs. A
//! number must be written in digits only, since parsers disagree about `1e3`, and the
//! amount that is reserved must be the amount that is billed.

use super::call::{find, Value};
use super::openai::completions::USUAL_MAX_TOKENS;
use crate::refusal::Invalid;
use serde::Deserialize;

/// No model generates more tokens in one response.
const MOST_TOKENS: u64 = 1_000_000;
/// No provider gives more choices for one request, whatever is claimed.
const MOST_ANSWERS: u64 = 16_384;
/// No provider runs its tools more often for one request.
const MOST_RUNS: u64 = 100_000;

/// The limits that a request sets for its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// The most tokens of one choice.
    pub output: Option<u64>,
    /// The number of choices; 1 by default.
    pub answers: Option<u64>,
    /// The number of prompts, each of which gets so many choices; 1 by default.
    pub prompts: Option<u64>,
    /// Each choice begins with its prompt.
    pub echoes: bool,
    /// How often the provider's own tools may run in all.
    pub tool_runs: Option<u64>,
    /// It has a predicted output: rejected prediction tokens are billed as output.
    pub predicts: bool,
    /// It asks for a service tier that may cost more than the list price.
    pub dear_tier: bool,
}

/// Service tiers that cost the list price or less. `auto` is what the operator's
/// own project is set to, which a request without a tier gets as well.
const LIST_PRICE: [&str; 6] = [
    "auto",
    "default",
    "flex",
    "on_demand",
    "standard",
    "standard_only",
];

type Read<'v, 'a> = &'v [(&'static str, Value<'a>)];

impl Amounts {
    /// Of chat completions. Providers differ in which of two limits they go by.
    pub fn of_chat(fields: Read<'_, '_>) -> Result<Amounts, Invalid> {
        let old = nullable(fields, "max_tokens", 1, MOST_TOKENS)?;
        let new = nullable(fields, "max_completion_tokens", 1, MOST_TOKENS)?;
        let kept = nullable(fields, "n", 1, MOST_ANSWERS)?;
        let made = nullable(fields, "best_of", 1, MOST_ANSWERS)?;
        let predicts = find(fields, "prediction").is_some_and(|value| value.json != "null");
        Ok(Amounts {
            output: old.max(new),
            answers: kept.max(made),
            tool_runs: None,
            predicts,
            dear_tier: dear_tier(fields),
            ..Amounts::default()
        })
    }

    /// Of completions of prompts.
    pub fn of_completions(
        fields: Read<'_, '_>,
        prompts: u64,
        echoes: bool,
    ) -> Result<Amounts, Invalid> {
        let told = nullable(fields, "max_tokens", 0, MOST_TOKENS)?;
        let kept = nullable(fields, "n", 1, MOST_ANSWERS)?;
        let made = nullable(fields, "best_of", 0, MOST_ANSWERS)?;
        Ok(Amounts {
            output: told.or(Some(USUAL_MAX_TOKENS)),
            answers: kept.max(made),
            prompts: Some(prompts),
            echoes,
            dear_tier: dear_tier(fields),
            ..Amounts::default()
        })
    }

    /// Of responses.
    pub fn of_responses(fields: Read<'_, '_>) -> Result<Amounts, Invalid> {
        Ok(Amounts {
            output: nullable(fields, "max_output_tokens", 1, MOST_TOKENS)?,
            tool_runs: nullable(fields, "max_tool_calls", 0, MOST_RUNS)?,
            dear_tier: dear_tier(fields),
            ..Amounts::default()
        })
    }

    /// Of messages, which do not allow null. With a limit of 0 the prompt is cached and
    /// nothing is generated.
    pub fn of_messages(fields: Read<'_, '_>) -> Result<Amounts, Invalid> {
        let told = whole(fields, "max_tokens", 0, MOST_TOKENS)?;
        // Interleaved thinking may exceed the output limit.
        let beyond = |told: &u64| match thinking_budget(fields) {
            budget if budget >= *told => budget,
            _ => 0,
        };
        Ok(Amounts {
            output: told.map(|told| told.saturating_add(beyond(&told))),
            dear_tier: dear_tier(fields),
            ..Amounts::default()
        })
    }
}

fn dear_tier(fields: Read<'_, '_>) -> bool {
    let Some(tier) = find(fields, "service_tier").filter(|tier| tier.json != "null") else {
        return false;
    };
    match serde_json::from_str::<String>(tier.json) {
        Ok(tier) => !LIST_PRICE.contains(&tier.as_str()),
        Err(_) => true,
    }
}

#[derive(Deserialize)]
struct Thinks {
    budget_tokens: Option<u64>,
}

/// The thinking budget in tokens; the most that any model generates where it cannot be
/// read.
fn thinking_budget(fields: Read<'_, '_>) -> u64 {
    let Some(thinking) = find(fields, "thinking").filter(|value| value.json != "null") else {
        return 0;
    };
    match serde_json::from_str::<Thinks>(thinking.json) {
        Ok(thinks) => thinks.budget_tokens.unwrap_or(0),
        Err(_) => MOST_TOKENS,
    }
}

fn nullable(
    fields: Read<'_, '_>,
    name: &'static str,
    least: u64,
    most: u64,
) -> Result<Option<u64>, Invalid> {
    match find(fields, name) {
        Some(value) if value.json == "null" => Ok(None),
        _ => whole(fields, name, least, most),
    }
}

fn whole(
    fields: Read<'_, '_>,
    name: &'static str,
    least: u64,
    most: u64,
) -> Result<Option<u64>, Invalid> {
    let Some(value) = find(fields, name) else {
        return Ok(None);
    };
    let digits = value.json.bytes().all(|b| b.is_ascii_digit());
    // What has more digits than fit is too large as well.
    let number = digits.then(|| value.json.parse().unwrap_or(u64::MAX));
    match number {
        Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => Err(Invalid::Number {
            field: name.to_owned(),
            least,
            most,
        }),
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::{read_call, Api};
    use crate::refusal::{Invalid, Refusal};

    const CASES: [(Api, &str, &str); 4] = [
        (Api::Chat, "max_tokens", r#""messages":[{}]"#),
        (Api::Chat, "max_completion_tokens", r#""messages":[{}]"#),
        (Api::Responses, "max_output_tokens", r#""input":"a""#),
        (Api::Messages, "max_tokens", r#""messages":[{}]"#),
    ];

    #[test]
    fn guard_bounds_a_limit_that_is_no_whole_number_is_refused_in_every_dialect() {
        for (api, field, rest) in CASES {
            let least = u64::from(api != Api::Messages);
            let bad = [
                "-1",
                "-0",
                "1.5",
                "16.0",
                "1e3",
                "1E3",
                "1e999",
                "\"16\"",
                "true",
                "[]",
                "{}",
                "1000001",
                "18446744073709551616",
                "99999999999999999999999999",
            ];
            for value in bad {
                let body = format!(r#"{{"model":"m",{rest},"{field}":{value}}}"#);
                let said = read_call(api, &body).err();
                let number = Invalid::Number {
                    field: field.to_owned(),
                    least,
                    most: 1_000_000,
                };
                assert_eq!(said, Some(number.clone()), "{api}, {body}");
                let refusal = Refusal::Body(number);
                assert_eq!((refusal.status(), refusal.param()), (400, Some(field)));
            }
            let null = format!(r#"{{"model":"m",{rest},"{field}":null}}"#);
            let refused = read_call(api, &null).is_err();
            assert_eq!(refused, api == Api::Messages, "{api}: null");
            let none = format!(r#"{{"model":"m",{rest},"{field}":0}}"#);
            let refused = read_call(api, &none).is_err();
            assert_eq!(refused, api != Api::Messages, "{api}: 0");
            for (value, read) in [("1", 1), ("16", 16), ("1000000", 1_000_000)] {
                let body = format!(r#"{{"model":"m",{rest},"{field}": {value} }}"#);
                let call = read_call(api, &body).unwrap();
                assert_eq!(call.amounts.output, Some(read), "{api}, {body}");
            }
        }
    }

    #[test]
    fn the_larger_of_two_limits_counts_and_no_number_stands_for_none() {
        let chat = |rest: &str| {
            let body = format!(r#"{{"model":"m","messages":[{{}}],{rest}}}"#);
            read_call(Api::Chat, &body).map(|call| call.amounts)
        };
        let both = chat(r#""max_tokens":5,"max_completion_tokens":7"#).unwrap();
        assert_eq!(both.output, Some(7));
        let many = chat(r#""n":3,"best_of":9,"prediction":{"type":"content"}"#).unwrap();
        assert_eq!((many.answers, many.predicts), (Some(9), true));
        assert_eq!(
            chat(r#""n":null,"prediction":null"#),
            Ok(Default::default())
        );
        for bad in ["0", "-1", "1.0", "2e1", "16385", "\"2\""] {
            assert!(chat(&format!(r#""n":{bad}"#)).is_err(), "n: {bad}");
        }
        let body = r#"{"model":"m","input":"a","max_tool_calls":0}"#;
        let call = read_call(Api::Responses, body).unwrap();
        assert_eq!(call.amounts.tool_runs, Some(0));
    }

    #[test]
    fn guard_bounds_thoughts_between_tools_count_beyond_the_limit() {
        let cases = [
            (r#"{"type":"enabled","budget_tokens":5000}"#, 5_016),
            (r#"{"type":"enabled","budget_tokens":15}"#, 16),
            (r#"{"type":"adaptive"}"#, 16),
            ("null", 16),
            (r#"{"budget_tokens":1,"budget_tokens":9000}"#, 1_000_016),
            (r#"{"budget_tokens":1e9}"#, 1_000_016),
        ];
        for (thinking, output) in cases {
            let body = format!(
                r#"{{"model":"m","messages":[{{}}],"max_tokens":16,"thinking":{thinking}}}"#
            );
            let call = read_call(Api::Messages, &body).unwrap();
            assert_eq!(call.amounts.output, Some(output), "{thinking}");
        }
    }

    #[test]
    fn guard_bounds_a_tier_that_may_be_dearer_is_told_in_every_dialect() {
        let cases = [
            ("null", false),
            (r#""auto""#, false),
            (r#""fl\u0065x""#, false),
            (r#""priority""#, true),
            (r#""pri\u006frity""#, true),
            (r#""fast""#, true),
            ("[]", true),
        ];
        for (api, _, rest) in CASES {
            for (tier, dear) in cases {
                let body = format!(r#"{{"model":"m",{rest},"service_tier":{tier}}}"#);
                let call = read_call(api, &body).unwrap();
                assert_eq!(call.amounts.dear_tier, dear, "{api}: {tier}");
            }
        }
    }
}
