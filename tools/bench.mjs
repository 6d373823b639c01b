// `npm run bench`: builds what would be deployed and measures it.
import { build } from "./build.mjs";
import { run } from "./run.mjs";
import { setUp } from "./setup.mjs";
import { isStale } from "./stale.mjs";

setUp();
if (isStale("build/release/index.js")) build();
run("node", ["tests/bench/bench.mjs", ...process.argv.slice(2)]);
