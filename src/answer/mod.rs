//! An answer on its way back: relayed to the client as it comes, with a signed receipt,
//! and recorded in one usage row. What was reserved for it is in `ledger/`.

pub mod relay;
pub mod record;
pub mod receipt;
