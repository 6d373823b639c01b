// The routes that clients call besides the usual ones, as their SDKs spell them.
import assert from "node:assert/strict";
import net from "node:net";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI, { AzureOpenAI } from "openai";
import { startGateway, STORES } from "./gateway.mjs";

const PAGE = "https://app.example.com";

let gateway, key, fetch;
before(async () => {
  gateway = await startGateway({ gateway: { cors: { origins: [PAGE] } } });
  key = await gateway.key();
  fetch = gateway.from("DE");
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

const chat = { messages: [{ role: "user", content: "hi" }] };
const openai = (apiKey = key) => new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, fetch, maxRetries: 0 });
const anthropic = (apiKey = key) => new Anthropic({ apiKey, baseURL: gateway.url, fetch, maxRetries: 0 });

async function send(method, path, { body, headers = {}, apiKey = key } = {}) {
  const auth = apiKey ? { authorization: `Bearer ${apiKey}` } : {};
  const raw = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const response = await fetch(gateway.url + path, { method, body: raw, headers: { "content-type": "application/json", ...auth, ...headers } });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text ? JSON.parse(text) : undefined };
}

const rowOf = ({ headers }, options) => gateway.row(headers.get("meridian-request-id"), options);

// ---- models

test("routes the models list has aliases, and every name in it is a model that can be asked for", async () => {
  const ids = [];
  for await (const model of openai().models.list()) ids.push(model.id);
  for (const name of ["gpt-mini", "gpt-5.4-mini", "claude-sonnet", "claude-sonnet-4-6", "claude-haiku-4-5-20251001"]) assert.ok(ids.includes(name), `${name} is not among ${ids}`);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.deepEqual(await openai().models.retrieve(id), { id, object: "model", created: 0, owned_by: "meridian" });
  assert.deepEqual(gateway.simulator.log, []);
});

test("routes a key that may use an alias sees that name alone", async () => {
  const narrow = await gateway.key({ models: ["gpt-mini"] });
  const listed = await send("GET", "/v1/models", { apiKey: narrow });
  assert.deepEqual(listed.json.data.map(({ id }) => id), ["gpt-mini"]);
  assert.equal((await send("GET", "/v1/models/gpt-mini", { apiKey: narrow })).status, 200);
  assert.equal((await send("GET", "/v1/models/gpt-5.4-mini", { apiKey: narrow })).status, 403);
});

test("routes Anthropic's SDK walks the pages and finds one model", async () => {
  const all = [];
  for await (const model of anthropic().models.list({ limit: 1000 })) all.push(model.id);
  const paged = [];
  for await (const model of anthropic().models.list({ limit: 3 })) paged.push(model.id);
  assert.deepEqual(paged, all);
  assert.ok(all.length > 6);
  const back = await anthropic().models.list({ limit: 2, before_id: all[4] });
  assert.deepEqual([back.data.map(({ id }) => id), back.has_more], [all.slice(2, 4), true]);
  const one = await anthropic().models.retrieve("claude-sonnet");
  assert.deepEqual(one, { id: "claude-sonnet", type: "model", display_name: "claude-sonnet", created_at: "1970-01-01T00:00:00Z" });
});

test("routes a model that is not there, or not here, is told as that", async () => {
  await assert.rejects(openai().models.retrieve("gpt-4o-minni"), (error) => error instanceof OpenAI.NotFoundError && /Did you mean `gpt-4o-mini`/.test(error.message));
  await assert.rejects(anthropic().models.retrieve("none"), Anthropic.NotFoundError);
  const cut = await send("GET", "/v1/models?limit=2");
  assert.deepEqual([cut.json.data.length, cut.json.has_more, cut.json.object], [2, true, "list"]);
  const wrong = await send("GET", "/v1/models?limit=0");
  assert.deepEqual([wrong.status, wrong.json.error.param], [400, "limit"]);
  assert.equal((await send("GET", "/v1/models/gpt-mini", { apiKey: "" })).status, 401);
});

// ---- Azure's way in

const azure = (options = {}) => new AzureOpenAI({ apiKey: key, endpoint: gateway.url, apiVersion: "2024-10-21", fetch, maxRetries: 0, ...options });

