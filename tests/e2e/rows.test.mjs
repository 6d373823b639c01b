// What a request leaves behind: one row, in the right database, with the right
// numbers, and no word of what was said.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { startGateway, STORES } from "./gateway.mjs";

let gateway, key;
before(async () => {
  gateway = await startGateway();
  key = await gateway.key({ tags: { environment: "prod" } });
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

async function call(country, route, body = {}, { headers = {}, apiKey = key } = {}) {
  const [path, base] = route === "openai" ? ["/v1/chat/completions", { model: "gpt-4.1" }] : ["/v1/messages", { model: "claude-sonnet", max_tokens: 20 }];
  const response = await gateway.from(country)(gateway.url + path, {
    method: "POST",
    headers: { "x-api-key": apiKey, "anthropic-version": "2023-06-01", "content-type": "application/json", ...headers },
    body: JSON.stringify({ ...base, messages: [{ role: "user", content: "hi" }], ...body }),
  });
  const text = await response.text();
  return { response, text, row: await gateway.row(response.headers.get("meridian-request-id")) };
}

test("a row says who, where, why, what and how much", async () => {
  const { row, response } = await call("FR", "openai", {}, { headers: { "meridian-tags": "feature=summaries, environment=qa, ticket=42" } });
  const { team, feature, environment, tags, country, colo, zone, zone_reason, endpoint, hosting, model_asked, model, model_served, outcome, status, attempts, store } = row;
  assert.deepEqual(
    { team, feature, environment, tags, country, colo, zone, endpoint, hosting, model_asked, model, model_served, outcome, status, attempts, store },
    { team: "search", feature: "summaries", environment: "prod", tags: '{"ticket":"42"}', country: "FR", colo: "FRA", zone: "eu", endpoint: "openai-eu", hosting: "eu", model_asked: "gpt-4.1", model: "gpt-4.1", model_served: "gpt-4.1-2025-04-14", outcome: "ok", status: 200, attempts: 1, store: "USAGE_EU" },
  );
  assert.equal(zone_reason, "the caller is in FR, which is in eu");
  assert.match(row.id, /^[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.ok(Math.abs(Date.now() - row.at) < 10_000 && row.duration_ms < 10_000 && row.first_byte_ms <= row.duration_ms);
  assert.ok(key.startsWith(`mk_${row.key_id}_`) && !JSON.stringify(row).includes(key));
  assert.deepEqual([row.dialect, row.stream, row.map], ["openai-chat", 0, response.headers.get("meridian-map")]);
  for (const [header, column] of [["zone", "zone"], ["zone-reason", "zone_reason"], ["served-by", "endpoint"], ["hosting", "hosting"]]) {
    assert.equal(response.headers.get(`meridian-${header}`), row[column]);
  }
});

for (const [country, store] of [["DE", "USAGE_EU"], ["GB", "USAGE_EU"], ["CH", "USAGE_EU"], ["US", "USAGE_US"], ["JP", "USAGE_WORLD"], ["T1", "USAGE_EU"], ["XX", "USAGE_EU"], [undefined, "USAGE_EU"]]) {
  test(`the row of a caller from ${country ?? "nowhere"} is in ${store} and nowhere else`, async () => {
    const { row } = await call(country, "openai");
    assert.equal(row.store, store);
    for (const other of STORES.filter((name) => name !== store)) {
      assert.equal(await gateway.env[other].prepare("SELECT id FROM usage WHERE id = ?").bind(row.id).first(), null);
    }
  });
}

// Dollars a million tokens, by hand from prices.toml; integers all the way.
const nano = (parts, uplift = 0) => Number((parts.reduce((sum, [tokens, dollars]) => sum + BigInt(tokens) * BigInt(Math.round(dollars * 1e9)), 0n) * BigInt(100 + uplift) + 50_000_000n) / 100_000_000n);

for (const stream of [false, true]) {
  test(`field_08 field_09 OpenAI's usage and cost, ${stream ? "streamed" : "whole"}`, async () => {
    const usage = { prompt_tokens: 1000, completion_tokens: 200, prompt_tokens_details: { cached_tokens: 600 }, completion_tokens_details: { reasoning_tokens: 150 } };
    gateway.simulator.fault({ fault: { usage } });
    const { row } = await call("US", "openai", { stream });
    assert.deepEqual([row.input, row.cache_read, row.output, row.reasoning, row.estimated], [400, 600, 200, 150, 0]);
    assert.equal(row.cost_nano, nano([[400, 2], [600, 0.5], [200, 8]]));
  });

  test(`field_09 field_11 Anthropic's usage and cost with the US premium, ${stream ? "streamed" : "whole"}`, async () => {
    const usage = { input_tokens: 100, cache_read_input_tokens: 1000, cache_creation_input_tokens: 300, cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 100 }, output_tokens: 50 };
    gateway.simulator.fault({ fault: { usage } });
    const { row } = await call("US", "anthropic", { stream });
    assert.deepEqual([row.input, row.cache_read, row.cache_write_5m, row.cache_write_1h, row.output], [100, 1000, 200, 100, 50]);
    assert.equal(row.cost_nano, nano([[100, 3], [1000, 0.3], [200, 3.75], [100, 6], [50, 15]], 10));
  });
}

test("field_11 the premium goes with the host, and a part of a nano-dollar is rounded", async () => {
  const usage = { prompt_tokens: 7, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 3 } };
  // gpt-5.4-mini costs 10 % more in the EU and in Japan, gpt-4.1 nowhere; a cached gpt-5-mini token has a fraction.
  for (const [country, model, parts, uplift] of [
    ["DE", "gpt-mini", [[4, 0.75], [3, 0.075], [1, 4.5]], 10],
    ["JP", "gpt-mini", [[4, 0.75], [3, 0.075], [1, 4.5]], 10],
    ["DE", "gpt-4.1", [[4, 2], [3, 0.5], [1, 8]], 0],
    ["US", "gpt-5-mini", [[4, 0.25], [3, 0.025], [1, 2]], 0],
    ["DE", "mistral-large", [[4, 0.5], [3, 0.05], [1, 1.5]], 10],
  ]) {
    gateway.simulator.fault({ fault: { usage } });
    const { row } = await call(country, "openai", { model });
    assert.equal(row.cost_nano, nano(parts, uplift), `${model} in ${country}`);
    await gateway.reset();
  }
});

test("field_08 cache writes without a split by duration are of the short kind", async () => {
  const usage = { input_tokens: 10, cache_creation_input_tokens: 500, output_tokens: 5 };
  const message = { type: "message", model: "m", content: [], stop_reason: "end_turn", usage };
  const events = [{ type: "message_start", message: { ...message, usage: { ...usage, output_tokens: 1 } } }, { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } }, { type: "message_stop" }];
  const streamed = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
  for (const stream of [false, true]) {
    gateway.simulator.fault({ fault: stream ? { body: streamed, content_type: "text/event-stream" } : { body: message } });
    const { row } = await call("DE", "anthropic", { stream });
    assert.deepEqual([row.input, row.cache_write_5m, row.cache_write_1h, row.output, row.estimated], [10, 500, 0, 5, 0]);
    assert.equal(row.cost_nano, nano([[10, 3], [500, 3.75], [5, 15]], 10));
  }
});

test("a reply without usage is estimated and says so", async () => {
  for (const stream of [false, true]) {
    gateway.simulator.fault({ fault: { omit_usage: true } });
    const { row } = await call("US", "openai", { stream });
    assert.equal(row.estimated, 1);
    assert.ok(row.input > 0 && row.output > 0 && row.cost_nano > 0);
  }
});

test("a tier whose price is not known is unpriced, not free", async () => {
  gateway.simulator.fault({ fault: { usage: { service_tier: "priority" } } });
  const { row } = await call("US", "anthropic");
  assert.deepEqual([row.tier, row.cost_nano], ["priority", null]);
});

test("tags of every gateway's clients are understood, and the key's win", async () => {
  const headers = { "x-litellm-tags": "beta", "x-portkey-metadata": '{"run":7}', "Helicone-Property-Session": "s1", "cf-aig-metadata": '{"canary":true}', "meridian-tags": "team=thieves" };
  const { row } = await call("US", "openai", { metadata: { feature: "from-the-body", environment: "qa", other: "not kept" } }, { headers });
  assert.deepEqual([row.team, row.feature, row.environment], ["search", "from-the-body", "prod"]);
  assert.deepEqual(JSON.parse(row.tags), { beta: "true", run: "7", session: "s1", canary: "true" });
});

test("each way to send a tag works alone", async () => {
  const ways = [
    ["meridian-tags", "feature=f1, environment=qa"],
    ["x-litellm-tags", "feature:f1,environment:qa"],
    ["x-portkey-metadata", '{"feature":"f1","environment":"qa"}'],
    ["cf-aig-metadata", '{"feature":"f1","environment":"qa"}'],
  ];
  const apiKey = await gateway.key();
  for (const [name, value] of ways) {
    const { row } = await call("US", "anthropic", {}, { headers: { [name]: value }, apiKey });
    assert.deepEqual([row.feature, row.environment, row.tags], ["f1", "qa", "{}"], name);
  }
  const { row } = await call("US", "openai", {}, { headers: { "Helicone-Property-Feature": "f1", "Helicone-Property-Environment": "qa" }, apiKey });
  assert.deepEqual([row.feature, row.environment], ["f1", "qa"]);
});

test("refused and failed calls of a known key leave a row too", async () => {
  const refused = await call("US", "openai", { model: "none" });
  assert.deepEqual([refused.row.outcome, refused.row.error, refused.row.status, refused.row.cost_nano, refused.row.attempts], ["refused", "model_not_found", 404, 0, 0]);
  const clash = await call("US", "openai", {}, { apiKey: await gateway.key({ zone: "eu" }) });
  assert.deepEqual([clash.row.error, clash.row.store], ["zones_clash", "USAGE_EU"]);
  const unserved = await call("JP", "openai", { model: "mistral-large" });
  assert.deepEqual([unserved.row.error, unserved.row.store, unserved.row.zone, unserved.row.cost_nano], ["no_endpoint_in_zone", "USAGE_WORLD", "jp", 0]);
  const garbled = await call("DE", "openai", { messages: 5 });
  assert.deepEqual([garbled.row.error, garbled.row.store, garbled.row.status], ["invalid_type", "USAGE_EU", 400]);
  const tagged = await call("US", "openai", {}, { headers: { "meridian-tags": "nonsense" } });
  assert.deepEqual([tagged.row.outcome, tagged.row.error, tagged.row.team], ["refused", "invalid_tags", "search"]);
  gateway.simulator.fault({ fault: { status: 400 } });
  const bad = await call("US", "openai");
  assert.deepEqual([bad.row.outcome, bad.row.error, bad.row.endpoint], ["provider_error", "provider_400", "openai-us"]);
  const rows = async () => (await Promise.all(STORES.map((name) => gateway.env[name].prepare("SELECT count(*) AS n FROM usage").first()))).reduce((sum, { n }) => sum + n, 0);
  const before = await rows();
  await gateway.from("US")(`${gateway.url}/v1/chat/completions`, { method: "POST", headers: { "x-api-key": "mk_of_nobody" }, body: "{}" });
  await gateway.from("US")(`${gateway.url}/v1/models`, { headers: { "x-api-key": key } });
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(await rows(), before, "nobody's calls and listings leave none");
});

test("thirty calls at once leave thirty rows", async () => {
  const count = async () => (await gateway.env.USAGE_US.prepare("SELECT count(*) AS n FROM usage").first()).n;
  const before = await count();
  const calls = await Promise.all(Array.from({ length: 30 }, (_, i) => call("US", i % 2 ? "openai" : "anthropic", { stream: i % 3 === 0 })));
  assert.equal(new Set(calls.map(({ row }) => row.id)).size, 30);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(await count(), before + 30);
});

test("no word of a prompt or an answer is kept anywhere", async () => {
  const said = { prompt: "PROMPT-CANARY-7391", answer: "ANSWER-CANARY-5528" };
  for (const stream of [false, true]) {
    for (const route of ["openai", "anthropic"]) {
      gateway.simulator.fault({ fault: { text: said.answer } });
      const { text } = await call("US", route, { stream, messages: [{ role: "user", content: said.prompt }] });
      assert.match(text, /ANSWER-CANARY/);
      gateway.simulator.fault({ fault: { cut_at_byte: 500, text: said.answer } });
      await call("US", route, { stream, messages: [{ role: "user", content: said.prompt }] }).catch(() => {});
      await call("US", route, { stream, messages: said.prompt });
      gateway.simulator.fault({ times: 2, fault: { status: 400, body: { error: { message: `no: ${said.prompt}`, type: said.prompt, code: said.prompt } } } });
      await call("US", route, { stream, messages: [{ role: "user", content: said.prompt }], metadata: { user_id: said.prompt, note: said.prompt } });
      await gateway.reset();
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  const kept = [JSON.stringify(gateway.harness.getLogs())];
  for (const store of STORES) kept.push(JSON.stringify((await gateway.env[store].prepare("SELECT * FROM usage").all()).results));
  for (const word of Object.values(said)) assert.ok(!kept.join().includes(word), `${word} was kept`);
});
