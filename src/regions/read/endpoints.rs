//! `endpoints/*.toml`: one table an endpoint, one table inside it a claim.

use super::table::{Table, Text};
use super::{egress, file, Notes};
use crate::regions::check::Rule;
use crate::regions::problem::Source;
use crate::regions::{bindings, Auth, Claim, Dialect, Endpoint, Guarantee, Hosting, Paths, Quirks};
use std::collections::BTreeSet;

/// What stands before a dialect's operations, mostly.
fn usual_base(dialects: &[Dialect]) -> &'static str {
    match dialects.first() {
        Some(Dialect::BedrockConverse) => "",
        Some(Dialect::Gemini) => "/v1beta",
        Some(Dialect::CohereEmbed) => "/v2",
        _ => "/v1",
    }
}

pub fn endpoints(sources: &[Source], notes: &mut Notes) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    let mut names = BTreeSet::new();
    for source in sources {
        for (name, table) in file(source, &["endpoints"], notes).tables(notes) {
            if !names.insert(name.text.clone()) {
                let what = format!("there is an endpoint named `{}` already", name.text);
                let problem = source.problem(Rule::DuplicateName, name.at, what);
                notes.problems.push(problem.instead("another name"));
                continue;
            }
            endpoints.extend(endpoint(name, table, notes));
        }
    }
    endpoints
}

fn endpoint(name: Text, mut table: Table<'_>, notes: &mut Notes) -> Option<Endpoint> {
    let host = table.words("host", "\"eu.api.openai.com\"", notes);
    let base_path = table.maybe_text("base_path", notes);
    let dialects: Vec<Dialect> = table.choices("dialect", "\"openai-chat\"", notes);
    let written = table.text("auth", "\"bearer:SECRET_NAME\"", notes);
    let auth = written.and_then(|text| auth(table.source(), &text, notes));
    let mut fixed = Vec::new();
    if let Some(mut fields) = table.table("fixed", notes) {
        let values = fields.values(notes).into_iter();
        fixed.extend(values.map(|(name, value)| (name.text, value)));
    }
    let paths = paths(&mut table, notes);
    let query = table.maybe_text("query", notes).map(|query| query.text);
    let mut headers = Vec::new();
    if let Some(mut fields) = table.table("headers", notes) {
        let values = fields.words_left(notes).into_iter();
        headers.extend(values.map(|(name, value)| (name.text, value.text)));
    }
    let without = table.maybe_list("without", notes).unwrap_or_default();
    let quirks = quirks(&mut table, notes);
    let stream_usage = table
        .maybe_choice("stream_usage", notes)
        .unwrap_or_default();
    let sku = table.maybe_choice("sku", notes);
    let off = table.maybe_text("off", notes).map(|why| why.text);
    let alone = table.maybe_text("alone", notes).map(|why| why.text);
    let mut models = Vec::new();
    match table.table("models", notes) {
        Some(mut claims) => {
            for (model, claim) in claims.tables(notes) {
                models.push(read_claim(model.text, claim, notes));
            }
            claims.finish(notes);
        }
        None => {
            let what = format!(
                "the endpoint `{}` claims nothing about any model",
                name.text
            );
            let problem = table.source().problem(Rule::MissingField, name.at, what);
            notes
                .problems
                .push(problem.instead(format!("a table `[{}.models.\"…\"]`", name.text)));
        }
    }
    table.finish(notes);
    if dialects.is_empty() {
        return None;
    }
    Some(Endpoint {
        name: name.text,
        // What could not be read is refused all the same; meanwhile the claims
        // can be checked.
        host: host.unwrap_or_default(),
        base_path: base_path.map_or(usual_base(&dialects).to_owned(), |path| path.text),
        dialects,
        paths,
        query,
        headers,
        without: without.into_iter().map(|field| field.text).collect(),
        quirks,
        auth: auth.unwrap_or(Auth::Bearer {
            secret: String::new(),
        }),
        fixed,
        stream_usage,
        sku,
        off,
        alone,
        models,
    })
}

