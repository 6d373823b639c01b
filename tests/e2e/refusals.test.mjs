// Bad input of every kind gets a clear error in the client's own format, and
// the next request on the same instance is served.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import net from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { startGateway } from "./gateway.mjs";

let gateway, key;
before(async () => {
  gateway = await startGateway();
  key = await gateway.key();
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

const routes = {
  openai: { path: "/v1/chat/completions", good: { model: "gpt-mini", messages: [{ role: "user", content: "hi" }] } },
  anthropic: { path: "/v1/messages", good: { model: "claude-sonnet", max_tokens: 5, messages: [{ role: "user", content: "hi" }] } },
};

async function send(route, { body = JSON.stringify(routes[route].good), headers = {}, method = "POST", path = routes[route].path } = {}) {
  const began = Date.now();
  const response = await gateway.from("DE")(gateway.url + path, {
    method,
    headers: { "x-api-key": key, "anthropic-version": "2023-06-01", "content-type": "application/json", ...headers },
    body: method === "GET" || method === "HEAD" ? undefined : body,
    duplex: "half",
  });
  const text = await response.text();
  return { response, status: response.status, ms: Date.now() - began, json: text && JSON.parse(text) };
}

// Each dialect's own shape of an error.
function checkShape(route, { json, response }, code) {
  if (route === "openai") {
    assert.deepEqual(Object.keys(json), ["error"]);
    assert.deepEqual(Object.keys(json.error).sort(), ["code", "message", "param", "type"]);
  } else {
    assert.equal(json.type, "error");
    assert.equal(json.request_id, response.headers.get("meridian-request-id"));
    assert.ok(json.error.type && json.error.message);
  }
  assert.equal(json.error.code, code);
  assert.ok(response.headers.get("content-type").startsWith("application/json"));
}

const good = (route, change) => JSON.stringify({ ...routes[route].good, ...change });
const DEEP = "[".repeat(100_000) + "]".repeat(100_000);
const CASES = {
  "truncated JSON": [400, "invalid_json", (route) => ({ body: good(route).slice(0, -3) })],
  "no JSON": [400, "invalid_json", () => ({ body: "hello" })],
  "an empty body": [400, "invalid_json", () => ({ body: "" })],
  "a list": [400, "invalid_json", () => ({ body: "[]" })],
  "bytes that are no UTF-8": [400, "invalid_json", () => ({ body: new Uint8Array([123, 34, 255, 34, 58, 49, 125]) })],
  "a byte order mark": [400, "invalid_json", (route) => ({ body: `\ufeff${good(route)}` })],
  "a NUL": [400, "invalid_json", () => ({ body: "\0" })],
  "null": [400, "invalid_json", () => ({ body: "null" })],
  "a number that is none": [400, "invalid_json", (route) => ({ body: good(route).replace("{", '{"x":NaN,') })],
  "a model that stands twice": [400, "invalid_json", (route) => ({ body: good(route).replace("{", '{"model":"x",') })],
  "something after the end": [400, "invalid_json", (route) => ({ body: `${good(route)} {}` })],
  "100,000 brackets": [400, "too_many_values", () => ({ body: `{"x":${"[".repeat(100_000)}` })],
  "no model": [400, "missing_required_parameter", (route) => ({ body: good(route, { model: undefined }) })],
  "a model spelt twice": [400, "invalid_json", (route) => ({ body: good(route).replace("{", '{"mod\\u0065l":"x",') })],
  "a model of 100,000 brackets": [400, "too_many_values", (route) => ({ body: good(route).replace("{", `{"model":${DEEP},`).replace(/,"model":"[^"]*"|"model":"[^"]*",/, "") })],
  "a model that is null": [400, "invalid_type", (route) => ({ body: good(route, { model: null }) })],
  "a model with a line break": [404, "model_not_found", (route) => ({ body: good(route, { model: "gpt\r\nx-evil: 1" }) })],
  "a model of a megabyte": [404, "model_not_found", (route) => ({ body: good(route, { model: "x".repeat(1 << 20) }) })],
  "a model that is a number": [400, "invalid_type", (route) => ({ body: good(route, { model: 5 }) })],
  "no messages": [400, "missing_required_parameter", (route) => ({ body: good(route, { messages: undefined }) })],
  "messages that are a text": [400, "invalid_type", (route) => ({ body: good(route, { messages: "hi" }) })],
  "messages that are empty": [400, "invalid_type", (route) => ({ body: good(route, { messages: [] }) })],
  "stream as a word": [400, "invalid_type", (route) => ({ body: good(route, { stream: "yes" }) })],
  "an unknown model": [404, "model_not_found", (route) => ({ body: good(route, { model: "gtp-mini" }) })],
  "no key": [401, "missing_api_key", () => ({ headers: { "x-api-key": "" } })],
  "a key of nobody": [401, "invalid_api_key", () => ({ headers: { "x-api-key": "mk_0000000000_nobody" } })],
  "a provider's key": [401, "invalid_api_key", () => ({ headers: { "x-api-key": "sk-live-1" } })],
  "a key of 10 kB": [401, "invalid_api_key", () => ({ headers: { "x-api-key": `mk_${"0".repeat(10_000)}` } })],
  "a key in the query": [401, "missing_api_key", (route) => ({ path: `${routes[route].path}?api_key=${key}&key=${key}`, headers: { "x-api-key": "" } })],
  "a body compressed in a way that is not read": [415, "unsupported_encoding", () => ({ headers: { "content-encoding": "br" } })],
  "a body that is no gzip": [400, "invalid_gzip", () => ({ headers: { "content-encoding": "gzip" } })],
  "a gzip that is not whole": [400, "invalid_gzip", (route) => ({ body: gzipSync(good(route)).subarray(0, -6), headers: { "content-encoding": "gzip" } })],
  "a gzip of a word": [400, "invalid_json", () => ({ body: gzipSync("hello"), headers: { "content-encoding": "gzip" } })],
  "a bomb": [413, "body_grows_too_much", (route) => ({ body: gzipSync(good(route).padEnd(31 * 1024 * 1024)), headers: { "content-encoding": "gzip" } })],
  "a gzip of more than 32 MiB": [413, "request_too_large", () => ({ body: gzipSync(noise(33 * 1024 * 1024), { level: 1 }), headers: { "content-encoding": "gzip" } })],
  "200 headers": [431, "headers_too_large", () => ({ headers: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x-${i}`, "1"])) })],
  "a header of 40 KiB": [431, "headers_too_large", () => ({ headers: { "x-long": "x".repeat(40_960) } })],
  // workerd itself takes headers of this size, so it is the gateway that refuses.
  "a header of 64 KiB": [431, "headers_too_large", () => ({ headers: { "x-long": "x".repeat(65_536) } })],
  "too many tags": [400, "invalid_tags", () => ({ headers: { "meridian-tags": Array.from({ length: 40 }, (_, i) => `t${i}=1`).join(",") } })],
  "a tag that is too long": [400, "invalid_tags", () => ({ headers: { "cf-aig-metadata": JSON.stringify({ a: "x".repeat(300) }) } })],
  "tags that are no pairs": [400, "invalid_tags", () => ({ headers: { "meridian-tags": "nonsense" } })],
  "tags that are no JSON": [400, "invalid_tags", () => ({ headers: { "x-portkey-metadata": "{" } })],
  "tags of 100,000 brackets": [400, "invalid_tags", () => ({ headers: { "cf-aig-metadata": "[".repeat(20_000) } })],
  "a zone that does not exist": [400, "unknown_zone", () => ({ headers: { "meridian-zone": "eu\"}" } })],
  "a DELETE": [405, "method_not_allowed", () => ({ method: "DELETE" })],
  "a PUT": [405, "method_not_allowed", () => ({ method: "PUT" })],
  "a GET": [405, "method_not_allowed", () => ({ method: "GET" })],
  "a body over 32 MiB": [413, "request_too_large", () => ({ body: new Uint8Array(33 * 1024 * 1024).fill(32) })],
  "a body over 32 MiB of unknown length": [413, "request_too_large", () => ({ body: endless() })],
};

// Letters that a compressor makes half as much of.
function noise(length) {
  const random = randomBytes(length / 64);
  return Buffer.alloc(length, 32).map((_, i) => 97 + (random[i % random.length] ^ i >> 12) % 16);
}

function endless() {
  let left = 40;
  return new ReadableStream({
    pull(controller) {
      if (left-- === 0) return controller.close();
      controller.enqueue(new Uint8Array(1024 * 1024).fill(32));
    },
  });
}

for (const [name, [status, code, change]] of Object.entries(CASES)) {
  for (const route of Object.keys(routes)) {
    test(`field_25 ${name}, ${route}: ${status} ${code}`, async (t) => {
      const refused = await send(route, change(route));
      assert.equal(refused.status, status, JSON.stringify(refused.json));
      checkShape(route, refused, code);
      assert.deepEqual(gateway.simulator.log, [], "nothing may have been sent");
      const served = await send(route);
      assert.equal(served.status, 200);
      t.diagnostic(`refused in ${refused.ms} ms, a normal reply takes ${served.ms} ms`);
    });
  }
}

test("field_25 nesting that is deep and sound harms nobody, wherever it stands", async () => {
  const places = [["x", DEEP], ["metadata", `{"feature":${DEEP}}`], ["messages", DEEP], ["stream_options", `{"x":${DEEP}}`]];
  for (const route of Object.keys(routes)) {
    for (const [field, value] of places) {
      const { messages, ...rest } = routes[route].good;
      const fields = JSON.stringify(field === "messages" ? rest : { messages, ...rest });
      const answered = await send(route, { body: `${fields.slice(0, -1)},"${field}":${value}}` });
      assert.ok([200, 400, 403].includes(answered.status), `${field}: ${answered.status}`);
      assert.equal((await send(route)).status, 200, `after ${field}`);
    }
  }
});

test("field_25 a client that leaves in the middle of its body harms nobody", async () => {
  const { port } = new URL(gateway.url);
  for (const sent of ["", '{"model":"gpt-mini","mess']) {
    const socket = net.connect(Number(port), "127.0.0.1");
    await new Promise((resolve) => socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 5000\r\n\r\n${sent}`, resolve));
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    assert.equal((await send("openai")).status, 200);
    assert.deepEqual(gateway.simulator.log.length, 1, "half a request was sent on");
    await gateway.reset();
  }
});

