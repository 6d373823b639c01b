// `npm run bench`: builds what would be deployed and measures it.
import { ensureBuilt } from "./build.mjs";
import { run } from "./run.mjs";
import { setUp } from "./setup.mjs";

setUp();
ensureBuilt();
run("node", ["tests/bench/bench.mjs", ...process.argv.slice(2)]);
