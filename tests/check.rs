//! What `meridian check` finds: the project's own map, with one thing wrong in
//! it at a time and with all of them at once, each at its file and line; and
//! the claims next to the traps, which are right. The page that documents the
//! rules is held to them too.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use meridian::config::{self, Files};
use meridian::regions::check::Rule;
use meridian::regions::finding::Severity;
use meridian::regions::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

const TODAY: &str = "2026-11-27";

type Texts = BTreeMap<String, String>;

/// The project's own files.
fn own() -> Texts {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Texts::new();
    for folder in ["", "regions", "regions/zones", "regions/endpoints"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                texts.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    texts
}

fn problems(texts: &Texts) -> Vec<Problem> {
    let text = |name: &str| {
        texts
            .get(name)
            .cloned()
            .ok_or_else(|| io::Error::other("missing"))
    };
    let names = |folder: &str| {
        let inside = texts
            .keys()
            .filter_map(|name| name.strip_prefix(&format!("{folder}/")));
        Ok(inside
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect())
    };
    config::read(&Files::from(&text, &names).unwrap(), TODAY).problems
}

/// One thing that is wrong: the rule, the file, what is replaced (nothing: the
/// file's end) and by what; the line of the problem is that of `at`.
struct Seed {
    rule: Rule,
    file: &'static str,
    from: &'static str,
    to: String,
    at: &'static str,
    /// A word that the way out must have in it.
    instead: &'static str,
}

fn seed(
    rule: Rule,
    file: &'static str,
    from: &'static str,
    to: &str,
    at: &'static str,
    instead: &'static str,
) -> Seed {
    Seed {
        rule,
        file,
        from,
        to: to.to_owned(),
        at,
        instead,
    }
}

/// An endpoint with one claim, in the file for examples.
#[derive(Clone, Copy)]
struct Claimed {
    host: &'static str,
    more: &'static str,
    id: &'static str,
    hosting: &'static str,
    guarantee: &'static str,
    claim_more: &'static str,
}

impl Claimed {
    fn text(&self, name: &str) -> String {
        let Claimed {
            host,
            more,
            id,
            hosting,
            guarantee,
            claim_more,
        } = self;
        let dialect = if more.contains("dialect") {
            ""
        } else {
            "dialect = \"openai-chat\"\n"
        };
        format!(
            "\n[{name}]\nhost = \"{host}\"\n{dialect}auth = \"bearer:X_KEY\"\n{more}\n[{name}.models.\"mistral-small\"]\nid = \"{id}\"\nhosting = \"{hosting}\" # here\nguarantee = \"{guarantee}\"\n{claim_more}source = \"https://example.com/\"\nreviewed = 2026-11-01\nreviewer = \"a@example.com\"\n"
        )
    }
}

const fn claimed(
    host: &'static str,
    id: &'static str,
    hosting: &'static str,
    guarantee: &'static str,
) -> Claimed {
    Claimed {
        host,
        more: "",
        id,
        hosting,
        guarantee,
        claim_more: "uplift_percent = 10\n",
    }
}

const FRANKFURT: &str = "bedrock-runtime.eu-central-1.amazonaws.com";
const LONDON: &str = "bedrock-runtime.eu-west-2.amazonaws.com";
const AZURE: &str = "x.openai.azure.com";

#[rustfmt::skip]
/// A claim that steps into each trap, the line it is reported at, a word of
/// the way out, and beside it the same put right.
fn traps() -> Vec<(Rule, Claimed, &'static str, &'static str, Claimed)> {
    use Rule as R;
    let sku = |sku, claim: Claimed| Claimed { more: sku, ..claim };
    let standard = "sku = \"Standard\"\n";
    let zone = "sku = \"DataZoneStandard\"\n";
    let us_fixed = "dialect = \"anthropic-messages\"\nfixed = { inference_geo = \"us\" }\n";
    let anthropic = "dialect = \"anthropic-messages\"\n";
    let eu = |host, id| claimed(host, id, "eu", "processing");
    let world = |host, id| claimed(host, id, "global", "none");
    vec![
        (R::OpenAiGlobal, eu("api.openai.com", "m"), "hosting", "eu.api.openai.com", world("api.openai.com", "m")),
        (R::OpenAiStorageOnly, claimed("jp.api.openai.com", "m", "jp", "processing"), "guarantee", "storage", claimed("jp.api.openai.com", "m", "jp", "storage")),
        (R::OpenAiPlace, claimed("us.api.openai.com", "m", "eu", "processing"), "hosting", "us", claimed("us.api.openai.com", "m", "us", "processing+storage")),
        (R::AnthropicPlace, Claimed { more: anthropic, ..eu("api.anthropic.com", "claude-sonnet-4-6") }, "hosting", "Bedrock", Claimed { more: anthropic, ..world("api.anthropic.com", "claude-sonnet-4-6") }),
        (R::AnthropicUnfixed, Claimed { more: anthropic, ..claimed("api.anthropic.com", "claude-sonnet-4-6", "us", "processing") }, "host", "inference_geo", Claimed { more: us_fixed, ..claimed("api.anthropic.com", "claude-sonnet-4-6", "us", "processing") }),
        (R::AnthropicTooOld, Claimed { more: us_fixed, ..claimed("api.anthropic.com", "claude-haiku-4-5-20251001", "us", "processing") }, "id", "newer", Claimed { more: us_fixed, ..claimed("api.anthropic.com", "claude-opus-4-6", "us", "processing") }),
        (R::ClaudeOnAwsHost, eu("aws-external-anthropic.eu-west-1.api.aws", "m"), "hosting", "Bedrock", claimed("aws-external-anthropic.us-east-1.api.aws", "m", "us", "processing")),
        (R::ClaudeInFoundry, Claimed { more: "dialect = \"anthropic-messages\"\nsku = \"Standard\"\n", ..eu("x.services.ai.azure.com", "m") }, "hosting", "Bedrock", Claimed { more: "dialect = \"anthropic-messages\"\nsku = \"GlobalStandard\"\n", ..world("x.services.ai.azure.com", "m") }),
        (R::BedrockGlobal, eu(FRANKFURT, "global.anthropic.claude-sonnet-4-6"), "hosting", "eu.", world(FRANKFURT, "global.anthropic.claude-sonnet-4-6")),
        (R::BedrockGeography, eu("bedrock-runtime.us-east-1.amazonaws.com", "eu.anthropic.claude-sonnet-4-6"), "id", "host of that geography", eu(FRANKFURT, "eu.anthropic.claude-sonnet-4-6")),
        (R::BedrockPlace, eu(LONDON, "anthropic.claude-sonnet-4-6"), "hosting", "uk", claimed(LONDON, "anthropic.claude-sonnet-4-6", "uk", "processing+storage")),
        (R::BedrockTooStrong, claimed(FRANKFURT, "eu.anthropic.claude-sonnet-4-6", "eu", "processing+storage"), "guarantee", "processing", claimed(FRANKFURT, "anthropic.claude-sonnet-4-6", "eu", "processing+storage")),
        (R::AzureNoSku, eu(AZURE, "m"), "host", "sku", sku(standard, claimed(AZURE, "m", "eu", "processing+storage"))),
        (R::AzureSku, sku(zone, claimed(AZURE, "m", "eu", "processing+storage")), "guarantee", "processing", sku(zone, eu(AZURE, "m"))),
        (R::AzureDeveloper, sku("sku = \"DeveloperTier\"\n", eu(AZURE, "m")), "hosting", "global", sku("sku = \"DeveloperTier\"\n", world(AZURE, "m"))),
        (R::SkuElsewhere, sku(standard, eu("eu.api.openai.com", "m")), "sku", "remove", eu("eu.api.openai.com", "m")),
        (R::VertexNoHost, eu("eu-aiplatform.googleapis.com", "m"), "host", "aiplatform.eu.rep", eu("aiplatform.eu.rep.googleapis.com", "m")),
        (R::VertexGlobal, eu("aiplatform.googleapis.com", "m"), "hosting", "global", world("aiplatform.googleapis.com", "m")),
        (R::VertexPlace, eu("europe-west2-aiplatform.googleapis.com", "m"), "hosting", "uk", eu("europe-west4-aiplatform.googleapis.com", "m")),
        (R::GeminiApi, eu("generativelanguage.googleapis.com", "m"), "hosting", "Vertex", world("generativelanguage.googleapis.com", "m")),
        (R::MistralBare, eu("api.mistral.ai", "m"), "hosting", "api.eu.mistral.ai", world("api.mistral.ai", "m")),
        (R::MistralPlace, claimed("api.eu.mistral.ai", "m", "eu", "processing+storage"), "guarantee", "processing", eu("api.eu.mistral.ai", "m")),
        (R::XaiPlace, claimed("eu-west-1.api.x.ai", "m", "us", "processing"), "hosting", "eu", eu("eu-west-1.api.x.ai", "m")),
        (R::OpenRouterEurope, eu("eu.openrouter.ai", "m"), "hosting", "GB, CH", claimed("eu.openrouter.ai", "m", "global", "none")),
        (R::GlobalHost, eu("api.groq.com", "m"), "hosting", "global", world("api.groq.com", "m")),
        (R::UpliftMissing, Claimed { claim_more: "", ..eu("api.eu.mistral.ai", "m") }, "id", "uplift_percent = 10", eu("api.eu.mistral.ai", "m")),
    ]
}

const EXAMPLES: &str = "regions/endpoints/example.toml";
const EU: &str = "regions/zones/eu.toml";
const US: &str = "regions/zones/us.toml";
const POLICY: &str = "regions/policy.toml";

#[rustfmt::skip]
/// Everything else that can be wrong.
fn slips() -> Vec<Seed> {
    use Rule as R;
    let claim = |field: &str, value: &str| {
        let good = claimed("llm.example.org", "m", "eu", "processing").text("slip");
        let line = good
            .lines()
            .find(|line| line.starts_with(field))
            .unwrap()
            .to_owned();
        good.replace(&line, &format!("{} = {value}", field.trim()))
    };
    vec![
        seed(R::OneEndpoint, "regions/endpoints/anthropic.toml", "auth = \"x-api-key:ANTHROPIC_US_KEY\"\n", "auth = \"x-api-key:ANTHROPIC_US_KEY\"\nalone = \"slip\"\n", "alone", "no line"),
        seed(R::Syntax, EU, "guarantee = \"processing\"", "guarantee = \"processing", "guarantee", ""),
        seed(R::UnknownField, EU, "guarantee", "gaurantee", "gaurantee", "guarantee"),
        seed(R::MissingField, EU, "guarantee = \"processing\"", "", "", "guarantee = "),
        seed(R::UnknownWord, EU, "\"processing\"", "\"procesing\"", "\"procesing\"", "processing"),
        seed(R::WrongType, EU, "2027-05-31", "\"2027-05-31\"", "review_by", ""),
        seed(R::DuplicateName, EXAMPLES, "", &claimed("llm.example.org", "m", "eu", "none").text("anthropic-us"), "[anthropic-us]", ""),
        seed(R::UnknownCountry, "regions/zones/uk.toml", "\"GB\"", "\"UK\"", "\"UK\"", "GB"),
        seed(R::UnknownGroup, EU, "@eu27", "@eu28", "@eu28", "@eu27"),
        seed(R::CountryTwice, "regions/zones/eu.toml", "countries = [", "countries = [\"CH\", ", "countries =", "one zone"),
        seed(R::EmptyZone, "regions/zones/ch.toml", "[\"CH\"]", "[]", "countries =", ""),
        seed(R::UnknownPlace, EU, "hosting = [\"eu\"]", "hosting = [\"eu\", \"ue\"]", "hosting =", "eu"),
        seed(R::NoHosting, "regions/zones/ch.toml", "[\"eu\"]", "[]", "hosting =", ""),
        seed(R::UnknownZone, POLICY, "default_zone = \"default\"", "default_zone = \"defualt\"", "default_zone =", "default"),
        seed(R::UnknownStore, EU, "USAGE_EU", "USAGE_UE", "usage_store", "USAGE_EU"),
        seed(R::StoreJurisdiction, EU, "USAGE_EU", "USAGE_WORLD", "usage_store", "USAGE_EU"),
        seed(R::UnknownJurisdiction, POLICY, "jurisdiction = \"eu\"", "jurisdiction = \"ue\"", "jurisdiction = \"ue\"", "eu"),
        seed(R::DefaultTakesAll, "regions/zones/default.toml", "[\"eu\"]", "[\"eu\", \"global\"]", "hosting =", "strictest"),
        seed(R::LooseZone, "regions/zones/jp.toml", "\"storage\"\n", "\"none\"\n", "guarantee =", ""),
        seed(R::KeyAlone, POLICY, "differ = \"strictest\"", "differ = \"key\"", "when_key_and_country_differ =", "strictest"),
        seed(R::NothingServes, "regions/zones/ch.toml", "[\"eu\"]", "[\"ch\"]", "hosting =", ""),
        seed(R::ReviewDue, EU, "2027-05-31", "2026-05-31", "review_by", ""),
        seed(R::BadRetention, "regions/zones/in.toml", "review_by", "retention_days = 0\nreview_by", "retention_days =", "from 1 to 3650"),
        seed(R::BadRetention, "regions/zones/kr.toml", "review_by", "retention_days = 3651\nreview_by", "retention_days =", "retention_days = 90"),
        seed(R::WrongType, "regions/zones/sg.toml", "review_by", "retention_days = \"90\"\nreview_by", "\"90\"", ""),
        seed(R::WrongType, "regions/zones/br.toml", "review_by", "retention_days = -1\nreview_by", "-1", ""),
        seed(R::UnknownField, "regions/zones/ca.toml", "review_by", "retention_day = 90\nreview_by", "retention_day =", "retention_days"),
        seed(R::ReviewedAhead, EXAMPLES, "", &claim("reviewed ", "2027-01-01"), "reviewed = 2027", ""),
        seed(R::NoReviewer, EXAMPLES, "", &claim("reviewer", "\"\""), "reviewer = \"\"", ""),
        seed(R::SourceIsNoLink, EXAMPLES, "", &claim("source", "\"the contract\""), "source = \"the", "https://"),
        seed(R::UnknownEgress, US, "[\"stored-response\"]", "[\"stored-respons\"]", "allow =", "stored-response"),
        seed(R::EgressPlace, US, "[\"stored-response\"]", "[\"place\"]", "allow =", ""),
        seed(R::EgressHost, US, "hosts = []", "hosts = [\"https://files.example.com\"]", "hosts =", "files.example.com"),
        seed(R::EgressUnclaimed, US, "[\"stored-response\"]", "[\"web-search\"]", "allow =", ""),
        seed(R::EgressUnclaimed, US, "[\"stored-response\"]", "[\"remote-url\"]", "allow =", "files.example.com"),
        seed(R::EgressAnyHost, US, "hosts = []", "hosts = [\"*\"]", "hosts =", ""),
        seed(R::EgressUnbounded, "regions/endpoints/openai.toml", "context = 128000\n", "", "[openai-eu.models.\"gpt-4o-mini\".egress.stored-response]", "context"),
        seed(R::CompletionsNowhere, "regions/endpoints/cohere.toml", "context = 128000", "context = 128000\ncompletions = true", "completions =", ""),
        seed(R::WrongType, "regions/endpoints/cohere.toml", "context = 128000", "context = 0", "context = 0", ""),
        seed(R::DuplicateName, "regions/egress.toml", "\"allowed_tools\", ", "\"allowed_tools\", \"mcp\", ", "mcp = [\"mcp\"]", "one of the two"),
        seed(R::UnknownEgress, "regions/egress.toml", "tier = [\"service_tier\", \"speed\"]", "teir = [\"service_tier\", \"speed\"]", "teir =", "tier"),
        seed(R::UnknownColo, "regions/colos.toml", "\"GVA\"", "\"gva\"", "\"gva\"", ""),
        seed(R::BadHost, EXAMPLES, "", &claim("host ", "\"https://llm.example.org/v1\""), "host = \"https", "eu.api.openai.com"),
        seed(R::BadAuth, EXAMPLES, "", &claim("auth", "\"key:X\""), "auth = \"key", "bearer:"),
        seed(R::OwnSecret, EXAMPLES, "", &claim("auth", "\"bearer:RECEIPT_KEYS\""), "auth = \"bearer:RECEIPT", "OPENAI_EU_KEY"),
        seed(R::BadFixed, EXAMPLES, "", &Claimed { more: "fixed = { region = \"eu\" }\n", ..claimed("llm.example.org", "m", "eu", "none") }.text("slip"), "fixed = ", ""),
        seed(R::PromiseNowhere, EXAMPLES, "", &claim("hosting", "\"global\""), "guarantee = \"processing\"\nuplift", "none"),
        seed(R::PriceMissing, "prices.toml", "[mistral-small]", "[mistral-tiny]", "", "mistral-small"),
        seed(R::BadPrice, "prices.toml", "\"3.00\"", "\"3,00\"", "\"3,00\"", "0.15"),
        seed(R::AliasToNothing, "gateway.toml", "= \"claude-sonnet-4-6\"", "= \"claude-sonet-4-6\"", "claude-sonnet =", "claude-sonnet-4-6"),
        seed(R::UnknownModel, "gateway.toml", "[aliases]", "[models.\"claude-sonet-4-6\"]\nhedge = true\n\n[aliases]", "[models.\"claude-sonet", "claude-sonnet-4-6"),
        seed(R::WrongType, "gateway.toml", "requests_per_object = 250", "requests_per_object = 0", "requests_per_object = 0", ""),
        seed(R::UnknownTimeZone, "gateway.toml", "time_zone = \"UTC\"", "time_zone = \"Europe/Vienne\"", "time_zone = \"Europe/Vienne\"", "IANA"),
        seed(R::EmptyLimit, "gateway.toml", "", "[limits.slip-empty]\nteam = \"*\"\n", "[limits.slip-empty]", "concurrent"),
        seed(R::BadWebhook, "gateway.toml", "", "[limits.slip-hook]\nconcurrent = 5\nwebhook = \"http://x.example\"\n", "webhook = \"http", "https://"),
        seed(R::BadOrigin, "gateway.toml", "", "[cors]\norigins = [\"https://a.example/\"]\n", "origins = [", "https://app.example.com"),
        seed(R::BadSpan, "gateway.toml", "connect = \"20s\"", "connect = \"20\"", "connect = \"20\"", "45s"),
        seed(R::TimeoutOrder, "gateway.toml", "answer = \"5m\"", "answer = \"50m\"", "answer = \"50m\"", ""),
        seed(R::RunawayPace, "gateway.toml", "calls = 20", "calls = 2", "calls = 2", "3 to 1000"),
        seed(R::RunawayPace, "gateway.toml", "within = \"60s\"", "within = \"1h\"", "within = \"1h\"", "10m"),
        seed(R::UnknownWord, "gateway.toml", "action = \"flag\"", "action = \"throtle\"", "action = \"throtle\"", "throttle"),
        seed(R::UnknownField, "gateway.toml", "within = \"60s\"", "withn = \"60s\"", "withn", "within"),
        seed(R::AliasShadows, "gateway.toml", "gpt-mini =", "gpt-5-mini =", "gpt-5-mini =", ""),
    ]
}

/// The line of a word in a file, 1 where no word is given.
fn line_of(text: &str, word: &str) -> usize {
    let at = text
        .rfind(word)
        .unwrap_or_else(|| panic!("no {word} in {text}"));
    match word {
        "" => 1,
        _ => text[..at].matches('\n').count() + 1,
    }
}

fn sown(texts: &Texts, seed: &Seed) -> Texts {
    let mut texts = texts.clone();
    let text = texts.get_mut(seed.file).unwrap();
    match seed.from {
        "" => text.push_str(&seed.to),
        from => {
            assert!(text.contains(from), "{} has no {from}", seed.file);
            *text = text.replacen(from, &seed.to, 1);
        }
    }
    texts
}

#[test]
fn the_projects_own_map_has_no_errors() {
    let errors: Vec<Problem> = problems(&own())
        .into_iter()
        .filter(|problem| problem.severity == Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn each_slip_is_found_at_its_line_with_the_way_out() {
    let own = own();
    for seed in slips() {
        let texts = sown(&own, &seed);
        let found = problems(&texts);
        let said: Vec<String> = found.iter().map(ToString::to_string).collect();
        let line = line_of(&texts[seed.file], seed.at);
        let hit = found.iter().find(|p| {
            p.rule == seed.rule && p.file == seed.file && (p.line == line || seed.at.is_empty())
        });
        let hit = hit.unwrap_or_else(|| {
            panic!(
                "{} at {}:{line} was not found among\n{}",
                seed.rule.id(),
                seed.file,
                said.join("\n")
            )
        });
        let instead = hit.instead.clone().unwrap_or_default();
        assert!(
            instead.contains(seed.instead),
            "{}: {instead}",
            seed.rule.id()
        );
    }
}

#[test]
fn each_trap_is_found_and_the_right_claim_beside_it_is_not() {
    let own = own();
    for (rule, wrong, field, instead, right) in traps() {
        let of = |claim: &Claimed| {
            let mut texts = own.clone();
            texts
                .get_mut(EXAMPLES)
                .unwrap()
                .push_str(&claim.text("trap"));
            let begin = line_of(&texts[EXAMPLES], "[trap]");
            let found = problems(&texts)
                .into_iter()
                .filter(|p| p.file == EXAMPLES && p.line >= begin);
            (found.collect::<Vec<Problem>>(), texts)
        };
        let (found, texts) = of(&wrong);
        let hit = found.iter().find(|p| p.rule == rule);
        let hit = hit.unwrap_or_else(|| panic!("{} was not found: {found:?}", rule.id()));
        let line = texts[EXAMPLES].lines().nth(hit.line - 1).unwrap();
        assert!(
            line.starts_with(field),
            "{}: reported at `{line}`",
            rule.id()
        );
        let way_out = hit.instead.clone().unwrap_or_default();
        assert!(way_out.contains(instead), "{}: {way_out}", rule.id());
        let (found, _) = of(&right);
        assert!(
            found.is_empty(),
            "{}: the right claim is blamed: {found:?}",
            rule.id()
        );
    }
}

#[test]
fn all_of_them_at_once_are_found_in_one_run() {
    let mut texts = own();
    let mut expected = BTreeSet::new();
    for (i, (rule, wrong, ..)) in traps().into_iter().enumerate() {
        texts
            .get_mut(EXAMPLES)
            .unwrap()
            .push_str(&wrong.text(&format!("trap-{i}")));
        expected.insert(rule.id());
    }
    // Those that would take the ground from under another one.
    let alone = [
        Rule::NoHosting,
        Rule::EmptyZone,
        Rule::NothingServes,
        Rule::MissingField,
        Rule::UnknownStore,
        Rule::StoreJurisdiction,
        Rule::DefaultTakesAll,
    ];
    let mut taken = BTreeSet::new();
    for (i, seed) in slips().into_iter().enumerate() {
        let there = seed.from.is_empty()
            || texts[seed.file].contains(seed.from) && taken.insert((seed.file, seed.from));
        if !alone.contains(&seed.rule) && there {
            let seed = Seed {
                to: seed.to.replace("slip", &format!("slip-{i}")),
                ..seed
            };
            texts = sown(&texts, &seed);
            expected.insert(seed.rule.id());
        }
    }
    let found: BTreeSet<&str> = problems(&texts)
        .iter()
        .map(|problem| problem.rule.id())
        .collect();
    let missing: Vec<_> = expected.difference(&found).collect();
    assert!(
        expected.len() >= 50 && missing.is_empty(),
        "{} seeded, not found: {missing:?}",
        expected.len()
    );
}

#[test]
fn the_projects_own_map_has_no_warnings() {
    let said: Vec<String> = problems(&own()).iter().map(ToString::to_string).collect();
    assert!(said.is_empty(), "{}", said.join("\n"));
}

#[test]
fn an_only_endpoint_is_told_of_unless_it_says_why() {
    let file = "regions/endpoints/mistral.toml";
    let mut texts = own();
    let text = texts.get_mut(file).unwrap();
    let (us, after) = (text.find("[mistral-us]").unwrap(), text.len());
    let line = "alone = \"Mistral has one host for each region\"\n";
    assert!(text[us..after].contains(line));
    *text = text[..us].to_owned() + &text[us..].replace(line, "");
    let found = problems(&texts);
    let zones: Vec<&str> = found.iter().map(|p| p.file.as_str()).collect();
    assert_eq!(zones, ["regions/zones/ca.toml", "regions/zones/us.toml"]);
    for problem in &found {
        assert_eq!(problem.rule, Rule::OneEndpoint);
        assert_eq!(problem.severity, Severity::Warning);
        let said = problem.to_string();
        // Of endpoints that say why nothing is told.
        assert!(
            said.contains("only mistral-us serves mistral-large"),
            "{said}"
        );
        assert!(!said.contains("openai-us"), "{said}");
        assert!(said.contains("`alone = "), "{said}");
    }
    // An endpoint that is off serves nothing, so its reason is no matter.
    let text = texts.get_mut(file).unwrap();
    *text = text.replacen(
        "[mistral-us]\n",
        "[mistral-us]\noff = \"a test\"\nalone = \"why\"\n",
        1,
    );
    assert_eq!(problems(&texts).len(), 0);
}

#[test]
fn every_rule_about_the_map_is_seeded() {
    let deployment = [
        "smart-placement",
        "workers-dev-open",
        "missing-binding",
        "binding-jurisdiction",
        "missing-cron",
        "create-me",
        "published-map",
        "secret-missing",
        "local-only",
    ];
    let mut seeded: BTreeSet<&str> = slips().iter().map(|seed| seed.rule.id()).collect();
    seeded.extend(traps().iter().map(|trap| trap.0.id()));
    let missing: Vec<&str> = Rule::ALL
        .iter()
        .map(|rule| rule.id())
        .filter(|id| !seeded.contains(id) && !deployment.contains(id))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn several_slips_in_one_file_are_all_told() {
    let mut texts = own();
    let file = texts.get_mut(EU).unwrap();
    *file = file
        .replace("guarantee", "gaurantee")
        .replace("usage_store", "usage_stor")
        .replace("review_by", "reviewby")
        .replace("@eea", "@eaa");
    texts
        .get_mut("regions/zones/us.toml")
        .unwrap()
        .push_str("oops\n");
    let found = problems(&texts);
    let unknown: Vec<_> = found
        .iter()
        .filter(|p| p.file == EU && p.rule == Rule::UnknownField)
        .filter_map(|p| p.instead.as_deref())
        .collect();
    assert_eq!(unknown, ["`guarantee`", "`usage_store`", "`review_by`"]);
    assert!(found
        .iter()
        .any(|p| p.rule == Rule::UnknownGroup && p.instead.as_deref() == Some("`@eea`")));
    assert!(found
        .iter()
        .any(|p| p.rule == Rule::Syntax && p.file == "regions/zones/us.toml"));
}

#[test]
fn a_line_that_is_no_toml_hides_nothing_else() {
    for broken in [
        "basis = \"GDPR",
        "basis = GDPR",
        "basis \"GDPR\"",
        "basis = [\"GDPR\"",
        "= x",
        "basis == \"x\"",
    ] {
        let mut texts = own();
        let file = texts.get_mut(EU).unwrap();
        let edited = file.replace("basis = \"GDPR Art. 44-49\"", broken);
        *file = edited
            .replace("USAGE_EU", "USAGE_UE")
            .replace("2027-05-31", "true");
        let rules: Vec<&str> = problems(&texts)
            .iter()
            .filter(|problem| problem.file == EU)
            .map(|problem| problem.rule.id())
            .collect();
        for rule in ["syntax", "unknown-store", "wrong-type"] {
            assert!(rules.contains(&rule), "{broken}: {rules:?}");
        }
    }
}

#[test]
fn the_page_documents_every_rule() {
    let mut page = String::from("# What `meridian check` looks for\n\nEach problem it tells ends with the name of a rule, such as `[country-twice]`. An error keeps a map from being built, deployed or published; a warning is worth a look, and fails with `--strict`. Here is what each rule is for.\n");
    let section = |page: &mut String, rule: &Rule| {
        let title = match rule {
            Rule::Syntax => "The files",
            Rule::UnknownCountry => "Countries, places, zones",
            Rule::BadHost => "Endpoints, models, prices",
            Rule::OpenAiGlobal => "Traps of the providers",
            Rule::SmartPlacement => "The deployment, with `--env`",
            _ => return,
        };
        write!(page, "\n## {title}\n").unwrap();
    };
    for rule in Rule::ALL {
        section(&mut page, rule);
        let severity = match rule.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(
            page,
            "\n**`{}`** ({severity}) {} {}\n",
            rule.id(),
            rule.title(),
            rule.why()
        )
        .unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/CHECKS.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page,
        "UPDATE_GOLDEN=1 cargo test --test check writes it anew"
    );
}
