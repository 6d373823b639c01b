//! Where secrets go. One that goes to a host that did not have it, or in a way
//! that shows a host more of it than before, is weaker: whoever runs that host
//! can use it then.

use super::{listed, note, Change, Topic, Way};
use crate::regions::{Auth, RegionMap};
use std::collections::{BTreeMap, BTreeSet};

/// By secret, the hosts that it goes to and how. Endpoints that are switched off
/// count: they were looked at when they were listed.
fn sent(map: &RegionMap) -> BTreeMap<&str, BTreeSet<(&str, &'static str)>> {
    let mut sent: BTreeMap<&str, BTreeSet<(&str, &'static str)>> = BTreeMap::new();
    for endpoint in &map.endpoints {
        let hosts = sent.entry(endpoint.auth.secret()).or_default();
        hosts.insert((&endpoint.host, shown_as(&endpoint.auth)));
    }
    sent
}

/// What a host sees of a secret: a header of any name shows it, a token or a
/// signature does not.
fn shown_as(auth: &Auth) -> &'static str {
    match auth {
        Auth::Bearer { .. }
        | Auth::ApiKey { .. }
        | Auth::AzureKey { .. }
        | Auth::GoogleKey { .. } => "in a header",
        Auth::Google { .. } | Auth::Entra { .. } => "by a token",
        Auth::SigV4 { .. } => "by a signature",
    }
}

pub fn compare(old: &RegionMap, new: &RegionMap, changes: &mut Vec<Change>) {
    let before = sent(old);
    for (secret, hosts) in sent(new) {
        // A secret that no endpoint had is new, and is set for this endpoint.
        let Some(before) = before.get(secret) else {
            continue;
        };
        for (host, how) in hosts.difference(before) {
            let had = listed(before.iter().map(|(host, _)| *host));
            let words = format!("the secret {secret} now goes to {host} {how}; it went to {had}");
            note(changes, Topic::Claims, Way::Weaker, words);
        }
    }
}
