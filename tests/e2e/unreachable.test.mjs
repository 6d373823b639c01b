// The ledger's objects cannot be reached: limited calls are refused or served as
// their team chose, others are served, and every row is in the database all the
// same.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { KEY, close, listen, startStores, startWorker } from "../bench/rig.mjs";
import { startGateway } from "./gateway.mjs";

const budget = (team) => ({ scope: { team }, budget: { amount: 1_000_000_000, per: "month" } });
const LIMITS = {
  all: { strict: budget("strict"), lenient: budget("lenient"), few: { scope: { team: "lenient" }, concurrent: 5 } },
  teams: { lenient: { unreachable: "allow" } },
};

let gateway;
before(async () => {
  gateway = await startGateway({ ledger: false, gateway: { limits: LIMITS } });
});
after(() => gateway.close());

const ask = async (team, more) => {
  const key = await gateway.key({ team });
  return gateway.from("DE")(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "gpt-mini", max_tokens: 20, messages: [{ role: "user", content: "PROMPT-CANARY" }], ...more }),
  });
};

test("a team that chose nothing is refused: no limit is overrun", async () => {
  const response = await ask("strict");
  assert.equal(response.status, 503);
  const { error } = await response.json();
  assert.equal(error.code, "ledger_unavailable");
  assert.equal(gateway.simulator.log.length, 0);
  const row = await gateway.row(response.headers.get("meridian-request-id"), { within: 8_000 });
  assert.deepEqual([row.outcome, row.error, row.cost_nano], ["refused", "ledger_unavailable", 0]);
});

test("a team that chose so is served, its row is there, and what it took waits for the object", async () => {
  const response = await ask("lenient");
  assert.equal(response.status, 200);
  const row = await gateway.row(response.headers.get("meridian-request-id"), { within: 8_000 });
  assert.ok(row.cost_nano > 0);
  const { event } = await gateway.env[row.store].prepare("SELECT event FROM spilled WHERE id = ?").bind(row.id).first();
  const { message, row: left } = JSON.parse(event);
  assert.deepEqual([left.id, message.settled[0].parts.map((part) => part.amount)], [row.id, [row.cost_nano]]);
  const hours = await gateway.env[row.store].prepare("SELECT calls, cost_nano FROM usage_by_hour WHERE team = 'lenient'").first();
  assert.deepEqual(hours, { calls: 1, cost_nano: row.cost_nano });
  assert.doesNotMatch(event, /CANARY|mk_|provider-secret/);
});

test("a team without limits is served, and its row is there", async () => {
  const response = await ask("free");
  assert.equal(response.status, 200);
  const row = await gateway.row(response.headers.get("meridian-request-id"), { within: 8_000 });
  assert.ok(row.cost_nano > 0 && row.reserved_nano > row.cost_nano);
});

test("what no model can say is refused, and nothing is reserved", async () => {
  const response = await ask("free", { max_tokens: 2_000_000_000 });
  assert.equal(response.status, 400);
  const row = await gateway.row(response.headers.get("meridian-request-id"), { within: 8_000 });
  assert.deepEqual([row.status, row.reserved_nano ?? 0], [400, 0]);
});

// As deployed, but for objects that take everything and answer nothing.
const SILENT = `
import gateway, { Ledger } from "./index.js";
export { Ledger };
let asked = 0;
async function take(request) {
  // What is told of calls that are over waits for nobody.
  if ((await request.json()).message.wants.length > 0) asked++;
  return new Promise(() => setTimeout(() => {}, 60_000));
}
class DurableObjectNamespace {
  jurisdiction() { return this; }
  idFromName(name) { return { name }; }
  get() { return { fetch: take }; }
}
export default {
  fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/asked") return new Response(String(asked));
    return gateway.fetch(request, { ...env, LEDGER: new DurableObjectNamespace() }, ctx);
  },
};
`;
const whole = '{"id":"m","type":"message","role":"assistant","model":"claude-sonnet-4-6","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5}}';

test("a team without limits waits a second for a ledger that hangs, and then not again", async () => {
  const provider = http.createServer((request, response) => request.resume().on("end", () => response.writeHead(200, { "content-type": "application/json" }).end(whole)));
  const stores = await startStores();
  const worker = await startWorker({ front: SILENT, stores, upstream: await listen(provider), secrets: ["BEDROCK_EU_KEY"] });
  try {
    const call = async () => {
      const began = Date.now();
      const response = await fetch(`${worker.url}/v1/messages`, {
        method: "POST",
        headers: { "x-api-key": KEY, "anthropic-version": "2023-06-01" },
        body: JSON.stringify({ model: "claude-sonnet", max_tokens: 10, messages: [{ role: "user", content: "hi" }] }),
      });
      assert.equal(response.status, 200, await response.text());
      return Date.now() - began;
    };
    const asked = async () => Number(await (await fetch(`${worker.url}/asked`)).text());
    const first = await call();
    assert.ok(first >= 1_000 && first < 4_000, `${first} ms`);
    for (let more = 0; more < 5; more++) await call();
    assert.equal(await asked(), 1);
    for (let tries = 0; tries < 300 && stores.rows.length < 6; tries++) await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(stores.rows.length, 6, "every row is in the database");
  } finally {
    worker.close();
    await stores.close();
    await close(provider);
  }
});
