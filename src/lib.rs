//! Meridian: an LLM gateway at the edge that keeps every request inside its
//! compliance zone and accounts for every call once.
//!
//! A request meets these modules from top to bottom, and a module names only
//! modules above it. Everything but `edge` is pure: no I/O, no clock, no
//! randomness. `tests/layers.rs` holds the code to that.

// The worker's build, which unwinds, catches allocations that fail: `edge/memory.rs`.
#![cfg_attr(
    all(target_arch = "wasm32", panic = "unwind"),
    feature(alloc_error_hook)
)]

// What everything is said in.
pub mod units;
pub mod regions;
pub mod timeouts;
pub mod limits;
pub mod pace;
pub mod cors;
pub mod gateway;
pub mod prices;
pub mod config;
pub mod refusal;
pub mod frame;
mod tokens;
pub mod outgoing;
pub mod dialect;

// The stages, in the order a request meets them.
pub mod head;
pub mod body;
pub mod egress;
pub mod caller;
pub mod zone;
pub mod plan;
pub mod listing;
pub mod ledger;
pub mod runaway;
pub mod translate;
pub mod sigv4;
pub mod credential;
pub mod send;
pub mod health;
pub mod course;
pub mod relay;
pub mod record;
pub mod background;
pub mod retention;

// What people ask about it all.
pub mod diff;
pub mod explain;
pub mod replay;
pub mod report;
pub mod usage;

// What people do about it.
pub mod audit;
pub mod admin;
pub mod drill;
pub mod budget;
pub mod publish;
pub mod access;
pub mod receipt;

// The platform.
#[cfg(target_arch = "wasm32")]
mod edge;
