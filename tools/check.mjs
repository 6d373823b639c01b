// `npm run check [-- staging|production]`: checks what a deploy needs: the
// configuration, the environment in wrangler.toml, and the bundle.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isConfigured } from "./build.mjs";
import { buildCli } from "./cli.mjs";
import { fail, ROOT, run } from "./run.mjs";
import { setUp } from "./setup.mjs";
import { FAST_MARK } from "./stale.mjs";
import { BUILT, MODULES } from "./worker.mjs";

/** `online` asks Cloudflare which secrets are set. */
export function check({ environment, online = false } = {}) {
  buildCli();
  const where = environment ? ["--env", environment, ...(online ? ["--online"] : [])] : [];
  run(join(ROOT, "target/debug/meridian"), ["check", ...where]);
  const problem = bundle();
  if (problem) fail(problem);
  console.log("✓ the bundle checks");
}

// All that lies in the folder is deployed: the worker, optimised, and nothing else.
function bundle() {
  const names = existsSync(BUILT) ? readdirSync(BUILT) : [];
  const missing = Object.keys(MODULES).find((name) => !names.includes(name));
  if (missing) return `build/worker/${missing} is missing: npm run build`;
  if (names.includes(FAST_MARK)) return "build/worker holds a fast build, which is for tests and local runs: npm run build";
  const other = names.find((name) => !Object.hasOwn(MODULES, name));
  if (other) return `build/worker/${other} is no part of the worker: npm run build`;
  if (!isConfigured()) return "build/worker/config.json is not what the files here say: npm run build -- --if-stale";
}

if (process.argv[1] === import.meta.filename) {
  setUp();
  const [environment] = process.argv.slice(2).filter((word) => !word.startsWith("--"));
  check({ environment, online: process.argv.includes("--online") });
}
