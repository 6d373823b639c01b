//! A request until it is known where it goes: its head and body, what it asks a
//! provider to do, who sends it, which zone it belongs to, and which endpoints of
//! that zone may serve it. Nothing here contacts anybody, and nothing here knows how
//! a request is written for a provider: that is `upstream/`.

pub mod head;
pub mod body;
pub mod egress;
pub mod caller;
pub mod zone;
pub mod plan;
pub mod models;
pub mod runaway;
