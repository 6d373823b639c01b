//! `egress.toml`, and what zones and claims say of egress.

use super::table::Table;
use super::{file, Notes};
use crate::regions::check::Rule;
use crate::regions::egress::{Allowance, EgressClaim, EgressKind, EgressRules, Vocabulary, Words};
use crate::regions::problem::Source;
use crate::regions::{Guarantee, Hosting};
use std::collections::{BTreeMap, BTreeSet};

/// The dialects that clients speak.
const DIALECTS: [&str; 5] = [
    "openai-chat",
    "openai-completions",
    "openai-responses",
    "openai-embeddings",
    "anthropic-messages",
];

pub fn rules(source: &Source, notes: &mut Notes) -> EgressRules {
    let mut table = file(source, &["egress"], notes);
    let mut rules = EgressRules::default();
    if let Some(mut kinds) = table.table("kinds", notes) {
        for (name, mut kind) in kinds.tables(notes) {
            let words = |kind: &mut Table<'_>, field, example, notes: &mut Notes| {
                kind.words(field, example, notes).unwrap_or_default()
            };
            let read = EgressKind {
                does: words(&mut kind, "does", "\"search the web\"", notes),
                instead: kind
                    .maybe_text("instead", notes)
                    .map_or_else(String::new, |found| found.text),
                source: words(&mut kind, "source", "\"https://…\"", notes),
                reviewed: kind.date("reviewed", notes).unwrap_or_default(),
                hides_input: kind.flag("hides_input", notes),
                hosted_tool: kind.flag("hosted_tool", notes),
                may_be_left_out: kind.flag("may_be_left_out", notes),
                names_host: kind.flag("names_host", notes),
                only_fixed: kind.flag("only_fixed", notes),
            };
            kind.finish(notes);
            rules.kinds.insert(name.text, read);
        }
        kinds.finish(notes);
    }
    for dialect in DIALECTS {
        if let Some(words) = table.table(dialect, notes) {
            let vocabulary = vocabulary(words, notes);
            rules.dialects.insert(dialect.to_owned(), vocabulary);
        }
    }
    table.finish(notes);
    rules
}

fn vocabulary(mut table: Table<'_>, notes: &mut Notes) -> Vocabulary {
    let mut harmless = BTreeMap::new();
    if let Some(mut fields) = table.table("harmless", notes) {
        for (field, values) in fields.lists(notes) {
            let values = values.into_iter().map(|value| value.text);
            harmless.insert(field.text, values.collect::<BTreeSet<_>>());
        }
        fields.finish(notes);
    }
    let vocabulary = Vocabulary {
        types: words(&mut table, "types", notes),
        fields: words(&mut table, "fields", notes),
        betas: words(&mut table, "betas", notes),
        harmless,
        bare_id: table.maybe_text("bare_id", notes).map(|kind| kind.text),
    };
    table.finish(notes);
    vocabulary
}

/// Lists of words, each under what they mean.
fn words(table: &mut Table<'_>, name: &'static str, notes: &mut Notes) -> Words {
    let mut words = Words::default();
    let Some(mut lists) = table.table(name, notes) else {
        return words;
    };
    let source = lists.source();
    for (meaning, list) in lists.lists(notes) {
        for word in list {
            let before = words.0.insert(word.text.clone(), meaning.text.clone());
            if let Some(before) = before {
                let what = format!("`{}` stands under `{before}` already", word.text);
                let problem = source.problem(Rule::DuplicateName, word.at, what);
                notes.problems.push(problem.instead("one of the two"));
            }
        }
    }
    lists.finish(notes);
    words
}

/// `[egress]` of a zone.
pub fn allowance(table: &mut Table<'_>, notes: &mut Notes) -> Allowance {
    let Some(mut table) = table.table("egress", notes) else {
        return Allowance::default();
    };
    let mut texts = |name| {
        let list = table.maybe_list(name, notes).unwrap_or_default();
        list.into_iter().map(|text| text.text).collect()
    };
    let allowance = Allowance {
        allow: texts("allow"),
        hosts: texts("hosts"),
    };
    table.finish(notes);
    allowance
}

/// `egress` of a claim: one table a kind.
pub fn claims(table: &mut Table<'_>, notes: &mut Notes) -> BTreeMap<String, EgressClaim> {
    let mut claims = BTreeMap::new();
    let Some(mut kinds) = table.table("egress", notes) else {
        return claims;
    };
    for (kind, mut table) in kinds.tables(notes) {
        let mut words = |name, example| table.words(name, example, notes).unwrap_or_default();
        let hosting = Hosting(words("hosting", "\"eu\""));
        let source = words("source", "\"https://…\"");
        let reviewer = words("reviewer", "\"privacy@example.com\"");
        let guarantee = table.choice("guarantee", "\"processing\"", notes);
        let claim = EgressClaim {
            hosting,
            guarantee: guarantee.unwrap_or(Guarantee::None),
            source,
            reviewed: table.date("reviewed", notes).unwrap_or_default(),
            reviewer,
            max_uses: table.maybe_number("max_uses", "a whole number such as 10", notes),
        };
        table.finish(notes);
        claims.insert(kind.text, claim);
    }
    kinds.finish(notes);
    claims
}
