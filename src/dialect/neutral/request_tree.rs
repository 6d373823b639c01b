//! A client's request as a tree. It is already validated as JSON. The number of values
//! is bounded, since small values take many times their bytes in memory, and objects
//! that are never inspected stay text.

use super::json::{Json, Object};
use super::read::twice;
use crate::dialect::tokens::Tokens;
use crate::dialect::values::most_of_a_tree;
use crate::refusal::Invalid;
use std::borrow::Cow;

/// JSON is nested no deeper than this.
const DEEPEST: usize = 128;

/// The most fields of an object in the tree.
const MOST_FIELDS: usize = 8_192;

/// Fields below the top whose objects are only for the model and its tools: schemas and
/// tool arguments.
const RAW_FIELDS: [&str; 4] = ["input", "input_schema", "parameters", "schema"];

/// Reads a request.
pub fn read(text: &str) -> Result<Json<'_>, Invalid> {
    read_to(text, true)
}

/// Reads one of a request's values to its end.
pub fn read_all(text: &str) -> Result<Json<'_>, Invalid> {
    read_to(text, false)
}

fn read_to(text: &str, keeps_raw: bool) -> Result<Json<'_>, Invalid> {
    let most = most_of_a_tree(text.len());
    let mut reader = Reader {
        keeps_raw,
        tokens: Tokens::of(text),
        most,
        left: most,
        depth: 0,
        entries: Vec::new(),
        fields: Vec::new(),
    };
    let tree = reader.value().map_err(|wrong| match wrong {
        Wrong::TooMany { most } => Invalid::TooManyValues { most },
        Wrong::Json(detail) => Invalid::Json {
            detail: detail.into_owned(),
        },
    })?;
    match reader.tokens.next() {
        None => Ok(tree),
        Some(_) => Err(Invalid::Json {
            detail: "something follows it".to_owned(),
        }),
    }
}

/// Why there is no tree.
enum Wrong {
    TooMany { most: usize },
    Json(Cow<'static, str>),
}

fn wrong(detail: &'static str) -> Wrong {
    Wrong::Json(Cow::Borrowed(detail))
}

fn of_serde(error: serde_json::Error) -> Wrong {
    Wrong::Json(Cow::Owned(error.to_string()))
}

struct Reader<'b> {
    /// Whether these objects stay text.
    keeps_raw: bool,
    tokens: Tokens<'b>,
    most: usize,
    /// How many values may still come.
    left: usize,
    depth: usize,
    /// What has been read of lists that have not ended yet, the inner ones last:
    /// each is given exactly the room it needs once its end is known.
    entries: Vec<Json<'b>>,
    /// The same for objects.
    fields: Vec<(Cow<'b, str>, Json<'b>)>,
}

