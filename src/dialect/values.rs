//! The most values that a request may have. Each value costs work and memory whatever
//! its length, so a body of many small values is refused before it is parsed.

use crate::dialect::tokens::end_of_string;
use crate::refusal::Invalid;

/// The number of values that any request may have.
const LEAST: usize = 32_768;

/// A longer request may hold one more object, list or field for each of so many
/// bytes.
const BYTES_A_VALUE: usize = 16;

/// A longer request that is read into a tree may hold one more value for each of
/// so many bytes: then the tree, and what is made of it, is no larger than the body.
const BYTES_A_VALUE_OF_A_TREE: usize = 64;

/// How many values a tree of so many bytes may hold.
pub fn most_of_a_tree(length: usize) -> usize {
    LEAST.max(length / BYTES_A_VALUE_OF_A_TREE)
}

/// Counts the objects, lists and fields of a body up to the most that its length
/// allows. It does not check that the body is JSON.
pub fn check(body: &str) -> Result<(), Invalid> {
    let most = LEAST.max(body.len() / BYTES_A_VALUE);
    let mut count = 0;
    let mut rest = body.as_bytes();
    while !rest.is_empty() {
        let length = memchr::memchr(b'"', rest).unwrap_or(rest.len());
        let (between, string) = rest.split_at(length);
        // A body without strings may be one long list.
        for part in between.chunks(most) {
            count += part.iter().filter(|byte| begins_value(**byte)).count();
            if count > most {
                return Err(Invalid::TooManyValues { most });
            }
        }
        let inside = string.get(1..).unwrap_or_default();
        let end = end_of_string(inside).unwrap_or(inside.len());
        rest = inside
            .get(end..)
            .and_then(|rest| rest.get(1..))
            .unwrap_or_default();
    }
    Ok(())
}

fn begins_value(byte: u8) -> bool {
    matches!(byte, b'{' | b'[' | b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guard_a_body_of_too_many_values_is_refused_whatever_they_are() {
        let refused = Err(Invalid::TooManyValues { most: LEAST });
        for piece in ["[]", "{}", r#""k":0"#, r#""\"":"""#] {
            let body = |count: usize| format!("{{{}}}", vec![piece; count].join(","));
            assert_eq!(check(&body(LEAST - 1)), Ok(()), "{piece}");
            assert_eq!(check(&body(LEAST)), refused, "{piece}");
        }
        assert_eq!(check(&"[".repeat(LEAST + 1)), refused);
    }

    #[test]
    fn what_strings_hold_and_lists_of_plain_values_do_not_count() {
        for text in ["[{:", r#"\"[{:"#, r"\\"] {
            let body = format!(r#"{{"a":"{}","b":[0]}}"#, text.repeat(LEAST));
            assert_eq!(check(&body), Ok(()), "{text}");
            let (most, more) = (body.len() / BYTES_A_VALUE, "[]".repeat(body.len()));
            let most = most
                .max(LEAST)
                .max((body.len() + more.len()) / BYTES_A_VALUE);
            assert_eq!(check(&(body + &more)), Err(Invalid::TooManyValues { most }));
        }
        let numbers = format!("[{}0]", r#"0,"x","#.repeat(10 * LEAST));
        assert_eq!(check(&numbers), Ok(()));
        assert_eq!(check(r#"{"a":"no end\"#), Ok(()));
        assert_eq!(check(""), Ok(()));
    }
}
