// The built worker: where it lies, which modules it has, and how these are laid
// out for a run that is not a deployment. Such a run can put a module before the
// worker and exchange what lies beside its code. The build is the deployed one.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./run.mjs";

/** What is deployed. */
export const BUILT = join(ROOT, "build/worker");
/** Its modules, and what workerd calls their kinds. */
export const MODULES = { "index.js": "esModule", "index_bg.wasm": "wasm", "config.json": "data" };
/** The same for wrangler, where there is a module before the worker. */
export const RULES = [{ type: "ESModule", globs: ["*.js"] }, { type: "CompiledWasm", globs: ["*.wasm"] }, { type: "Data", globs: ["config.json"] }];
// An isolate has 128 MB in all. Wasm meets its own end first: then one call ends,
// and not the isolate with all of them (src/edge/memory.rs).
/** The most bytes of memory that wasm may have. */
export const MEMORY = 104 * 1024 * 1024;
/** The module that places callers in local runs. */
export const PLACING = readFileSync(join(ROOT, "tools/local/front.js"), "utf8");

const FRONT = "front.js";

/**
 * Copies the worker into a folder. `front` is the source of a module to put before
 * it, and `gateway` has tables that replace those of gateway.toml.
 * → the main module's name
 */
export function layOut(folder, { build = BUILT, front, gateway } = {}) {
  mkdirSync(folder, { recursive: true });
  for (const name of Object.keys(MODULES)) if (existsSync(join(build, name))) copyFileSync(join(build, name), join(folder, name));
  if (front !== undefined) writeFileSync(join(folder, FRONT), front);
  if (gateway !== undefined) {
    const config = JSON.parse(readFileSync(join(build, "config.json"), "utf8"));
    writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, gateway: { ...config.gateway, ...gateway } }));
  }
  return front === undefined ? "index.js" : FRONT;
}

/** The modules of such a folder in workerd's configuration, the main one first. */
export function embedded(folder) {
  const here = Object.entries({ [FRONT]: "esModule", ...MODULES }).filter(([name]) => existsSync(join(folder, name)));
  return here.map(([name, kind]) => `(name = "${name}", ${kind} = embed "${name}")`).join(", ");
}
