//! The command line for people: keys, endpoints, and whether the config checks.

#[cfg(not(target_arch = "wasm32"))]
#[path = "meridian/mod.rs"]
mod cli;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    cli::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {}
