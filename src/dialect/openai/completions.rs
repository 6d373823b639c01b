//! Completions of a prompt (`/v1/completions`): the top-level fields that the gateway
//! reads, and those that it sets. They are passed on to endpoints that claim them and
//! never translated.

use super::request_fields::{asks_for_usage, tags};
use crate::dialect::call::{self, Call, Wanted};
use crate::dialect::Amounts;
use crate::dialect::Edits;
use crate::refusal::Invalid;
use serde::de::{SeqAccess, Visitor};
use serde::Deserializer;
use serde_json::value::RawValue;
use std::fmt;

const FIELDS: &[&str] = &[
    "max_tokens",
    "service_tier",
    "n",
    "best_of",
    "echo",
    "model",
    "prompt",
    "stream",
    "stream_options",
    "metadata",
];

/// The most tokens of a completion where the request does not say: OpenAI's default.
pub const USUAL_MAX_TOKENS: u64 = 16;

const PROMPTS: &str = "a text, a list of texts, a list of tokens, or a list of such lists";

/// Reads a request body.
pub fn read(body: &str) -> Result<Call<'_>, Invalid> {
    let fields = call::read_fields(body, FIELDS)?;
    let wanted = Wanted {
        model: call::string(&fields, "model")?,
        stream: call::flag(&fields, "stream")?,
        thinks: None,
    };
    let prompt = call::find(&fields, "prompt").ok_or_else(|| Invalid::Missing {
        field: "prompt".to_owned(),
    })?;
    let prompts = prompts(prompt.json).ok_or_else(|| Invalid::Type {
        field: "prompt".to_owned(),
        expected: PROMPTS,
    })?;
    let echoes = call::flag(&fields, "echo")?;
    let asks_for_usage = match call::find(&fields, "stream_options") {
        None => false,
        Some(options) => asks_for_usage(options.json)?,
    };
    let tags = call::find(&fields, "metadata").map_or_else(Vec::new, |m| tags(m.json));
    let hide_usage = wanted.stream && !asks_for_usage;
    Ok(Call {
        body,
        wanted,
        amounts: Amounts::of_completions(&fields, prompts, echoes)?,
        fields,
        hide_usage,
        tags,
    })
}

/// Writes the default limit into a request that has none: hosts differ in their own
/// default, and no more may be generated than was reserved.
pub fn limit(call: &Call<'_>, edits: &mut Edits) {
    let said = call.field("max_tokens").map(|value| value.json);
    if matches!(said, None | Some("null")) {
        edits.set(call, "max_tokens", USUAL_MAX_TOKENS.to_string());
    }
}

/// How many prompts there are: each is completed. `None` where they are malformed.
fn prompts(json: &str) -> Option<u64> {
    if json == "null" || json.starts_with('"') {
        // Null stands for the beginning of a text.
        return Some(1);
    }
    let mut json = serde_json::Deserializer::from_str(json);
    json.deserialize_seq(Prompts).ok()
}

struct Prompts;

/// A kind of entry of a list of prompts, by its first byte.
#[derive(Clone, Copy, PartialEq)]
enum Entry {
    Text,
    Token,
    Tokens,
}

impl Entry {
    fn of(json: &str) -> Option<Entry> {
        match json.bytes().next()? {
            b'"' => Some(Entry::Text),
            b'[' => Some(Entry::Tokens),
            b'0'..=b'9' => Some(Entry::Token),
            _ => None,
        }
    }
}

impl<'a> Visitor<'a> for Prompts {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PROMPTS)
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut list: S) -> Result<u64, S::Error> {
        let wrong = || serde::de::Error::custom(PROMPTS);
        let mut first: Option<Entry> = None;
        let mut count = 0_u64;
        while let Some(entry) = list.next_element::<&'a RawValue>()? {
            let entry = Entry::of(entry.get()).ok_or_else(wrong)?;
            if *first.get_or_insert(entry) != entry {
                return Err(wrong());
            }
            count = count.saturating_add(1);
        }
        match first {
            None => Err(wrong()),
            Some(Entry::Token) => Ok(1),
            Some(_) => Ok(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prompt_counts_and_a_list_of_tokens_is_one() {
        let cases = [
            ("null", Some(1)),
            (r#""Once""#, Some(1)),
            (r#"["a"]"#, Some(1)),
            (r#"[ "a" , "b\"]" , "" ]"#, Some(3)),
            ("[1, 2, 3]", Some(1)),
            ("[[1,2],[3],[4,5,6]]", Some(3)),
            ("[]", None),
            (r#"["a",1]"#, None),
            (r#"["a",[1]]"#, None),
            ("[[1],2]", None),
            ("[-1]", None),
            ("[null]", None),
            ("[{}]", None),
            ("{}", None),
            ("true", None),
            ("7", None),
        ];
        for (json, expected) in cases {
            assert_eq!(prompts(json), expected, "{json}");
        }
    }

    #[test]
    fn what_is_reserved_is_written_where_nothing_was_said() {
        let cases = [
            (
                r#"{"model":"m","prompt":"a"}"#,
                r#"{"max_tokens":16,"model":"m","prompt":"a"}"#,
            ),
            (
                r#"{"model":"m","prompt":"a","max_tokens": null}"#,
                r#"{"model":"m","prompt":"a","max_tokens": 16}"#,
            ),
            (
                r#"{"model":"m","prompt":"a","max_tokens":0}"#,
                r#"{"model":"m","prompt":"a","max_tokens":0}"#,
            ),
        ];
        for (body, expected) in cases {
            let call = read(body).unwrap();
            let mut edits = Edits::default();
            limit(&call, &mut edits);
            let sent = edits.apply(&std::rc::Rc::new(body.to_owned()));
            assert_eq!(sent.to_string(), expected);
        }
    }

    #[test]
    fn a_request_says_how_much_it_may_take() {
        let amounts = |rest: &str| {
            let body = format!(r#"{{"model":"m","prompt":["a","b"]{rest}}}"#);
            read(&body).map(|call| call.amounts)
        };
        let usual = amounts("").unwrap();
        assert_eq!((usual.output, usual.prompts), (Some(16), Some(2)));
        let many = amounts(r#","n":2,"best_of":5,"max_tokens":9,"echo":true"#).unwrap();
        assert_eq!((many.output, many.answers), (Some(9), Some(5)));
        assert!(many.echoes && !usual.echoes);
        for bad in [
            r#""best_of":-1"#,
            r#""n":0"#,
            r#""echo":"yes""#,
            r#""max_tokens":1e3"#,
        ] {
            assert!(amounts(&format!(",{bad}")).is_err(), "{bad}");
        }
        let missing = read(r#"{"model":"m"}"#).err();
        assert_eq!(
            missing,
            Some(Invalid::Missing {
                field: "prompt".to_owned()
            })
        );
    }
}
