//! Shows how long records are kept, and deletes expired ones on request.

use super::{map, AdminCall};
use crate::admin::retention::Kept;
use crate::admin::Denied;
use crate::edge::retention::{self, By};
use serde::Deserialize;
use serde_json::{json, Value};
use worker::Context;

/// The retention of each zone, and the age of its oldest records.
pub async fn look(call: &AdminCall, ctx: &Context) -> Result<Value, Denied> {
    let config = map::in_force(&call.env, ctx).await;
    let config = config.map_err(|_| Denied::Unavailable("The store of region maps".to_owned()))?;
    let zones = config.regions.zones.values();
    let zones: Vec<Kept> = zones.map(|zone| Kept::of(zone, call.at)).collect();
    let looked = retention::look(&call.env, config, call.at).await;
    Ok(json!({
        "map": config.regions.version,
        "zones": zones,
        "records": looked.records,
        "stores_not_read": looked.stores_not_read,
    }))
}

/// The request has no parameters: the map decides what is deleted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Deletes the records whose retention has ended.
pub async fn delete(call: &AdminCall) -> Result<Value, Denied> {
    let Nothing {} = call.body().await?;
    let by = By {
        who: call.admin.who.clone(),
        via: call.admin.via.clone(),
    };
    Ok(json!(retention::run(&call.env, &by, call.at).await?))
}
