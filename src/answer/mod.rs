//! A response to the client: relayed as it arrives, with a signed receipt, and recorded
//! in one usage row. Reservations are in `ledger/`.

pub mod relay;
pub mod record;
pub mod receipt;
