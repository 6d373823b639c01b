//! Local and test builds only. Cloudflare says where a caller is; on a laptop
//! nobody does, so here a header may, and else the caller is taken to be where
//! its key's zone is. One path panics on purpose and one takes all memory, for
//! the tests that either ends its own request only.

use crate::config::gateway::Gateway;
use crate::regions::RegionMap;
use crate::request::caller::Caller;
use crate::request::head::{Head, Origin};
use worker::Env;

/// `npm run deploy` looks for this in the bundle and refuses it.
pub const MARKER: &str = "meridian-local-build";

/// Panics if the request asks for it, or takes all the memory there is.
pub fn panic_on_purpose(head: &Head) {
    if head.path == "/__exhaust" {
        let mut taken: Vec<Vec<u8>> = Vec::new();
        loop {
            taken.push(vec![1; 4 * 1024 * 1024]);
        }
    }
    if head.path == "/__panic" {
        #[allow(clippy::panic)]
        {
            panic!("{MARKER}: on purpose");
        }
    }
}

/// The caller, put where the header says or into its key's zone.
pub fn placed(mut caller: Caller, head: &Head, env: &Env, map: &RegionMap) -> Caller {
    let colo = caller.origin.colo.clone();
    let follow_key = env
        .var("LOCAL_COUNTRY")
        .is_ok_and(|v| v.to_string() == "from-key");
    if let Some(country) = head.header("meridian-local-country") {
        caller.origin = Origin::new(country, &colo);
    } else if follow_key {
        let zone = caller.key.zone.as_ref().and_then(|id| map.zones.get(id));
        let country = zone.and_then(|zone| zone.countries.first());
        caller.origin = Origin::new(country.map_or("", |c| c.code()), &colo);
    }
    caller
}

/// From so many letters a second on a team is spread over several objects.
pub fn hot(env: &Env) -> Option<u32> {
    env.var("LOCAL_HOT").ok()?.to_string().parse().ok()
}

/// The engineers' config in place of the built-in one, as JSON: a test does not
/// wait for minutes.
pub fn gateway(env: &Env) -> Option<Gateway> {
    let text = env.var("LOCAL_GATEWAY").ok()?.to_string();
    serde_json::from_str(&text).ok()
}
