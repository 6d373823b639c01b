// `npm run e2e -- zones limits`: the end-to-end tests of these names, or all of
// them, on a fast build.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "./build.mjs";
import { fail, ROOT } from "./run.mjs";
import { setUp } from "./setup.mjs";
import { endToEnd } from "./side-by-side.mjs";

const FOLDER = "tests/e2e";
const SUFFIX = ".test.mjs";

const names = process.argv.slice(2);
const known = readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
for (const name of names) if (!known.includes(name)) fail(`there is no end-to-end test \`${name}\`; there are: ${known.join(", ")}`);
const files = (names.length > 0 ? names : known).map((name) => join(FOLDER, name + SUFFIX));

setUp();
ensureBuilt({ fast: true });
endToEnd(files);
