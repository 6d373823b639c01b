//! Server tools that a request offers to its model without requiring them. A client can
//! ask to leave out those that its zone does not allow. They are removed from the body
//! before anything else is read from it, so nothing of them is sent.

use super::vocabulary_of;
use crate::dialect::neutral::Json;
use crate::dialect::tokens::Tokens;
use crate::dialect::{field_with_name, read_fields, Api};
use crate::regions::egress::{EgressRules, Vocabulary};
use std::collections::BTreeSet;
use std::ops::Range;

/// A request that offers more such tools than this is refused.
const MOST_LEFT_OUT: usize = 64;

const TOOLS: &str = "tools";
const CHOICE: &str = "tool_choice";
/// Fields that providers take only beside tools.
const BESIDE_TOOLS: [&str; 3] = [TOOLS, CHOICE, "parallel_tool_calls"];
/// Tool choices that require a call.
const ANY_TOOL: [&str; 2] = ["required", "any"];

/// The tools that were left out, by their places in the client's list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Offers(Vec<usize>);

impl Offers {
    /// Their names, as the reply lists them.
    pub fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().map(|at| format!("{TOOLS}[{at}]"))
    }

    /// The place in the client's body, from the place in the body without these tools.
    pub fn place_of(&self, place: String) -> String {
        let rest = place.strip_prefix(TOOLS);
        let rest = rest.and_then(|rest| rest.strip_prefix('['));
        let Some((number, rest)) = rest.and_then(|rest| rest.split_once(']')) else {
            return place;
        };
        let Ok(mut number) = number.parse::<usize>() else {
            return place;
        };
        for left_out in &self.0 {
            number += usize::from(*left_out <= number);
        }
        format!("{TOOLS}[{number}]{rest}")
    }
}

/// A tool of the client's list.
struct Tool<'b> {
    json: &'b str,
    /// It may be left out and is not allowed.
    left_out: bool,
}

/// Removes the tools from a body that are not allowed and may be left out, unless the
/// model has to call one of them. Anything but a list of tools stays as it is.
pub fn leave_out(
    rules: &EgressRules,
    api: Api,
    allows: impl Fn(&str) -> bool,
    body: &mut String,
) -> Offers {
    let Some((at, kept, offers)) = sifted(rules, api, allows, body) else {
        return Offers::default();
    };
    match kept {
        Some(kept) => body.replace_range(at, &kept),
        None => {
            for name in BESIDE_TOOLS {
                let field = read_fields(body, &BESIDE_TOOLS).ok();
                let field = field.and_then(|fields| field_with_name(body, &fields, name));
                field.into_iter().for_each(|at| body.replace_range(at, ""));
            }
        }
    }
    offers
}

/// Where the list is, what is left of it, if anything is, and what is not.
type Sifted = (Range<usize>, Option<String>, Offers);

fn sifted(
    rules: &EgressRules,
    api: Api,
    allows: impl Fn(&str) -> bool,
    body: &str,
) -> Option<Sifted> {
    let fields = read_fields(body, &BESIDE_TOOLS).ok()?;
    let value = |name| fields.iter().find(|(known, _)| *known == name);
    let (_, list) = value(TOOLS)?;
    let choice = value(CHOICE).map(|(_, value)| Json::parse_part(value.json));
    let choice = choice.transpose().ok()?.unwrap_or(Json::Null);
    let mut asked = BTreeSet::new();
    texts(&choice, &mut asked);
    let vocabulary = rules.dialects.get(vocabulary_of(api))?;
    let may_go = |json: &str| -> Option<bool> {
        let kind = kind_of(vocabulary, json, &asked)?;
        let known = rules.kinds.get(kind)?;
        Some(known.may_be_left_out && !allows(kind))
    };
    let mut tools: Vec<Tool<'_>> = Vec::new();
    let mut places = Vec::new();
    let mut tokens = Tokens::of(list.json);
    let mut more = tokens.takes(b'[') && tokens.next() == Some(b'{');
    while more {
        let json = tokens.whole()?;
        let left_out = may_go(json).unwrap_or(false);
        if left_out {
            places.push(tools.len());
        }
        if places.len() > MOST_LEFT_OUT {
            return None;
        }
        tools.push(Tool { json, left_out });
        more = tokens.takes(b',');
        if more && tokens.next() != Some(b'{') {
            return None;
        }
    }
    let has_to_call = ANY_TOOL.iter().any(|word| asked.contains(word));
    let none_left = places.len() == tools.len();
    if places.is_empty() || none_left && has_to_call {
        return None;
    }
    let kept = tools
        .iter()
        .filter(|tool| !tool.left_out)
        .map(|tool| tool.json);
    let kept = (!none_left).then(|| format!("[{}]", kept.collect::<Vec<_>>().join(",")));
    Some((list.at.clone(), kept, Offers(places)))
}

/// The kind of egress of a tool; `None` where the tool choice requires the tool, or
/// where its type is ambiguous.
fn kind_of<'r>(vocabulary: &'r Vocabulary, json: &str, asked: &BTreeSet<&str>) -> Option<&'r str> {
    let fields = read_fields(json, &["type", "name"]).ok()?;
    let text = |name: &str| -> Option<String> {
        let (_, value) = fields.iter().find(|(known, _)| *known == name)?;
        serde_json::from_str(value.json).ok()
    };
    let word = text("type")?;
    let is_asked = |word: &str| asked.contains(word);
    if is_asked(&word) || text("name").is_some_and(|name| is_asked(&name)) {
        return None;
    }
    vocabulary.types.meaning(&word)
}

/// The texts anywhere in a choice.
fn texts<'c>(choice: &'c Json<'_>, found: &mut BTreeSet<&'c str>) {
    match choice {
        Json::Text(text) => {
            found.insert(text);
        }
        Json::List(list) => list.iter().for_each(|one| texts(one, found)),
        Json::Object(fields) => fields.0.iter().for_each(|(_, value)| texts(value, found)),
        _ => {}
    }
}
