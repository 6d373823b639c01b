// Builds the worker: Rust to wasm with unwinding panics, bindings, optimiser,
// one bundled module beside the wasm. `build/` is what is deployed;
// `build/local/` is for local runs and tests and can not be deployed.
//
// The standard library is rebuilt because the one that comes with the compiler
// aborts on a panic, and an abort ends every request of the instance. That
// option is unstable, hence RUSTC_BOOTSTRAP; the compiler stays the pinned one. SIMD is for finding line ends in streams.
//
// `fast` is for the loop of a developer: no link-time optimisation and no
// wasm-opt. Its folder carries a mark, so that nothing but tests takes it for
// the real build.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, run } from "./run.mjs";
import { BINDINGS, setUp } from "./setup.mjs";
import { FAST_MARK, isStale } from "./stale.mjs";
const FEATURES = "mutable-globals sign-ext nontrapping-float-to-int bulk-memory multivalue reference-types exception-handling simd".split(" ");

// An isolate has 128 MB in all. Wasm meets its own end first: then one call ends,
// and not the isolate with all of them (src/edge/memory.rs).
const MEMORY = 104 * 1024 * 1024;

const FAST = {
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "1",
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
  CARGO_PROFILE_RELEASE_INCREMENTAL: "true",
};

export function build({ local = false, fast = false } = {}) {
  const target = join(ROOT, fast ? "target/worker-fast" : "target/worker");
  const out = join(ROOT, local ? "build/local" : "build/release");
  const staging = `${out}.new`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });

  console.log(`· building the worker${local ? " for local use" : ""}${fast ? ", fast (2 minutes the first time)" : " (3 to 5 minutes)"}`);
  run("cargo", ["build", "--quiet", "--locked", "--lib", "--release", "--target", "wasm32-unknown-unknown", "--target-dir", target, "-Zbuild-std=std,panic_unwind", ...(local ? ["--features", "local"] : [])], {
    env: { RUSTC_BOOTSTRAP: "1", RUSTFLAGS: `-Cpanic=unwind -Ctarget-feature=+simd128 -Clink-arg=--max-memory=${MEMORY}`, WASM_BINDGEN_USE_JS_SYS: "1", ...(fast ? FAST : {}) },
  });
  const wasm = join(target, "wasm32-unknown-unknown/release/meridian.wasm");
  run(BINDINGS, [wasm, staging]);

  // workerd hands out a compiled module on a plain import.
  const bindings = join(staging, "bindings.js");
  writeFileSync(bindings, readFileSync(bindings, "utf8").replace("import source ", "import "));
  const optimised = join(staging, "index_bg.wasm");
  if (fast) {
    renameSync(join(staging, "bindings_bg.wasm"), optimised);
    writeFileSync(join(staging, FAST_MARK), "");
  } else {
    run("wasm-opt", [join(staging, "bindings_bg.wasm"), "-O3", ...FEATURES.map((f) => `--enable-${f}`), "-o", optimised]);
    rmSync(join(staging, "bindings_bg.wasm"));
  }
  run("esbuild", [join(ROOT, "src/edge/entry.js"), "--bundle", "--format=esm", "--minify", "--log-level=warning", `--alias:meridian=${bindings}`, `--inject:${join(ROOT, "src/edge/soon.js")}`, "--external:cloudflare:*", "--external:./bindings_bg.wasm", `--outfile=${join(staging, "index.js")}`]);
  const index = join(staging, "index.js");
  writeFileSync(index, readFileSync(index, "utf8").replace("./bindings_bg.wasm", "./index_bg.wasm"));
  rmSync(bindings);
  rmSync(join(staging, "snippets"), { recursive: true, force: true });
  rmSync(out, { recursive: true, force: true });
  renameSync(staging, out);
  return out;
}

if (process.argv[1] === import.meta.filename) {
  const local = process.argv.includes("--local");
  const fast = process.argv.includes("--fast");
  setUp();
  const stale = isStale(`build/${local ? "local" : "release"}/index.js`, { fast });
  if (stale || !process.argv.includes("--if-stale")) build({ local, fast });
}
