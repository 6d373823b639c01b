//! What refusals say to people: what is wrong, and what to do.

use super::Refusal;
use std::fmt;

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoRoute { path, instead } => write!(f, "There is nothing at `{path}`. {instead}{}Meridian serves POST /v1/chat/completions, /v1/responses, /v1/embeddings, /v1/messages, /v1/messages/count_tokens and GET /v1/models: set your SDK's base URL to this host (OpenAI: with /v1, Anthropic: without).", if instead.is_empty() { "" } else { " " }),
            Refusal::NoWebSocket => f.write_str("This operation is not served over WebSocket: send it with POST, the answer streams over HTTP."),
            Refusal::WrongMethod { method, allowed } => write!(f, "This path takes {allowed}, not {method}."),
            Refusal::HeadersTooLarge { limit } => write!(f, "The request's headers are too many or too long: at most {limit}."),
            Refusal::NoKey => f.write_str("No gateway key came with the request. Send it as `Authorization: Bearer mk_…`, `x-api-key: mk_…` or `api-key: mk_…`; an operator makes one with `meridian keys create`."),
            Refusal::BadKey => f.write_str("The gateway does not know this key. A gateway key begins with `mk_`; it may have been revoked or mistyped. Provider keys are not accepted here."),
            Refusal::KeysUnavailable => f.write_str("The key store did not answer, so the key could not be checked. Nothing was sent; try again in a moment."),
            Refusal::MapUnavailable => f.write_str("The region map in force could not be read, so nothing can be said about where this request may go. Nothing was sent; try again in a moment."),
            Refusal::Encoded { encoding } => write!(f, "The body is sent with content-encoding `{encoding}`, which is not read; send it as plain JSON, or with `gzip`."),
            Refusal::BodyTooLarge { limit } => write!(f, "The body is longer than {} MiB.", limit / (1024 * 1024)),
            Refusal::BodyGrows { most } => write!(f, "The body becomes more than {most} times as long when it is decompressed. Nothing was sent; send it as plain JSON."),
            Refusal::BodyBroken => f.write_str("The body ended before it was complete."),
            Refusal::BodyLate => f.write_str("The body did not come in time: it may pause for 15 seconds and take 180 in all. Nothing was sent; send it again on a faster connection, or in smaller requests."),
            Refusal::BodiesFull => f.write_str("The gateway has no more room for this team's requests at this moment. Nothing was sent; try again in a few seconds."),
            Refusal::Body(invalid) => invalid.fmt(f),
            Refusal::Unsupported { endpoint, dialect, fields } => write!(f, "`{endpoint}` speaks {dialect}, which cannot say {}. Nothing was sent. Leave it out, choose another model, or send the header `meridian-on-unsupported: drop` to have it left out; the reply then lists it.", quoted(fields)),
            Refusal::UnknownWish { wish } => write!(f, "`meridian-on-unsupported` is `{wish}`; it may be `strict`, `refuse` or `drop`."),
            Refusal::Bound { kept_by } => write!(f, "The request goes on from an answer that only `{kept_by}` keeps, and that endpoint may not serve this request. Nothing was sent. Send the conversation itself to go on elsewhere."),
            Refusal::NoSuchAnswer { id } => write!(f, "Previous response with id `{id}` not found: the gateway knows no stored answer of this team by that id. It was made by another team, more than 30 days ago, without the gateway, or with `store: false`. Nothing was sent; send the conversation itself instead."),
            Refusal::NoStored { id } => write!(f, "Response with id `{id}` not found: the gateway knows no stored answer of this team by that id. It was made by another team, more than 30 days ago, without the gateway, with `store: false`, or in a zone that lets no answer be kept. No provider was asked."),
            Refusal::Tags { header, what } => write!(f, "`{header}`: {what}"),
            Refusal::UnknownModel { asked, nearest } => {
                write!(f, "No endpoint serves a model named `{asked}`.")?;
                for (at, name) in nearest.iter().enumerate() {
                    write!(f, "{} `{name}`", if at == 0 { " Did you mean" } else { " or" })?;
                }
                f.write_str(if nearest.is_empty() { "" } else { "?" })?;
                f.write_str(" GET /v1/models lists what you can use.")
            }
            Refusal::ModelNotAllowed { asked, allowed } => write!(f, "This key may not use `{asked}`. It may use: {}.", listed(allowed)),
            Refusal::UnknownZone { asked, known } => write!(f, "`meridian-zone` names a zone `{asked}` that does not exist. There are: {}.", listed(known)),
            Refusal::KeyZoneUnknown { key, zone } => write!(f, "Key `{key}` is pinned to a zone `{zone}` that the region map does not have. Nothing was sent; an operator has to make a new key."),
            Refusal::GatewayOutside { zone, colo, country } => {
                write!(f, "Zone `{zone}` wants the gateway itself to run inside it, but this request reached it in data center `{colo}`")?;
                match country {
                    Some(country) => write!(f, " in {country}. ")?,
                    None => f.write_str(", whose country is not known. ")?,
                }
                f.write_str("Nothing was sent to a provider. An operator has to hold the domain to the region.")
            }
            Refusal::ZonesClash { sides } => write!(f, "The rules that apply to this request have no place in common: {}. Nothing was sent. Use a key whose zone fits the caller's country.", sides.join("; ")),
            Refusal::NoEndpoint { zone, model, excluded, servable } => {
                write!(f, "Zone `{zone}` allows no endpoint that can serve `{model}` here. Nothing was sent. ")?;
                write!(f, "Left out: {}. ", excluded.join("; "))?;
                write!(f, "Models this zone can serve on this route: {}.", listed(servable))
            }
            Refusal::NoCounter { zone, model, excluded } => write!(f, "The tokens of `{model}` cannot be counted: no endpoint that zone `{zone}` allows for it does that. Nothing was sent. Left out: {}. Estimate them, about four bytes each, or go by the usage of an answer.", excluded.join("; ")),
            Refusal::Background(why) => write!(f, "An answer in the background is not served here: {why}. Nothing was sent."),
            Refusal::Egress(refused) => refused.fmt(f),
            Refusal::TooMuchEgress => f.write_str("The request names more hosts, tools and fields that make a provider reach out than are looked at (64). Nothing was sent; split it into several requests."),
            Refusal::NoSecret { endpoint, secret } => write!(f, "Endpoint `{endpoint}` is not set up: an operator has to set the Worker secret `{secret}`."),
            Refusal::ProviderRefusedUs { endpoint, status } => write!(f, "The provider at `{endpoint}` did not accept the gateway's own credential (status {status}). Your key is fine; an operator has to look at the Worker secret or the provider account."),
            Refusal::PlaceRefused { endpoint, colo } => write!(f, "The provider at `{endpoint}` does not serve the country or region that the gateway ran in for this request (data center `{colo}`). Your key is fine; an operator can hold the gateway's domain to a region that the provider serves."),
            Refusal::NoToken { endpoint } => write!(f, "No access token could be had for endpoint `{endpoint}`. Your key is fine; an operator has to look at its Worker secret."),
            Refusal::ProviderGarbled { endpoint, tried } => write!(f, "What the provider at `{endpoint}` answered could not be understood, so nothing of it is passed on. It may have been billed; try again. Tried: {}.", tried.join(", ")),
            Refusal::NoAnswer { tried, .. } => write!(f, "No endpoint that is allowed here gave an answer. Tried: {}.", tried.join(", ")),
            Refusal::Exceeded(exceeded) => exceeded.fmt(f),
            Refusal::NoBound { limit, model } => write!(f, "The limit `{limit}` holds for this call, and `{model}` has no price to hold it by. Nothing was sent; an operator has to add one to prices.toml."),
            Refusal::Unbounded(unbounded) => unbounded.fmt(f),
            Refusal::Runaway { what, .. } => f.write_str(what),
            Refusal::LedgerUnavailable => f.write_str("Limits hold for this call, and the ledger that keeps them did not answer. Nothing was sent; try again in a moment."),
            Refusal::LimitsUnread { limit: None } => f.write_str("The limits that were set for calls could not be read from their store, so nobody knows what this call may take. Nothing was sent; try again in a moment."),
            Refusal::LimitsUnread { limit: Some(limit) } => write!(f, "The limit `{limit}` that was set could be about this call, and what is stored of it cannot be read. Nothing was sent; an operator has to set it anew or remove it (`meridian budget list`)."),
            Refusal::ClientLeft => f.write_str("The client left before there was an answer."),
            Refusal::Internal => f.write_str("Something broke inside the gateway. The request id says where to look."),
        }
    }
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}
