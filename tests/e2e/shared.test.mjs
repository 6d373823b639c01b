// Two gateways and one ledger, in plain workerd with storage on the disk: limits
// hold over instances, over calls that come to nothing, and over a kill.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { writeConfig } from "../../tools/sidecar/config.mjs";
import { ROOT, close, freePort, listen } from "../bench/rig.mjs";

const ADMIN = "ma_sidecar000_0123456789abcdef0123456789abcdef01234567";
const hash = (key) => createHash("sha256").update(key).digest("hex");
const TEAMS = ["hundred", "room", "killed", "gates", "hot"];
const key = (team) => `mk_${team.padEnd(10, "0").slice(0, 10)}_0123456789abcdef0123456789abcdef01234567`;
const seed = {
  ...Object.fromEntries(TEAMS.map((team) => [`key:${hash(key(team))}`, JSON.stringify({ id: team, team, created: "2026-11-20T00:00:00Z" })])),
  [`admin:key:${hash(ADMIN)}`]: JSON.stringify({ id: "a", who: "otto@example.com", roles: ["operator"], created: "2026-11-20T00:00:00Z" }),
};
// claude-sonnet is 3 and 15 dollars for a million tokens; ten of output at most
// and a body of some 110 bytes are bound by about a thousandth of a dollar, with the tenth that the region costs more.
const LIMITS = {
  all: {
    hundred: { scope: { team: "hundred" }, requests_per_minute: 100 },
    room: { scope: { team: "room" }, budget: { amount: 1_900_000, per: "ever" } },
    killed: { scope: { team: "killed" }, budget: { amount: 100_000_000, per: "ever" } },
    gates: { scope: { team: "gates" }, budget: { amount: 1_000, per: "ever" } },
    hot: { scope: { team: "hot" }, requests_per_minute: 150 },
    "hot-money": { scope: { team: "hot" }, budget: { amount: 10_000_000_000, per: "ever" } },
  },
};
const TIMES = Object.fromEntries(Object.entries({ connect: 700, first_token: 700, between_tokens: 700, answer: 700, total: 2000, keep_alive: 2000 }));
const whole = '{"id":"m","type":"message","role":"assistant","model":"claude-sonnet-4-6","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5}}';

let folder, provider, upstream, answer, running, ports, gateways;
const asked = [];
before(async () => {
  provider = http.createServer((request, response) => request.resume().on("end", () => {
    asked.push(request.headers.host);
    answer(response);
  }));
  upstream = await listen(provider);
  folder = mkdtempSync(join(tmpdir(), "shared-"));
  ports = [await freePort(), await freePort()];
  configure({});
  gateways = ports.map((port) => `http://127.0.0.1:${port}`);
  await serve();
});
after(async () => {
  await stop("SIGTERM");
  await close(provider);
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  asked.splice(0);
  answer = well;
  await admin("health/forget", {});
});

