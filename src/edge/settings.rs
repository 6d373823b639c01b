//! The configuration that the worker was built with. It is a module of its own beside
//! the wasm, so that an edit of `gateway.toml` or of the region map compiles nothing.

use crate::config::Config;
use crate::refusal::Refusal;
use std::sync::OnceLock;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/edge/settings.js")]
extern "C" {
    /// What `meridian config` printed for the build.
    fn configuration() -> Vec<u8>;
}

static CONFIG: OnceLock<Option<Config>> = OnceLock::new();

/// The configuration. The build has checked it; if it cannot be read all the same,
/// nothing may be served.
pub fn config() -> Result<&'static Config, Refusal> {
    CONFIG.get_or_init(read).as_ref().ok_or(Refusal::Internal)
}

fn read() -> Option<Config> {
    let text = String::from_utf8(configuration()).map_err(|error| error.to_string());
    let config = text.and_then(|text| serde_json::from_str(&text).map_err(|e| e.to_string()));
    config
        .inspect_err(|error| worker::console_error!("config.json cannot be read: {error}"))
        .ok()
}
