//! What people ask about calls, past and possible: where a request would go, what an
//! edit of the map changes, where requests went, what was spent. Nothing here changes
//! state.

pub mod explain;
pub mod diff;
pub mod replay;
pub mod transfers;
pub mod usage;
