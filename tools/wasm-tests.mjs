// Runs the tests in a wasm that `cargo test` has built: its runner for
// wasm32-unknown-unknown. They are exports whose names begin with `__wbgt_`, and
// wasm-bindgen-test runs them in a context of its own.
import { readFileSync, rmSync, mkdtempSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BINDINGS } from "./setup.mjs";
import { run } from "./run.mjs";

const [wasm] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "wasm-tests-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
run(BINDINGS, ["--tests", wasm, folder]);

// What lies beside the worker's wasm does not lie here; no test reads it.
const EMPTY = { url: "data:text/javascript,export default new ArrayBuffer()", shortCircuit: true };
registerHooks({ resolve: (name, context, next) => (name === "./config.json" ? EMPTY : next(name, context)) });

// The context writes what it finds to the console as it is now, and takes what tests
// write to the one that is there when they run.
const handlers = {};
for (const method of ["debug", "log", "info", "warn", "error"]) {
  if (method === "log" || method === "error") globalThis[`__wbgtest_og_console_${method}`] = console[method];
  console[method] = (...args) => handlers[method]?.(args);
}
globalThis.__wbg_test_invoke = (test) => test();
const tests = createRequire(import.meta.url)(join(folder, "bindings.js"));
for (const method of ["debug", "log", "info", "warn", "error"]) handlers[method] = tests[`__wbgtest_console_${method}`];

const compiled = new WebAssembly.Module(readFileSync(join(folder, "bindings_bg.wasm")));
const names = WebAssembly.Module.exports(compiled).map(({ name }) => name).filter((name) => name.startsWith("__wbgt_"));
if (names.length === 0) throw new Error(`${wasm} has no tests`);
const context = new tests.WasmBindgenTestContext(false);
context.include_ignored(false);
context.filtered_count(0);
const passed = await context.run(names.map((name) => tests.__wasm[name]));
process.exit(passed ? 0 : 1);
