// A panic ends its own request and no other, and so does an allocation that fails. The
// worker is the deployed one; a module before it makes the platform fail it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { MEMORY } from "../../tools/worker.mjs";
import { startGateway } from "./gateway.mjs";

const MIB = 1024 * 1024;
const LEFT = 24 * MIB;
// `x-test: panic`: the platform's `waitUntil` throws once the worker has begun, which the
// Rust around it answers with a panic. `x-test: exhaust`: all but `LEFT` of the memory
// that wasm may have is taken first.
const FAILING = `
let memory;
const Instance = WebAssembly.Instance;
WebAssembly.Instance = function (module, imports) {
  const made = new Instance(module, imports);
  memory = made.exports.memory;
  return made;
};
const { default: gateway, Ledger } = await import("./index.js");
export { Ledger };
export default {
  ...gateway,
  fetch(request, env, ctx) {
    const test = request.headers.get("x-test");
    if (test === "exhaust") takeMemory();
    if (test !== "panic") return gateway.fetch(request, env, ctx);
    let begun = false;
    const waitUntil = (promise) => {
      if (begun) throw new Error("on purpose");
      ctx.waitUntil(promise);
    };
    const answer = gateway.fetch(request, env, { waitUntil });
    begun = true;
    return answer;
  },
};
function takeMemory() {
  const pages = (${MEMORY - LEFT} - memory.buffer.byteLength) / 65536;
  if (pages > 0) memory.grow(pages);
}
`;

let gateway, key;
before(async () => {
  gateway = await startGateway({ front: FAILING });
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
// Its translation is another as long as it is.
const picture = (length) => ({ model: "claude-sonnet", messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: `data:image/png;base64,iVBORw0KGgo${"A".repeat(length)}` } }] }] });
const message = (body) => call({ model: "claude-sonnet", max_tokens: 20, ...body }, {}, "/v1/messages");

test("streams in flight on the same instance outlive a panic", async () => {
  gateway.simulator.fault({ times: 6, fault: { chunks: 10, delay_between_ms: 100 } });
  const asked = { stream_options: { include_usage: true } };
  const slow = { stream: true };
  const streams = await Promise.all([call(slow), call({ ...slow, ...asked }), call(slow), call({ ...slow, ...asked }), message(slow), message(slow)]);
  const texts = read(streams);
  for (let i = 0; i < 3; i++) {
    const panicked = await call(slow, { "x-test": "panic" });
    assert.equal(panicked.status, 500);
    const { error } = await panicked.json();
    assert.deepEqual(Object.keys(error).sort(), ["code", "message", "param", "type"]);
    assert.deepEqual([error.code, error.type], ["internal_error", "server_error"]);
    assert.doesNotMatch(error.message, /on purpose|panick/, "its reason is for the log");
  }
  assert.ok(gateway.simulator.log.slice(0, 6).every((entry) => entry.finished === null), "the streams must still be in flight");
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
  const before = gateway.simulator.log.length;
  gateway.simulator.fault({ times: 3, fault: { chunks: 40, delay_between_ms: 200 } });
  const streams = await Promise.all([call({ stream: true }), message({ stream: true }), call({ stream: true })]);
  const texts = read(streams);
  let exhausted = 0;
  for (let size = 6; exhausted < 3; size++) {
    assert.ok(size <= 14, "no body was too much for what is left");
    const response = await call(picture(size * MIB), { "x-test": "exhaust" });
    const { error } = await response.json();
    if (response.status !== 500) continue;
    assert.equal(error.code, "internal_error");
    exhausted += 1;
  }
  assert.ok(gateway.simulator.log.slice(before, before + 3).every((entry) => entry.finished === null), "the streams must still be in flight");
  for (const [at, stream] of streams.entries()) {
    const text = await texts[at];
    assert.match(text, /\[DONE\]|message_stop/);
    assert.equal((await gateway.row(stream.headers.get("meridian-request-id"))).outcome, "ok");
  }
  assert.equal((await call(picture(4 * MIB))).status, 200, "what it took is free again");
});