test("routes Azure's SDK calls deployments with its own key header, whole and in a stream", async () => {
  const whole = await azure().chat.completions.create({ model: "gpt-mini", ...chat });
  assert.ok(whole.choices[0].message.content);
  let said = "";
  for await (const chunk of await azure({ deployment: "gpt-mini" }).chat.completions.create({ model: "gpt-3.5-turbo", stream: true, ...chat })) said += chunk.choices[0]?.delta?.content ?? "";
  assert.ok(said);
  const vectors = await azure().embeddings.create({ model: "text-embedding-3-small", input: "hi" });
  assert.ok(vectors.data[0].embedding.length > 0);
  const answer = await azure().responses.create({ model: "gpt-mini", input: "hi" });
  assert.ok(answer.output_text);
  const sent = gateway.simulator.log;
  assert.deepEqual(sent.map(({ path }) => path), ["/v1/chat/completions", "/v1/chat/completions", "/v1/embeddings", "/v1/responses"]);
  assert.deepEqual(sent.map(({ body }) => JSON.parse(body).model), ["gpt-5.4-mini-2026-03-17", "gpt-5.4-mini-2026-03-17", "text-embedding-3-small", "gpt-5.4-mini-2026-03-17"]);
  for (const { headers } of sent) assert.ok(!JSON.stringify(headers).includes(key));
});

test("routes the path's model serves a body that has none, and the row says what was asked for", async () => {
  const none = { headers: { "api-key": key }, apiKey: "" };
  for (const body of [chat, { model: null, ...chat }, { model: "gpt-35-turbo", ...chat }]) {
    await gateway.reset();
    const called = await send("POST", "/openai/deployments/gpt%2Dmini/chat/completions?api-version=2024-10-21", { body, ...none });
    assert.equal(called.status, 200, JSON.stringify(called.json));
    assert.deepEqual(JSON.parse(gateway.simulator.log[0].body), { model: "gpt-5.4-mini-2026-03-17", ...chat });
    const row = await rowOf(called);
    assert.deepEqual([row.model_asked, row.model, row.dialect, row.outcome], ["gpt-mini", "gpt-5.4-mini", "openai-chat", "ok"]);
  }
  // In another dialect too.
  const claude = await send("POST", "/openai/deployments/claude-sonnet/chat/completions", { body: chat, ...none });
  assert.equal(claude.status, 200, JSON.stringify(claude.json));
  const v1 = await send("POST", "/openai/v1/chat/completions?api-version=preview", { body: { model: "gpt-mini", ...chat }, ...none });
  assert.equal(v1.status, 200);
  // A deployment of somebody's own name, and a body that says what it is of.
  const own = await send("POST", "/openai/deployments/our-prod/chat/completions", { body: { model: "gpt-mini", ...chat }, ...none });
  assert.deepEqual([own.status, (await rowOf(own)).model_asked], [200, "gpt-mini"]);
  const unknown = await send("POST", "/openai/deployments/our-prod/chat/completions", { body: chat, ...none });
  assert.match(unknown.json.error.message, /`our-prod`/);
  const narrow = await gateway.key({ models: ["claude-sonnet"] });
  const refused = await send("POST", "/openai/deployments/gpt-mini/chat/completions", { body: { model: "claude-sonnet", ...chat }, headers: { "api-key": narrow }, apiKey: "" });
  assert.deepEqual([refused.status, refused.json.error.code], [403, "model_not_allowed"]);
  assert.equal((await send("POST", "/openai/deployments/gpt-mini/chat/completions", { body: chat, apiKey: "" })).status, 401);
});

// ---- spelling, and bodies that come compressed

test("routes slashes too many change nothing", async () => {
  for (const path of ["//v1/chat/completions", "/v1/chat/completions/", "/v1//chat/completions//"]) {
    assert.equal((await send("POST", path, { body: { model: "gpt-mini", ...chat } })).status, 200, path);
  }
  assert.equal((await send("POST", "/v1/messages/", { body: { model: "claude-sonnet", max_tokens: 5, ...chat } })).status, 200);
  assert.equal((await send("GET", "/v1/models/")).json.object, "list");
  assert.equal((await send("GET", "//admin/v1/status")).json.error.code, "unknown_route");
});

