//! Going back to an earlier map: at once, unless records would be deleted by it
//! that are kept now. What is deleted no rollback brings back, so that takes a
//! second person, like a publish.

use super::books::{present, Books};
use super::drafts::{busy, map_of, put_in_force, said, Proposed, TRIES};
use super::{built_in, Asked, Told};
use crate::admin::audit::Action;
use crate::admin::publish::{self, Reason, BUILT_IN};
use crate::admin::Denied;
use crate::regions::shown;
use serde_json::json;

/// It is done once somebody else has approved it.
const ACCEPTED: u16 = 202;

/// Puts an earlier map into force, or proposes to.
pub async fn roll_back(asked: &Asked) -> Result<Told, Denied> {
    let reason: Reason = asked.body().await?;
    let why = publish::reason(&reason.why)?;
    let (books, built_in) = (Books::open(&asked.env)?, built_in()?);
    for _ in 0..TRIES {
        let last = books.last().await?;
        let past = books.past().await?;
        let rolled_back = past.first().is_some_and(|past| past.rolled_back != 0);
        let versions: Vec<String> = past.iter().map(|past| past.version.clone()).collect();
        let own = &built_in.regions;
        let target =
            publish::rollback_to(reason.to.as_deref(), &versions, rolled_back, &own.version)?;
        let (subject, map) = match target == BUILT_IN {
            true => (BUILT_IN, own.clone()),
            false => ("", books.map(&target).await?),
        };
        // It checked when it came into force; this release may know better.
        publish::vet(&map, built_in, &asked.at.date())?;
        let here = present(&past, built_in);
        let now = map_of(&books, &here, built_in).await.ok();
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
            match proposed.write(asked, &books, last.as_ref()).await? {
                Some(draft) => {
                    // What cannot be compared is proposed all the same.
                    let told = proposed.told(asked, &books, &draft).await;
                    let mut told = told.unwrap_or_else(|_| json!({"draft": draft}));
                    if let Some(told) = told.as_object_mut() {
                        told.insert("deletes".to_owned(), json!(deletes));
                    }
                    return Ok(Told {
                        status: ACCEPTED,
                        ..Told::json(&told)
                    });
                }
                None => continue,
            }
        }
        let said = said(asked, Action::RolledBack, subject, &map.version, &why);
        if books.write(last.as_ref(), said, Vec::new()).await? {
            let told = put_in_force(asked, &books, built_in).await?;
            return Ok(Told::json(&told));
        }
    }
    Err(busy())
}
