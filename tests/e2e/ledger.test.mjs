// Rows are stored in their team's object before anything else, whatever becomes
// of the database and of the object's instance; each reaches the database once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startGateway } from "./gateway.mjs";

let gateway;
before(async () => {
  gateway = await startGateway();
});
after(() => gateway.close());

const DOWN = { DE: "USAGE_EU", US: "USAGE_US" };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const table = (from, to) => Promise.all(Object.values(DOWN).map((store) => gateway.env[store].prepare(`ALTER TABLE ${from} RENAME TO ${to}`).run()));
const named = (store, team = "search") => `team ${store} ${team}`;
const ledger = (name) => gateway.worker.getDurableObjectStorage("LEDGER", { name });

async function call(country, apiKey, stream) {
  const response = await gateway.from(country)(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ model: "gpt-mini", stream, messages: [{ role: "user", content: "PROMPT-CANARY" }] }),
  });
  assert.equal(response.status, 200);
  assert.ok((await response.text()).length > 0);
  return response.headers.get("meridian-request-id");
}

// The rows that a team's object keeps for a database, once there are so many.
async function rowsKept(store, count) {
  const until = Date.now() + 10_000;
  for (;;) {
    const kept = await (await ledger(named(store))).exec("SELECT id, row FROM event WHERE row IS NOT NULL");
    if (kept.length >= count || Date.now() > until) return kept;
    await sleep(50);
  }
}

// What the hours' sums say, and what the rows say.
async function sums(store, team) {
  const hours = await gateway.env[store].prepare("SELECT sum(calls) AS calls, sum(cost_nano) AS cost, sum(output) AS output FROM usage_by_hour WHERE team = ?").bind(team).first();
  const rows = await gateway.env[store].prepare("SELECT count(*) AS calls, sum(cost_nano) AS cost, sum(output) AS output FROM usage WHERE team = ?").bind(team).first();
  return { hours, rows };
}

test("with the database away the answer comes, the row is kept, and the database gets it once when it is back", async () => {
  const key = await gateway.key();
  await table("usage", "away");
  const ids = { DE: [], US: [] };
  for (const country of ["DE", "US", "DE", "DE", "US"]) ids[country].push(await call(country, key, ids[country].length === 1));

  for (const [country, store] of Object.entries(DOWN)) {
    const kept = await rowsKept(store, ids[country].length);
    assert.deepEqual(kept.map((row) => row.id).sort(), [...ids[country]].sort(), `kept for ${store}`);
    assert.doesNotMatch(JSON.stringify(kept), /CANARY|provider-secret|mk_/);
    // What is kept outlives the instance that kept it.
    await gateway.worker.evictDurableObject("LEDGER", { name: named(store) });
  }
  assert.doesNotMatch(JSON.stringify(gateway.harness.getLogs()), /CANARY/);

  await table("away", "usage");
  for (const [country, store] of Object.entries(DOWN)) {
    for (const id of ids[country]) assert.equal((await gateway.row(id, { within: 40_000 }))?.store, store, `${id} was lost`);
    const { results } = await gateway.env[store].prepare("SELECT id FROM usage").all();
    assert.deepEqual(results.map((row) => row.id).sort(), [...ids[country]].sort());
    const { hours, rows } = await sums(store, "search");
    assert.deepEqual(hours, rows);
  }
});

test("an object evicted at every step loses and doubles nothing, and the hours' sums are the rows'", async () => {
  const key = await gateway.key({ team: "evicted" });
  const name = named("USAGE_EU", "evicted");
  const ids = [];
  for (let i = 0; i < 12; i++) {
    ids.push(await call("DE", key, i % 2 === 0));
    // From before the letter to after the alarm.
    await sleep(i * 35);
    await gateway.worker.evictDurableObject("LEDGER", { name }).catch(() => {});
  }
  for (const id of ids) assert.ok(await gateway.row(id, { within: 15_000 }), `${id} was lost`);
  const { hours, rows } = await sums("USAGE_EU", "evicted");
  assert.equal(rows.calls, ids.length);
  assert.deepEqual(hours, rows);
});

test("a row that is written twice counts once", async () => {
  const key = await gateway.key({ team: "doubled" });
  const id = await call("DE", key, false);
  const row = await gateway.row(id);
  delete row.store;
  // As after a database that wrote and did not answer.
  await (await ledger(named("USAGE_EU", "doubled"))).exec("UPDATE event SET row = ? WHERE id = ?", JSON.stringify({ ...row, tags: "{}", stream: false, estimated: false, over_bound: false }), id);
  await call("DE", key, false);
  await sleep(1_500);
  const { hours, rows } = await sums("USAGE_EU", "doubled");
  assert.equal(rows.calls, 2);
  assert.deepEqual(hours, rows);
});
