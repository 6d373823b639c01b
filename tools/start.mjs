// `npm start`: from a fresh clone to a running gateway. Sets everything up,
// builds, prepares the local databases and a demo key for each zone, and hands
// over to serve.mjs, which needs the project's own Node.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "./build.mjs";
import { meridian } from "./cli.mjs";
import { atTheEnd } from "./ending.mjs";
import { ROOT, run, start } from "./run.mjs";
import { setUp } from "./setup.mjs";

const STATE = join(ROOT, ".local");
const STORES = ["USAGE_EU", "USAGE_US", "USAGE_WORLD", "AUDIT"];
// Two for maps, because the author of a draft cannot approve it, and one for drills.
const ADMINS = { "anna@example.com": "compliance", "bert@example.com": "compliance", "otto@example.com": "operator" };

const options = process.argv.slice(2);
/** Local runs are content with a build that is fast to make, unless they ask for the one that is deployed. */
const fast = !options.includes("--optimised");

setUp();
ensureBuilt({ fast });
mkdirSync(STATE, { recursive: true });
migrate();
demoKeys();
demoAdmins();
receiptKeys();

const serving = start("node", [join(ROOT, "tools/serve.mjs"), ...options.filter((one) => one !== "--optimised")], { stdio: "inherit" });
atTheEnd(() => serving.kill("SIGTERM"));
serving.on("exit", (code) => process.exit(code ?? 0));

// Applying migrations starts wrangler once a database; a note of what was
// applied spares that at the next start.
function migrate() {
  const done = join(STATE, "migrated");
  const all = readdirSync(join(ROOT, "migrations"), { recursive: true }).sort().join("\n");
  if (existsSync(done) && readFileSync(done, "utf8") === all) return;
  console.log("· preparing the local databases (some 20 seconds)");
  for (const store of STORES) {
    run("wrangler", ["d1", "migrations", "apply", store, "--local"], { stdio: ["ignore", "ignore", "inherit"] });
  }
  writeFileSync(done, all);
}

function demoKeys() {
  const file = join(STATE, "demo-keys.json");
  const keys = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const zones = readdirSync(join(ROOT, "regions/zones")).map((name) => name.replace(/\.toml$/, ""));
  for (const zone of Object.keys(keys)) if (!zones.includes(zone)) delete keys[zone];
  const missing = zones.filter((zone) => !keys[zone]);
  if (missing.length > 0) console.log("· creating a demo key for each zone");
  for (const zone of missing) {
    keys[zone] = meridian("keys", "create", "--team", `demo-${zone}`, "--name", "made by npm start", "--zone", zone, "--tag", "environment=local", "--quiet").trim();
    writeFileSync(file, JSON.stringify(keys, null, 2));
  }
}

function demoAdmins() {
  const file = join(STATE, "demo-admins.json");
  const keys = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  for (const [who, role] of Object.entries(ADMINS)) {
    if (keys[who]) continue;
    keys[who] = meridian("admins", "add", "--who", who, "--role", role, "--quiet").trim();
    writeFileSync(file, JSON.stringify(keys, null, 2));
  }
}

function receiptKeys() {
  const file = join(STATE, "receipt-keys.json");
  if (!existsSync(file)) writeFileSync(file, meridian("receipts", "keygen"));
}
