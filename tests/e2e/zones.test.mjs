// Where requests go, by the caller's country, with the official SDKs; proved by
// the simulator's log, which misses nothing that was sent.
import assert from "node:assert/strict";
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
beforeEach(() => gateway.simulator.reset());

const openai = (country, apiKey = key, headers = {}) => new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, fetch: gateway.from(country), maxRetries: 0, defaultHeaders: headers });
const anthropic = (country, apiKey = key) => new Anthropic({ apiKey, baseURL: gateway.url, fetch: gateway.from(country), maxRetries: 0 });
const hosts = () => [...new Set(gateway.simulator.log.map((entry) => entry.host))];
const messages = [{ role: "user", content: "Say hello." }];

// Written by hand from the map, so that a mistake in the code cannot agree with itself.
const EXPECTED = [
  ["DE", "eu", "eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"],
  ["IS", "eu", "eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"],
  ["CH", "ch", "eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"],
  ["GB", "uk", "eu.api.openai.com", "bedrock-runtime.eu-west-2.amazonaws.com"],
  ["US", "us", "us.api.openai.com", "api.anthropic.com"],
  ["JP", "apac", "jp.api.openai.com", "bedrock-runtime.ap-northeast-1.amazonaws.com"],
  ["BR", "default", "eu.api.openai.com", "bedrock-runtime.eu-central-1.amazonaws.com"],
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

    gateway.simulator.reset();
    const message = await anthropic(country).messages.create({ model: "claude-sonnet", max_tokens: 20, messages });
    const streamed = await anthropic(country).messages.stream({ model: "claude-sonnet", max_tokens: 20, messages }).finalMessage();
    assert.deepEqual(streamed.content, message.content);
    assert.deepEqual(streamed.usage.output_tokens, message.usage.output_tokens);
    assert.deepEqual(hosts(), [anthropicHost]);
  });
}

async function refused(promise, code, words) {
  const error = await promise.then(() => assert.fail("was answered"), (e) => e);
  assert.equal(error.status, 403);
  assert.match(error.constructor.name, /PermissionDeniedError/);
  assert.equal(error.code ?? error.error?.error?.code, code);
  for (const word of words) assert.match(error.message, word);
  assert.deepEqual(gateway.simulator.log, [], "nothing may have been sent");
}

test("a key's zone and a caller's country without a common place are a refusal that names both", async () => {
  const pinned = await gateway.key({ zone: "eu" });
  await refused(openai("US", pinned).chat.completions.create({ model: "gpt-mini", messages }), "zones_clash", [/pinned to eu/, /in US/]);
  await refused(anthropic("US", pinned).messages.create({ model: "claude-sonnet", max_tokens: 5, messages }), "zones_clash", [/pinned to eu/, /in US/]);
});

test("meridian-zone tightens and never loosens", async () => {
  const asking = (zone) => ({ "meridian-zone": zone });
  const { response } = await openai("GB", key, asking("eu")).chat.completions.create({ model: "gpt-mini", messages }).withResponse();
  assert.equal(response.headers.get("meridian-zone"), "eu");
  gateway.simulator.reset();
  await refused(openai("DE", key, asking("us")).chat.completions.create({ model: "gpt-mini", messages }), "zones_clash", [/asks for us/, /in DE/]);
  await assert.rejects(openai("DE", key, asking("eo")).chat.completions.create({ model: "gpt-mini", messages }), { status: 400, code: "unknown_zone" });
  assert.deepEqual(gateway.simulator.log, []);
});

test("a model that no endpoint of the zone serves is refused with what would be", async () => {
  await refused(openai("JP").chat.completions.create({ model: "mistral-large", messages }), "no_endpoint_in_zone", [/mistral-eu processes it in eu/, /can serve on this route: .*gpt-5\.4-mini/]);
  await refused(openai("DE").chat.completions.create({ model: "claude-sonnet", messages }), "no_endpoint_in_zone", [/POST \/v1\/messages/]);
});

test("a key that may not use a model is refused", async () => {
  const narrow = await gateway.key({ models: ["gpt-mini"] });
  await openai("DE", narrow).chat.completions.create({ model: "gpt-mini", messages });
  gateway.simulator.reset();
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

test("a provider's redirect is never followed", async () => {
  gateway.simulator.fault({ times: 0, fault: { status: 307, body: "", headers: { location: "https://evil.example/" } } });
  await assert.rejects(openai("DE").chat.completions.create({ model: "gpt-mini", messages }), { status: 502, code: "provider_unreachable" });
  assert.deepEqual(hosts(), ["eu.api.openai.com"]);
});

test("the list of models is what the caller can use, in its SDK's format", async () => {
  const names = async (list) => (await Array.fromAsync(list)).map((model) => model.id);
  const japan = await names(openai("JP").models.list());
  assert.ok(japan.includes("gpt-5.4-mini") && !japan.includes("mistral-large"));
  const germany = await names(anthropic("DE").models.list());
  assert.ok(germany.includes("claude-sonnet-4-6") && germany.includes("mistral-large"));
});
