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
beforeEach(() => gateway.reset());

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

// Odd, and valid: every provider has to see it as it was written.
const odd = (field) => `"metadata":{"b":1,"a":[1e400,-0.0,1E+2,123456789012345678901234567890],"a":null},${field}:9007199254740993`;

test("field_19 Anthropic's body is byte for byte the client's but for the model and where it runs", async () => {
  const body = (model, geo) => `\n{\t${geo}"max_tokens":5, "system":[{"cache_control":{"type":"ephemeral"},"text":"\\ud83d\\ude00\\t\u2028","type":"text"}],${odd('"\\u0074op_k"')},"messages":[{"role":"user","content":"hi"}],"model" : "${model}" }\n`;
  await (await post("DE", "/v1/messages", body("claude-sonnet", ""))).text();
  await (await post("US", "/v1/messages", body("claude-sonnet-4-6", '"inference_geo": "global" ,'))).text();
  const [frankfurt, us] = gateway.simulator.log;
  assert.equal(frankfurt.body, body("eu.anthropic.claude-sonnet-4-6", ""));
  assert.equal(us.body, body("claude-sonnet-4-6", '"inference_geo": "us" ,'));
});

test("field_19 a stream's body differs by the usage option alone, and not where it is set or not known", async () => {
  const body = (model, rest = "", first = "") => `{${first}"messages":[{"role":"user","content":"hi"}] ,${odd('"\\u0073eed"')}, "stream" :true${rest},"model":"${model}"}`;
  const asked = ',"stream_options":{ "include_usage" : true, "include_obfuscation":0 }';
  const cases = [
    ["gpt-4.1", "", body("gpt-4.1-2025-04-14", "", '"stream_options":{"include_usage":true},')],
    ["gpt-4.1", ',"stream_options":{"include_usage":false}', body("gpt-4.1-2025-04-14", ',"stream_options":{"include_usage":true}')],
    ["gpt-4.1", ',"stream_options":null', body("gpt-4.1-2025-04-14", ',"stream_options":{"include_usage":true}')],
    ["gpt-4.1", asked, body("gpt-4.1-2025-04-14", asked)],
  ];
  for (const [model, rest, sent] of cases) {
    await gateway.reset();
    await (await post("DE", "/v1/chat/completions", body(model, rest))).text();
    assert.equal(gateway.simulator.log[0].body, sent);
  }
});

test("a host with other words for some fields gets those, and the client's own fields besides", async () => {
  const asked = { model: "mistral-small", stream: true, max_completion_tokens: 9, seed: 7, safe_prompt: true, messages: [{ role: "developer", content: "a" }, { role: "user", content: "hi" }] };
  await (await post("DE", "/v1/chat/completions", JSON.stringify(asked))).text();
  assert.deepEqual(JSON.parse(gateway.simulator.log[0].body), {
    model: "mistral-small-2603", stream: true, max_tokens: 9, random_seed: 7, safe_prompt: true,
    messages: [{ role: "system", content: "a" }, { role: "user", content: "hi" }],
  });
});

test("field_19 a body of 20 MiB arrives whole", async () => {
  const picture = `data:image/png;base64,iVBORw0KGgo${"A".repeat(20 * 1024 * 1024)}=`;
  const body = (model) => `{"model":"${model}","messages":[{"role":"user","content":[{"type":"text","text":"gr\u00f6\u00dfer ${"gr\u00f6\u00dfer ".repeat(20_000)}"},{"type":"image_url","image_url":{"url":"${picture}"}}]}]}`;
  const response = await post("DE", "/v1/chat/completions", body("gpt-4.1"));
  await response.text();
  assert.equal(response.status, 200);
  assert.ok(gateway.simulator.log[0].body === body("gpt-4.1-2025-04-14"), "the body has changed on its way");
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
    "anthropic-beta": "interleaved-thinking-2025-05-14", "openai-beta": "responses=v1,shiny=v1",
  };
  await (await post("DE", "/v1/chat/completions", '{"model":"gpt-mini","messages":[{"role":"user","content":"hi"}]}', headers)).text();
  const [{ headers: sent }] = gateway.simulator.log;
  assert.equal(sent.authorization, `Bearer ${secretOf("OPENAI_EU_KEY")}`);
  assert.deepEqual([sent["anthropic-beta"], sent["openai-beta"]], [undefined, "responses=v1"], "what this dialect does not know stays here");
  const all = JSON.stringify(sent);
  for (const word of [key, "meridian", "portkey", "helicone", "session=1", "stainless", "org-caller", "9.9.9.9"]) {
    assert.ok(!all.replace("meridian.example.com", "").includes(word), `${word} reached the provider: ${all}`);
  }
});

