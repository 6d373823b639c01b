// Whether something that was built is older than what it is built from. What people
// configure is not compiled: tools/build.mjs puts it beside the wasm.
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./run.mjs";

const WORKER = ["src", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "tools/build.mjs", "tools/worker.mjs", "tools/bindings/Cargo.lock", "tools/bindings/src"];

/** Lies beside what a fast build made. */
export const FAST_MARK = "fast-build";

/** `fast` says that a fast build will do. */
export function isStale(path, { fast = false } = {}) {
  if (!existsSync(path)) return true;
  if (!fast && existsSync(join(dirname(path), FAST_MARK))) return true;
  const at = statSync(path).mtimeMs;
  return WORKER.some((input) => newest(join(ROOT, input)) > at);
}

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), stat.mtimeMs);
}
