// `npm run soak`: ten thousand mixed calls, a fifth of them with a fault, many
// at once. Fails if one is not answered, leaves no row or two, or leaks.
import { build } from "./build.mjs";
import { run } from "./run.mjs";
import { setUp } from "./setup.mjs";
import { isStale } from "./stale.mjs";

setUp();
if (isStale("build/local/index.js")) build({ local: true });
run("node", ["tests/soak/soak.mjs", ...process.argv.slice(2)]);
