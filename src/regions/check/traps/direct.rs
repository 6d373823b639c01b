//! Providers that are called directly: OpenAI, Anthropic, Mistral, xAI,
//! OpenRouter, and the hosts that serve the whole world from anywhere.

use super::{Area, Rule, Trap};
use crate::regions::finding::Spot;
use crate::regions::{Guarantee, GLOBAL};

/// OpenAI's regional hosts: the country, and what is promised at most.
const OPENAI: [(&str, &str, Guarantee); 10] = [
    ("us", "US", Guarantee::ProcessingAndStorage),
    ("ae", "AE", Guarantee::ProcessingAndStorage),
    ("au", "AU", Guarantee::Storage),
    ("in", "IN", Guarantee::Storage),
    ("jp", "JP", Guarantee::Storage),
    ("kr", "KR", Guarantee::Storage),
    ("ca", "CA", Guarantee::Storage),
    ("sg", "SG", Guarantee::Storage),
    ("gb", "GB", Guarantee::Storage),
    ("uk", "GB", Guarantee::Storage),
];

/// Hosts that say nothing about where they process.
const WORLDWIDE: [&str; 10] = [
    "api.groq.com",
    "api.together.ai",
    "api.together.xyz",
    "api.deepseek.com",
    "api.fireworks.ai",
    "openrouter.ai",
    "api.x.ai",
    "api.cohere.com",
    "api.perplexity.ai",
    "api.cerebras.ai",
];

/// What OpenRouter counts as Europe: one country of each kind, and the two
/// that are easily forgotten.
const OPENROUTER_EUROPE: [&str; 8] = ["DE", "IE", "SE", "ES", "IT", "FR", "GB", "CH"];

/// Models that OpenAI released from this day on cost more on a regional host.
const OPENAI_PREMIUM_FROM: &str = "2026-03-05";

/// Anthropic's models before the 4.6 class do not know `inference_geo`.
const ANTHROPIC_OLD: [&str; 10] = [
    "claude-2",
    "claude-3",
    "haiku-4-5",
    "sonnet-4-5",
    "opus-4-5",
    "opus-4-1",
    "sonnet-4-0",
    "sonnet-4-2",
    "opus-4-0",
    "opus-4-2",
];

pub fn check(trap: &mut Trap<'_>) {
    let host = trap.host();
    match host {
        "api.openai.com" => trap.is_global(
            Rule::OpenAiGlobal,
            "api.openai.com promises no place",
            "`\"global\"`, or a regional host such as eu.api.openai.com",
        ),
        "api.anthropic.com" => anthropic(trap),
        "api.mistral.ai" => trap.is_global(
            Rule::MistralBare,
            "api.mistral.ai promises no place, although the company is French",
            "`\"global\"`, or api.eu.mistral.ai",
        ),
        "api.eu.mistral.ai" => regional(trap, Rule::MistralPlace, Area::Eu, true),
        "api.us.mistral.ai" => regional(trap, Rule::MistralPlace, Area::Country("US"), true),
        "eu-west-1.api.x.ai" => regional(trap, Rule::XaiPlace, Area::Eu, false),
        "us-east-1.api.x.ai" => regional(trap, Rule::XaiPlace, Area::Country("US"), false),
        "eu.openrouter.ai" => openrouter(trap),
        _ if WORLDWIDE.contains(&host) => trap.is_global(
            Rule::GlobalHost,
            &format!("{host} promises no place"),
            "`\"global\"`",
        ),
        _ => {
            if let Some(region) = host.strip_suffix(".api.openai.com") {
                openai(trap, region);
            }
        }
    }
}

fn regional(trap: &mut Trap<'_>, rule: Rule, area: Area<'_>, premium: bool) {
    let why = format!("{} promises processing in its own region", trap.host());
    trap.is_within(rule, area, &why);
    trap.at_most(rule, Guarantee::Processing, &why);
    if premium {
        trap.costs_more();
    }
}