impl<'b> Reader<'b> {
    fn value(&mut self) -> Result<Json<'b>, Wrong> {
        let most = self.most;
        self.left = self.left.checked_sub(1).ok_or(Wrong::TooMany { most })?;
        match self.tokens.next() {
            Some(b'{') => self.inside(Reader::object),
            Some(b'[') => self.inside(Reader::list),
            Some(b'"') => self.text().map(Json::Text),
            Some(_) => self.plain(),
            None => Err(wrong("it ends too early")),
        }
    }

    /// What stands in an object or a list.
    fn inside(
        &mut self,
        read: fn(&mut Reader<'b>) -> Result<Json<'b>, Wrong>,
    ) -> Result<Json<'b>, Wrong> {
        if self.depth >= DEEPEST {
            return Err(wrong("it is nested too deeply"));
        }
        self.depth += 1;
        self.tokens.skip();
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn list(&mut self) -> Result<Json<'b>, Wrong> {
        if self.tokens.takes(b']') {
            return Ok(Json::List(Vec::new()));
        }
        let first = self.entries.len();
        loop {
            let entry = self.value()?;
            self.entries.push(entry);
            if !self.goes_on(b']')? {
                return Ok(Json::List(self.entries.drain(first..).collect()));
            }
        }
    }

    fn object(&mut self) -> Result<Json<'b>, Wrong> {
        if self.tokens.takes(b'}') {
            return Ok(Json::Object(Object::new()));
        }
        let first = self.fields.len();
        loop {
            if self.tokens.next() != Some(b'"') {
                return Err(wrong("a field lacks its name"));
            }
            let name = self.text()?;
            if !self.tokens.takes(b':') {
                return Err(wrong("a field lacks its value"));
            }
            let keeps_raw = self.keeps_raw && self.depth > 1 && RAW_FIELDS.contains(&name.as_ref());
            let value = match keeps_raw && self.tokens.next() == Some(b'{') {
                true => self.raw()?,
                false => self.value()?,
            };
            if self.fields.len() - first >= MOST_FIELDS {
                let most = MOST_FIELDS;
                return Err(Wrong::TooMany { most });
            }
            self.fields.push((name, value));
            if !self.goes_on(b'}')? {
                break;
            }
        }
        let fields: Vec<_> = self.fields.drain(first..).collect();
        match twice(&fields) {
            Some(name) => {
                let shown: String = name.chars().take(60).collect();
                Err(Wrong::Json(format!("`{shown}` stands twice").into()))
            }
            None => Ok(Json::Object(Object(fields))),
        }
    }

    /// Whether another value follows.
    fn goes_on(&mut self, end: u8) -> Result<bool, Wrong> {
        match self.tokens.takes(b',') {
            true => Ok(true),
            false if self.tokens.takes(end) => Ok(false),
            false => Err(wrong("a comma or an end is missing")),
        }
    }

    /// An object as it stands.
    fn raw(&mut self) -> Result<Json<'b>, Wrong> {
        let whole = self
            .tokens
            .whole()
            .ok_or_else(|| wrong("it ends too early"))?;
        Json::raw(whole).map_err(of_serde)
    }

    fn text(&mut self) -> Result<Cow<'b, str>, Wrong> {
        let text = self.tokens.text();
        let text = text.ok_or_else(|| wrong("a string has no end"))?;
        text.ok_or_else(|| wrong("a string has an escape that is no character"))
    }

    fn plain(&mut self) -> Result<Json<'b>, Wrong> {
        let token = self.tokens.token().unwrap_or_default();
        match token {
            "null" => Ok(Json::Null),
            "true" => Ok(Json::Flag(true)),
            "false" => Ok(Json::Flag(false)),
            number => serde_json::from_str(number)
                .map(Json::Number)
                .map_err(of_serde),
        }
    }
}

