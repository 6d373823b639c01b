// The ledger's objects cannot be reached: limited calls are refused or served as
// their team chose, and every row is in the database all the same.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startGateway } from "./gateway.mjs";

const LIMITS = {
  all: { each: { scope: { team: "*" }, budget: { amount: 1_000_000_000, per: "month" } }, few: { scope: { team: "lenient" }, concurrent: 5 } },
  teams: { lenient: { unreachable: "allow" } },
};

let gateway;
before(async () => {
  gateway = await startGateway({ local: true, ledger: false, vars: { LOCAL_GATEWAY: JSON.stringify({ limits: LIMITS, aliases: { "gpt-mini": "gpt-5.4-mini" } }) } });
});
after(() => gateway.close());

const ask = async (team) => {
  const key = await gateway.key({ team });
  return gateway.from("DE")(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "gpt-mini", max_tokens: 20, messages: [{ role: "user", content: "PROMPT-CANARY" }] }),
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
