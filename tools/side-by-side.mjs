// Runs end-to-end tests: files side by side, since they mostly wait, and after them,
// one at a time, those that measure memory or time or kill what serves them. These
// say so in a line that begins with `// Alone:`.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ROOT, run } from "./run.mjs";

export function endToEnd(files) {
  const alone = files.filter((file) => /^\/\/ Alone:/m.test(readFileSync(join(ROOT, file), "utf8")));
  const others = files.filter((file) => !alone.includes(file));
  if (others.length > 0) run("node", ["--test", `--test-concurrency=${availableParallelism() + 1}`, ...others]);
  if (alone.length > 0) run("node", ["--test", "--test-concurrency=1", ...alone]);
}
