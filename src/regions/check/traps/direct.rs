//! Providers that are called directly: OpenAI, Anthropic, Mistral, xAI,
//! OpenRouter, and the hosts that serve the whole world from anywhere.

use super::{covers, Area, Rule, Trap};
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
const WORLDWIDE: [&str; 9] = [
    "api.groq.com",
    "api.together.xyz",
    "api.deepseek.com",
    "api.fireworks.ai",
    "openrouter.ai",
    "api.x.ai",
    "api.cohere.com",
    "api.perplexity.ai",
    "api.cerebras.ai",
];

/// Models that OpenAI released from this day on cost more on a regional host.
const OPENAI_PREMIUM_FROM: &str = "2026-03-05";

/// Anthropic's models before the 4.6 class do not know `inference_geo`.
const ANTHROPIC_OLD: [&str; 8] = [
    "claude-2",
    "claude-3",
    "haiku-4-5",
    "sonnet-4-5",
    "opus-4-5",
    "opus-4-1",
    "sonnet-4-2",
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
    } else {
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
    let fixed = trap
        .endpoint
        .fixed
        .iter()
        .find(|(field, _)| field == "inference_geo");
    let geo = fixed.and_then(|(_, value)| value.as_str());
    match trap.hosting() {
        "us" if geo != Some("us") => trap.endpoint(
            Rule::AnthropicUnfixed,
            "host",
            "nothing keeps these requests in the US".to_owned(),
            "`[….fixed]` with `inference_geo = \"us\"`",
        ),
        "us" => {
            trap.at_most(
                Rule::AnthropicPlace,
                Guarantee::Processing,
                "Anthropic promises processing in the US, and stores as the workspace is set",
            );
            trap.costs_more();
        }
        "global" => trap.is_global(
            Rule::AnthropicPlace,
            "Anthropic promises no place outside of the US",
            "`\"global\"`",
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
    let wide = ["DE", "GB", "CH"]
        .iter()
        .all(|code| covers(trap.map, &trap.claim.hosting, Area::Country(code)));
    if !wide && trap.hosting() != GLOBAL {
        let what = format!(
            "OpenRouter's Europe has the United Kingdom and Switzerland in it, which `{}` has not",
            trap.hosting()
        );
        trap.claim(
            Rule::OpenRouterEurope,
            "hosting",
            what,
            "a place of places.toml that names GB and CH too",
        );
    }
    trap.at_most(
        Rule::OpenRouterEurope,
        Guarantee::Processing,
        "eu.openrouter.ai promises processing, on paid tiers",
    );
}
