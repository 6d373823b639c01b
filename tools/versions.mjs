// The tools that npm and rustup do not pin themselves.
export const WASM_BINDGEN = "0.2.129";
export const RUST = "1.95.0";
