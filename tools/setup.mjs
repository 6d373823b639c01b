// Puts everything the project needs in place, pinned, inside the project's own
// folder, and does nothing that is done already: a second run needs no network.
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fail, output, ROOT, run } from "./run.mjs";
import { RUST, WASM_BINDGEN } from "./versions.mjs";

export function setUp() {
  checkNode();
  linker();
  npmPackages();
  rust();
  wasmBindgen();
}

function checkNode() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) fail(`Node 20 or newer is needed; this is ${process.versions.node}. Install it from https://nodejs.org`);
}

// Rust links with the system's C compiler, which small machines lack.
function linker() {
  if (output("cc", ["--version"]) !== undefined) return;
  const canInstall = process.getuid?.() === 0 && output("apt-get", ["--version"]) !== undefined;
  if (!canInstall) fail("A C compiler is needed to link Rust programs: apt-get install gcc libc6-dev");
  console.log("· installing a C compiler");
  run("apt-get", ["update", "-qq"]);
  run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "gcc", "libc6-dev"]);
}

function npmPackages() {
  const lock = join(ROOT, "package-lock.json");
  const installed = join(ROOT, "node_modules/.package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs && existsSync(join(ROOT, "node_modules/.bin/wrangler"))) return;
  console.log("· installing the npm packages");
  run("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"]);
}

function rust() {
  if (output("rustup", ["--version"]) === undefined) {
    fail("Rust is needed: install it with rustup, see https://rustup.rs, and open a new shell");
  }
  const pinned = readFileSync(join(ROOT, "rust-toolchain.toml"), "utf8");
  if (!pinned.includes(`channel = "${RUST}"`)) fail("rust-toolchain.toml and tools/versions.mjs name different Rust versions");
  if (!(output("rustup", ["toolchain", "list"]) ?? "").includes(RUST)) {
    console.log(`· installing Rust ${RUST}`);
    run("rustup", ["toolchain", "install", RUST, "--profile", "minimal"]);
  }
  const components = output("rustup", ["component", "list", "--toolchain", RUST, "--installed"]) ?? "";
  const missing = ["clippy", "rustfmt", "rust-src"].filter((name) => !components.includes(name));
  if (missing.length > 0) run("rustup", ["component", "add", "--toolchain", RUST, ...missing]);
  if (!components.includes("rust-std-wasm32-unknown-unknown")) {
    run("rustup", ["target", "add", "--toolchain", RUST, "wasm32-unknown-unknown"]);
  }
}

// The command line and the library must be of one version.
function wasmBindgen() {
  const tool = join(ROOT, ".tools/bin/wasm-bindgen");
  if (existsSync(tool) && output(tool, ["--version"])?.includes(WASM_BINDGEN)) return;
  console.log(`· building wasm-bindgen ${WASM_BINDGEN} (once, some minutes)`);
  run("cargo", ["install", "wasm-bindgen-cli", "--version", WASM_BINDGEN, "--locked", "--quiet", "--root", join(ROOT, ".tools")]);
}

if (process.argv[1] === import.meta.filename) setUp();
