// `npm run check [-- staging|production]`: is this fit to be deployed? The
// configuration, what wrangler.toml says of the environment, and the bundle.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildCli } from "./cli.mjs";
import { fail, ROOT, run } from "./run.mjs";
import { setUp } from "./setup.mjs";

// src/edge/local.rs has the same words.
const LOCAL_MARKER = "meridian-local-build";

/** `online` asks Cloudflare which secrets are set. */
export function check({ environment, online = false } = {}) {
  buildCli();
  const where = environment ? ["--env", environment, ...(online ? ["--online"] : [])] : [];
  run(join(ROOT, "target/debug/meridian"), ["check", ...where]);
  const problem = bundle();
  if (problem) fail(problem);
  console.log("✓ the bundle checks");
}

// What is deployed must have no way to move a caller or to panic on purpose.
function bundle() {
  const wasm = join(ROOT, "build/release/index_bg.wasm");
  if (!existsSync(wasm)) return "build/release is missing: npm run build";
  if (readFileSync(wasm).includes(LOCAL_MARKER)) return "build/release holds a local build, which lets a header say where a caller is: npm run build";
}

if (process.argv[1] === import.meta.filename) {
  setUp();
  const [environment] = process.argv.slice(2).filter((word) => !word.startsWith("--"));
  check({ environment, online: process.argv.includes("--online") });
}
