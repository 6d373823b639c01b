//! Azure: the host name shows a resource, not the SKU of a deployment, and the
//! SKU decides where the model runs.

use super::{Area, Rule, Trap};
use crate::regions::{Dialect, Guarantee, Sku};

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
        }
        (true, Some(sku)) => {
            by_sku(trap, sku);
            if trap.endpoint.dialect == Dialect::AnthropicMessages {
                foundry(trap, sku);
            }
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
            if trap.hosting() != "us" {
                trap.is_within(Rule::AzureSku, Area::Eu, &why);
            }
            trap.at_most(Rule::AzureSku, Guarantee::Processing, &why);
        }
        Sku::Standard | Sku::ProvisionedManaged => {}
    }
}

fn foundry(trap: &mut Trap<'_>, sku: Sku) {
    let us_zone = sku == Sku::DataZoneStandard && trap.hosting() == "us";
    if !us_zone && trap.hosting() != "global" {
        let what = format!(
            "Claude in Foundry is Global Standard or in the US data zone, yet `{}` is claimed",
            trap.hosting()
        );
        trap.claim(Rule::ClaudeInFoundry, "hosting", what, "`\"global\"`, or `\"us\"` with `sku = \"DataZoneStandard\"`; Claude in the EU is on Bedrock or Vertex");
    }
}
