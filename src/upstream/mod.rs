//! A request on its way to an endpoint: written in the endpoint's dialect, signed,
//! sent in an order that depends on how endpoints fare, and judged by how the answer
//! begins. Timers and sockets are in `edge/`.

pub mod translate;
pub mod sigv4;
pub mod credential;
pub mod judge;
pub mod health;
pub mod attempt_order;
