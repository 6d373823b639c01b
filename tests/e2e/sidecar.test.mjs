// The sidecar: the deployed build in plain workerd with its own stores; and,
// because two gateways can share these, how one learns from the other; and what
// stands there in place of Cloudflare's cron.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, cpSync, globSync, mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, beforeEach, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { writeConfig } from "../../tools/sidecar/config.mjs";
import { retention } from "../../tools/sidecar/retention.mjs";
import { ROOT, close, listen } from "../bench/rig.mjs";
import { approval } from "./gateway.mjs";

const KEY = "mk_sidecar000_0123456789abcdef0123456789abcdef01234567";
const ADMIN = "ma_sidecar000_0123456789abcdef0123456789abcdef01234567";
const COMPLIANCE = ["anna", "bert"].map((who) => [who, `ma_${who}_0123456789abcdef0123456789abcdef01234567`]);
const deletion = retention();
const hash = (key) => createHash("sha256").update(key).digest("hex");
const seed = {
  [`key:${hash(KEY)}`]: JSON.stringify({ id: "sidecar000", team: "search", created: "2026-11-20T00:00:00Z" }),
  [`admin:key:${hash(ADMIN)}`]: JSON.stringify({ id: "a", who: "otto@example.com", roles: ["operator"], created: "2026-11-20T00:00:00Z" }),
  ...Object.fromEntries(COMPLIANCE.map(([who, key]) => [`admin:key:${hash(key)}`, JSON.stringify({ id: who, who: `${who}@example.com`, roles: ["compliance"], created: "2026-11-20T00:00:00Z" })])),
  ...deletion.seed,
};
const FRANKFURT = "bedrock-runtime.eu-central-1.amazonaws.com";
const IRELAND = "bedrock-runtime.eu-west-1.amazonaws.com";
const whole = '{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":5}}';

let folder, provider, answer, running, one, two;
const asked = [];
before(async () => {
  provider = http.createServer((request, response) => request.resume().on("end", () => {
    asked.push(request.headers.host);
    answer(response, request.headers.host);
  }));
  const upstream = await listen(provider);
  folder = mkdtempSync(join(tmpdir(), "sidecar-"));
  const ports = [await freePort(), await freePort()];
  writeConfig(folder, { ports, country: "DE", seed, secrets: ["BEDROCK_EU_KEY"], vars: { ENVIRONMENT: "sidecar" }, providers: `127.0.0.1:${upstream}` });
  await serve();
  [one, two] = ports.map((port) => `http://127.0.0.1:${port}`);
  await up(one);
});
after(async () => {
  await stop();
  await close(provider);
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  asked.splice(0);
  answer = (response) => response.writeHead(200, { "content-type": "application/json" }).end(whole);
});

