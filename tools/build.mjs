// Builds the worker: Rust to wasm with unwinding panics, bindings, optimiser, one
// bundled module beside the wasm, and beside them the configuration. `build/worker`
// is what is deployed, and what local runs and tests take: worker.mjs.
//
// The standard library is rebuilt because the one that comes with the compiler
// aborts on a panic, and an abort ends every request of the instance. That
// option is unstable, hence RUSTC_BOOTSTRAP; the compiler stays the pinned one. SIMD is for finding line ends in streams.
//
// `fast` is for the loop of a developer: no link-time optimisation and no
// wasm-opt. The folder then carries a mark, and is not deployed.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildCli, meridian } from "./cli.mjs";
import { ROOT, run } from "./run.mjs";
import { BINDINGS, setUp } from "./setup.mjs";
import { FAST_MARK, isStale } from "./stale.mjs";
import { BUILT, MEMORY } from "./worker.mjs";


const FEATURES = "mutable-globals sign-ext nontrapping-float-to-int bulk-memory multivalue reference-types exception-handling simd".split(" ");

const FAST = {
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "1",
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
  CARGO_PROFILE_RELEASE_INCREMENTAL: "true",
};

const CONFIG = join(BUILT, "config.json");

/** Sees to it that the worker is built, in any case if `anew`, and has the configuration of the files. */
export function ensureBuilt({ fast = false, anew = false } = {}) {
  buildCli();
  const config = meridian("config");
  if (anew || isStale(join(BUILT, "index.js"), { fast })) compile({ fast, config });
  else if (!isConfigured(config)) writeFileSync(CONFIG, config);
}

/** Whether the worker has this configuration. */
export function isConfigured(config = meridian("config")) {
  return existsSync(CONFIG) && readFileSync(CONFIG, "utf8") === config;
}

function compile({ fast, config }) {
  const target = join(ROOT, fast ? "target/worker-fast" : "target/worker");
  const staging = `${BUILT}.new`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });

  console.log(`· building the worker${fast ? ", fast (2 minutes the first time)" : " (3 to 5 minutes)"}`);
  run("cargo", ["build", "--quiet", "--locked", "--lib", "--release", "--target", "wasm32-unknown-unknown", "--target-dir", target, "-Zbuild-std=std,panic_unwind"], {
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
  run("esbuild", [join(ROOT, "src/edge/entry.js"), "--bundle", "--format=esm", "--minify", "--log-level=warning", `--alias:meridian=${bindings}`, `--inject:${join(ROOT, "src/edge/soon.js")}`, "--external:cloudflare:*", "--external:./bindings_bg.wasm", "--external:./config.json", `--outfile=${join(staging, "index.js")}`]);
  const index = join(staging, "index.js");
  writeFileSync(index, readFileSync(index, "utf8").replace("./bindings_bg.wasm", "./index_bg.wasm"));
  writeFileSync(join(staging, "config.json"), config);
  rmSync(bindings);
  rmSync(join(staging, "snippets"), { recursive: true, force: true });
  rmSync(BUILT, { recursive: true, force: true });
  renameSync(staging, BUILT);
}

if (process.argv[1] === import.meta.filename) {
  const fast = process.argv.includes("--fast");
  setUp();
  ensureBuilt({ fast, anew: !process.argv.includes("--if-stale") });
}
