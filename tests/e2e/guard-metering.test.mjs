// What rows say of what a provider counts beyond the tokens of a sum, and of
// calls whose final count never comes.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { ROOT, startGateway } from "./gateway.mjs";

let gateway, key;
before(async () => {
  gateway = await startGateway();
  key = await gateway.key();
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

const MESSAGE = { model: "claude-sonnet", max_tokens: 4000, messages: [{ role: "user", content: "Hello" }] };
const post = (country, path, body, init = {}) => gateway.from(country)(gateway.url + path, { method: "POST", headers: { "x-api-key": key, "content-type": "application/json", "anthropic-version": "2023-06-01" }, body: JSON.stringify(body), ...init });

/** The row of a call whose provider tells this usage. */
async function rowOf(usage, { path = "/v1/messages", body = MESSAGE, reply } = {}) {
  const message = { id: "m", type: "message", role: "assistant", model: "claude-sonnet-4-6", content: [{ type: "text", text: "hi" }], stop_reason: "end_turn", usage };
  gateway.simulator.fault({ times: 1, fault: { status: 200, body: reply ?? message } });
  const response = await post("DE", path, body);
  assert.equal(response.status, 200, await response.text());
  return gateway.row(response.headers.get("meridian-request-id"));
}

const usage = { input_tokens: 1000, output_tokens: 100 };

test("guard_metering a compaction's pass is paid for beside the sum", async () => {
  const row = await rowOf({ ...usage, iterations: [{ type: "compaction", input_tokens: 180_000, output_tokens: 3_500 }, { type: "message", ...usage }] });
  // By list price, and 10 % for the EU profile.
  assert.equal(row.cost_nano, Math.round((181_000 * 3000 + 3_600 * 15000) * 1.1));
  assert.deepEqual([row.input, row.output], [181_000, 3_600]);
});

test("guard_metering tools that ran at the provider are kinds of their own, and without a price the call has none", async () => {
  const searched = await rowOf({ ...usage, server_tool_use: { web_search_requests: 2 } });
  assert.deepEqual([JSON.parse(searched.counts), searched.cost_nano], [{ "web-search": 2 }, Math.round((1000 * 3000 + 100 * 15000) * 1.1) + 20_000_000]);
  const ran = await rowOf({ ...usage, server_tool_use: { code_execution_requests: 1 } });
  assert.deepEqual([JSON.parse(ran.counts), ran.cost_nano], [{ "code-execution": 1 }, null]);
  const fast = await rowOf({ ...usage, speed: "fast" });
  assert.equal(fast.cost_nano, null);
});

test("guard_metering a number that nobody knows is named, and the call cost at least the rest", async () => {
  const row = await rowOf({ ...usage, hologram_seconds: 12 });
  assert.deepEqual([row.at_least, row.cost_nano], ["hologram_seconds", Math.round((1000 * 3000 + 100 * 15000) * 1.1)]);
  const reply = { id: "c", object: "chat.completion", model: "gpt-4.1", choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }], usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, completion_tokens_details: { dream_tokens: 3 } } };
  const chat = await rowOf(undefined, { path: "/v1/chat/completions", body: { model: "gpt-4.1", messages: MESSAGE.messages }, reply });
  assert.equal(chat.at_least, "completion_tokens_details.dream_tokens");
});

test("guard_metering a client that hangs up on a model that thinks pays what was reserved, and else what it saw", async () => {
  const hangUp = async (more) => {
    gateway.simulator.fault({ times: 1, fault: { chunks: 40, delay_between_ms: 100 } });
    const leaving = new AbortController();
    const response = await post("DE", "/v1/messages", { ...MESSAGE, stream: true, ...more }, { signal: leaving.signal });
    const reader = response.body.getReader();
    for (let i = 0; i < 4; i++) await reader.read();
    leaving.abort();
    return gateway.row(response.headers.get("meridian-request-id"), { within: 15_000 });
  };
  const thought = await hangUp({ thinking: { type: "adaptive" } });
  assert.deepEqual([thought.outcome, thought.estimated, thought.cost_nano], ["client_gone", 1, thought.reserved_nano]);
  const plain = await hangUp({});
  assert.deepEqual([plain.outcome, plain.estimated], ["client_gone", 1]);
  assert.ok(plain.cost_nano < plain.reserved_nano / 10, `${plain.cost_nano} of ${plain.reserved_nano}`);
});

test("guard_metering sums say that they are at least, and because of which fields", async () => {
  await rowOf({ ...usage, hologram_seconds: 12, smells: { sweet: 1 } });
  const vera = await gateway.admin("vera@example.com", "viewer");
  const response = await fetch(`${gateway.url}/admin/v1/usage?by=team`, { headers: { authorization: `Bearer ${vera}` } });
  const told = await response.json();
  assert.ok(told.total.at_least >= 1, JSON.stringify(told));
  for (const field of ["hologram_seconds", "smells.sweet"]) assert.ok(told.at_least_fields.includes(field), JSON.stringify(told));
  const env = { ...process.env, MERIDIAN_URL: gateway.url, MERIDIAN_ADMIN_KEY: vera };
  const run = (...args) => new Promise((resolve) => execFile(join(ROOT, "target/debug/meridian"), ["usage", ...args], { cwd: ROOT, env }, (error, out, err) => resolve({ error, out, err })));
  const { out, err } = await run();
  assert.match(out, /\n! at least: \d+ calls cost this or more, .*: .*hologram_seconds.*smells\.sweet/, err);
  const csv = await run("--csv");
  assert.match(csv.out, /,at_least\r\n.*,[1-9]\d*\r\n/);
  assert.match(csv.err, /! at least: .*hologram_seconds/);
  const nobody = await (await fetch(`${gateway.url}/admin/v1/usage?team=nobody`, { headers: { authorization: `Bearer ${vera}` } })).json();
  assert.deepEqual([nobody.total.at_least, nobody.at_least_fields], [0, []]);
});

test("guard_metering a count that cannot be is settled at what was reserved", async () => {
  const row = await rowOf({ ...usage, output_tokens: 9_000_000_000 });
  assert.deepEqual([row.cost_nano, row.estimated, row.at_least], [row.reserved_nano, 1, "output_tokens"]);
});
