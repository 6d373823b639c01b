//! The configuration that was embedded at build time.

use crate::config::Config;
use crate::refusal::Refusal;
use std::sync::OnceLock;

const EMBEDDED: &str = include_str!(concat!(env!("OUT_DIR"), "/config.json"));

static CONFIG: OnceLock<Option<Config>> = OnceLock::new();

/// The configuration. `build.rs` has checked it; if it cannot be read all the
/// same, nothing may be served.
pub fn config() -> Result<&'static Config, Refusal> {
    CONFIG
        .get_or_init(|| serde_json::from_str(EMBEDDED).ok())
        .as_ref()
        .ok_or(Refusal::Internal)
}
