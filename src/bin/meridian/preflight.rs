//! Whether wrangler.toml says what the region map needs: no way around the
//! zones, every store where it must lie, every secret set.

use super::wrangler;
use meridian::admin::publish::BUILT_IN;
use meridian::config::Config;
use meridian::regions::bindings::{AUDIT, KEYS as KV, LEDGER, RECEIPT_KEYS};
use meridian::regions::check::Rule;
use meridian::regions::problem::{Problem, Source};
use meridian::regions::shown;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use toml::de::{DeTable, DeValue};
use toml::Spanned;

const FILE: &str = "wrangler.toml";
const MAIN: &str = "build/worker/index.js";

type Table<'s> = DeTable<'s>;
type Value<'s> = Spanned<DeValue<'s>>;

/// Everything in wrangler.toml that stands against a deploy to `env`.
pub fn check(config: &Config, env: &str, online: bool) -> Result<Vec<Problem>, String> {
    let text = fs::read_to_string(FILE).map_err(|e| format!("cannot read {FILE}: {e}"))?;
    let source = Source::new(FILE, text);
    let file = DeTable::parse(&source.text).map_err(|e| format!("{FILE}: {e}"))?;
    let file = file.get_ref();
    let Some((section, at)) = environment(file, env) else {
        let known = file.get("env").and_then(|v| v.get_ref().as_table());
        let known: Vec<&str> = known
            .into_iter()
            .flatten()
            .map(|(key, _)| key.get_ref().as_ref())
            .collect();
        return Err(format!(
            "{FILE} has no environment `{env}`; there are: {}",
            known.join(", ")
        ));
    };
    let mut preflight = Preflight {
        source: &source,
        file,
        section,
        at,
        problems: Vec::new(),
    };
    preflight.platform();
    preflight.schedule();
    preflight.databases(config);
    preflight.unfilled();
    preflight.secrets(config, env, online)?;
    preflight.published(config, env, online);
    Ok(preflight.problems)
}

fn environment<'t, 's>(file: &'t Table<'s>, env: &str) -> Option<(&'t Table<'s>, usize)> {
    let all = file.get("env")?.get_ref().as_table()?;
    let (key, value) = all.get_key_value(env)?;
    Some((value.get_ref().as_table()?, key.span().start))
}

struct Preflight<'t, 's> {
    source: &'t Source,
    file: &'t Table<'s>,
    section: &'t Table<'s>,
    at: usize,
    problems: Vec<Problem>,
}

impl<'t, 's> Preflight<'t, 's> {
    fn problem(&mut self, rule: Rule, at: usize, what: String, instead: &str) {
        let problem = self.source.problem(rule, at, what);
        self.problems.push(problem.instead(instead));
    }

    /// A field of the environment, or of the top level, which it inherits.
    fn inherited(&self, name: &str) -> Option<&'t Value<'s>> {
        self.section.get(name).or_else(|| self.file.get(name))
    }

    /// The tables of a list, which no environment inherits.
    fn list(&self, name: &str) -> Vec<(&'t Table<'s>, usize)> {
        let list = self.section.get(name).and_then(|v| v.get_ref().as_array());
        let entries = list.into_iter().flatten();
        entries
            .filter_map(|v| Some((v.get_ref().as_table()?, v.span().start)))
            .collect()
    }

    /// Whether anything calls the gateway by the hour.
    fn schedule(&mut self) {
        let triggers = self.inherited("triggers");
        let crons = triggers.and_then(|v| v.get_ref().get("crons"));
        let some = crons.and_then(|v| v.get_ref().as_array());
        if some.is_none_or(|crons| crons.is_empty()) {
            let at = triggers.map_or(self.at, |value| value.span().start);
            let what = "nothing deletes what a zone no longer keeps".to_owned();
            self.problem(
                Rule::NoCron,
                at,
                what,
                "`crons = [\"7 * * * *\"]` under `[triggers]`",
            );
        }
    }

    fn platform(&mut self) {
        if let Some(placement) = self.inherited("placement") {
            let mode = placement
                .get_ref()
                .get("mode")
                .and_then(|v| v.get_ref().as_str());
            if mode != Some("off") {
                let what = "placement moves the gateway out of its caller's region".to_owned();
                self.problem(
                    Rule::SmartPlacement,
                    placement.span().start,
                    what,
                    "nothing: remove `placement`",
                );
            }
        }
        match self.inherited("workers_dev") {
            Some(open) if open.get_ref().as_bool() == Some(false) => {}
            open => {
                let at = open.map_or(self.at, |value| value.span().start);
                let what = "workers.dev is open, and cannot be held to a region".to_owned();
                self.problem(Rule::WorkersDev, at, what, "`workers_dev = false`");
            }
        }
        if let Some(open) = self
            .inherited("preview_urls")
            .filter(|v| v.get_ref().as_bool() == Some(true))
        {
            let what =
                "preview URLs are on workers.dev, which cannot be held to a region".to_owned();
            self.problem(
                Rule::WorkersDev,
                open.span().start,
                what,
                "`preview_urls = false`",
            );
        }
        let main = self.inherited("main");
        if main.and_then(|value| value.get_ref().as_str()) != Some(MAIN) {
            let at = main.map_or(self.at, |value| value.span().start);
            let what = "only the worker itself may be deployed".to_owned();
            self.problem(Rule::LocalOnly, at, what, &format!("`main = \"{MAIN}\"`"));
        }
    }

