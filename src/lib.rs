//! Meridian: an LLM gateway at the edge that keeps every request inside its
//! compliance zone and accounts for every call once.
//!
//! What one call meets, in order:
//!
//! | | where | what happens |
//! | --- | --- | --- |
//! | 1 | `request/head`, `body` | path and headers say what is asked for; the body is read within its deadlines |
//! | 2 | `request/caller` | the key says whose call it is |
//! | 3 | `request/zone` | the zone it belongs to, and why |
//! | 4 | `request/egress` | what the request asks a provider to do beyond answering |
//! | 5 | `request/runaway` | whether it is one of a loop of calls |
//! | 6 | `request/plan` | the endpoints that the zone allows for all of that, in order |
//! | 7 | `ledger/bound`, `instance` | the most it can cost is reserved from every limit that holds for it |
//! | 8 | `upstream/translate`, `credential` | the request as the endpoint takes it |
//! | 9 | `upstream/attempt_order`, `judge`, `health` | which endpoint is tried when, and how its answer begins |
//! | 10 | `answer/relay` | the answer goes to the client as it comes, in the client's dialect |
//! | 11 | `answer/record`, `receipt` | one row says who, where, why, what and how much |
//! | 12 | `ledger/instance`, `object` | what it took is settled, once |
//!
//! `regions/` and `config/` are what people configure, `refusal/` every way to say no,
//! `dialect/` and `frame/` the languages of clients and providers, `admin/` and
//! `report/` what people do and ask. `edge/` does what the others decide: it is the only
//! folder with I/O, a clock or randomness. A folder names only folders above it;
//! `tests/layers.rs` holds the code to that.

// The worker's build, which unwinds, catches allocations that fail: `edge/memory.rs`.
#![cfg_attr(
    all(target_arch = "wasm32", panic = "unwind"),
    feature(alloc_error_hook)
)]

// What everything is said in.
pub mod units;
pub mod regions;
pub mod config;
pub mod refusal;
pub mod frame;
pub mod dialect;

// The stages of a call, in the order in which it meets them.
pub mod request;
pub mod upstream;
pub mod answer;
pub mod ledger;

// What people do about it, and what they ask.
pub mod admin;
pub mod report;

// The platform.
#[cfg(target_arch = "wasm32")]
mod edge;