test("routes a compressed body arrives as it was before, small and large", async () => {
  const gzip = { "content-encoding": "gzip" };
  // Letters and digits: as hard to compress as text.
  const data = `iVBORw0KGgoA${randomBytes(12 * 1024 * 1024).toString("base64")}`;
  const picture = `,{"type":"image_url","image_url":{"url":"data:image/png;base64,${data}"}}`;
  for (const more of ["", picture]) {
    await gateway.reset();
    const body = (model) => `{ "model":"${model}","messages":[{"role":"user","content":[{"type":"text","text":"gr\u00f6\u00dfer"}${more}]}] }`;
    const called = await send("POST", "/v1/chat/completions", { body: gzipSync(body("gpt-4.1")), headers: gzip });
    assert.equal(called.status, 200, JSON.stringify(called.json));
    assert.ok(gateway.simulator.log[0].body === body("gpt-4.1-2025-04-14"), "the body has changed on its way");
    assert.equal(gateway.simulator.log[0].headers["content-encoding"], undefined);
  }
  const other = await send("POST", "/v1/chat/completions", { body: Buffer.from("{}"), headers: { "content-encoding": "zstd" } });
  assert.deepEqual([other.status, other.headers.get("accept-encoding")], [415, "gzip"]);
  assert.match(other.json.error.message, /`zstd`.*`gzip`/);
});

test("routes a bomb costs its sender alone, and soon", async () => {
  const bomb = gzipSync(Buffer.alloc(400 * 1024 * 1024, 32));
  const began = Date.now();
  const refused = await Promise.all(Array.from({ length: 8 }, () => send("POST", "/v1/chat/completions", { body: bomb, headers: { "content-encoding": "gzip" } })));
  for (const { status, json } of refused) assert.ok([413, 503].includes(status), JSON.stringify(json));
  assert.ok(refused.some(({ json }) => json.error.code === "body_grows_too_much"));
  assert.ok(Date.now() - began < 10_000);
  const row = await rowOf(refused[0]);
  assert.deepEqual([row.outcome, row.cost_nano], ["refused", 0]);
  assert.equal((await send("POST", "/v1/chat/completions", { body: { model: "gpt-mini", ...chat } })).status, 200);
});

// ---- what is not served

test("routes a model without a counter is told as that", async () => {
  await assert.rejects(anthropic().messages.countTokens({ model: "mistral-large", ...chat }), (error) => {
    assert.ok(error instanceof Anthropic.NotFoundError);
    assert.match(error.message, /zone `eu` allows can count tokens for the model `mistral-large`/);
    return true;
  });
  const counted = await send("POST", "/v1/messages/count_tokens", { body: { model: "mistral-large", ...chat }, headers: { "anthropic-version": "2023-06-01" } });
  assert.equal((await rowOf(counted)).error, "no_token_counter");
  assert.deepEqual(gateway.simulator.log, []);
});