async function serve() {
  running = spawn(join(ROOT, "node_modules/.bin/workerd"), ["serve", "config.capnp"], { cwd: folder, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, BEDROCK_EU_KEY: "secret-of-bedrock-eu" }, detached: true });
}
async function stop() {
  const over = new Promise((resolve) => running.once("exit", resolve));
  process.kill(-running.pid, "SIGTERM");
  await over;
}
async function up(url) {
  for (let tries = 0; tries < 200; tries++) {
    if (await fetch(`${url}/healthz`).then((r) => r.ok, () => false)) return;
    await sleep(25);
  }
  assert.fail("the sidecar does not answer");
}
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function freePort() {
  const server = http.createServer();
  const port = await listen(server);
  await close(server);
  return port;
}
async function call(url) {
  const response = await fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": KEY, "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model: "claude-sonnet", max_tokens: 5, messages: [{ role: "user", content: "hi" }] }),
  });
  return { status: response.status, by: response.headers.get("meridian-served-by"), zone: response.headers.get("meridian-zone"), text: await response.text() };
}
async function admin(path, body) {
  const response = await fetch(`${one}/admin/v1/${path}`, { method: body ? "POST" : "GET", headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" }, body: body && JSON.stringify(body) });
  return response.json();
}

test("an SDK is answered, its zone is where the operator says, and its row survives a restart", async () => {
  const client = new Anthropic({ baseURL: one, apiKey: KEY, maxRetries: 0 });
  const message = await client.messages.create({ model: "claude-sonnet", max_tokens: 5, messages: [{ role: "user", content: "hi" }] });
  assert.equal(message.content[0].text, "hi");
  assert.equal((await call(one)).zone, "eu");
  await sleep(1000);
  const before = await admin("transfers");
  await stop();
  await serve();
  await up(one);
  const after = await admin("transfers");
  assert.ok(JSON.stringify(before).includes("bedrock-frankfurt"), JSON.stringify(before));
  assert.deepEqual(after, before);
});

test("what one instance learns of an endpoint the other takes up with its next row", async () => {
  assert.equal((await call(two)).by, "bedrock-frankfurt");
  answer = (response, host) => (host === FRANKFURT ? response.writeHead(500, { "content-type": "application/json" }).end("{}") : response.writeHead(200, { "content-type": "application/json" }).end(whole));
  for (let i = 0; i < 5; i++) assert.equal((await call(one)).by, "bedrock-ireland");
  await sleep(300);
  asked.splice(0);
  // Its own next call may still find out for itself; the one after knows.
  await call(two);
  await sleep(300);
  asked.splice(0);
  assert.equal((await call(two)).by, "bedrock-ireland");
  assert.deepEqual(asked, [IRELAND]);
  const health = await admin("health");
  assert.equal(health.endpoints.find((e) => e.endpoint === "bedrock-frankfurt" && e.model === "claude-sonnet-4-6").state, "open");
  // And that it is well again.
  answer = (response) => response.writeHead(200, { "content-type": "application/json" }).end(whole);
  await admin("health/forget", {});
  // Its team's ledger reads it with one call's row, and tells with the next one's.
  for (let i = 0; i < 2; i++) {
    await call(two);
    await sleep(500);
  }
  assert.equal((await call(two)).by, "bedrock-frankfurt");
});

test("a client that leaves stops the provider through the door too", async () => {
  let closed;
  answer = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const word = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word"}}\n\n';
    const timer = setInterval(() => response.write(word), 20);
    response.on("close", () => {
      clearInterval(timer);
      closed = Date.now();
    });
  };
  const leaving = new AbortController();
  const response = await fetch(`${one}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": KEY, "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model: "claude-sonnet", stream: true, max_tokens: 5, messages: [{ role: "user", content: "hi" }] }),
    signal: leaving.signal,
  });
  await response.body.getReader().read();
  const left = Date.now();
  leaving.abort();
  for (let tries = 0; tries < 60 && !closed; tries++) await sleep(25);
  assert.ok(closed - left < 1000, `the provider went on for ${closed - left} ms`);
});

test("what its zone no longer keeps is deleted here too, without Cloudflare's cron", async () => {
  const source = mkdtempSync(join(tmpdir(), "map-"));
  for (const name of ["regions", "gateway.toml", "prices.toml"]) cpSync(join(ROOT, name), join(source, name), { recursive: true });
  appendFileSync(join(source, "regions/zones/eu.toml"), "\nretention_days = 1\n");
  const [anna, bert] = COMPLIANCE.map(([, key]) => (...args) => execFileSync(join(ROOT, "target/debug/meridian"), args, { cwd: source, encoding: "utf8", env: { ...process.env, MERIDIAN_URL: one, MERIDIAN_ADMIN_KEY: key } }));
  bert("approve", ...approval(anna("publish", "--why", "one day is enough")));
  rmSync(source, { recursive: true });

  await call(one);
  await sleep(1000);
  assert.deepEqual(await deletion.run(one), { deleted: [], left: false, stores_not_done: [] });
  await stop();
  // Two days go by: what is there is older.
  let rows = 0;
  for (const file of globSync(join(folder, "data/meridian-store/*.sqlite"))) {
    const db = new DatabaseSync(file);
    if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'usage'").get()) {
      rows += Number(db.prepare("UPDATE usage SET at = at - 2 * 86400000").run().changes);
      db.exec("UPDATE usage_by_hour SET hour = hour - 2 * 86400000");
    }
    db.close();
  }
  assert.ok(rows > 0);
  await serve();
  await up(one);
  await call(one);
  await sleep(1000);
  const { deleted } = await deletion.run(one);
  assert.deepEqual(deleted.map(({ store, zone, rows }) => ({ store, zone, rows })), [{ store: "USAGE_EU", zone: "eu", rows }]);
  assert.deepEqual((await deletion.run(one)).deleted, []);
  const { entries } = await admin("audit");
  assert.deepEqual(entries.map(({ action, who }) => [action, who]), [["draft.created", "anna@example.com"], ["draft.approved", "bert@example.com"], ["usage.deleted", "sidecar"]]);
  const { groups } = await admin("transfers");
  assert.deepEqual(groups.map(({ requests }) => requests), [1]);
});
