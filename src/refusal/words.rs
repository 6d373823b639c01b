//! The message of each refusal: what happened, where, and what to do.

use super::Refusal;
use std::fmt;

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoRoute { path, instead } => write!(f, "The path `{path}` does not exist. {instead}{}Meridian serves POST /v1/chat/completions, /v1/completions, /v1/responses, /v1/embeddings, /v1/messages, /v1/messages/count_tokens and GET /v1/models. Set your SDK's base URL to this host (OpenAI: with /v1, Anthropic: without).", if instead.is_empty() { "" } else { " " }),
            Refusal::NoWebSocket => f.write_str("This operation is not served over WebSocket. Send it with POST; the response streams over HTTP."),
            Refusal::WrongMethod { method, allowed } => write!(f, "This path accepts {allowed}, not {method}."),
            Refusal::HeadersTooLarge { limit } => write!(f, "The request has too many headers, or they are too long. The limit is {limit}."),
            Refusal::NoKey => f.write_str("The request has no gateway key. Send one as `Authorization: Bearer mk_…`, `x-api-key: mk_…` or `api-key: mk_…`. An operator creates a key with `meridian keys create`."),
            Refusal::BadKey => f.write_str("The gateway key is not valid: it is mistyped, or was revoked. A gateway key starts with `mk_`; provider keys are not accepted. Check the key, or have an operator create a new one."),
            Refusal::KeysUnavailable => f.write_str("The key store did not respond, so the gateway key could not be checked. Nothing was sent to a provider. Try again in a moment."),
            Refusal::MapUnavailable => f.write_str("The region map in force could not be read, so the gateway cannot decide where this request may be processed. Nothing was sent to a provider. Try again in a moment."),
            Refusal::Encoded { encoding } => write!(f, "The content-encoding `{encoding}` of the body is not supported. Send the body uncompressed, or with `gzip`."),
            Refusal::BodyTooLarge { limit } => write!(f, "The body is larger than the limit of {} MiB. Send a smaller request.", limit / (1024 * 1024)),
            Refusal::BodyGrows { most } => write!(f, "The body decompresses to more than {most} times its compressed size. Nothing was sent to a provider. Send the body uncompressed."),
            Refusal::BodyBroken => f.write_str("The connection closed before the body was complete. Send the request again."),
            Refusal::BodyLate => f.write_str("The body did not arrive in time: it may stall for at most 15 seconds and take at most 180 seconds in all. Nothing was sent to a provider. Use a faster connection, or send smaller requests."),
            Refusal::BodiesFull => f.write_str("The memory that the gateway has for this team's request bodies is full. Nothing was sent to a provider. Try again in a few seconds."),
            Refusal::Body(invalid) => invalid.fmt(f),
            Refusal::Unsupported { endpoint, dialect, fields } => write!(f, "The endpoint `{endpoint}` uses the {dialect} API, which does not support {}. Nothing was sent to a provider. Remove the field, choose another model, or send the header `meridian-on-unsupported: drop` to have it left out and listed in the reply.", quoted(fields)),
            Refusal::UnknownWish { wish } => write!(f, "The header `meridian-on-unsupported` has the invalid value `{wish}`. Use `strict`, `refuse` or `drop`."),
            Refusal::Bound { kept_by } => write!(f, "The request continues a response that is stored only at the endpoint `{kept_by}`, which cannot serve this request. Nothing was sent to a provider. Send the whole conversation instead."),
            Refusal::NoSuchAnswer { id } => write!(f, "Previous response with id `{id}` not found: this team has no stored response with that id. The response belongs to another team, is older than 30 days, was not made through the gateway, or was made with `store: false`. Nothing was sent to a provider. Send the whole conversation instead."),
            Refusal::NoStored { id } => write!(f, "Response with id `{id}` not found: this team has no stored response with that id. The response belongs to another team, is older than 30 days, was not made through the gateway, was made with `store: false`, or was made in a zone that does not allow stored responses. Nothing was sent to a provider."),
            Refusal::Tags { header, what } => write!(f, "The header `{header}` is not valid: {what}."),
            Refusal::UnknownModel { asked, nearest } => {
                write!(f, "No endpoint serves the model `{asked}`.")?;
                for (at, name) in nearest.iter().enumerate() {
                    write!(f, "{} `{name}`", if at == 0 { " Did you mean" } else { " or" })?;
                }
                f.write_str(if nearest.is_empty() { "" } else { "?" })?;
                f.write_str(" GET /v1/models lists the models that you can use.")
            }
            Refusal::ModelNotAllowed { asked, allowed } => write!(f, "This key is not allowed to use the model `{asked}`. Allowed models: {}.", listed(allowed)),
            Refusal::UnknownZone { asked, known } => write!(f, "The header `meridian-zone` names the zone `{asked}`, which does not exist. Existing zones: {}.", listed(known)),
            Refusal::KeyZoneUnknown { key, zone } => write!(f, "The key `{key}` is pinned to the zone `{zone}`, which is not in the region map. Nothing was sent to a provider. Have an operator create a new key."),
            Refusal::GatewayOutside { zone, colo, country } => {
                write!(f, "The zone `{zone}` requires the gateway itself to run inside the zone, but this request reached the gateway in the data center `{colo}`")?;
                match country {
                    Some(country) => write!(f, " in {country}. ")?,
                    None => f.write_str(", whose country is unknown. ")?,
                }
                f.write_str("Nothing was sent to a provider. An operator has to restrict the gateway's domain to the region.")
            }
            Refusal::ZonesClash { sides } => write!(f, "No place is allowed by all rules that apply to this request: {}. Nothing was sent to a provider. Use a key whose zone includes the caller's country.", sides.join("; ")),
            Refusal::NoEndpoint { zone, model, excluded, is_only_chat, servable } => {
                write!(f, "No endpoint that the zone `{zone}` allows can serve the model `{model}` on this route. Nothing was sent to a provider. ")?;
                write!(f, "Excluded: {}. ", excluded.join("; "))?;
                write!(f, "Models that this zone can serve on this route: {}.", listed(servable))?;
                f.write_str(if *is_only_chat { " Send the prompt as a message to /v1/chat/completions." } else { "" })
            }
            Refusal::NoCounter { zone, model, excluded } => write!(f, "No endpoint that the zone `{zone}` allows can count tokens for the model `{model}`. Nothing was sent to a provider. Excluded: {}. Estimate about four bytes a token, or use the usage that a response reports.", excluded.join("; ")),
            Refusal::Background(why) => write!(f, "The request cannot run in the background: {why}. Nothing was sent to a provider."),
            Refusal::Egress(refused) => refused.fmt(f),
            Refusal::TooMuchEgress => f.write_str("The request has more than 64 hosts, tools and fields that make a provider contact other systems. Nothing was sent to a provider. Split it into several requests."),
            Refusal::NoSecret { endpoint, secret } => write!(f, "The endpoint `{endpoint}` has no credential. An operator has to set the Worker secret `{secret}`."),
            Refusal::ProviderRefusedUs { endpoint, status } => write!(f, "The provider at the endpoint `{endpoint}` rejected the gateway's own credential (status {status}). Your gateway key is valid. An operator has to check the Worker secret and the provider account."),
            Refusal::PlaceRefused { endpoint, colo } => write!(f, "The provider at the endpoint `{endpoint}` does not serve the country or region in which the gateway handled this request (data center `{colo}`). Your gateway key is valid. An operator can restrict the gateway's domain to a region that the provider serves."),
            Refusal::NoToken { endpoint } => write!(f, "The gateway could not get an access token for the endpoint `{endpoint}`. Your gateway key is valid. An operator has to check the endpoint's Worker secret."),
            Refusal::ProviderGarbled { endpoint, tried } => write!(f, "The provider at the endpoint `{endpoint}` sent a malformed response, so none of it is passed on. The provider may charge for it. Try again. Tried: {}.", tried.join(", ")),
            Refusal::NoAnswer { tried, .. } => write!(f, "None of the allowed endpoints returned a response. Try again later. Tried: {}.", tried.join(", ")),
            Refusal::Exceeded(exceeded) => exceeded.fmt(f),
            Refusal::NoBound { limit, model } => write!(f, "The limit `{limit}` applies to this call, but the model `{model}` has no price, so its cost cannot be reserved. Nothing was sent to a provider. An operator has to add the price to prices.toml."),
            Refusal::Unbounded(unbounded) => unbounded.fmt(f),
            Refusal::Runaway { what, .. } => f.write_str(what),
            Refusal::LedgerUnavailable => f.write_str("Limits apply to this call, and the ledger that keeps them did not respond. Nothing was sent to a provider. Try again in a moment."),
            Refusal::LimitsUnread { limit: None } => f.write_str("The limits that apply to calls could not be read from their store. Nothing was sent to a provider. Try again in a moment."),
            Refusal::LimitsUnread { limit: Some(limit) } => write!(f, "The limit `{limit}` may apply to this call, but its stored definition cannot be read. Nothing was sent to a provider. An operator has to set the limit again or remove it (`meridian budget list`)."),
            Refusal::ClientLeft => f.write_str("The client closed the connection before the response started."),
            Refusal::Internal => f.write_str("The gateway failed with an internal error. Give the request id to an operator."),
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
