//! Amazon Bedrock: the model's id decides where it runs, not the host alone.

use super::{Area, Rule, Trap};
use crate::regions::{Guarantee, GLOBAL};

/// AWS regions and the countries they are in.
const REGIONS: [(&str, &str); 36] = [
    ("af-south-1", "ZA"),
    ("ap-east-1", "HK"),
    ("ap-east-2", "TW"),
    ("ap-northeast-1", "JP"),
    ("ap-northeast-2", "KR"),
    ("ap-northeast-3", "JP"),
    ("ap-south-1", "IN"),
    ("ap-south-2", "IN"),
    ("ap-southeast-1", "SG"),
    ("ap-southeast-2", "AU"),
    ("ap-southeast-3", "ID"),
    ("ap-southeast-4", "AU"),
    ("ap-southeast-5", "MY"),
    ("ap-southeast-6", "NZ"),
    ("ap-southeast-7", "TH"),
    ("ca-central-1", "CA"),
    ("ca-west-1", "CA"),
    ("eu-central-1", "DE"),
    ("eu-central-2", "CH"),
    ("eu-north-1", "SE"),
    ("eu-south-1", "IT"),
    ("eu-south-2", "ES"),
    ("eu-west-1", "IE"),
    ("eu-west-2", "GB"),
    ("eu-west-3", "FR"),
    ("il-central-1", "IL"),
    ("me-central-1", "AE"),
    ("me-south-1", "BH"),
    ("mx-central-1", "MX"),
    ("sa-east-1", "BR"),
    ("us-east-1", "US"),
    ("us-east-2", "US"),
    ("us-gov-east-1", "US"),
    ("us-gov-west-1", "US"),
    ("us-west-1", "US"),
    ("us-west-2", "US"),
];

/// The geographies of inference profiles, and the beginnings of the regions
/// they can be asked from.
const GEOGRAPHIES: [(&str, &[&str]); 7] = [
    ("eu", &["eu-"]),
    ("us", &["us-east-", "us-west-"]),
    ("us-gov", &["us-gov-"]),
    ("ca", &["ca-"]),
    ("apac", &["ap-"]),
    ("jp", &["ap-northeast-1", "ap-northeast-3"]),
    ("au", &["ap-southeast-2", "ap-southeast-4"]),
];

/// Where `apac.` profiles may run.
const APAC: [&str; 5] = ["AU", "IN", "JP", "KR", "SG"];

/// Where `eu.` profiles may run: London and Zurich are not among them.
const EU: [&str; 6] = ["DE", "ES", "FR", "IE", "IT", "SE"];

pub fn check(trap: &mut Trap<'_>) {
    let host = trap.host();
    if host.starts_with("aws-external-anthropic.") {
        if trap.hosting() != GLOBAL && !trap.takes_in(Area::Country("US")) {
            let what = format!("{host} is Anthropic's platform on AWS, which is in the US or nowhere in particular; `{}` is claimed", trap.hosting());
            trap.claim(
                Rule::ClaudeOnAwsHost,
                "hosting",
                what,
                "`\"us\"` or `\"global\"`, or a Bedrock host for other places",
            );
        }
        return;
    }
    let Some(region) = region_of(host) else {
        return;
    };
    // An ARN names the profile at its end.
    let id = trap.claim.id.rsplit('/').next().unwrap_or_default();
    let prefix = id.split('.').next().unwrap_or_default();
    if prefix == "global" {
        let why = format!("`{id}` may run anywhere in the world, also when {host} is asked");
        trap.is_global(
            Rule::BedrockGlobal,
            &why,
            "`\"global\"`, or the id of the geography, such as `eu.`",
        );
        return;
    }
    match GEOGRAPHIES.iter().find(|(name, _)| *name == prefix) {
        Some((geography, regions)) => {
            if !regions
                .iter()
                .any(|beginning| region.starts_with(beginning))
            {
                let what = format!("a `{geography}.` profile cannot be asked at {region}");
                trap.claim(
                    Rule::BedrockGeography,
                    "id",
                    what,
                    &format!("an id without `{geography}.`, or a host of that geography"),
                );
                return;
            }
            profile(trap, geography, region);
        }
        None => in_region(trap, region),
    }
}

/// The region of a Bedrock host.
fn region_of(host: &str) -> Option<&str> {
    let labels: Vec<&str> = host.split('.').collect();
    match labels.as_slice() {
        ["bedrock-runtime" | "bedrock-runtime-fips", region, "amazonaws", "com"] => Some(region),
        ["bedrock-runtime" | "bedrock-runtime-fips" | "bedrock-mantle", region, "api", "aws"] => {
            Some(region)
        }
        _ => None,
    }
}

fn profile(trap: &mut Trap<'_>, geography: &str, region: &str) {
    let mut countries: Vec<&str> = match geography {
        "eu" => EU.to_vec(),
        "us" | "us-gov" => vec!["US"],
        "ca" => vec!["CA"],
        "jp" => vec!["JP"],
        "au" => vec!["AU"],
        _ => APAC.to_vec(),
    };
    let mut why = format!("`{geography}.` runs anywhere in that geography");
    // A host outside of the geography may take requests for it: the place must
    // have that country too.
    if let Some((_, country)) = REGIONS.iter().find(|(name, _)| *name == region) {
        if !countries.contains(country) {
            why = format!("{why}, and {region}, which is asked, is in {country}");
            countries.push(country);
        }
    }
    trap.is_within(Rule::BedrockPlace, Area::Any(&countries), &why);
    trap.at_most(
        Rule::BedrockTooStrong,
        Guarantee::Processing,
        &format!("{why}, so only processing is promised"),
    );
    if matches!(geography, "eu" | "jp" | "au") {
        trap.costs_more();
    }
}

fn in_region(trap: &mut Trap<'_>, region: &str) {
    if let Some((_, country)) = REGIONS.iter().find(|(name, _)| *name == region) {
        let why = format!("an id without a geography runs in {region}, which is in {country}");
        trap.is_within(Rule::BedrockPlace, Area::Country(country), &why);
    } else if trap.hosting() != GLOBAL {
        let what = format!("`{region}` is no AWS region that is known here");
        trap.endpoint(
            Rule::BedrockPlace,
            "host",
            what,
            "the host of a region, as in bedrock-runtime.eu-central-1.amazonaws.com",
        );
    }
}
