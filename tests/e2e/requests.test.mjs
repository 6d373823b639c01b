// What reaches the provider: the client's own bytes, and nothing that is
// nobody's business there.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { secretOf, startGateway, STORES } from "./gateway.mjs";

let gateway, key;
before(async () => {
  gateway = await startGateway();
  key = await gateway.key();
});
after(() => gateway.close());
beforeEach(() => gateway.simulator.reset());

const post = (country, path, body, headers = {}) => gateway.from(country)(gateway.url + path, {
  method: "POST",
  headers: { authorization: `Bearer ${key}`, "anthropic-version": "2023-06-01", "content-type": "application/json", ...headers },
  body,
});

test("field_19 the body is byte for byte the client's but for the model", async () => {
  const body = (model) => `{ "messages":[ {"content":"\\u00e9 \\/ \u{1f30d}","role":"user"} ],\n\t"temperature" : 0.10,"seed":12345678901234567,"model":"${model}"\r\n}`;
  await (await post("DE", "/v1/chat/completions", body("gpt-mini"))).text();
  assert.equal(gateway.simulator.log[0].body, body("gpt-5.4-mini-2026-03-17"));
});

test("the zone's promise is kept also where it hangs on a field of the body", async () => {
  const body = '{"model":"claude-sonnet","max_tokens":5,"inference_geo":"global","messages":[{"role":"user","content":"hi"}]}';
  await (await post("US", "/v1/messages", body)).text();
  assert.equal(gateway.simulator.log[0].host, "api.anthropic.com");
  assert.equal(JSON.parse(gateway.simulator.log[0].body).inference_geo, "us");
  const twice = body.replace('"max_tokens"', '"inference\\u005fgeo":"us","max_tokens"');
  assert.equal((await post("US", "/v1/messages", twice)).status, 400);
});

test("field_23 only the headers that mean something reach the provider, and only its own secret", async () => {
  const headers = {
    "meridian-tags": "feature=x", "x-portkey-metadata": "{}", "helicone-property-a": "b", cookie: "session=1",
    "x-stainless-lang": "js", "openai-organization": "org-caller", "cf-connecting-ip": "9.9.9.9", "x-forwarded-for": "9.9.9.9",
    "anthropic-beta": "beta-1",
  };
  await (await post("DE", "/v1/chat/completions", '{"model":"gpt-mini","messages":[{"role":"user","content":"hi"}]}', headers)).text();
  const [{ headers: sent }] = gateway.simulator.log;
  assert.equal(sent.authorization, `Bearer ${secretOf("OPENAI_EU_KEY")}`);
  assert.equal(sent["anthropic-beta"], "beta-1");
  const all = JSON.stringify(sent);
  for (const word of [key, "meridian", "portkey", "helicone", "session=1", "stainless", "org-caller", "9.9.9.9"]) {
    assert.ok(!all.replace("meridian.example.com", "").includes(word), `${word} reached the provider: ${all}`);
  }
});

test("field_23 no secret appears in a reply, a row, a log line or at another host", async () => {
  const secrets = gateway.endpoints.map((endpoint) => secretOf(endpoint.secret));
  const seen = [];
  const call = async (country, path, model) => {
    const response = await post(country, path, JSON.stringify({ model, max_tokens: 5, messages: [{ role: "user", content: "hi" }] }));
    seen.push(JSON.stringify([...response.headers]), await response.text());
    return response;
  };
  for (const status of [400, 401, 403, 404, 429, 500]) {
    gateway.simulator.fault({ times: 4, fault: { status, body: { error: { message: `you sent ${secrets.join(" ")}` } } } });
    const response = await call("DE", "/v1/chat/completions", "gpt-mini");
    assert.ok(response.status >= 400);
    await call("US", "/v1/messages", "claude-sonnet");
    gateway.simulator.reset();
  }
  await call("JP", "/v1/messages", "claude-sonnet");
  const [entry] = gateway.simulator.log;
  const own = gateway.endpoints.filter((endpoint) => endpoint.host === entry.host).map((endpoint) => secretOf(endpoint.secret));
  const foreign = [...secrets.filter((secret) => !own.includes(secret)), key];
  for (const secret of foreign) assert.ok(!JSON.stringify(entry).includes(secret));
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (const store of STORES) seen.push(JSON.stringify((await gateway.env[store].prepare("SELECT * FROM usage").all()).results));
  seen.push(JSON.stringify(gateway.harness.getLogs()));
  for (const secret of [...secrets, key]) {
    for (const text of seen) assert.ok(!text.includes(secret), `${secret} appears in ${text.slice(0, 400)}`);
  }
});

test("a provider that does not accept the gateway's credential is the operator's business", async () => {
  gateway.simulator.fault({ times: 0, fault: { status: 401 } });
  const response = await post("DE", "/v1/chat/completions", '{"model":"gpt-mini","messages":[{"role":"user","content":"hi"}]}');
  assert.equal(response.status, 502);
  assert.equal((await response.json()).error.code, "provider_refused_gateway");
});
