// Where requests go, by the caller's country, with the official SDKs; proved by
// the simulator's log, which misses nothing that was sent.
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, beforeEach, test } from "node:test";
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

const openai = (country, apiKey = key, headers = {}) => new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, fetch: gateway.from(country), maxRetries: 0, defaultHeaders: headers });
const anthropic = (country, apiKey = key, headers = {}) => new Anthropic({ apiKey, baseURL: gateway.url, fetch: gateway.from(country), maxRetries: 0, defaultHeaders: headers });
const hosts = () => [...new Set(gateway.simulator.log.map((entry) => entry.host))];
const messages = [{ role: "user", content: "Say hello." }];

// Written by hand from the map, so that a mistake in the code cannot agree with itself.
const EXPECTED = [
  ["DE", "eu", "eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"],
  ["IS", "eu", "eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"],
  ["CH", "ch", "eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"],
  ["GB", "uk", "eu.api.openai.com", "bedrock-runtime.eu-west-2.amazonaws.com"],
  ["US", "us", "us.api.openai.com", "api.anthropic.com"],
  ["JP", "jp", "jp.api.openai.com", "bedrock-runtime.ap-northeast-1.amazonaws.com"],
  ["BR", "br", "eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"],
  ["CA", "ca", "ca.api.openai.com", "api.anthropic.com"],
  ["AU", "au", "au.api.openai.com", "bedrock-runtime.ap-southeast-2.amazonaws.com"],
  ["CN", "default", "eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"],
  ["T1", "default", "eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"],
  ["XX", "default", "eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"],
  [undefined, "default", "eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"],
];

for (const [country, zone, openaiHost, anthropicHost] of EXPECTED) {
  test(`a caller from ${country ?? "nowhere"} is in zone ${zone}, in both SDKs, JSON and streaming`, async () => {
    const { data, response } = await openai(country).chat.completions.create({ model: "gpt-mini", messages }).withResponse();
    assert.ok(data.choices[0].message.content.length > 0);
    assert.equal(response.headers.get("meridian-zone"), zone);
    let text = "";
    for await (const chunk of await openai(country).chat.completions.create({ model: "gpt-mini", messages, stream: true })) text += chunk.choices[0].delta.content ?? "";
    assert.equal(text, data.choices[0].message.content);
    assert.deepEqual(hosts(), [openaiHost]);

    await gateway.reset();
    const message = await anthropic(country).messages.create({ model: "claude-sonnet", max_tokens: 20, messages });
    const streamed = await anthropic(country).messages.stream({ model: "claude-sonnet", max_tokens: 20, messages }).finalMessage();
    assert.deepEqual(streamed.content, message.content);
    assert.deepEqual(streamed.usage.output_tokens, message.usage.output_tokens);
    assert.deepEqual(hosts(), [anthropicHost]);
  });
}

const chat = { model: "gpt-mini", messages };
const message = { model: "claude-sonnet", max_tokens: 5, messages };

async function refused(promise, code, words) {
  const error = await promise.then(() => assert.fail("was answered"), (e) => e);
  assert.equal(error.status, 403);
  assert.match(error.constructor.name, /PermissionDeniedError/);
  assert.equal(error.code ?? error.error?.error?.code, code);
  assert.ok(error instanceof OpenAI.PermissionDeniedError || error instanceof Anthropic.PermissionDeniedError);
  for (const word of words) assert.match(error.message, word);
  assert.deepEqual(gateway.simulator.log, [], "nothing may have been sent");
}

test("a key's zone and a caller's country without a common place are a refusal that names both", async () => {
  const pinned = await gateway.key({ zone: "eu" });
  await refused(openai("US", pinned).chat.completions.create({ model: "gpt-mini", messages }), "zones_clash", [/pinned to eu/, /in US/]);
  await refused(anthropic("US", pinned).messages.create(message), "zones_clash", [/pinned to eu/, /in US/]);
  await refused(openai("US", pinned).chat.completions.create({ ...chat, stream: true }), "zones_clash", [/pinned to eu/, /in US/]);
  await refused(anthropic("US", pinned).messages.create({ ...message, stream: true }), "zones_clash", [/pinned to eu/, /in US/]);
});

for (const [pinned, country, zone] of [["eu", "DE", "eu"], ["eu", "CH", "eu"], ["eu", "GB", "eu"], ["uk", "DE", "eu"], ["us", "US", "us"], ["jp", "JP", "jp"]]) {
  test(`a key pinned to ${pinned}, used from ${country}, is in zone ${zone}`, async () => {
    const [, , openaiHost, anthropicHost] = EXPECTED.find(([, name]) => name === zone);
    const apiKey = await gateway.key({ zone: pinned });
    const { response } = await openai(country, apiKey).chat.completions.create(chat).withResponse();
    assert.equal(response.headers.get("meridian-zone"), zone);
    assert.match(response.headers.get("meridian-zone-reason"), new RegExp(`pinned to ${pinned}.*in ${country}`));
    await anthropic(country, apiKey).messages.create(message);
    assert.deepEqual(hosts(), [openaiHost, anthropicHost]);
  });
}

