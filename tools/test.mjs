// `npm test`: everything that must be green, from format to end to end.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "./build.mjs";
import { ROOT, run } from "./run.mjs";
import { setUp } from "./setup.mjs";
import { endToEnd } from "./side-by-side.mjs";

const WASM = ["--target", "wasm32-unknown-unknown"];
const STRICT = ["--", "-D", "warnings"];

setUp();
step("format", () => run("cargo", ["fmt", "--check"]));
step("clippy, natively", () => run("cargo", ["clippy", "--quiet", "--locked", "--all-targets", ...STRICT]));
step("clippy, for wasm", () => run("cargo", ["clippy", "--quiet", "--locked", "--lib", ...WASM, ...STRICT]));
step("native tests", () => run("cargo", ["test", "--quiet", "--locked"]));
step("wasm tests", () => run("cargo", ["test", "--locked", ...WASM, "--lib"], { env: { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: "node tools/wasm-tests.mjs" } }));
step("build", () => ensureBuilt());
step("the deployment's dry run", () => run("node", ["tools/deploy.mjs", "--dry-run"]));
step("simulator tests", () => run("node", ["--test", ...files("tests/simulator")]));
step("end-to-end tests", () => endToEnd(files("tests/e2e")));
step("hostile bodies", () => run("node", ["tests/hostile/hostile.mjs", "--ci"]));
console.log("\n✓ all green");
const vectors = join(ROOT, "../shared/vectors");
if (!existsSync(vectors)) console.log(`! tested without recordings and tables of others, because ${vectors} is not there: ${wanting().join(", ")}`);

/** The native tests that read recordings and tables from beside the project. */
function wanting() {
  const tests = readdirSync(join(ROOT, "tests")).filter((name) => name.endsWith(".rs"));
  return tests.filter((name) => /\bvectors\(|shared\/vectors|mod recorded/.test(readFileSync(join(ROOT, "tests", name), "utf8"))).map((name) => `tests/${name}`);
}

function step(name, work) {
  console.log(`\n── ${name}`);
  const began = Date.now();
  work();
  console.log(`   ${((Date.now() - began) / 1000).toFixed(0)} s`);
}

function files(folder) {
  return readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".test.mjs")).sort().map((name) => join(folder, name));
}
