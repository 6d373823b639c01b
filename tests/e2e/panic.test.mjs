// A panic ends its own request and no other. The path that panics on purpose
// exists in the local build only.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startGateway } from "./gateway.mjs";

let gateway, key;
before(async () => {
  gateway = await startGateway({ local: true });
  key = await gateway.key();
});
after(() => gateway.close());

const call = (body, headers = {}, path = "/v1/chat/completions") => gateway.from("US")(gateway.url + path, {
  method: "POST",
  headers: { authorization: `Bearer ${key}`, "anthropic-version": "2023-06-01", ...headers },
  body: JSON.stringify({ model: "gpt-mini", messages: [{ role: "user", content: "hi" }], ...body }),
});
// At once: the body of a response that nobody reads is cancelled once its first owner is collected.
const read = (streams) => streams.map((stream) => stream.text());
const message = (body) => call({ model: "claude-sonnet", max_tokens: 20, ...body }, {}, "/v1/messages");

test("streams in flight on the same instance outlive a panic", async () => {
  gateway.simulator.fault({ times: 6, fault: { chunks: 10, delay_between_ms: 100 } });
  const asked = { stream_options: { include_usage: true } };
  const slow = { stream: true };
  const streams = await Promise.all([call(slow), call({ ...slow, ...asked }), call(slow), call({ ...slow, ...asked }), message(slow), message(slow)]);
  const texts = read(streams);
  for (let i = 0; i < 3; i++) {
    const panicked = await gateway.from("US")(`${gateway.url}/__panic`);
    assert.equal(panicked.status, 500);
    const { error } = await panicked.json();
    assert.deepEqual(Object.keys(error).sort(), ["code", "message", "param", "type"]);
    assert.deepEqual([error.code, error.type], ["internal_error", "server_error"]);
    assert.doesNotMatch(error.message, /on purpose|panick/, "its reason is for the log");
  }
  assert.ok(gateway.simulator.log.every((entry) => entry.finished === null), "the streams must still be in flight");
  assert.ok(gateway.harness.getLogs().some((log) => /on purpose/.test(log.message)), "it did panic");
  for (const [at, stream] of streams.entries()) {
    const text = await texts[at];
    assert.match(text, /\[DONE\]|message_stop/);
    assert.doesNotMatch(text, /"error"/);
    const row = await gateway.row(stream.headers.get("meridian-request-id"));
    assert.equal(row.outcome, "ok");
  }
  assert.equal((await call({})).status, 200);
  assert.equal((await message({})).status, 200);
});

test("guard_memory an allocation that fails ends its own call: others go on, and it can be called again", async () => {
  gateway.simulator.fault({ times: 3, fault: { chunks: 40, delay_between_ms: 200 } });
  const streams = await Promise.all([call({ stream: true }), message({ stream: true }), call({ stream: true })]);
  const texts = read(streams);
  for (let i = 0; i < 3; i++) {
    const exhausted = await gateway.from("US")(`${gateway.url}/__exhaust`);
    assert.deepEqual([exhausted.status, (await exhausted.json()).error.code], [500, "internal_error"]);
  }
  assert.ok(gateway.simulator.log.slice(-3).every((entry) => entry.finished === null), "the streams must still be in flight");
  for (const [at, stream] of streams.entries()) {
    const text = await texts[at];
    assert.match(text, /\[DONE\]|message_stop/);
    assert.equal((await gateway.row(stream.headers.get("meridian-request-id"))).outcome, "ok");
  }
  assert.equal((await call({ messages: [{ role: "user", content: "x".repeat(4_000_000) }] })).status, 200, "what it took is free again");
});

test("in the local build a header says where the caller is", async () => {
  const response = await call({}, { "meridian-local-country": "DE" });
  await response.text();
  assert.equal(response.headers.get("meridian-zone"), "eu");
  assert.equal(gateway.simulator.log.at(-1).host, "eu.api.openai.com");
});