test("a key pinned to a zone that does not exist is the operator's mistake, not the caller's", async () => {
  const error = await openai("US", await gateway.key({ zone: "nowhere" })).chat.completions.create(chat).then(() => assert.fail("was answered"), (e) => e);
  assert.deepEqual(gateway.simulator.log, []);
  assert.doesNotMatch(error.message, /`meridian-zone`/, "the caller sent no such header");
  assert.match(error.message, /key .* pinned to the zone `nowhere`/);
});

for (const [country, zone] of [["US", "us"], ["GB", "eu"], ["CH", "eu"]]) {
  test(`a caller from ${country} that asks for ${zone} is served in ${zone}`, async () => {
    const [, , openaiHost, anthropicHost] = EXPECTED.find(([, name]) => name === zone);
    const { response } = await openai(country, key, { "meridian-zone": zone }).chat.completions.create(chat).withResponse();
    await anthropic(country, key, { "meridian-zone": zone }).messages.create(message);
    assert.deepEqual(hosts(), [openaiHost, anthropicHost]);
    assert.equal(response.headers.get("meridian-zone"), zone);
  });
}

test("meridian-zone tightens and never loosens", async () => {
  const asking = (zone) => ({ "meridian-zone": zone });
  const { response } = await openai("GB", key, asking("eu")).chat.completions.create({ model: "gpt-mini", messages }).withResponse();
  assert.equal(response.headers.get("meridian-zone"), "eu");
  await gateway.reset();
  for (const [country, zone] of [["DE", "us"], ["US", "eu"], ["JP", "us"], ["T1", "us"], [undefined, "jp"]]) {
    const sides = [new RegExp(`asks for ${zone}`), country?.match(/DE|US|JP/) ? new RegExp(`in ${country}`) : /so default applies/];
    await refused(openai(country, key, asking(zone)).chat.completions.create(chat), "zones_clash", sides);
    await refused(anthropic(country, key, asking(zone)).messages.create(message), "zones_clash", sides);
  }
  await assert.rejects(openai("DE", key, asking("eo")).chat.completions.create({ model: "gpt-mini", messages }), { status: 400, code: "unknown_zone" });
  assert.deepEqual(gateway.simulator.log, []);
});

test("a model that no endpoint of the zone serves is refused with what would be", async () => {
  await refused(openai("JP").chat.completions.create({ model: "mistral-large", messages }), "no_endpoint_in_zone", [/mistral-eu processes requests in eu/, /can serve on this route: .*gpt-5\.4-mini/]);
  await refused(openai("DE").embeddings.create({ model: "claude-sonnet", input: "x" }), "no_endpoint_in_zone", [/anthropic-messages, which does not support/, /can serve on this route: .*text-embedding-3-small/]);
  await refused(anthropic("JP").messages.create({ ...message, model: "mistral-small", stream: true }), "no_endpoint_in_zone", [/mistral-us processes requests in us/]);
});

test("a key that may not use a model is refused", async () => {
  const narrow = await gateway.key({ models: ["gpt-mini"] });
  await openai("DE", narrow).chat.completions.create({ model: "gpt-mini", messages });
  await gateway.reset();
  await refused(openai("DE", narrow).chat.completions.create({ model: "gpt-4.1", messages }), "model_not_allowed", [/gpt-mini/]);
});

test("field_24 no header and no field of the body chooses the host", async () => {
  const headers = {
    "x-forwarded-host": "evil.example",
    "x-simulated-host": "evil.example",
    "x-portkey-custom-host": "https://evil.example",
    "x-portkey-provider": "openai",
    "helicone-target-url": "https://evil.example",
    "meridian-local-country": "US",
    "cf-ipcountry": "US",
    "x-real-ip": "1.2.3.4",
  };
  for (const model of ["https://evil.example/gpt", "../gpt-mini", "openai-global/gpt-4.1", "openai-us/gpt-4.1"]) {
    await assert.rejects(openai("DE", key, headers).chat.completions.create({ model, messages }), { status: 404, code: "model_not_found" });
  }
  assert.deepEqual(gateway.simulator.log, []);
  await openai("DE", key, headers).chat.completions.create({ model: "gpt-4.1", messages, user: "https://evil.example" });
  assert.deepEqual(hosts(), ["eu.api.openai.com"]);
});

test("field_24 what the body says of hosts steers nothing: fields that nobody knows are refused", async () => {
  const steering = { base_url: "https://evil.example", api_base: "https://evil.example", provider: { url: "https://evil.example" }, "x-portkey-custom-host": "https://evil.example", host: "evil.example", endpoint: "openai-us", zone: "us" };
  const send = (path, body) => gateway.from("DE")(gateway.url + path, { method: "POST", headers: { "x-api-key": key, "anthropic-version": "2023-06-01" }, body: JSON.stringify(body) });
  for (const [field, value] of Object.entries(steering)) {
    for (const [path, body] of [["/v1/chat/completions", chat], ["/v1/messages", message]]) {
      const response = await send(path, { ...body, [field]: value });
      assert.deepEqual([response.status, ((await response.json()).error.param ?? field).split(".")[0], gateway.simulator.log], [403, field, []], `${path} ${field}`);
    }
  }
  await (await send("/v1/chat/completions", { ...chat, user: "https://evil.example" })).text();
  await (await send("/v1/messages?base_url=https://evil.example", message)).text();
  assert.deepEqual(hosts(), ["eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"]);
  assert.deepEqual(gateway.simulator.log.map((entry) => entry.path), ["/v1/chat/completions", "/anthropic/v1/messages"]);
});