function configure(more) {
  const gateway = { limits: { ...LIMITS, ...more }, timeouts: TIMES };
  writeConfig(folder, { ports, country: "DE", seed, secrets: ["BEDROCK_EU_KEY"], vars: { ENVIRONMENT: "sidecar" }, providers: `127.0.0.1:${upstream}`, gateway });
}
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const well = (response) => response.writeHead(200, { "content-type": "application/json" }).end(whole);
async function serve() {
  running = spawn(join(ROOT, "node_modules/.bin/workerd"), ["serve", "config.capnp"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, BEDROCK_EU_KEY: "secret-of-bedrock-eu" }, detached: true });
  for (const url of gateways) {
    for (let tries = 0; !(await fetch(`${url}/healthz`).then((r) => r.ok, () => false)); tries++) {
      assert.ok(tries < 200, "it does not answer");
      await sleep(25);
    }
  }
}
async function stop(signal) {
  const over = new Promise((resolve) => running.once("exit", resolve));
  process.kill(-running.pid, signal);
  await over;
}
async function call(url, team, { signal, ...body } = {}) {
  const response = await fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": key(team), "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model: "claude-sonnet", max_tokens: 10, messages: [{ role: "user", content: "hi" }], ...body }),
    signal,
  });
  await response.text();
  return response.status;
}
async function admin(path, body) {
  const response = await fetch(`${gateways[0]}/admin/v1/${path}`, { method: body ? "POST" : "GET", headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" }, body: body && JSON.stringify(body) });
  const told = await response.json();
  assert.equal(response.status, 200, JSON.stringify(told));
  return told;
}
const usage = async (team) => (await admin(`usage?team=${team}`)).total;

test("field_03 two instances share one limit: a hundred allowed are a hundred", async () => {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 20_000) await sleep(left + 50);
  let served = 0;
  let next = 0;
  const minute = Math.floor(Date.now() / 60_000);
  const worker = async () => {
    while (next < 260) if ((await call(gateways[next++ % 2], "hundred")) === 200) served++;
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  assert.equal(Math.floor(Date.now() / 60_000), minute, "the machine is too slow for this test");
  assert.equal(served, 100);
  assert.equal(asked.length, 100);
});

test("field_02 what is reserved is free again after a failure, a timeout and a client that left", async () => {
  const room = async (why) => {
    // Rows are reported within a moment of a call's end.
    await sleep(400);
    assert.equal(await call(gateways[1], "room"), 200, `no room after ${why}`);
    await sleep(400);
  };
  answer = (response) => response.writeHead(500, { "content-type": "application/json" }).end("{}");
  assert.equal(await call(gateways[0], "room"), 500);
  answer = well;
  await room("a 500");
  await admin("health/forget", {});
  answer = () => {};
  assert.equal(await call(gateways[0], "room"), 504);
  answer = well;
  await admin("health/forget", {});
  await room("a timeout");
  answer = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word"}}\n\n');
  };
  const leaving = new AbortController();
  setTimeout(() => leaving.abort(), 300);
  const left = await call(gateways[0], "room", { stream: true, signal: leaving.signal }).catch(() => "left");
  assert.equal(left, "left");
  answer = well;
  await sleep(1500);
  await room("a client that left");
});

test("field_04 every route asks the same gate, and a refused call leaves a row and reaches nobody", async () => {
  for (const [path, body] of [
    ["/v1/messages", { model: "claude-sonnet", max_tokens: 10, messages: [{ role: "user", content: "hi" }] }],
    ["/v1/chat/completions", { model: "claude-sonnet", max_tokens: 10, messages: [{ role: "user", content: "hi" }] }],
    ["/v1/responses", { model: "claude-sonnet", max_output_tokens: 16, input: "hi" }],
  ]) {
    for (const stream of [false, true]) {
      const response = await fetch(gateways[0] + path, { method: "POST", headers: { authorization: `Bearer ${key("gates")}` }, body: JSON.stringify({ ...body, stream }) });
      assert.equal(response.status, 402, `${path} ${await response.text()}`);
    }
  }
  assert.deepEqual(asked, []);
  await sleep(1200);
  const { calls, not_ok, cost_nano } = await usage("gates");
  assert.deepEqual([calls, not_ok, Number(cost_nano)], [6, 6, 0]);
});

test("field_02 what was under way when everything was killed is held after its deadline, and is not spent", async () => {
  for (let i = 0; i < 5; i++) assert.equal(await call(gateways[i % 2], "killed"), 200);
  // Both have given back what they did not need.
  await sleep(3000);
  const before = await usage("killed");
  assert.deepEqual([before.calls, Number(before.cost_nano)], [5, 5 * (10 * 3300 + 5 * 16500)]);
  answer = () => {};
  const cut = [0, 1, 2].map(() => call(gateways[0], "killed").catch(() => "cut"));
  await sleep(400);
  await stop("SIGKILL");
  assert.deepEqual(await Promise.all(cut), ["cut", "cut", "cut"]);
  await serve();
  answer = well;
  // What the killed instance had is reserved until its lease is over: a call's
  // two seconds and as much room.
  let after;
  for (let tries = 0; tries < 100 && !(after?.held_nano > 0); tries++) {
    await sleep(100);
    after = await usage("killed");
  }
  assert.deepEqual([after.calls, after.not_ok, after.estimated], [5, 0, 0], "what is held is no call");
  assert.equal(after.cost_nano, before.cost_nano, "nor is it spent");
  // Three calls were under way; each was bound by about a thousandth of a dollar.
  assert.ok(after.held_calls >= 1 && after.held_calls <= 3 && after.held_nano >= 3 * (110 * 6600 + 10 * 16500), JSON.stringify(after));
  const { accounts } = await admin("budgets?team=killed");
  const [account] = accounts.filter((one) => one.limit === "killed");
  assert.deepEqual([account.reserved, account.spent, account.held], [0, Number(after.cost_nano), after.held_nano]);
  assert.equal(await call(gateways[1], "killed"), 200);
});

test("a team too hot for one object is spread over several, and its limits stay one", async () => {
  await stop("SIGTERM");
  configure({ requests_per_object: 2 });
  await serve();
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 25_000) await sleep(left + 50);
  const objects = () => readdirSync(join(folder, "data/meridian-ledger")).filter((name) => name.endsWith(".sqlite")).length;
  const before = objects();
  const minute = Math.floor(Date.now() / 60_000);
  const statuses = [];
  const served = () => statuses.filter((status) => status === 200).length;
  const worker = async (nth) => {
    // What an instance does not use goes back to others after some calls more.
    while (statuses.length < 400 || served() < 150 && statuses.length < 1_000) {
      statuses.push(await call(gateways[nth % 2], "hot"));
      await sleep(60);
    }
  };
  await Promise.all(Array.from({ length: 6 }, (_, nth) => worker(nth)));
  assert.equal(Math.floor(Date.now() / 60_000), minute, "the machine is too slow for this test");
  assert.ok(statuses.every((status) => status === 200 || status === 429));
  console.log(`# ${served()} of ${statuses.length} served, ${objects() - before} more objects`);
  assert.equal(served(), 150);
  assert.equal(asked.length, 150);
  // The team's own object, and a shard for each of the two at least.
  assert.ok(objects() - before >= 3, `${objects()} objects, ${before} before`);
  // Shards tell every five seconds.
  await sleep(7_000);
  const { calls, cost_nano } = await usage("hot");
  assert.deepEqual([calls, Number(cost_nano)], [statuses.length, 150 * (10 * 3300 + 5 * 16500)]);
  const { accounts } = await admin("budgets?team=hot");
  const money = accounts.find((one) => one.limit === "hot-money");
  assert.deepEqual([money.spent, money.reserved], [Number(cost_nano), 0]);
});