test("an unknown model comes with the nearest ones that the caller can use in its zone", async () => {
  const asks = async (model, options = {}) => (await send("openai", { body: good("openai", { model }), ...options })).json.error.message;
  assert.match(await asks("gpt-4o-minni"), /Did you mean `gpt-4o-mini`/);
  const named = [...(await asks("claude-opus-9")).matchAll(/`([^`]+)`/g)].map(([, name]) => name).slice(1);
  assert.ok(named.length >= 1 && named.length <= 3 && named.every((name) => name.startsWith("claude-")), `${named}`);
  const narrow = { "x-api-key": await gateway.key({ models: ["gpt-mini"] }) };
  assert.doesNotMatch(await asks("claude-opus-9", { headers: narrow }), /claude-(?!opus-9)/);
});

test("a revoked key is a key no more", async () => {
  const revoked = await gateway.key({ revoked: "2026-11-20T00:00:00Z" });
  assert.equal((await send("openai", { headers: { "x-api-key": revoked } })).status, 401);
});

test("each SDK raises the class its users catch", async () => {
  const openai = (apiKey) => new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, fetch: gateway.from("DE"), maxRetries: 0 }).chat.completions;
  const anthropic = (apiKey) => new Anthropic({ apiKey, baseURL: gateway.url, fetch: gateway.from("DE"), maxRetries: 0 }).messages;
  await assert.rejects(openai("mk_x").create(routes.openai.good), OpenAI.AuthenticationError);
  await assert.rejects(anthropic("mk_x").create(routes.anthropic.good), Anthropic.AuthenticationError);
  await assert.rejects(openai(key).create({ ...routes.openai.good, model: "none" }), OpenAI.NotFoundError);
  await assert.rejects(anthropic(key).create({ ...routes.anthropic.good, model: "none" }), Anthropic.NotFoundError);
  await assert.rejects(openai(key).create({ ...routes.openai.good, messages: [] }), OpenAI.BadRequestError);
  await assert.rejects(anthropic(key).create({ ...routes.anthropic.good, messages: [] }), Anthropic.BadRequestError);
});

test("side routes: health and root need no key, others do not exist", async () => {
  const health = await send("openai", { method: "GET", path: "/healthz", headers: { "x-api-key": "" } });
  assert.equal(health.json.status, "ok");
  assert.equal((await send("openai", { method: "HEAD", path: "/" })).status, 200);
  for (const path of ["/v1/files", "/v1/batches", "/v1/messages/batches", "/v1/chat/completions/x", "/__panic"]) {
    assert.equal((await send("openai", { path })).status, 404, path);
  }
  assert.equal((await send("openai", { method: "GET", path: "/v1/models", headers: { "x-api-key": "" } })).status, 401);
  assert.deepEqual(gateway.simulator.log, []);
});
