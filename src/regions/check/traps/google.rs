//! Google: Vertex AI can be held to a region, the Gemini API cannot.

use super::{Area, Rule, Trap};
use crate::regions::GLOBAL;

/// The Google regions that serve models, and the countries they are in.
const REGIONS: [(&str, &str); 33] = [
    ("africa-south1", "ZA"),
    ("asia-east1", "TW"),
    ("asia-east2", "HK"),
    ("asia-northeast1", "JP"),
    ("asia-northeast2", "JP"),
    ("asia-northeast3", "KR"),
    ("asia-south1", "IN"),
    ("asia-southeast1", "SG"),
    ("asia-southeast2", "ID"),
    ("australia-southeast1", "AU"),
    ("australia-southeast2", "AU"),
    ("europe-central2", "PL"),
    ("europe-north1", "FI"),
    ("europe-north2", "SE"),
    ("europe-southwest1", "ES"),
    ("europe-west1", "BE"),
    ("europe-west2", "GB"),
    ("europe-west3", "DE"),
    ("europe-west4", "NL"),
    ("europe-west6", "CH"),
    ("europe-west8", "IT"),
    ("europe-west9", "FR"),
    ("europe-west10", "DE"),
    ("europe-west12", "IT"),
    ("me-central1", "QA"),
    ("me-central2", "SA"),
    ("me-west1", "IL"),
    ("northamerica-northeast1", "CA"),
    ("northamerica-northeast2", "CA"),
    ("northamerica-south1", "MX"),
    ("southamerica-east1", "BR"),
    ("southamerica-west1", "CL"),
    ("us", "US"),
];

pub fn check(trap: &mut Trap<'_>) {
    let host = trap.host();
    match host {
        "generativelanguage.googleapis.com" => {
            trap.is_global(
                Rule::GeminiApi,
                "the Gemini API promises no place",
                "`\"global\"`, or the model on Vertex",
            );
        }
        "eu-aiplatform.googleapis.com" | "us-aiplatform.googleapis.com" => {
            let what = format!("{host} does not exist");
            let area = host.get(..2).unwrap_or("eu");
            trap.endpoint(
                Rule::VertexNoHost,
                "host",
                what,
                &format!("`aiplatform.{area}.rep.googleapis.com`"),
            );
        }
        "aiplatform.googleapis.com" => {
            trap.is_global(
                Rule::VertexGlobal,
                "aiplatform.googleapis.com is global",
                "`\"global\"`, or a region's host",
            );
        }
        "aiplatform.eu.rep.googleapis.com" => {
            trap.is_within(
                Rule::VertexPlace,
                Area::Eu,
                "the EU multi-region host runs anywhere in the EU",
            );
            path_fits(trap, "eu");
            trap.costs_more();
        }
        "aiplatform.us.rep.googleapis.com" => {
            trap.is_within(
                Rule::VertexPlace,
                Area::Country("US"),
                "the US multi-region host runs in the US",
            );
            path_fits(trap, "us");
            trap.costs_more();
        }
        _ => {
            if let Some(region) = host.strip_suffix("-aiplatform.googleapis.com") {
                in_region(trap, region);
            }
        }
    }
}

fn in_region(trap: &mut Trap<'_>, region: &str) {
    let known = REGIONS.iter().find(|(name, _)| *name == region);
    let us = region.starts_with("us-").then_some("US");
    match known.map(|(_, country)| *country).or(us) {
        Some(country) => {
            let why = format!("{region} is in {country}");
            trap.is_within(Rule::VertexPlace, Area::Country(country), &why);
            path_fits(trap, region);
            trap.costs_more();
        }
        None if trap.hosting() != GLOBAL => {
            let what = format!("`{region}` is no Google region that is known here");
            trap.endpoint(
                Rule::VertexPlace,
                "host",
                what,
                "the host of a region, as in europe-west4-aiplatform.googleapis.com",
            );
        }
        None => {}
    }
}

/// The path names the location once more, and it is that which counts.
fn path_fits(trap: &mut Trap<'_>, location: &str) {
    let path = &trap.endpoint.base_path;
    let named = path
        .split("/locations/")
        .nth(1)
        .and_then(|rest| rest.split('/').next());
    if named.is_some_and(|named| named != location) {
        let what =
            format!("the path asks for another location than {location}, which the host names");
        trap.endpoint(
            Rule::VertexPlace,
            "base_path",
            what,
            &format!("`/locations/{location}/` in the path"),
        );
    }
}
