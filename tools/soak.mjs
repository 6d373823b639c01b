// `npm run soak`: twenty thousand mixed calls, a fifth of them with a fault, many
// at once, and then the ledger's conservation under limits and kill -9. Fails if
// a call is not answered, leaves no row or two, or leaks, or if a figure is off.
// `--only calls` or `--only ledger` runs one of them, with its own options.
import { ensureBuilt } from "./build.mjs";
import { fail, run } from "./run.mjs";
import { setUp } from "./setup.mjs";

const PARTS = { calls: "tests/soak/soak.mjs", ledger: "tests/soak/ledger.mjs" };
const options = process.argv.slice(2);
const at = options.indexOf("--only");
const [, only] = at < 0 ? [] : options.splice(at, 2);
if (at >= 0 && !Object.hasOwn(PARTS, only)) fail(`--only takes one of ${Object.keys(PARTS).join(", ")}`);

setUp();
ensureBuilt();
for (const part of only ? [only] : Object.keys(PARTS)) run("node", [PARTS[part], ...options]);
