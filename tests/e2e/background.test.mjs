// Answers in the background: what they may cost is held until somebody asks for them,
// and what they took counts once.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import OpenAI from "openai";
import { COUNTRY, modelOf, startWithTargets } from "./dialects.mjs";

const LIMITS = { all: { month: { scope: { team: "search" }, budget: { amount: 500_000_000_000, per: "month" } } } };
const model = modelOf("openai-responses");

let gateway, client, vera;
before(async () => {
  gateway = await startWithTargets({ gateway: { limits: LIMITS } });
  vera = await gateway.admin("vera@example.com", "viewer");
  client = await clientOf("search");
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

const clientOf = async (team) => new OpenAI({ apiKey: await gateway.key({ team }), baseURL: `${gateway.url}/v1`, fetch: gateway.from(COUNTRY), maxRetries: 0 });
const background = (more = {}) => client.responses.create({ model, input: "hi", background: true, max_output_tokens: 100, ...more }).withResponse();
const idOf = (response) => response.headers.get("meridian-request-id");
async function admin(path) {
  const response = await fetch(`${gateway.url}/admin/v1/${path}`, { headers: { authorization: `Bearer ${vera}` } });
  assert.equal(response.status, 200);
  return response.json();
}
const usage = () => admin("usage?team=search").then(({ total }) => total);
const account = () => admin("budgets?team=search").then(({ accounts }) => accounts.find(({ limit }) => limit === "month"));

async function until(what, get) {
  for (let tries = 0; ; tries++) {
    const got = await get();
    if (what(got)) return got;
    assert.ok(tries < 100, JSON.stringify(got));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function fetched(id) {
  for (;;) {
    const answer = await client.responses.retrieve(id);
    if (!["queued", "in_progress"].includes(answer.status)) return answer;
  }
}

test("guard_background what a call may cost is held until its answer is fetched, and then what it took counts once", async () => {
  const before = await usage();
  const { data: begun, response } = await background();
  assert.deepEqual([begun.status, begun.background], ["queued", true]);
  const row = await gateway.row(idOf(response));
  assert.deepEqual([row.outcome, row.cost_nano, row.held_nano, row.held_calls, row.egress], ["background", 0, row.reserved_nano, 1, "background"]);
  assert.ok(row.held_nano > 0);
  const held = await until(({ held_calls }) => held_calls === before.held_calls + 1, usage);
  assert.deepEqual([held.calls, held.cost_nano, held.held_nano], [before.calls, before.cost_nano, before.held_nano + row.held_nano]);
  await until(({ held }) => held === row.held_nano, account);

  const answer = await fetched(begun.id);
  assert.ok(answer.output_text);
  const took = await gateway.row(`${idOf(response)}-answer`);
  assert.deepEqual(
    [took.outcome, took.input, took.output, took.team, took.model, took.endpoint, took.at, took.attempts, took.held_nano],
    ["ok", answer.usage.input_tokens, answer.usage.output_tokens, row.team, row.model, row.endpoint, row.at, 0, 0],
  );
  assert.ok(took.cost_nano > 0 && took.cost_nano < row.reserved_nano);
  // What was kept of it lies beside its row, and goes with its end; KV has no names.
  assert.equal(await until((left) => left === 0, async () => (await gateway.env[row.store].prepare("SELECT count(*) AS n FROM background").first()).n), 0);
  const { keys } = await gateway.env.KEYS.list();
  for (const { name } of keys.filter(({ name }) => name.startsWith("origin:"))) assert.match(await gateway.env.KEYS.get(name), /^[a-z0-9-]+(\n[\w.-]+)?(\nUSAGE_[A-Z]+)?$/);
  // Whoever asks again costs nothing more.
  for (const id of [begun.id, begun.id]) await client.responses.retrieve(id);
  const spent = await until(({ held_calls }) => held_calls === before.held_calls, usage);
  // The call itself, and each time that somebody asked for it.
  assert.deepEqual([spent.cost_nano, spent.held_nano], [before.cost_nano + took.cost_nano, before.held_nano]);
  // What is borrowed ahead goes back too.
  const stands = await until(({ held, reserved }) => held + reserved === 0, account);
  assert.deepEqual([stands.spent, stands.reserved], [took.cost_nano, 0]);
});

test("guard_background many who ask at once count it once", async () => {
  const before = await usage();
  const { data: begun, response } = await background();
  await client.responses.retrieve(begun.id);
  await Promise.all(Array.from({ length: 8 }, () => client.responses.retrieve(begun.id)));
  const took = await gateway.row(`${idOf(response)}-answer`);
  const spent = await until(({ cost_nano, held_calls }) => cost_nano > before.cost_nano && held_calls === before.held_calls, usage);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.equal((await usage()).cost_nano, before.cost_nano + took.cost_nano);
  assert.equal(spent.held_nano, before.held_nano);
});

test("one that is cancelled is taken to have cost what was reserved: nobody says what it took", async () => {
  const { data: begun, response } = await background();
  assert.equal((await client.responses.cancel(begun.id)).status, "cancelled");
  const took = await gateway.row(`${idOf(response)}-answer`);
  assert.deepEqual([took.outcome, took.estimated, took.cost_nano], ["failed", 1, took.reserved_nano]);
});

test("what nobody could fetch is refused before it is sent", async () => {
  const refusedWith = (words) => (error) => error.status === 400 && error.code === "background_not_served" && error.param === "background" && words.test(error.message);
  await assert.rejects(client.responses.create({ model, input: "hi", background: true, stream: true }), refusedWith(/cannot be streamed/));
  await assert.rejects(client.chat.completions.create({ model, messages: [{ role: "user", content: "hi" }], background: true }), refusedWith(/only `\/v1\/responses`/));
  assert.deepEqual(gateway.simulator.log, []);
});
