// The gateway that the clients are tried with, in plain workerd, so that nothing
// stands between a client and it: the shipped map with Vertex switched on, all
// providers simulated, and a key for each client and model. Its rows are on the disk.
import { execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { writeConfig } from "../../tools/sidecar/config.mjs";
import { freePort, ROOT } from "../bench/rig.mjs";
import { approval, meridian, receiptKeys, secretOf } from "../e2e/gateway.mjs";
import { serviceAccount } from "../simulator/google-token.mjs";
import { startSimulator } from "../simulator/simulator.mjs";

/** Kind of model → a name for it that the map has. */
export const MODELS = { GPT: "gpt-5.4-mini", Claude: "claude-sonnet-4-6", Gemini: "gemini-2.5-flash", Mistral: "mistral-small", Nova: "nova-pro" };

const named = (begins) => `${begins}_${randomBytes(5).toString("hex")}_${randomBytes(20).toString("hex")}`;
const hash = (key) => createHash("sha256").update(key).digest("hex");

/**
 * `teams`: for each of them there is a key, with what else its record says.
 * → {url, simulator, keys, rows(team), close()}
 */
export async function startForClients(records) {
  const teams = Object.keys(records);
  const simulator = await startSimulator({ byHost: true });
  const keys = Object.fromEntries(teams.map((team) => [team, named("mk")]));
  const people = Object.fromEntries(["anna", "bert"].map((who) => [who, named("ma")]));
  const created = "2026-11-20T00:00:00Z";
  const seed = {
    ...Object.fromEntries(teams.map((team) => [`key:${hash(keys[team])}`, JSON.stringify({ id: keys[team].split("_")[1], team, created, ...records[team] })])),
    ...Object.fromEntries(Object.entries(people).map(([who, key]) => [`admin:key:${hash(key)}`, JSON.stringify({ id: who, who: `${who}@example.com`, roles: ["compliance"], created })])),
  };
  const secrets = Object.fromEntries(JSON.parse(meridian("endpoints", "--json")).map(({ secret, auth }) => [secret, auth === "google" ? JSON.stringify(serviceAccount()) : secretOf(secret)]));
  const folder = mkdtempSync(join(tmpdir(), "clients-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  writeConfig(folder, { ports: [port], country: "DE", seed, secrets: [...Object.keys(secrets), "RECEIPT_KEYS"], vars: { ENVIRONMENT: "sidecar" }, providers: `127.0.0.1:${simulator.port}` });
  const child = spawn(join(ROOT, "node_modules/.bin/workerd"), ["serve", "config.capnp"], { cwd: folder, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...secrets, RECEIPT_KEYS: receiptKeys() }, detached: true });
  await until(() => fetch(`${url}/healthz`).then(({ ok }) => ok, () => false));
  await publish(url, people, join(folder, "map"));
  await until(async () => (await (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${Object.values(keys)[0]}` } })).text()).includes(MODELS.Gemini));
  return {
    url,
    simulator,
    keys,
    rows: (team) => globSync(join(folder, "data/meridian-store/*.sqlite")).flatMap((file) => rowsIn(file, team)),
    async close() {
      // The launcher in node_modules/.bin starts the real program below itself.
      process.kill(-child.pid, "SIGKILL");
      await simulator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function until(found) {
  for (let tries = 0; tries < 300; tries++) {
    if (await found()) return;
    await sleep(100);
  }
  throw new Error("the gateway did not come up");
}

/** The shipped map, with Google's examples switched on. */
async function publish(url, { anna, bert }, folder) {
  for (const name of ["regions", "gateway.toml", "prices.toml"]) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  const google = join(folder, "regions/endpoints/google.toml");
  writeFileSync(google, readFileSync(google, "utf8").replace(/^off = .*\n/gm, ""));
  const as = async (key, ...args) => {
    const env = { ...process.env, MERIDIAN_URL: url, MERIDIAN_ADMIN_KEY: key };
    return (await promisify(execFile)(join(ROOT, "target/debug/meridian"), args, { cwd: folder, env })).stdout;
  };
  await as(bert, "approve", ...approval(await as(anna, "publish", "--why", "for the clients")));
}

function rowsIn(file, team) {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'usage'").get() ? db.prepare("SELECT * FROM usage WHERE team = ?").all(team) : [];
  } finally {
    db.close();
  }
}
