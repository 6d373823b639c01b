// `npm run hostile`: builds what would be deployed and sends it every shape of
// body that tries to cost others something. `--seconds 600 --seed 7` continues
// with random bodies.
import { ensureBuilt } from "./build.mjs";
import { run } from "./run.mjs";
import { setUp } from "./setup.mjs";

setUp();
ensureBuilt();
run("node", ["tests/hostile/hostile.mjs", ...process.argv.slice(2)]);
