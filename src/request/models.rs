//! `GET /v1/models` and `/v1/models/{id}`: the models that the caller can use in its
//! zone, in the format of its SDK, paged if it asks for pages.

use crate::dialect::Family;
use crate::refusal::{Invalid, Refusal};
use serde_json::{json, Value};
use std::collections::BTreeSet;

/// The most models of a page: Anthropic's limit.
const MOST: u64 = 1_000;

/// A page of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    limit: Option<usize>,
    /// After this model.
    after: Option<(&'static str, String)>,
    /// Before this model.
    before: Option<(&'static str, String)>,
}

impl Page {
    /// Reads a query; other parameters are ignored.
    pub fn of_query(query: &[(String, String)]) -> Result<Page, Refusal> {
        let find = |name: &'static str| {
            let found = query.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| (name, value.clone()))
        };
        let limit = find("limit").map(|(_, said)| limit(&said)).transpose()?;
        Ok(Page {
            limit,
            after: find("after_id").or_else(|| find("after")),
            before: find("before_id"),
        })
    }
}

fn limit(said: &str) -> Result<usize, Refusal> {
    let limit = said.parse().ok().filter(|limit| (1..=MOST).contains(limit));
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    limit.ok_or_else(|| {
        Refusal::Body(Invalid::Number {
            field: "limit".to_owned(),
            least: 1,
            most: MOST,
        })
    })
}

/// The list as an SDK reads it.
pub fn models(family: Family, names: &BTreeSet<&str>, page: &Page) -> Result<String, Refusal> {
    let all: Vec<&str> = names.iter().copied().collect();
    let at = |cursor: &Option<(&'static str, String)>| match cursor {
        None => Ok(None),
        Some((field, name)) => all.binary_search(&name.as_str()).map(Some).map_err(|_| {
            Refusal::Body(Invalid::Value {
                field: (*field).to_owned(),
                value: name.chars().take(100).collect(),
            })
        }),
    };
    let (after, before) = (at(&page.after)?, at(&page.before)?);
    let from = after.map_or(0, |at| at + 1);
    let part = all.get(from..before.unwrap_or(all.len()).max(from));
    let part = part.unwrap_or_default();
    let limit = page.limit.unwrap_or(part.len()).min(part.len());
    // A page before a model ends with that one's neighbour.
    let shown = match before.is_some() && after.is_none() {
        true => part.get(part.len() - limit..),
        false => part.get(..limit),
    };
    let shown = shown.unwrap_or_default();
    let mut list = json!({
        "data": shown.iter().map(|name| entry(family, name)).collect::<Vec<_>>(),
        "has_more": limit < part.len(),
        "first_id": shown.first(),
        "last_id": shown.last(),
    });
    if let (Some(list), true) = (list.as_object_mut(), family != Family::Anthropic) {
        list.insert("object".to_owned(), "list".into());
    }
    Ok(list.to_string())
}

/// One model as an SDK reads it.
pub fn model(family: Family, name: &str) -> String {
    entry(family, name).to_string()
}

fn entry(family: Family, name: &str) -> Value {
    match family {
        Family::Anthropic => json!({
            "type": "model",
            "id": name,
            "display_name": name,
            "created_at": "1970-01-01T00:00:00Z",
        }),
        _ => json!({"id": name, "object": "model", "created": 0, "owned_by": "meridian"}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

    /// The ids of a page, and whether there are more.
    fn page(query: &[(&str, &str)]) -> Result<(String, bool), String> {
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let listed = Page::of_query(&query)
            .and_then(|page| models(Family::Anthropic, &NAMES.into(), &page))
            .map_err(|refusal| refusal.param().unwrap_or_default().to_owned())?;
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let data = listed["data"].as_array().unwrap();
        let ids: Vec<&str> = data.iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(listed["first_id"].as_str(), ids.first().copied());
        assert_eq!(listed["last_id"].as_str(), ids.last().copied());
        Ok((ids.concat(), listed["has_more"].as_bool().unwrap()))
    }

    #[test]
    fn a_page_is_what_its_query_says() {
        let told = |ids: &str, more| Ok((ids.to_owned(), more));
        assert_eq!(page(&[]), told("abcde", false));
        assert_eq!(
            page(&[("limit", "1000"), ("beta", "true")]),
            told("abcde", false)
        );
        assert_eq!(page(&[("limit", "2")]), told("ab", true));
        assert_eq!(page(&[("limit", "2"), ("after_id", "b")]), told("cd", true));
        assert_eq!(page(&[("limit", "2"), ("after", "d")]), told("e", false));
        assert_eq!(page(&[("after_id", "e")]), told("", false));
        assert_eq!(
            page(&[("limit", "2"), ("before_id", "d")]),
            told("bc", true)
        );
        assert_eq!(page(&[("before_id", "a")]), told("", false));
        assert_eq!(
            page(&[("after_id", "d"), ("before_id", "b")]),
            told("", false)
        );
        assert_eq!(
            page(&[("after_id", "a"), ("before_id", "e"), ("limit", "2")]),
            told("bc", true)
        );
    }

    #[test]
    fn a_query_that_means_nothing_is_refused() {
        for said in ["0", "1001", "-1", "two", ""] {
            assert_eq!(page(&[("limit", said)]), Err("limit".to_owned()), "{said}");
        }
        assert_eq!(page(&[("after_id", "x")]), Err("after_id".to_owned()));
        assert_eq!(page(&[("before_id", "")]), Err("before_id".to_owned()));
    }

    #[test]
    fn walking_the_pages_meets_each_model_once() {
        let (mut met, mut query) = (String::new(), vec![("limit", "2".to_owned())]);
        loop {
            let asked: Vec<_> = query.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let (ids, more) = page(&asked).unwrap();
            met.push_str(&ids);
            if !more {
                break;
            }
            query.truncate(1);
            query.push(("after_id", ids.chars().last().unwrap().to_string()));
        }
        assert_eq!(met, NAMES.concat());
    }
}
