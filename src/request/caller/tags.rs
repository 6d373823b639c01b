//! The tags of a request: from `meridian-tags`, from the headers of other gateways and
//! from the body's metadata. Tags of the key override all of them.

use super::KeyRecord;
use crate::refusal::Refusal;
use crate::request::head::Head;
use std::collections::BTreeMap;

const MOST_TAGS: usize = 32;
const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 256;
const HELICONE: &str = "helicone-property-";

/// The tags of a request, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// The tags that a key puts on every request.
    pub fn of(key: &KeyRecord) -> Tags {
        let mut tags = Tags(key.tags.clone());
        tags.0.insert("team".to_owned(), key.team.clone());
        tags
    }

    /// Adds the tags of a request's headers. Existing tags win, then `meridian-tags`,
    /// then the others.
    pub fn add_from_headers(&mut self, head: &Head) -> Result<(), Refusal> {
        if let Some(text) = head.header("meridian-tags") {
            self.take("meridian-tags", pairs("meridian-tags", text, '=')?)?;
        }
        for (name, value) in &head.headers {
            match name.as_str() {
                "x-litellm-tags" => self.take(name, litellm(value))?,
                "x-portkey-metadata" | "cf-aig-metadata" => {
                    self.take(name, json_object(name, value)?)?;
                }
                _ => {
                    if let Some(property) = name.strip_prefix(HELICONE) {
                        self.take(name, vec![(property.to_owned(), value.clone())])?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds the tags of a body that are not set yet. A value that is too long for a tag
    /// is ignored.
    pub fn add_from_body(&mut self, found: &[(String, String)]) {
        for (name, value) in found {
            if check("metadata", name, value).is_ok() && self.0.len() < MOST_TAGS {
                self.0.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
    }

    /// One tag.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All tags but those named.
    pub fn except<'a>(&'a self, names: &'a [&str]) -> BTreeMap<&'a str, &'a str> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| !names.contains(name))
            .collect()
    }

    fn take(&mut self, header: &str, found: Vec<(String, String)>) -> Result<(), Refusal> {
        for (name, value) in found {
            let name = name.trim().to_ascii_lowercase();
            let value = value.trim().to_owned();
            check(header, &name, &value)?;
            self.0.entry(name).or_insert(value);
        }
        if self.0.len() > MOST_TAGS {
            return Err(refused(
                header,
                format!("more than {MOST_TAGS} tags in all"),
            ));
        }
        Ok(())
    }
}

fn refused(header: &str, what: impl Into<String>) -> Refusal {
    Refusal::Tags {
        header: header.to_owned(),
        what: what.into(),
    }
}

fn check(header: &str, name: &str, value: &str) -> Result<(), Refusal> {
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(refused(
            header,
            format!("the name of a tag must have 1 to {LONGEST_NAME} bytes"),
        ));
    }
    if value.len() > LONGEST_VALUE {
        let what = format!("the value of `{name}` is longer than {LONGEST_VALUE} bytes");
        return Err(refused(header, what));
    }
    if name.chars().chain(value.chars()).any(char::is_control) {
        return Err(refused(header, "a tag holds a control character"));
    }
    Ok(())
}

/// `a=1, b=2`.
fn pairs(header: &str, text: &str, between: char) -> Result<Vec<(String, String)>, Refusal> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once(between) {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => {
                let shown: String = part.chars().take(40).collect();
                Err(refused(
                    header,
                    format!("`{shown}` is not `name{between}value`"),
                ))
            }
        })
        .collect()
}

/// LiteLLM's tags are plain words; `name:value` is a common habit.
fn litellm(text: &str) -> Vec<(String, String)> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once([':', '=']) {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (part.to_owned(), "true".to_owned()),
        })
        .collect()
}

/// A JSON object of plain values.
fn json_object(header: &str, text: &str) -> Result<Vec<(String, String)>, Refusal> {
    use serde_json::Value;
    let object: BTreeMap<String, Value> =
        serde_json::from_str(text).map_err(|_| refused(header, "it is not a JSON object"))?;
    object
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name, text)),
            Value::Bool(_) | Value::Number(_) => Ok((name, value.to_string())),
            _ => Err(refused(header, format!("`{name}` is not a plain value"))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> KeyRecord {
        KeyRecord {
            id: "k".into(),
            team: "search".into(),
            name: String::new(),
            zone: None,
            models: vec![],
            tags: BTreeMap::from([("environment".into(), "prod".into())]),
            limits: BTreeMap::new(),
            unsupported: None,
            created: String::new(),
            revoked: None,
        }
    }

    fn read(headers: &str) -> Result<Tags, Refusal> {
        let head = Head::read(&format!("POST\n/\n\n\n{headers}"));
        let mut tags = Tags::of(&key());
        tags.add_from_headers(&head)?;
        Ok(tags)
    }

    #[test]
    fn every_gateways_headers_are_understood_and_the_key_wins() {
        let tags = read(concat!(
            "x-litellm-tags: beta, tier:gold\n",
            "x-portkey-metadata: {\"region\":\"north\",\"run\":7}\n",
            "helicone-property-session: s1\n",
            "cf-aig-metadata: {\"canary\":true,\"feature\":\"late\"}\n",
            "meridian-tags: team=thieves, feature=summaries, environment=qa",
        ))
        .unwrap();
        for (name, value) in [
            ("team", "search"),
            ("environment", "prod"),
            ("feature", "summaries"),
            ("beta", "true"),
            ("tier", "gold"),
            ("region", "north"),
            ("run", "7"),
            ("session", "s1"),
            ("canary", "true"),
        ] {
            assert_eq!(tags.get(name), Some(value), "{name}");
        }
    }

    #[test]
    fn tags_that_cannot_be_kept_are_refused_by_header() {
        let many: String = (0..40).map(|i| format!("t{i}=1,")).collect();
        for (headers, part) in [
            (format!("meridian-tags: {many}"), "more than 32"),
            (
                format!("meridian-tags: a={}", "x".repeat(300)),
                "longer than 256",
            ),
            ("meridian-tags: nonsense".into(), "not `name=value`"),
            ("cf-aig-metadata: [1]".into(), "not a JSON object"),
            ("x-portkey-metadata: {\"a\":{}}".into(), "not a plain value"),
            ("meridian-tags: a=b\u{7}".into(), "control character"),
        ] {
            let refusal = read(&headers).unwrap_err();
            assert!(refusal.to_string().contains(part), "{refusal}");
            assert_eq!(refusal.status(), 400);
        }
    }
}
