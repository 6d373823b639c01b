// Puts everything the project needs in place, pinned, inside the project's own
// folder, and does nothing that is done already: a second run needs no network.
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fail, output, ROOT, run } from "./run.mjs";

export function setUp() {
  checkNode();
  linker();
  npmPackages();
  rust();
  bindings();
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
  console.log("· installing the npm packages (some 15 seconds)");
  run("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"]);
}

function rust() {
  if (output("rustup", ["--version"]) === undefined) {
    fail("Rust is needed: install it with rustup, see https://rustup.rs, and open a new shell");
  }
  const pinned = /^channel = "([^"]+)"/m.exec(readFileSync(join(ROOT, "rust-toolchain.toml"), "utf8"))?.[1];
  if (!pinned) fail("rust-toolchain.toml names no channel");
  if (!(output("rustup", ["toolchain", "list"]) ?? "").includes(pinned)) {
    console.log(`· installing Rust ${pinned} (about a minute)`);
    run("rustup", ["toolchain", "install", pinned, "--profile", "minimal"]);
  }
  const components = output("rustup", ["component", "list", "--toolchain", pinned, "--installed"]) ?? "";
  const missing = ["clippy", "rustfmt", "rust-src"].filter((name) => !components.includes(name));
  if (missing.length > 0) run("rustup", ["component", "add", "--toolchain", pinned, ...missing]);
  if (!components.includes("rust-std-wasm32-unknown-unknown")) {
    run("rustup", ["target", "add", "--toolchain", pinned, "wasm32-unknown-unknown"]);
  }
}

/** Writes the JavaScript between wasm and the platform. */
export const BINDINGS = join(ROOT, ".tools/bindings/release/bindings");

// wasm-bindgen must have the same version here and in Cargo.lock.
function bindings() {
  const folder = join(ROOT, "tools/bindings");
  const sources = ["Cargo.toml", "Cargo.lock", "src/main.rs"].map((name) => statSync(join(folder, name)).mtimeMs);
  if (existsSync(BINDINGS) && statSync(BINDINGS).mtimeMs >= Math.max(...sources)) return;
  const library = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(readFileSync(join(ROOT, "Cargo.lock"), "utf8"))?.[1];
  if (!readFileSync(join(folder, "Cargo.toml"), "utf8").includes(`"=${library}"`)) fail(`tools/bindings/Cargo.toml must have wasm-bindgen-cli-support = "=${library}", the version of wasm-bindgen in Cargo.lock`);
  console.log("· building the tool that writes the bindings (once, under a minute)");
  run("cargo", ["build", "--quiet", "--locked", "--release", "--manifest-path", join(folder, "Cargo.toml"), "--target-dir", join(ROOT, ".tools/bindings")]);
}

if (process.argv[1] === import.meta.filename) setUp();
