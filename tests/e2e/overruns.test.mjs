// What the ledger's soak has found, each alone: bursts far from a budget's home,
// budgets beside each other when an instance dies, attempts at free calls.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { send } from "../soak/client.mjs";
import { settled, startLimited, stored } from "../soak/conservation.mjs";
import { took } from "../soak/held.mjs";
import { ADMIN, key } from "../soak/teams.mjs";

const ever = (dollars) => ({ budget: { amount: dollars * 1e9, per: "ever" } });
const teams = {
  DE: { "DE-ever": ever(0.02) },
  US: { "US-ever": ever(0.02) },
  JP: { "JP-ever": ever(0.02) },
  beside: { "beside-ever": ever(0.03), "beside-features": { feature: "*", ...ever(500) } },
  apart: { "apart-features": { feature: "*", ...ever(0.5) } },
  shown: { "shown-ever": ever(500) },
  lenient: { "lenient-ever": ever(500) },
  counts: { "counts-ever": ever(0.02) },
};

let simulator, cluster;
const agent = new http.Agent({ keepAlive: true });
before(async () => {
  ({ simulator, cluster } = await startLimited(teams));
});
after(async () => {
  agent.destroy();
  await cluster.close();
  await simulator.close();
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const rowsOf = async (team) => (await stored(cluster)).rows.filter((row) => row.team === team);
const spentBy = (rows) => rows.reduce((sum, row) => sum + took(row), 0);

/** A call that takes nearly all that is reserved for it: some $0.002. */
function ask(team, { country = "DE", gateway = 1, feature = "chat", sim = { chunks: 400, delay_first_ms: 300 }, stream = false } = {}) {
  const headers = { authorization: `Bearer ${key(team, "one")}`, "meridian-tags": `feature=${feature}` };
  const content = `hi [[sim: ${JSON.stringify(sim)}]]`;
  const body = { model: "gpt-mini", max_completion_tokens: 400, stream, messages: [{ role: "user", content }] };
  return send({ port: cluster.gateways[gateway].port, agent, headers }, { path: "/v1/chat/completions", country, body });
}

for (const country of ["DE", "US", "JP"]) {
  test(`sixty at once from ${country} against $0.02: never settled above it`, async () => {
    const calls = Array.from({ length: 60 }, async (_, n) => {
      await sleep(n);
      return ask(country, { country, gateway: n % 2 });
    });
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    await settled(cluster, { [country]: teams[country] }, 60);
    const spent = spentBy(await rowsOf(country));
    assert.ok(spent <= 0.02e9, `$${spent / 1e9} of $0.02; ${statuses.filter((status) => status === 200).length} of 60 were served`);
  });
}

test("what is held for a killed instance is what the ledger says is held of its budgets, and is not spent", async () => {
  for (const team of ["beside", "apart"]) assert.equal((await ask(team)).status, 200);
  const cut = ["beside", "apart"].flatMap((team) => ["chat", "search"].map((feature) => ask(team, { feature })));
  await sleep(150);
  await cluster.processes.gateway.kill();
  assert.ok((await Promise.all(cut)).every(({ error }) => error), "they were to be cut off");
  await cluster.processes.gateway.start();
  const { accounts } = await settled(cluster, { beside: teams.beside, apart: teams.apart });
  const said = (limit, what) => accounts.filter((account) => account.limit === limit).reduce((sum, account) => sum + account[what], 0);
  for (const [team, limit] of [["beside", "beside-ever"], ["apart", "apart-features"]]) {
    const rows = await rowsOf(team);
    const held = rows.reduce((sum, row) => sum + row.held_nano, 0);
    assert.ok(held > 0, team);
    assert.deepEqual([said(limit, "spent"), said(limit, "held")], [spentBy(rows), held], team);
  }
});

test("an attempt at counting tokens that breaks costs nothing", async () => {
  simulator.fault({ fault: { cut_at_byte: 1 } });
  const headers = { authorization: `Bearer ${key("counts", "one")}` };
  const body = { model: "claude-sonnet", messages: [{ role: "user", content: "hi" }] };
  const { status } = await send({ port: cluster.gateways[1].port, agent, headers }, { path: "/v1/messages/count_tokens", country: "DE", body });
  assert.equal(status, 200);
  await sleep(1_500);
  const [row] = await rowsOf("counts");
  assert.deepEqual([row.attempts, row.cost_nano, row.lost_nano, row.over_bound], [2, 0, 0, 0]);
});

test("what is reserved for a call under way is shown", async () => {
  const under = ask("shown", { gateway: 0 });
  await sleep(150);
  const response = await fetch(`http://127.0.0.1:${cluster.gateways[0].port}/admin/v1/budgets?team=shown`, { headers: { authorization: `Bearer ${ADMIN}` } });
  const { accounts } = await response.json();
  assert.equal((await under).status, 200);
  assert.ok(accounts[0].reserved > 0, JSON.stringify(accounts));
});

test("what a call took that was served while the ledger was away counts, also as the first of its account", async () => {
  await cluster.processes.ledger.kill();
  const unasked = ask("lenient", { stream: true, sim: { chunks: 30, delay_between_ms: 80 } });
  await sleep(100);
  await cluster.processes.ledger.start();
  assert.equal((await unasked).status, 200);
  await sleep(1_500);
  assert.equal((await ask("lenient")).status, 200);
  const { accounts } = await settled(cluster, { lenient: teams.lenient });
  assert.equal(accounts[0].spent, spentBy(await rowsOf("lenient")));
});
