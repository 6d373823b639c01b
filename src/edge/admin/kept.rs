//! How long records are kept, and deleting now what no longer is.

use super::{map, Asked};
use crate::admin::retention::Kept;
use crate::admin::Denied;
use crate::edge::retention::{self, By};
use serde::Deserialize;
use serde_json::{json, Value};
use worker::Context;

/// What each zone says, and how old its oldest records are.
pub async fn look(asked: &Asked, ctx: &Context) -> Result<Value, Denied> {
    let config = map::in_force(&asked.env, ctx).await;
    let config = config.map_err(|_| Denied::Unavailable("The store of region maps".to_owned()))?;
    let zones = config.regions.zones.values();
    let zones: Vec<Kept> = zones.map(|zone| Kept::of(zone, asked.at)).collect();
    let looked = retention::look(&asked.env, config, asked.at).await;
    Ok(json!({
        "map": config.regions.version,
        "zones": zones,
        "records": looked.records,
        "stores_not_read": looked.stores_not_read,
    }))
}

/// Nothing can be said: what is deleted is what the map says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Deletes it.
pub async fn delete(asked: &Asked) -> Result<Value, Denied> {
    let Nothing {} = asked.body().await?;
    let by = By {
        who: asked.admin.who.clone(),
        via: asked.admin.via.clone(),
    };
    Ok(json!(retention::run(&asked.env, &by, asked.at).await?))
}