// The way out's own: Node's fetch and workerd add them.
const RUNTIME = ["host", "connection", "content-length", "transfer-encoding", "accept-encoding", "accept-language", "sec-fetch-mode", "user-agent", "cf-worker", "x-simulated-host"];

test("field_23 field_19 no other header than those on the list reaches a provider", async () => {
  const invented = Object.fromEntries(["x-new", "accept-charset", "x-api-version", "openai-project", "api-key", "x-goog-api-key", "proxy-authorization", "forwarded", "via", "referer", "origin", "traceparent", "meridian-zone", "x-portkey-api-key"].map((name) => [name, name === "meridian-zone" ? "us" : "caller-value"]));
  const meant = { accept: "text/x", "openai-beta": "responses=v1", "anthropic-beta": "claude-code-20250219" };
  for (const [path, model, beta, credential, secret] of [["/v1/chat/completions", "gpt-4.1", "openai-beta", "authorization", `Bearer ${secretOf("OPENAI_US_KEY")}`], ["/v1/messages", "claude-sonnet", "anthropic-beta", "x-api-key", secretOf("ANTHROPIC_US_KEY")]]) {
    for (const own of [{}, { authorization: "", "x-api-key": key }, { "x-api-key": "sk-of-the-caller" }]) {
      await gateway.reset();
      await (await post("US", path, JSON.stringify({ model, max_tokens: 5, messages: [{ role: "user", content: "hi" }] }), { ...invented, ...meant, ...own })).text();
      const [{ headers: sent }] = gateway.simulator.log;
      const names = Object.keys(sent).filter((name) => !RUNTIME.includes(name));
      assert.deepEqual(names.sort(), ["accept", "anthropic-version", "content-type", beta, credential].sort());
      assert.equal(sent[credential], secret);
      assert.doesNotMatch(JSON.stringify(sent), /caller|mk_/);
    }
  }
});

// An error that quotes the credential it was sent, however it is dressed.
const quoting = (secret) => ({ error: { type: "invalid_request_error", message: `Incorrect API key provided: ${secret}` } });
const ECHOES = {
  "as JSON": (secret) => ({ body: quoting(secret) }),
  "as text": (secret) => ({ body: `bad key ${secret}`, content_type: "text/plain" }),
  "as an event stream": (secret) => ({ body: `data: ${JSON.stringify(quoting(secret))}\n\n`, content_type: "text/event-stream" }),
  "in the request id": (secret) => ({ headers: { "x-request-id": secret, "request-id": secret, "retry-after": secret } }),
};
const ECHOED_AT = [
  ["DE", "/v1/chat/completions", "gpt-mini", "eu.api.openai.com", "OPENAI_EU_KEY"],
  ["US", "/v1/messages", "claude-opus", "api.anthropic.com", "ANTHROPIC_US_KEY"],
];
for (const [how, fault] of Object.entries(ECHOES)) {
  test(`field_23 a provider that quotes its credential ${how} is not passed on`, async () => {
    const leaks = [];
    for (const [country, path, model, host, name] of ECHOED_AT) {
      for (const status of [200, 400, 401, 403, 404, 422, 429, 500]) {
        // A good reply in a stream is passed on as it comes, unread.
        if (status === 200 && how === "as an event stream") continue;
        for (const stream of [false, true]) {
          await gateway.reset();
          gateway.simulator.fault({ host, times: 0, fault: { status, ...fault(secretOf(name)) } });
          const response = await post(country, path, JSON.stringify({ model, max_tokens: 5, stream, messages: [{ role: "user", content: "hi" }] }));
          const seen = JSON.stringify([...response.headers]) + await response.text();
          assert.ok(gateway.simulator.log.some((entry) => entry.host === host));
          if (seen.includes(secretOf(name))) leaks.push(`${name}: status ${status}${stream ? ", stream" : ""}`);
        }
      }
    }
    assert.deepEqual(leaks, []);
  });
}

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
    await gateway.reset();
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
