// A row whose database is down is kept in its own jurisdiction's ledger, and
// written once when the database is back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startGateway } from "./gateway.mjs";

let gateway;
before(async () => {
  gateway = await startGateway();
});
after(() => gateway.close());

const DOWN = { DE: "USAGE_EU", US: "USAGE_US" };
const table = (from, to) => Promise.all(Object.values(DOWN).map((store) => gateway.env[store].prepare(`ALTER TABLE ${from} RENAME TO ${to}`).run()));
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

test("the answer comes, and the row when the database is back", async () => {
  const key = await gateway.key();
  await table("usage", "away");
  const ids = { DE: [], US: [] };
  for (const country of ["DE", "US", "DE", "DE", "US"]) ids[country].push(await call(country, key, ids[country].length === 1));
  await new Promise((resolve) => setTimeout(resolve, 400));

  for (const [country, store] of Object.entries(DOWN)) {
    const kept = await (await ledger(store)).exec("SELECT store, rows FROM kept");
    const rows = kept.flatMap((batch) => JSON.parse(batch.rows));
    assert.deepEqual(rows.map((row) => row.id).sort(), [...ids[country]].sort(), `kept for ${store}`);
    assert.ok(kept.every((batch) => batch.store === store));
    assert.doesNotMatch(JSON.stringify(kept), /CANARY|provider-secret|mk_/);
    // What is kept outlives the instance that kept it.
    await gateway.worker.evictDurableObject("LEDGER", { name: store });
  }
  assert.doesNotMatch(JSON.stringify(gateway.harness.getLogs()), /CANARY/);

  await table("away", "usage");
  // The ledger tries every fifteen seconds.
  for (const [country, store] of Object.entries(DOWN)) {
    for (const id of ids[country]) assert.equal((await gateway.row(id, { within: 25_000 }))?.store, store, `${id} was lost`);
    const { results } = await gateway.env[store].prepare("SELECT id FROM usage").all();
    assert.deepEqual(results.map((row) => row.id).sort(), [...ids[country]].sort());
    const [{ left }] = await (await ledger(store)).exec("SELECT count(*) AS left FROM kept");
    assert.equal(left, 0);
  }
});