    fn databases(&mut self, config: &Config) {
        let mut wanted: BTreeMap<&str, Option<&str>> = config
            .regions
            .policy
            .stores
            .iter()
            .map(|(name, store)| (name.as_str(), store.jurisdiction.as_deref()))
            .collect();
        wanted.insert(AUDIT, None);
        let bound = self.list("d1_databases");
        for (name, jurisdiction) in wanted {
            let found = bound
                .iter()
                .find(|(table, _)| text(table, "binding") == Some(name));
            let Some((table, at)) = found else {
                let what = format!("the database {name} is not bound");
                self.problem(
                    Rule::MissingBinding,
                    self.at,
                    what,
                    &format!("an entry of d1_databases with `binding = \"{name}\"`"),
                );
                continue;
            };
            let declared = text(table, "jurisdiction");
            if let Some(wanted) = jurisdiction.filter(|wanted| declared != Some(wanted)) {
                let what = match declared {
                    None => format!("{name} is declared without a jurisdiction, and policy.toml binds it to {wanted}"),
                    Some(other) => format!("{name} is declared in {other}, and policy.toml binds it to {wanted}"),
                };
                let instead = format!("`jurisdiction = \"{wanted}\"`, for a database that was created with it: it cannot be changed later");
                self.problem(Rule::BindingJurisdiction, *at, what, &instead);
            }
        }
        let has = |list: &[(&Table<'_>, usize)], key: &str, name: &str| {
            list.iter().any(|(t, _)| text(t, key) == Some(name))
        };
        if !has(&self.list("kv_namespaces"), "binding", KV) {
            self.problem(
                Rule::MissingBinding,
                self.at,
                format!("the KV namespace {KV} is not bound"),
                &format!("an entry of kv_namespaces with `binding = \"{KV}\"`"),
            );
        }
        let objects = self
            .section
            .get("durable_objects")
            .and_then(|v| v.get_ref().get("bindings"));
        let objects = objects
            .and_then(|v| v.get_ref().as_array())
            .into_iter()
            .flatten();
        let ledger = objects
            .filter_map(|v| v.get_ref().as_table())
            .any(|t| text(t, "name") == Some(LEDGER));
        if !ledger {
            self.problem(
                Rule::MissingBinding,
                self.at,
                format!("the Durable Object {LEDGER} is not bound"),
                &format!("a binding of durable_objects with `name = \"{LEDGER}\"`"),
            );
        }
    }

    /// What nobody has filled in yet.
    fn unfilled(&mut self) {
        let mut left = Vec::new();
        for name in ["kv_namespaces", "d1_databases", "routes"] {
            if let Some(value) = self.section.get(name) {
                unfilled(value, &mut left);
            }
        }
        for (text, at) in left {
            let what = format!("`{text}` is not filled in");
            self.problem(Rule::CreateMe, at, what, "what README.md, \"Deploy\", says");
        }
    }

    fn secrets(&mut self, config: &Config, env: &str, online: bool) -> Result<(), String> {
        let used = config
            .regions
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.off.is_none());
        let mut needed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for endpoint in used {
            needed
                .entry(endpoint.auth.secret())
                .or_default()
                .push(&endpoint.name);
        }
        if !online {
            return Ok(());
        }
        let set: BTreeSet<String> = wrangler::secrets(env)?;
        for (secret, endpoints) in needed {
            if !set.contains(secret) {
                let what = format!(
                    "nobody has set the secret {secret}, which {} needs",
                    endpoints.join(", ")
                );
                let instead = format!("`npx wrangler secret put {secret} --env {env}`, or `off = \"…\"` at the endpoint");
                self.problem(Rule::SecretMissing, self.at, what, &instead);
            }
        }
        if !set.contains(RECEIPT_KEYS) {
            let what =
                "nobody has set the secret RECEIPT_KEYS, so no receipt can be signed".to_owned();
            let instead = format!(
                "`meridian receipts keygen | npx wrangler secret put RECEIPT_KEYS --env {env}`"
            );
            self.problem(Rule::SecretMissing, self.at, what, &instead);
        }
        Ok(())
    }
}

impl Preflight<'_, '_> {
    /// Whether a published map is in force over the files.
    fn published(&mut self, config: &Config, env: &str, online: bool) {
        let version = online.then(|| wrangler::published(env)).flatten();
        let own = &config.regions.version;
        // An earlier release named a map by its first digits.
        let is_own = |version: &str| version == shown(own) || version == own;
        if let Some(version) = version.filter(|version| version != BUILT_IN && !is_own(version)) {
            let what = format!(
                "map {} was published and stays in force; the files here are map {}",
                shown(&version),
                shown(own)
            );
            let instead = "commit what was published, publish the files, or `meridian rollback --to built-in`";
            self.problem(Rule::PublishedMap, self.at, what, instead);
        }
    }
}

fn text<'t>(table: &'t Table<'_>, name: &str) -> Option<&'t str> {
    table.get(name).and_then(|value| value.get_ref().as_str())
}

fn unfilled(value: &Value<'_>, left: &mut Vec<(String, usize)>) {
    match value.get_ref() {
        DeValue::String(text) if text.starts_with("create-me") => {
            left.push((text.to_string(), value.span().start));
        }
        DeValue::Array(list) => list.iter().for_each(|entry| unfilled(entry, left)),
        DeValue::Table(table) => table.values().for_each(|entry| unfilled(entry, left)),
        _ => {}
    }
}
