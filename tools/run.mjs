// Running other programs: in the project's folder, with its own tools first on
// the PATH, and with one clear line when something fails.
import { spawn, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

export const ENV = {
  ...process.env,
  PATH: [join(ROOT, "node_modules/.bin"), join(ROOT, ".tools/bin"), process.env.PATH].join(":"),
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  CI: process.env.CI ?? "",
};

/** Says what is wrong and ends. */
export function fail(message) {
  console.error(`\n✗ ${message}`);
  process.exit(1);
}

/** Runs a program; ends everything if it fails. */
export function run(program, args, options = {}) {
  const { env, ...rest } = options;
  const done = spawnSync(program, args, {
    cwd: ROOT,
    stdio: "inherit",
    ...rest,
    env: { ...ENV, ...env },
  });
  if (done.error) fail(`${program} could not be started: ${done.error.message}`);
  if (done.status !== 0) fail(`${program} ${args.join(" ")} failed (exit code ${done.status})`);
}

/** What a program prints, or undefined if it fails. */
export function output(program, args, options = {}) {
  const done = spawnSync(program, args, { cwd: ROOT, encoding: "utf8", env: ENV, ...options });
  return done.status === 0 ? done.stdout : undefined;
}

/** Starts a program that goes on running. */
export function start(program, args, options = {}) {
  const { env, ...rest } = options;
  return spawn(program, args, { cwd: ROOT, ...rest, env: { ...ENV, ...env } });
}
