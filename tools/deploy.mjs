// `npm run deploy -- staging|production`: builds, checks, then `wrangler
// deploy`. `--dry-run` stops short of Cloudflare and needs no account.
import { ensureBuilt } from "./build.mjs";
import { fail, output, run } from "./run.mjs";
import { setUp } from "./setup.mjs";

const words = process.argv.slice(2);
const dry = words.includes("--dry-run");
const [environment, ...rest] = words.filter((word) => word !== "--dry-run");

if (rest.length > 0 || (environment && !["staging", "production"].includes(environment))) fail("npm run deploy -- staging|production [--dry-run]");
if (!environment && !dry) fail("say where to: npm run deploy -- staging, or production");
setUp();
ensureBuilt();
// In the project's own Node, which wrangler needs.
run("node", ["tools/check.mjs", ...(environment ? [environment] : []), ...(dry ? [] : ["--online"])]);
if (!dry && (output("git", ["status", "--porcelain"]) ?? "").trim() !== "") fail("there are uncommitted changes: what is deployed must be in git");
run("wrangler", ["deploy", ...(environment ? ["--env", environment] : ["--env="]), ...(dry ? ["--dry-run"] : [])]);
