// field_12 field_13 field_14 field_15 field_16 field_17: every fault, every
// dialect, whole and streamed, in plain workerd against the simulator.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startSimulator } from "../simulator/simulator.mjs";
import { PLACING } from "../../tools/worker.mjs";
import { KEY, ROOT, startStores, startWorker } from "../bench/rig.mjs";
import { COUNTRY, DIALECTS, FAULTS, LIMITS, PAGE, map, nextOf, page, testName } from "./matrix.mjs";

const CLIENTS = {
  chat: { path: "/v1/chat/completions", ask: (text) => ({ messages: [{ role: "user", content: text }] }), good: /data: \[DONE\]\n\n$/, text: (body) => body.choices[0].message.content },
  responses: { path: "/v1/responses", ask: (text) => ({ input: text }), good: /"type":\s*"response\.completed"/, text: (body) => body.output.at(-1).content[0].text },
  messages: { path: "/v1/messages", ask: (text) => ({ max_tokens: 60, messages: [{ role: "user", content: text }] }), good: /"type":\s*"message_stop"/, text: (body) => body.content[0].text },
};
const ERROR = /event: error\n|data: \{"error"|"type":\s*"(error|response\.failed)"/;
const ADMIN = "ma_matrix0000_0123456789abcdef0123456789abcdef01234567";

let simulator, stores, worker;
const seen = new Map();
before(async () => {
  simulator = await startSimulator({ byHost: true });
  stores = await startStores();
  const published = map();
  stores.kv.set(`map:${published.version}`, JSON.stringify(published));
  stores.kv.set("map:current", JSON.stringify({ seq: 1, versions: [published.version] }));
  stores.kv.set(`admin:key:${createHash("sha256").update(ADMIN).digest("hex")}`, JSON.stringify({ id: "a", who: "otto@example.com", roles: ["operator"], created: "2026-11-20T00:00:00Z" }));
  const limits = { timeouts: LIMITS, reasoning: LIMITS };
  worker = await startWorker({ front: PLACING, gateway: limits, stores, upstream: simulator.port, secrets: ["T_KEY"] });
});
after(async () => {
  worker.close();
  await stores.close();
  await simulator.close();
});

const post = (path, key, body) => fetch(worker.url + path, {
  method: "POST",
  headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "anthropic-version": "2023-06-01", "meridian-local-country": COUNTRY },
  body: JSON.stringify(body),
});

// Faults are by host, and each dialect has hosts of its own.
async function cell({ name, fault, ...expected }, client, dialect, kind) {
  const stream = kind === "stream";
  const { then, why, outcome = "ok" } = expected[kind];
  const { path, ask, good, text } = CLIENTS[client];
  const { host, model } = DIALECTS[dialect];
  const what = testName(name, client, dialect, kind);
  await post("/admin/v1/health/forget", ADMIN, {});
  simulator.fault({ host, fault });
  const response = await post(path, KEY, { model, stream, ...ask(what) });
  const told = await response.text();
  const id = response.headers.get("meridian-request-id");
  let row;
  for (let tries = 0; tries < 80 && !row; tries++) {
    row = stores.rows.find((one) => one.id === id);
    if (!row) await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.ok(row, "a row");
  const sent = simulator.log.filter((entry) => entry.body.includes(what)).map((entry) => entry.host);
  const failed = JSON.parse(row.failures);
  if (why) {
    assert.deepEqual(sent, [host, nextOf(dialect).host]);
    assert.equal(failed.length, 1);
    assert.deepEqual([failed[0].endpoint, row.endpoint, row.attempts], [`first-${dialect}`, `next-${dialect}`, 2]);
    assert.match(failed[0].why, typeof why === "string" ? new RegExp(`^${why}$`) : why);
  } else {
    assert.deepEqual(sent, [host]);
    assert.deepEqual(failed, []);
  }
  assert.equal(row.outcome, outcome, row.error);
  if (outcome === "provider_error") {
    assert.equal(response.status, 400);
    assert.equal(typeof JSON.parse(told).error.message, "string");
  } else if (outcome === "failed") {
    assert.equal(response.status, 200);
    assert.match(told, ERROR);
    assert.doesNotMatch(told, good);
    assert.ok(row.cost_nano > 0, "the part that came is billed");
  } else if (stream) {
    assert.match(told, good);
    assert.doesNotMatch(told, ERROR);
  } else {
    assert.ok(text(JSON.parse(told)).length > 0);
  }
  assert.equal(simulator.log.some((entry) => entry.host === "elsewhere.example.com"), false);
  seen.set(what, then);
}

// Most of it is waiting, so the dialects go side by side.
describe("matrix", { concurrency: true }, () => {
  for (const dialect of Object.keys(DIALECTS)) {
    test(`from ${dialect}`, async (lane) => {
      for (const fault of FAULTS) {
        await lane.test(`matrix: ${fault.name}, from ${dialect}`, async () => {
          for (const client of Object.keys(CLIENTS)) {
            for (const kind of ["whole", "stream"]) {
              if (fault[kind]) await cell(fault, client, dialect, kind).catch((error) => {
                throw new Error(`${client}, ${kind}: ${error.message}`, { cause: error });
              });
            }
          }
        });
      }
    });
  }
});

test("the page of faults is up to date", () => {
  const now = page(Object.keys(CLIENTS), seen);
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(dirname(PAGE), { recursive: true });
    writeFileSync(PAGE, now);
  }
  assert.equal(readFileSync(PAGE, "utf8"), now, "UPDATE_GOLDEN=1 node --test tests/e2e/matrix.test.mjs writes it anew");
});
