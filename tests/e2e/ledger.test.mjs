// A row whose database is down is kept, and written once when it is back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startGateway } from "./gateway.mjs";

let gateway;
before(async () => {
  gateway = await startGateway();
});
after(() => gateway.close());

test("the answer comes, and the row when the database is back", async () => {
  const key = await gateway.key();
  await gateway.env.USAGE_EU.prepare("ALTER TABLE usage RENAME TO away").run();
  const ids = [];
  for (let i = 0; i < 3; i++) {
    const response = await gateway.from("DE")(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: "gpt-mini", messages: [{ role: "user", content: "hi" }] }),
    });
    assert.equal(response.status, 200);
    await response.text();
    ids.push(response.headers.get("meridian-request-id"));
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  const kept = await gateway.worker.getDurableObjectStorage("LEDGER", { name: "USAGE_EU" });
  const [{ n }] = await kept.exec("SELECT count(*) AS n FROM kept");
  assert.ok(n > 0, "nothing was kept");
  await gateway.env.USAGE_EU.prepare("ALTER TABLE away RENAME TO usage").run();
  // The ledger tries every fifteen seconds.
  for (const id of ids) assert.ok(await gateway.row(id, { within: 25_000 }), `${id} was lost`);
  const { results } = await gateway.env.USAGE_EU.prepare("SELECT id FROM usage").all();
  assert.deepEqual(results.map((row) => row.id).sort(), ids.sort());
  const [{ left }] = await kept.exec("SELECT count(*) AS left FROM kept");
  assert.equal(left, 0);
});