/// Where the operations are, if not where the dialect has them.
fn paths(table: &mut Table<'_>, notes: &mut Notes) -> Option<Paths> {
    let mut paths = table.table("paths", notes)?;
    let once = paths.words("once", "\"/model/{model}/invoke\"", notes);
    let stream = paths.words("stream", "\"/model/{model}/invoke\"", notes);
    paths.finish(notes);
    Some(Paths {
        once: once?,
        stream: stream?,
    })
}

fn quirks(table: &mut Table<'_>, notes: &mut Notes) -> Quirks {
    let Some(mut table) = table.table("quirks", notes) else {
        return Quirks::default();
    };
    let mut quirks = Quirks::default();
    if let Some(mut names) = table.table("rename", notes) {
        let names = names.words_left(notes).into_iter();
        quirks.rename = names
            .map(|(ours, theirs)| (ours.text, theirs.text))
            .collect();
    }
    let unknown = table.maybe_list("unknown", notes).unwrap_or_default();
    quirks.unknown = unknown.into_iter().map(|field| field.text).collect();
    let known = table.maybe_list("known", notes).unwrap_or_default();
    quirks.known = known.into_iter().map(|field| field.text).collect();
    quirks.short_ids = table.flag("short_ids", notes);
    quirks.document_urls = table.flag("document_urls", notes);
    quirks.max_temperature = table.maybe_decimal("max_temperature", notes);
    table.finish(notes);
    quirks
}

fn read_claim(model: String, mut table: Table<'_>, notes: &mut Notes) -> Claim {
    let mut words = |name, example| table.words(name, example, notes).unwrap_or_default();
    let id = words("id", "\"gpt-4.1-2025-04-14\"");
    let hosting = Hosting(words("hosting", "\"eu\""));
    let source = words("source", "\"https://…\"");
    let reviewer = words("reviewer", "\"privacy@example.com\"");
    let guarantee = table.choice("guarantee", "\"processing\"", notes);
    let claim = Claim {
        model,
        id,
        hosting,
        guarantee: guarantee.unwrap_or(Guarantee::None),
        source,
        reviewed: table.date("reviewed", notes).unwrap_or_default(),
        reviewer,
        uplift_percent: table.number("uplift_percent", notes),
        thinking: table.maybe_choice("thinking", notes),
        signatures: table
            .maybe_text("signatures", notes)
            .map(|found| found.text),
        without: table
            .maybe_list("without", notes)
            .unwrap_or_default()
            .into_iter()
            .map(|field| field.text)
            .collect(),
        max_output: amount("max_output", &mut table, notes),
        context: amount("context", &mut table, notes),
        max_choices: amount("max_choices", &mut table, notes),
        completions: table.flag("completions", notes),
        egress: egress::claims(&mut table, notes),
    };
    table.finish(notes);
    claim
}

/// A whole number above 0 that may be missing.
fn amount(name: &'static str, table: &mut Table<'_>, notes: &mut Notes) -> Option<u32> {
    table.maybe_positive(name, "a whole number above 0, such as 128000", notes)
}

fn auth(source: &Source, written: &Text, notes: &mut Notes) -> Option<Auth> {
    let auth = parse_auth(&written.text);
    if auth.is_none() {
        let what = format!(
            "`{}` does not say which header takes which secret",
            written.text
        );
        let problem = source.problem(Rule::BadAuth, written.at, what);
        let ways =
            "`bearer:SECRET_NAME`, `x-api-key:`, `api-key:`, `x-goog-api-key:`, `google:`, `entra:` or `sigv4:` and the name of a secret";
        notes.problems.push(problem.instead(ways));
    }
    auth
}

fn parse_auth(text: &str) -> Option<Auth> {
    let (scheme, secret) = text.split_once(':')?;
    if !bindings::is_name(secret) {
        return None;
    }
    let secret = secret.to_owned();
    match scheme {
        "bearer" => Some(Auth::Bearer { secret }),
        "x-api-key" => Some(Auth::ApiKey { secret }),
        "api-key" => Some(Auth::AzureKey { secret }),
        "x-goog-api-key" => Some(Auth::GoogleKey { secret }),
        "entra" => Some(Auth::Entra { secret }),
        "sigv4" => Some(Auth::SigV4 { secret }),
        "google" => Some(Auth::Google { secret }),
        _ => None,
    }
}
