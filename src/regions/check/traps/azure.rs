//! Azure: the host name shows a resource, not the SKU of a deployment, and the
//! SKU decides where the model runs.

use super::{Area, Rule, Trap};
use crate::regions::{Dialect, Guarantee, Sku, GLOBAL};

pub fn check(trap: &mut Trap<'_>) {
    let host = trap.host();
    let azure = host.ends_with(".openai.azure.com")
        || host.ends_with(".services.ai.azure.com")
        || host.ends_with(".cognitiveservices.azure.com");
    match (azure, trap.endpoint.sku) {
        (true, None) => {
            let what = format!("{host} does not show the SKU of its deployments");
            trap.endpoint(
                Rule::AzureNoSku,
                "host",
                what,
                "`sku = \"Standard\"`, or what the deployment's page in Azure says",
            );
            foundry(trap, None);
        }
        (true, Some(sku)) => {
            by_sku(trap, sku);
            foundry(trap, Some(sku));
        }
        (false, Some(_)) => {
            let what = format!("`sku` means nothing at {host}");
            trap.endpoint(Rule::SkuElsewhere, "sku", what, "nothing: remove the line");
        }
        (false, None) => {}
    }
}

fn by_sku(trap: &mut Trap<'_>, sku: Sku) {
    let name = sku.as_str();
    match sku {
        Sku::DeveloperTier => {
            trap.is_global(
                Rule::AzureDeveloper,
                "DeveloperTier gives no promise about any place",
                "`\"global\"`",
            );
        }
        Sku::GlobalStandard | Sku::GlobalProvisionedManaged => {
            trap.is_global(
                Rule::AzureSku,
                &format!("{name} runs anywhere in the world"),
                "`\"global\"`",
            );
        }
        Sku::DataZoneStandard | Sku::DataZoneProvisionedManaged => {
            let why = format!("{name} promises processing in the EU or in the US");
            if !trap.takes_in(Area::Country("US")) {
                trap.is_within(Rule::AzureSku, Area::Eu, &why);
            }
            trap.at_most(Rule::AzureSku, Guarantee::Processing, &why);
            trap.costs_more();
        }
        Sku::Standard | Sku::ProvisionedManaged => {}
    }
}

fn foundry(trap: &mut Trap<'_>, sku: Option<Sku>) {
    let claude = trap.endpoint.speaks(Dialect::AnthropicMessages)
        || trap.claim.id.contains("claude")
        || trap.claim.model.contains("claude");
    let us_zone =
        matches!(sku, None | Some(Sku::DataZoneStandard)) && trap.takes_in(Area::Country("US"));
    if claude && !us_zone && trap.hosting() != GLOBAL {
        let what = format!(
            "Claude in Foundry is Global Standard or in the US data zone, yet `{}` is claimed",
            trap.hosting()
        );
        trap.claim(Rule::ClaudeInFoundry, "hosting", what, "`\"global\"`, or `\"us\"` with `sku = \"DataZoneStandard\"`; Claude in the EU is on Bedrock or Vertex");
    }
}