/** A request to upgrade, sent by hand. */
function upgrade(path, extra = "") {
  const { port } = new URL(gateway.url);
  const socket = net.connect(Number(port), "127.0.0.1");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extra}\r\n`);
  return new Promise((resolve, reject) => {
    let got = "";
    socket.on("data", (bytes) => {
      got += bytes;
      if (got.includes("websocket_not_served") || got.length > 5_000) {
        socket.destroy();
        resolve(got);
      }
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(got));
  });
}

test("routes an upgrade to WebSocket is refused with 426, which Codex goes on from at once", async () => {
  const got = await upgrade("/v1/responses", `Authorization: Bearer ${key}\r\n`);
  assert.match(got, /^HTTP\/1\.1 426 /);
  assert.match(got, /websocket_not_served/);
  const id = /meridian-request-id: (\S+)/i.exec(got)[1];
  assert.equal((await gateway.row(id)).error, "websocket_not_served");
});

test("routes unknown routes answer in the dialect of their path, and leave a row", async () => {
  const shapes = [
    ["/v1/audio/speech", {}, ({ json }) => [json.error.code, json.error.type], ["unknown_route", "invalid_request_error"], /Audio is served only/],
    ["/v1/messages/batches", {}, ({ json }) => [json.type, json.error.type, typeof json.request_id], ["error", "not_found_error", "string"], /Batches/],
    ["/v1/files", { "anthropic-version": "2023-06-01" }, ({ json }) => [json.type, json.error.type], ["error", "not_found_error"], /Files/],
    ["/v1beta/models/gemini-2.5-pro:generateContent", {}, ({ json }) => [json.error.code, json.error.status], [404, "NOT_FOUND"], /Google's own dialect/],
    ["/model/eu.anthropic.claude-sonnet-4-6/converse", {}, ({ json, headers }) => [typeof json.message, headers.get("x-amzn-errortype")], ["string", "ResourceNotFoundException"], /Bedrock's own dialect/],
  ];
  for (const [path, headers, shape, expected, words] of shapes) {
    const answer = await send("POST", path, { body: {}, headers });
    assert.equal(answer.status, 404, path);
    assert.deepEqual(shape(answer), expected, path);
    assert.match(JSON.stringify(answer.json), words);
    const row = await rowOf(answer);
    assert.deepEqual([row.error, row.outcome, row.status, row.zone, row.cost_nano, row.attempts, row.store], ["unknown_route", "refused", 404, "eu", 0, 0, "USAGE_EU"], path);
  }
  const google = await send("POST", "/v1beta/models/x:generateContent", { body: {}, apiKey: "", headers: { "x-goog-api-key": key } });
  assert.equal((await rowOf(google)).error, "unknown_route");
  const method = await send("PUT", "/v1/chat/completions", { body: {} });
  assert.deepEqual([method.status, method.headers.get("allow")], [405, "POST"]);
  assert.equal((await rowOf(method)).error, "method_not_allowed");
});

test("routes strangers on unknown routes leave no row", async () => {
  const count = async () => {
    const counts = await Promise.all(STORES.map((name) => gateway.env[name].prepare("SELECT count(*) AS n FROM usage").first()));
    return counts.reduce((sum, { n }) => sum + n, 0);
  };
  const settled = async () => {
    for (let last = -1, now = await count(); ; last = now, now = await count()) {
      if (last === now) return now;
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  };
  const before = await settled();
  for (const apiKey of ["", "mk_of_nobody"]) assert.equal((await send("POST", "/v1/audio/speech", { body: {}, apiKey })).status, 404);
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal(await settled(), before);
});

// ---- pages

test("routes pages of listed origins are answered in a browser's words, others are not", async () => {
  const asks = { "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type,x-stainless-os" };
  const preflight = await send("OPTIONS", "/v1/chat/completions", { apiKey: "", headers: { origin: PAGE, ...asks } });
  assert.equal(preflight.status, 204);
  const allowed = ["origin", "methods", "headers"].map((what) => preflight.headers.get(`access-control-allow-${what}`));
  assert.deepEqual(allowed, [PAGE, "GET, POST", asks["access-control-request-headers"]]);
  for (const body of [{ model: "gpt-mini", ...chat }, { model: "gpt-mini", stream: true, ...chat }, { model: "none", ...chat }]) {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(body), headers: { authorization: `Bearer ${key}`, origin: PAGE } });
    await response.text();
    assert.equal(response.headers.get("access-control-allow-origin"), PAGE);
    assert.equal(response.headers.get("vary"), "Origin");
    assert.match(response.headers.get("access-control-expose-headers"), /meridian-request-id.*meridian-receipt/);
  }
  const page = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0, dangerouslyAllowBrowser: true, fetch, defaultHeaders: { origin: PAGE } });
  assert.ok((await page.chat.completions.create({ model: "gpt-mini", ...chat })).choices[0].message.content);
  for (const origin of ["https://evil.example", `${PAGE}.evil.example`, "null"]) {
    const other = await send("OPTIONS", "/v1/chat/completions", { apiKey: "", headers: { origin, ...asks } });
    assert.deepEqual([other.status, other.headers.get("access-control-allow-origin")], [405, null]);
    const called = await send("POST", "/v1/chat/completions", { body: { model: "gpt-mini", ...chat }, headers: { origin } });
    assert.equal(called.headers.get("access-control-allow-origin"), null);
  }
});

// ---- answers that a provider keeps

const american = (apiKey = key) => new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, fetch: gateway.from("US"), maxRetries: 0 });
const asked = () => gateway.simulator.log.map(({ method, host, path }) => `${method} ${host}${path}`);

test("routes a stored answer is read, listed and deleted at the endpoint that has it, each with one row that costs nothing", async () => {
  const client = american();
  const made = await client.responses.create({ model: "gpt-mini", input: "hi", store: true });
  await gateway.simulator.idle();
  gateway.simulator.log.length = 0;
  const { data: read, response } = await client.responses.retrieve(made.id, { include: ["message.output_text.logprobs"] }).withResponse();
  assert.deepEqual([read.id, read.output_text], [made.id, made.output_text]);
  const items = await client.responses.inputItems.list(made.id, { limit: 1 });
  assert.equal(items.data[0].content[0].text, "hi");
  await assert.rejects(client.responses.cancel(made.id), /Cannot cancel a synchronous response/);
  await client.responses.delete(made.id);
  await assert.rejects(client.responses.retrieve(made.id), OpenAI.NotFoundError);
  const at = `us.api.openai.com/v1/responses/${made.id}`;
  assert.deepEqual(asked().map((line) => line.replace(/\?.*/, "")), [`GET ${at}`, `GET ${at}/input_items`, `POST ${at}/cancel`, `DELETE ${at}`, `GET ${at}`]);
  const row = await gateway.row(response.headers.get("meridian-request-id"));
  assert.deepEqual(
    [row.dialect, row.outcome, row.endpoint, row.model, row.model_asked, row.cost_nano, row.input, row.output, row.estimated, row.egress, row.attempts],
    ["openai-responses-stored", "ok", "openai-us", "gpt-5.4-mini", "gpt-5.4-mini", 0, 0, 0, 0, "stored-response", 1],
  );
});

test("routes a stored answer is there for its own team alone, and in its own zone alone", async () => {
  const made = await american().responses.create({ model: "gpt-mini", input: "hi" });
  await gateway.simulator.idle();
  gateway.simulator.log.length = 0;
  const others = american(await gateway.key({ team: "others" }));
  for (const ask of [(client) => client.responses.retrieve(made.id), (client) => client.responses.delete(made.id), (client) => client.responses.inputItems.list(made.id), (client) => client.responses.cancel(made.id)]) {
    await assert.rejects(ask(others), (error) => error instanceof OpenAI.NotFoundError && error.code === "response_not_found");
    await assert.rejects(ask(openai()), (error) => error.status === 403 && error.code === "egress_not_allowed");
    const narrow = american(await gateway.key({ models: ["claude-sonnet"] }));
    await assert.rejects(ask(narrow), (error) => error.status === 403 && error.code === "model_not_allowed");
  }
  await assert.rejects(american().responses.retrieve("resp_never_made"), OpenAI.NotFoundError);
  for (const query of ["stream=true", "url=https://evil.example"]) {
    const refused = await gateway.from("US")(`${gateway.url}/v1/responses/${made.id}?${query}`, { headers: { authorization: `Bearer ${key}` } });
    assert.equal(refused.status, 400, query);
    await refused.text();
  }
  assert.deepEqual(asked(), []);
  // A key that may use an alias alone made it by that, and reads it by that.
  const alias = american(await gateway.key({ models: ["gpt-mini"] }));
  assert.equal((await alias.responses.retrieve(made.id)).id, made.id);
});

test("routes the input of a response is counted, for any model whose endpoint counts", async () => {
  const own = await american().responses.inputTokens.count({ model: "gpt-mini", input: "hi there" });
  assert.equal(own.object, "response.input_tokens");
  assert.ok(own.input_tokens > 0);
  assert.match(asked()[0], /^POST us\.api\.openai\.com\/v1\/responses\/input_tokens$/);
  const { data: claude, response } = await openai().responses.inputTokens.count({ model: "claude-sonnet", input: "hi there" }).withResponse();
  assert.ok(claude.input_tokens > 0 && claude.object === "response.input_tokens");
  const row = await gateway.row(response.headers.get("meridian-request-id"));
  assert.deepEqual([row.dialect, row.cost_nano, row.outcome, row.zone], ["openai-input-tokens", 0, "ok", "eu"]);
  await assert.rejects(openai().responses.inputTokens.count({ model: "mistral-large", input: "hi" }), (error) => error.code === "no_token_counter");
});

test("routes a conversation is compacted by who answers it, and goes on there", async () => {
  const { data: made, response } = await openai().responses.compact({ model: "gpt-mini", input: "a long story" }).withResponse();
  assert.equal(made.object, "response.compaction");
  const sent = gateway.simulator.log.at(-1);
  assert.equal(sent.path, "/v1/responses/compact");
  assert.deepEqual(JSON.parse(sent.body), { model: "gpt-5.4-mini-2026-03-17", input: "a long story" });
  const row = await gateway.row(response.headers.get("meridian-request-id"));
  assert.deepEqual([row.dialect, row.outcome, row.zone, row.input, row.output], ["openai-compact", "ok", "eu", made.usage.input_tokens, made.usage.output_tokens]);
  assert.ok(row.cost_nano > 0 && row.cost_nano <= row.reserved_nano && !row.at_least);
  await gateway.simulator.idle();
  gateway.simulator.log.length = 0;
  const input = [...made.output, { role: "user", content: "And then?" }];
  assert.ok((await openai().responses.create({ model: "gpt-mini", input })).output_text);
  assert.equal(gateway.simulator.log.at(-1).host, sent.host);
  await assert.rejects(openai().responses.compact({ model: "claude-sonnet", input: "hi" }), (error) => error.status === 403 && error.code === "no_endpoint_in_zone");
});
