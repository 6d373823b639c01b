//! Going back to an earlier map: at once, unless records would be deleted by it
//! that are kept now. What is deleted no rollback brings back, so that takes a
//! second person, like a publish.

use super::drafts::{busy, event, map_of, put_in_force, Proposed, TRIES};
use super::map_store::{present, MapStore};
use super::{built_in, AdminCall, AdminReply};
use crate::admin::audit::Action;
use crate::admin::publish::{self, Reason, BUILT_IN};
use crate::admin::Denied;
use crate::regions::shown;
use serde_json::json;

/// It is done once somebody else has approved it.
const ACCEPTED: u16 = 202;

/// Puts an earlier map into force, or proposes to.
pub async fn roll_back(call: &AdminCall) -> Result<AdminReply, Denied> {
    let reason: Reason = call.body().await?;
    let why = publish::reason(&reason.why)?;
    let (maps, built_in) = (MapStore::open(&call.env)?, built_in()?);
    for _ in 0..TRIES {
        let last = maps.last().await?;
        let past = maps.past().await?;
        let rolled_back = past.first().is_some_and(|past| past.rolled_back != 0);
        let versions: Vec<String> = past.iter().map(|past| past.version.clone()).collect();
        let own = &built_in.regions;
        let target =
            publish::rollback_to(reason.to.as_deref(), &versions, rolled_back, &own.version)?;
        let (subject, map) = match target == BUILT_IN {
            true => (BUILT_IN, own.clone()),
            false => ("", maps.map(&target).await?),
        };
        // It checked when it came into force; this release may know better.
        publish::vet(&map, built_in, &call.at.date())?;
        let here = present(&past, built_in);
        let now = map_of(&maps, &here, built_in).await.ok();
        let deletes = publish::deletes(now.as_ref(), &map);
        if !deletes.is_empty() {
            let mut map = map;
            map.version = map.digest();
            let why = format!("{why} (a rollback to map {})", shown(&map.version));
            let proposed = Proposed {
                map: &map,
                base: here,
                why: &why,
            };
            match proposed.write(call, &maps, last.as_ref()).await? {
                Some(draft) => {
                    // What cannot be compared is proposed all the same.
                    let reply = proposed.shown(call, &maps, &draft).await;
                    let mut reply = reply.unwrap_or_else(|_| json!({"draft": draft}));
                    if let Some(reply) = reply.as_object_mut() {
                        reply.insert("deletes".to_owned(), json!(deletes));
                    }
                    return Ok(AdminReply {
                        status: ACCEPTED,
                        ..AdminReply::json(&reply)
                    });
                }
                None => continue,
            }
        }
        let event = event(call, Action::RolledBack, subject, &map.version, &why);
        if maps.write(last.as_ref(), event, Vec::new()).await? {
            let reply = put_in_force(call, &maps, built_in).await?;
            return Ok(AdminReply::json(&reply));
        }
    }
    Err(busy())
}
