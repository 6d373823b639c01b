//! A request up to the plan: its head and body, its egress, its caller, its zone, and
//! the endpoints of that zone that may serve it. Translation and contact with providers
//! are in `upstream/`.

pub mod head;
pub mod body;
pub mod egress;
pub mod caller;
pub mod zone;
pub mod plan;
pub mod models;
pub mod runaway;
