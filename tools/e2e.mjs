// `npm run e2e -- zones limits`: the end-to-end tests of these names, or all of
// them, on a fast build of what they need.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { buildCli } from "./cli.mjs";
import { fail, ROOT } from "./run.mjs";
import { setUp } from "./setup.mjs";
import { endToEnd } from "./side-by-side.mjs";
import { isStale } from "./stale.mjs";

const FOLDER = "tests/e2e";
const SUFFIX = ".test.mjs";

const names = process.argv.slice(2);
const known = readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
for (const name of names) if (!known.includes(name)) fail(`there is no end-to-end test \`${name}\`; there are: ${known.join(", ")}`);
const files = (names.length > 0 ? names : known).map((name) => join(FOLDER, name + SUFFIX));

setUp();
buildCli();
const texts = files.map((file) => readFileSync(join(ROOT, file), "utf8")).join("\n");
const needsLocal = /local: true|build\/local/.test(texts);
const needsRelease = files.length > 1 || !needsLocal;
if (needsRelease && isStale("build/release/index.js", { fast: true })) build({ fast: true });
if (needsLocal && isStale("build/local/index.js", { fast: true })) build({ local: true, fast: true });
endToEnd(files);
