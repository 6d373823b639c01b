//! `bindings WASM FOLDER`: writes `bindings.js` and `bindings_bg.wasm` there, for the
//! worker; with `--tests` before them, for Node and the tests in the wasm.

use std::env;
use std::process::ExitCode;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let tests = arguments.first().is_some_and(|first| first == "--tests");
    if tests {
        arguments.remove(0);
    }
    let [wasm, folder] = arguments.as_slice() else {
        eprintln!("usage: bindings [--tests] WASM FOLDER");
        return ExitCode::FAILURE;
    };
    match write(wasm, folder, tests) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the bindings of {wasm} cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(wasm: &str, folder: &str, tests: bool) -> Result<(), String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name("bindings").typescript(false);
    if tests {
        bindgen.nodejs(true).map_err(|error| said(&error))?;
        bindgen.debug(true).emit_start(false);
    } else {
        bindgen.module(true).map_err(|error| said(&error))?;
        // An instance that was aborted begins anew.
        bindgen.reset_state_function(true).force_enable_abort_handler(true);
    }
    bindgen.generate(folder).map_err(|error| said(&error))
}
