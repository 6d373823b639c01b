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

const call = (body, headers = {}) => gateway.from("US")(`${gateway.url}/v1/chat/completions`, {
  method: "POST",
  headers: { authorization: `Bearer ${key}`, ...headers },
  body: JSON.stringify({ model: "gpt-mini", messages: [{ role: "user", content: "hi" }], ...body }),
});

test("streams in flight on the same instance outlive a panic", async () => {
  gateway.simulator.fault({ times: 4, fault: { chunks: 10, delay_between_ms: 80 } });
  const asked = { stream_options: { include_usage: true } };
  const streams = await Promise.all([call({ stream: true }), call({ stream: true, ...asked }), call({ stream: true }), call({ stream: true, ...asked })]);
  const panicked = await gateway.from("US")(`${gateway.url}/__panic`);
  assert.equal(panicked.status, 500);
  assert.equal((await panicked.json()).error.code, "internal_error");
  assert.ok(gateway.harness.getLogs().some((log) => /on purpose/.test(log.message)), "it did panic");
  for (const stream of streams) {
    assert.match(await stream.text(), /\[DONE\]/);
    const row = await gateway.row(stream.headers.get("meridian-request-id"));
    assert.equal(row.outcome, "ok");
  }
  assert.equal((await call({})).status, 200);
});

test("in the local build a header says where the caller is", async () => {
  const response = await call({}, { "meridian-local-country": "DE" });
  await response.text();
  assert.equal(response.headers.get("meridian-zone"), "eu");
});
