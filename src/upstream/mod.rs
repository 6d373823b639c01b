//! A request to an endpoint: translated into the endpoint's dialect, signed, attempted
//! at endpoints in an order that depends on their health, and judged by how the
//! response starts. Timers and sockets are in `edge/`.

pub mod translate;
pub mod sigv4;
pub mod credential;
pub mod judge;
pub mod health;
pub mod attempt_order;
