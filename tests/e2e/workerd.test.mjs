// What only plain `workerd serve` shows, with nothing between client and
// worker: connections that cannot be made or break off, and clients that leave.
import assert from "node:assert/strict";
import http from "node:http";
import { after, afterEach, before, test } from "node:test";
import { KEY, close, listen, startStores, startWorker } from "../bench/rig.mjs";

let stores, provider, gateway, upstream;
let answer;
const asked = [];
before(async () => {
  provider = http.createServer((request, response) => {
    const entry = { host: request.headers.host, closed: undefined, began: Date.now() };
    asked.push(entry);
    response.on("close", () => (entry.closed = Date.now() - entry.began));
    request.resume().on("end", () => (request.method === "GET" ? response.end() : answer(response, entry)));
  });
  upstream = await listen(provider);
  stores = await startStores();
  gateway = await startWorker({ stores, upstream, secrets: ["OPENAI_EU_KEY", "BEDROCK_EU_KEY"] });
});
after(async () => {
  gateway.close();
  await stores.close();
  await close(provider);
});
afterEach(() => asked.splice(0));

const FRANKFURT = "bedrock-runtime.eu-central-1.amazonaws.com";
const whole = '{"type":"message","model":"m","content":[],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":5}}';
const json = { "content-type": "application/json", "content-length": whole.length };

const call = (path, body, signal) => fetch(gateway.url + path, {
  method: "POST",
  headers: { authorization: `Bearer ${KEY}`, "anthropic-version": "2023-06-01" },
  body: JSON.stringify({ messages: [{ role: "user", content: "hi" }], ...body }),
  signal,
});
const message = (body, signal) => call("/v1/messages", { model: "claude-sonnet", max_tokens: 5, ...body }, signal);

async function until(found, what) {
  for (let tries = 0; tries < 100; tries++) {
    const result = found();
    if (result) return result;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`${what} did not happen`);
}
const rowOf = (response) => until(() => stores.rows.find((row) => row.id === response.headers.get("meridian-request-id")), "the row");

test("field_12 a connection that breaks before or in a whole reply: the next endpoint answers", async () => {
  for (const broken of [(response) => response.socket.destroy(), (response) => (response.writeHead(200, json), response.write(whole.slice(0, 20)), setTimeout(() => response.socket.destroy(), 20))]) {
    asked.splice(0);
    answer = (response, { host }) => (host === FRANKFURT ? broken(response) : response.writeHead(200, json).end(whole));
    const response = await message();
    assert.equal(response.status, 200);
    assert.equal(await response.text(), whole);
    assert.equal(response.headers.get("meridian-served-by"), "bedrock-ireland");
    assert.equal((await rowOf(response)).attempts, 2);
  }
});

test("when nobody can be reached the refusal names who was tried", async () => {
  answer = (response) => response.socket.destroy();
  const response = await message();
  assert.equal(response.status, 502);
  assert.match((await response.json()).error.message, /Tried: bedrock-frankfurt \(no connection\), bedrock-ireland \(no connection\)/);
  assert.deepEqual((await rowOf(response)).outcome, "refused");
});

// A stream that never ends by itself.
const endless = (event) => (response, entry) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const timer = setInterval(() => response.write(event), 20);
  response.on("close", () => clearInterval(timer));
};
const streams = {
  "OpenAI, usage asked for": ["/v1/chat/completions", { model: "gpt-mini", stream: true, stream_options: { include_usage: true } }, 'data: {"model":"m","choices":[{"delta":{"content":"word"}}]}\n\n'],
  "OpenAI, usage not asked for": ["/v1/chat/completions", { model: "gpt-mini", stream: true }, 'data: {"model":"m","choices":[{"delta":{"content":"word"}}]}\n\n'],
  "Anthropic": ["/v1/messages", { model: "claude-sonnet", max_tokens: 5, stream: true }, 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word"}}\n\n'],
};
for (const [name, [path, body, event]] of Object.entries(streams)) {
  test(`field_06 ${name}: a client that leaves stops the provider within a second, and leaves a row`, async () => {
    answer = endless(event);
    const leaving = new AbortController();
    const response = await call(path, body, leaving.signal);
    const reader = response.body.getReader();
    for (let i = 0; i < 5; i++) await reader.read();
    const left = Date.now();
    leaving.abort();
    const [entry] = asked;
    await until(() => entry.closed !== undefined, "the provider's connection closing");
    const took = entry.began + entry.closed - left;
    assert.ok(took < 1000, `the provider went on for ${took} ms`);
    const row = await rowOf(response);
    assert.deepEqual([row.outcome, row.estimated], ["client_gone", true]);
    assert.ok(row.output > 0 && row.cost_nano > 0);
  });

  test(`field_14 ${name}: a connection that breaks in mid-stream ends with an error event`, async () => {
    answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(event);
      response.write(event.slice(0, 30));
      setTimeout(() => response.socket.destroy(), 50);
    };
    const response = await call(path, body);
    const text = await response.text();
    assert.ok(text.startsWith(event));
    assert.match(text, /The provider's stream broke before its end \(cut\)/);
    assert.doesNotMatch(text, /\[DONE\]|message_stop/);
    assert.equal((await rowOf(response)).outcome, "failed");
  });
}

test("field_06 a client that leaves before a whole reply still leaves its row, with exact usage", async () => {
  const rows = stores.rows.length;
  answer = (response) => setTimeout(() => response.writeHead(200, json).end(whole), 300);
  const leaving = new AbortController();
  setTimeout(() => leaving.abort(), 100);
  await assert.rejects(message({}, leaving.signal));
  await until(() => stores.rows.length > rows, "the row");
  const row = stores.rows.at(-1);
  assert.deepEqual([row.input, row.output, row.estimated], [3, 5, false]);
});