fn openai(trap: &mut Trap<'_>, region: &str) {
    let host = trap.host();
    if region == "eu" {
        trap.is_within(Rule::OpenAiPlace, Area::Eu, &format!("{host} is in Europe"));
    } else if let Some((_, country, most)) = OPENAI.iter().find(|(name, ..)| *name == region) {
        trap.is_within(
            Rule::OpenAiPlace,
            Area::Country(country),
            &format!("{host} is in {country}"),
        );
        let why = format!("{host} keeps data at rest there and may process anywhere");
        trap.at_most(Rule::OpenAiStorageOnly, *most, &why);
    } else if trap.hosting() != GLOBAL {
        trap.endpoint(
            Rule::OpenAiPlace,
            "host",
            format!("OpenAI has no regional host {host}"),
            "`eu.api.openai.com`, or the host of another region",
        );
    }
    // Dated ids end in the day of their release.
    let id = &trap.claim.id;
    let date = id
        .len()
        .checked_sub(10)
        .and_then(|start| id.get(start..))
        .unwrap_or_default();
    let is_date = date.starts_with("20") && date.matches('-').count() == 2;
    if is_date && date >= OPENAI_PREMIUM_FROM {
        trap.costs_more();
    }
}

fn anthropic(trap: &mut Trap<'_>) {
    let endpoint = trap.endpoint;
    let fixed = endpoint.fixed.iter().find(|(f, _)| f == "inference_geo");
    let geo = fixed.and_then(|(_, value)| value.as_str());
    if let (Some((field, value)), false) = (fixed, matches!(geo, Some("us" | "global"))) {
        let spot = Spot::endpoint(&endpoint.name, "fixed").then(field);
        let what = format!("Anthropic knows no `{field}` {value}");
        trap.once(Rule::AnthropicPlace, spot, what, "`\"us\"` or `\"global\"`");
    }
    let in_us = trap.takes_in(Area::Country("US"));
    match trap.hosting() {
        GLOBAL => {}
        _ if in_us && geo == Some("us") => {
            trap.at_most(
                Rule::AnthropicPlace,
                Guarantee::Processing,
                "Anthropic promises processing in the US, and stores as the workspace is set",
            );
            trap.costs_more();
        }
        _ if in_us => trap.endpoint(
            Rule::AnthropicUnfixed,
            "host",
            "nothing keeps these requests in the US".to_owned(),
            "`[….fixed]` with `inference_geo = \"us\"`",
        ),
        other => {
            let what = format!("Anthropic's own API is in the US or nowhere in particular, yet `{other}` is claimed");
            trap.claim(Rule::AnthropicPlace, "hosting", what, "`\"us\"` with inference_geo fixed, or `\"global\"`; Claude in the EU is on Bedrock or Vertex");
        }
    }
    let id = &trap.claim.id;
    if geo.is_some() && ANTHROPIC_OLD.iter().any(|old| id.contains(old)) {
        let what =
            format!("`{id}` is older than the 4.6 class and answers `inference_geo` with an error");
        trap.claim(
            Rule::AnthropicTooOld,
            "id",
            what,
            "a newer model, or an endpoint that fixes nothing",
        );
    }
}

fn openrouter(trap: &mut Trap<'_>) {
    trap.is_within(
        Rule::OpenRouterEurope,
        Area::Any(&OPENROUTER_EUROPE),
        "OpenRouter's Europe has the United Kingdom and Switzerland in it",
    );
    let id = &trap.claim.id;
    if id.ends_with(":free") && trap.hosting() != GLOBAL {
        let what = format!("`{id}` is of the free tier, for which OpenRouter promises no place");
        let way = "the id without `:free`, or hosting `\"global\"`";
        trap.claim(Rule::OpenRouterEurope, "id", what, way);
    }
    trap.at_most(
        Rule::OpenRouterEurope,
        Guarantee::Processing,
        "eu.openrouter.ai promises processing, on paid tiers",
    );
}
