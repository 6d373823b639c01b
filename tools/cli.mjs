// The command line `meridian`, built when it is older than its source.
import { join } from "node:path";
import { fail, output, ROOT, run } from "./run.mjs";
import { isStale } from "./stale.mjs";

const CLI = join(ROOT, "target/debug/meridian");

export function buildCli() {
  if (!isStale(CLI)) return;
  console.log("· building the command line (under a minute the first time)");
  run("cargo", ["build", "--quiet", "--locked", "--bin", "meridian"]);
  run("touch", [CLI]);
}

/** What `meridian …` prints. */
export function meridian(...args) {
  const printed = output(CLI, args, { stdio: ["ignore", "pipe", "inherit"] });
  if (printed === undefined) fail(`meridian ${args.join(" ")} failed`);
  return printed;
}
