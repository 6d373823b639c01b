//! What clients ask of an answer that a provider keeps: to read it, what it was
//! asked, to cancel it, to delete it.

use crate::dialect::call::{Call, Wanted};
use crate::dialect::Amounts;
use crate::refusal::Invalid;

/// Where they are.
const AT: &str = "/v1/responses/";
/// What stands there that is no answer.
const OTHERS: [&str; 2] = ["input_tokens", "compact"];
/// What a client may say of the part that it wants.
const WISHES: [&str; 6] = ["include", "include[]", "limit", "after", "before", "order"];
/// Azure's clients say the version of its API.
const PASSED_OVER: &str = "api-version";
const MOST_WISHES: usize = 32;

/// What is asked of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The answer's id.
    pub id: String,
    /// How it is asked for.
    pub method: &'static str,
    /// What stands behind the id: nothing, `/cancel` or `/input_items`.
    tail: &'static str,
    /// Which part of it is wanted.
    wishes: Vec<(String, String)>,
}

/// The id in a path, what stands behind it, and the methods that there are for it.
pub fn at(path: &str) -> Option<(&str, &'static str, &'static [&'static str])> {
    let rest = path.strip_prefix(AT)?;
    let (id, tail) = rest.split_once('/').unwrap_or((rest, ""));
    let (tail, methods): (_, &[&str]) = match tail {
        "" if !OTHERS.contains(&id) => ("", &["GET", "DELETE"]),
        "cancel" => ("/cancel", &["POST"]),
        "input_items" => ("/input_items", &["GET"]),
        _ => return None,
    };
    (!id.is_empty()).then_some((id, tail, methods))
}

impl Stored {
    /// From what a path was read as, and the query.
    pub fn read(
        id: String,
        method: &'static str,
        tail: &'static str,
        query: Vec<(String, String)>,
    ) -> Result<Stored, Invalid> {
        let mut wishes = query;
        wishes.retain(|(name, _)| name != PASSED_OVER);
        let known = |name: &str| WISHES.contains(&name) && method == "GET";
        let other = wishes.iter().position(|(name, _)| !known(name));
        let other = other.or((wishes.len() > MOST_WISHES).then_some(MOST_WISHES));
        if let Some((name, value)) = other.and_then(|at| wishes.get(at)) {
            return Err(Invalid::Value {
                field: name.chars().take(100).collect(),
                value: value.chars().take(100).collect(),
            });
        }
        Ok(Stored {
            id,
            method,
            tail,
            wishes,
        })
    }

    /// Whether the reply to it is the answer itself.
    pub fn reads_answer(&self) -> bool {
        matches!((self.method, self.tail), ("GET", "") | ("POST", "/cancel"))
    }

    /// Where it is at an endpoint, behind its base path; `segment` writes a text as
    /// a part of an address.
    pub fn operation(&self, segment: impl Fn(&str) -> String) -> String {
        let mut operation = format!("/responses/{}{}", segment(&self.id), self.tail);
        for (at, (name, value)) in self.wishes.iter().enumerate() {
            operation.push(if at == 0 { '?' } else { '&' });
            operation.push_str(&format!("{}={}", segment(name), segment(value)));
        }
        operation
    }
}

/// A call without a body, of the model that made the answer.
pub fn call(model: &str) -> Call<'static> {
    Call {
        body: "",
        wanted: Wanted {
            model: model.to_owned(),
            stream: false,
            thinks: None,
        },
        fields: Vec::new(),
        amounts: Amounts::default(),
        hide_usage: false,
        tags: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_is_asked_of_which_answer() {
        let told = |path| at(path).map(|(id, tail, methods)| (id, tail, methods.join(" ")));
        let is = |id, tail, methods: &str| Some((id, tail, methods.to_owned()));
        assert_eq!(told("/v1/responses/resp_1"), is("resp_1", "", "GET DELETE"));
        assert_eq!(
            told("/v1/responses/resp_1/cancel"),
            is("resp_1", "/cancel", "POST")
        );
        let items = told("/v1/responses/resp_1/input_items");
        assert_eq!(items, is("resp_1", "/input_items", "GET"));
        for other in [
            "/v1/responses",
            "/v1/responses/",
            "/v1/responses/input_tokens",
            "/v1/responses/compact",
            "/v1/responses/a/b",
            "/v1/responses/a/cancel/b",
            "/v1/responses//cancel",
        ] {
            assert_eq!(told(other), None, "{other}");
        }
    }

    #[test]
    fn only_what_is_known_goes_on_and_it_stays_one_part_of_the_address() {
        let stored = |method, pairs: &[(&str, &str)]| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            Stored::read(
                "../a?b#".to_owned(),
                method,
                "",
                pairs.iter().map(owned).collect(),
            )
        };
        let segment = |text: &str| text.replace(['/', '?', '#', '&', '='], "%");
        let asked = stored(
            "GET",
            &[("include[]", "a&b=c"), ("limit", "2"), ("api-version", "x")],
        );
        assert_eq!(
            asked.unwrap().operation(segment),
            "/responses/..%a%b%?include[]=a%b%c&limit=2"
        );
        for (method, name) in [("GET", "stream"), ("GET", "url"), ("DELETE", "limit")] {
            assert!(stored(method, &[(name, "1")]).is_err(), "{method} {name}");
        }
        let many = [("include[]", "a"); MOST_WISHES + 1];
        assert!(stored("GET", &many).is_err());
    }
}
