//! What refusals say to people: what is wrong, and what to do.

use super::Refusal;
use std::fmt;

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoRoute { path } => write!(f, "There is nothing at `{path}`. Meridian serves POST /v1/chat/completions, /v1/responses, /v1/embeddings, /v1/messages, /v1/messages/count_tokens and GET /v1/models: set your SDK's base URL to this host (OpenAI: with /v1, Anthropic: without)."),
            Refusal::WrongMethod { method, allowed } => write!(f, "This path takes {allowed}, not {method}."),
            Refusal::HeadersTooLarge { limit } => write!(f, "The request's headers are too many or too long: at most {limit}."),
            Refusal::NoKey => f.write_str("No gateway key came with the request. Send it as `Authorization: Bearer mk_…` or `x-api-key: mk_…`; an operator makes one with `meridian keys create`."),
            Refusal::BadKey => f.write_str("The gateway does not know this key. A gateway key begins with `mk_`; it may have been revoked or mistyped. Provider keys are not accepted here."),
            Refusal::KeysUnavailable => f.write_str("The key store did not answer, so the key could not be checked. Nothing was sent; try again in a moment."),
            Refusal::MapUnavailable => f.write_str("The region map in force could not be read, so nothing can be said about where this request may go. Nothing was sent; try again in a moment."),
            Refusal::Encoded { encoding } => write!(f, "The body is sent with content-encoding `{encoding}`; send it as plain JSON."),
            Refusal::BodyTooLarge { limit } => write!(f, "The body is longer than {} MiB.", limit / (1024 * 1024)),
            Refusal::BodyBroken => f.write_str("The body ended before it was complete."),
            Refusal::Body(invalid) => invalid.fmt(f),
            Refusal::Unsupported { endpoint, dialect, fields } => write!(f, "`{endpoint}` speaks {dialect}, which cannot say {}. Nothing was sent. Leave it out, choose another model, or send the header `meridian-on-unsupported: drop` to have it left out; the reply then lists it.", quoted(fields)),
            Refusal::UnknownWish { wish } => write!(f, "`meridian-on-unsupported` is `{wish}`; it may be `refuse` or `drop`."),
            Refusal::Bound { made_by } => write!(f, "The request carries thoughts, reasoning or a response's id that only the endpoint that made them can read ({}), and that one may not serve this request. Nothing was sent. Take them out of the conversation to go on elsewhere.", if made_by.is_empty() { "it is not remembered which".to_owned() } else { made_by.join(", ") }),
            Refusal::Tags { header, what } => write!(f, "`{header}`: {what}"),
            Refusal::UnknownModel { asked, nearest } => {
                write!(f, "No endpoint serves a model named `{asked}`.")?;
                if let Some(nearest) = nearest {
                    write!(f, " Did you mean `{nearest}`?")?;
                }
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
            Refusal::NoSecret { endpoint, secret } => write!(f, "Endpoint `{endpoint}` is not set up: an operator has to set the Worker secret `{secret}`."),
            Refusal::ProviderRefusedUs { endpoint, status } => write!(f, "The provider at `{endpoint}` did not accept the gateway's own credential (status {status}). Your key is fine; an operator has to look at the Worker secret or the provider account."),
            Refusal::PlaceRefused { endpoint, colo } => write!(f, "The provider at `{endpoint}` does not serve the country or region that the gateway ran in for this request (data center `{colo}`). Your key is fine; an operator can hold the gateway's domain to a region that the provider serves."),
            Refusal::NoToken { endpoint } => write!(f, "No access token could be had for endpoint `{endpoint}`. Your key is fine; an operator has to look at its Worker secret."),
            Refusal::ProviderGarbled { endpoint, tried } => write!(f, "What the provider at `{endpoint}` answered could not be understood, so nothing of it is passed on. It may have been billed; try again. Tried: {}.", tried.join(", ")),
            Refusal::NoAnswer { tried, .. } => write!(f, "No endpoint that is allowed here gave an answer. Tried: {}.", tried.join(", ")),
            Refusal::Exceeded(exceeded) => exceeded.fmt(f),
            Refusal::NoBound { limit, model } => write!(f, "The limit `{limit}` holds for this call, and `{model}` has no price to hold it by. Nothing was sent; an operator has to add one to prices.toml."),
            Refusal::Runaway { what, .. } => f.write_str(what),
            Refusal::LedgerUnavailable => f.write_str("Limits hold for this call, and the ledger that keeps them did not answer. Nothing was sent; try again in a moment."),
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