// `proptest` does not run in wasm.
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tools_own_objects_stay_text() {
        let text = r#"{"input":[{"parameters":{ "a" : 1 },"input":"x","schema":[1]}]}"#;
        let json = Json::parse_request(text).unwrap();
        let tool = json.list("input").first().unwrap();
        assert!(matches!(tool.get("parameters"), Some(Json::Raw(_))));
        assert!(tool.get("parameters").is_some_and(Json::is_object));
        assert_eq!(tool.text("input"), Some("x"));
        assert_eq!(tool.list("schema").len(), 1);
        assert_eq!(json.to_text(), text);
    }

    #[test]
    fn guard_lists_of_arguments_in_arguments_are_gone_over_once() {
        let nested = |levels: usize| {
            let (open, close) = (r#"{"input":["#.repeat(levels), "]}".repeat(levels));
            format!(r#"{{"a":{open}0{close}}}"#)
        };
        let text = nested(20);
        let json = Json::parse_request(&text).unwrap();
        let outer = json.get("a").unwrap().list("input").first().unwrap();
        assert!(matches!(outer, Json::Object(_)), "{outer:?}");
        assert_eq!(json.to_text(), text);
        // How deep a body is counts in them as it does elsewhere.
        assert!(Json::parse_request(&nested(200)).is_err());
        // An object in such a list is no part of a text that was taken before.
        let inner = r#"{"a":[{"input":[{"input":{"b":1}}]}]}"#;
        let json = Json::parse_request(inner).unwrap();
        let list = json.list("a").first().unwrap().list("input");
        assert!(matches!(
            list.first().unwrap().get("input"),
            Some(Json::Raw(_))
        ));
    }

    #[test]
    fn guard_an_object_of_too_many_fields_is_refused() {
        let fields = |count: usize| {
            let fields = (0..count).map(|at| format!("\"k{at}\":0"));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        };
        let most = MOST_FIELDS;
        assert!(Json::parse_request(&fields(most)).is_ok());
        let more = fields(most + 1);
        assert_eq!(
            Json::parse_request(&more),
            Err(Invalid::TooManyValues { most })
        );
    }

    #[test]
    fn guard_a_request_of_too_many_values_is_refused() {
        let zeros = |count: usize| format!(r#"{{"a":[{}0]}}"#, "0,".repeat(count - 3));
        let most = most_of_a_tree(0);
        assert!(Json::parse_request(&zeros(most)).is_ok());
        let many = zeros(most + 1);
        let refused = Json::parse_request(&many);
        assert_eq!(refused, Err(Invalid::TooManyValues { most }));
        // A long text pays for more of them.
        let long = zeros(most + 1).replace('}', &format!(r#","b":"{}"}}"#, "x".repeat(3_000_000)));
        assert!(Json::parse_request(&long).is_ok());
    }

    /// JSON of all kinds, and what is nearly JSON.
    fn text() -> impl Strategy<Value = String> {
        let plain = prop_oneof![
            Just("null"),
            Just("true"),
            Just("-0"),
            Just("1e3"),
            Just("0.10"),
            Just("1e999"),
            Just("18446744073709551616"),
            Just("\"\\u00e9\\n\""),
            Just("\"\\ud800\""),
            Just("\"\""),
        ];
        let name = prop_oneof![
            Just("a"),
            Just("b"),
            Just("\\u0061"),
            Just("input"),
            Just("schema")
        ];
        plain
            .prop_map(str::to_owned)
            .prop_recursive(5, 60, 6, move |inner| {
                let field = (name.clone(), inner.clone())
                    .prop_map(|(name, value)| format!("\"{name}\" :{value}"));
                prop_oneof![
                    proptest::collection::vec(inner, 0..6)
                        .prop_map(|all| format!("[{} ]", all.join(","))),
                    proptest::collection::vec(field, 0..6)
                        .prop_map(|all| format!("{{{}\n}}", all.join(" ,"))),
                ]
            })
    }

    proptest! {
        #[test]
        fn a_request_is_read_as_serde_json_reads_it(text in text()) {
            let value = |json: Json<'_>| serde_json::from_str::<serde_json::Value>(&json.to_text()).unwrap();
            match (read(&text), Json::parse(&text)) {
                (Ok(own), Ok(other)) => prop_assert_eq!(value(own), value(other)),
                (Ok(own), Err(_)) => {
                    // What stays text is never inspected.
                    prop_assert!(text.contains("\"input\"") || text.contains("\"schema\""), "{own:?}");
                }
                (Err(error), other) => prop_assert!(other.is_err(), "{error:?}"),
            }
        }

        #[test]
        fn what_is_no_json_comes_to_an_end(text in text(), cut in 0..200_usize, put in "[\\[\\]{}:,\"\\\\0n]") {
            let cut = text.char_indices().map(|(at, _)| at).take(cut).last().unwrap_or(0);
            let (before, behind) = text.split_at(cut);
            for text in [before.to_owned(), format!("{before}{put}{behind}")] {
                if let Err(Invalid::Json { detail }) = read(&text) {
                    prop_assert!(!detail.is_empty());
                }
            }
        }
    }
}