test("field_17 side routes contact nobody", async () => {
  for (const country of ["DE", "US", "T1"]) {
    for (const [method, path] of [["GET", "/v1/models"], ["GET", "/v1/models/gpt-mini"], ["POST", "/v1/files"], ["POST", "/v1/batches"], ["POST", "/v1/messages/batches"], ["GET", "/v1/chat/completions"], ["HEAD", "/"], ["GET", "/healthz"], ["GET", "/.well-known/jwks.json"], ["POST", "/admin/v1/explain"], ["GET", "/admin/v1/map"], ["OPTIONS", "/v1/chat/completions"]]) {
      const body = method === "POST" ? JSON.stringify({ model: "gpt-mini", input: "x", country, ...chat }) : undefined;
      const response = await gateway.from(country)(gateway.url + path, { method, body, headers: { authorization: `Bearer ${key}`, "content-type": "application/json" } });
      await response.text();
    }
  }
  assert.deepEqual(hosts(), []);
});

test("field_17 embeddings, responses and token counting obey the zone", async () => {
  const post = async (country, path, body) => {
    const response = await gateway.from(country)(gateway.url + path, { method: "POST", body: JSON.stringify(body), headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "anthropic-version": "2023-06-01" } });
    return [response.status, await response.json()];
  };
  const embedding = { model: "text-embedding-3-small", input: "x" };
  assert.equal((await post("DE", "/v1/embeddings", embedding))[0], 200);
  assert.equal((await post("US", "/v1/embeddings", embedding))[0], 200);
  assert.equal((await post("JP", "/v1/embeddings", embedding))[0], 403);
  assert.equal((await post("DE", "/v1/embeddings", { ...embedding, model: "embed-v4" }))[0], 403);
  assert.equal((await post("DE", "/v1/responses", { model: "gpt-mini", input: "x" }))[0], 200);
  assert.equal((await post("DE", "/v1/messages/count_tokens", { model: "claude-sonnet", messages })) [0], 200);
  const all = hosts();
  assert.deepEqual(all, ["eu.api.openai.com", "us.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"]);
});

// What an SDK's fetch would tidy up before it is sent.
function raw(target, host) {
  const body = JSON.stringify(chat);
  const { port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = net.connect(Number(port), "127.0.0.1");
    socket.on("data", (data) => (answer += data)).on("close", () => resolve(answer)).on("error", reject);
    socket.write(`POST ${target} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  });
}

test("field_24 neither Host nor the form of the path chooses the host", async () => {
  for (const [target, host, status] of [
    ["/v1/chat/completions", "evil.example", 200],
    ["http://evil.example/v1/chat/completions", "evil.example", 200],
    ["https://name:word@evil.example/v1/chat/completions", "eu.api.openai.com", 200],
    ["/v1/chat/completions?host=evil.example", "localhost", 200],
    ["//evil.example/v1/chat/completions", "localhost", 404],
    ["/v1/chat/completions/@evil.example", "localhost", 404],
    ["/v1/chat%2Fcompletions", "localhost", 404],
    ["/https://evil.example/v1/chat/completions", "localhost", 404],
  ]) {
    await gateway.reset();
    assert.match(await raw(target, host), new RegExp(`^HTTP/1.1 ${status} `), target);
    // The harness puts a caller without a country into the US.
    assert.deepEqual(hosts(), status === 200 ? ["us.api.openai.com"] : [], target);
  }
});

test("a provider's redirect is never followed", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    for (const location of ["https://evil.example/", "//evil.example/v1/chat/completions", "https://api.openai.com/v1/chat/completions"]) {
      await gateway.reset();
      gateway.simulator.fault({ times: 0, fault: { status, body: "", headers: { location } } });
      const stream = status % 2 === 1;
      await assert.rejects(openai("DE").chat.completions.create({ ...chat, stream }), { status: 502, code: "provider_unreachable" });
      await assert.rejects(anthropic("DE").messages.create({ ...message, stream }), Anthropic.InternalServerError);
      assert.deepEqual(hosts(), ["eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com", "bedrock-runtime.eu-west-1.amazonaws.com"]);
    }
  }
});

test("the list of models is what the caller can use, in its SDK's format", async () => {
  const names = async (list) => (await Array.fromAsync(list)).map((model) => model.id);
  const japan = await names(openai("JP").models.list());
  assert.ok(japan.includes("gpt-5.4-mini") && !japan.includes("mistral-large"));
  const germany = await names(anthropic("DE").models.list());
  assert.ok(germany.includes("claude-sonnet-4-6") && germany.includes("mistral-large"));
});
