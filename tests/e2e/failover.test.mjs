// When a provider breaks, the next endpoint inside the zone is tried, and never
// one outside it.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { startGateway } from "./gateway.mjs";

let gateway, key;
before(async () => {
  gateway = await startGateway({ without: ["BEDROCK_UK_KEY", "MISTRAL_US_KEY"] });
  key = await gateway.key();
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

const FRANKFURT = "bedrock-runtime.eu-central-1.amazonaws.com";
const IRELAND = "bedrock-runtime.eu-west-1.amazonaws.com";
const hosts = () => gateway.simulator.log.map((entry) => entry.host);

async function call(country, { route = "anthropic", stream = false, model: asked } = {}) {
  const [path, model] = route === "openai" ? ["/v1/chat/completions", asked ?? "gpt-mini"] : ["/v1/messages", "claude-sonnet"];
  const response = await gateway.from(country)(gateway.url + path, {
    method: "POST",
    headers: { "x-api-key": key, "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model, stream, max_tokens: 10, messages: [{ role: "user", content: "hi" }] }),
  });
  return { response, text: await response.text() };
}

for (const fault of [{ status: 500 }, { status: 503 }, { status: 529 }, { status: 429 }, { status: 408 }, { refuse_connection: true }, { status: 401 }]) {
  test(`field_12 field_16 ${JSON.stringify(fault)}: the next endpoint of the zone answers`, async () => {
    for (const stream of [false, true]) {
      await gateway.reset();
      gateway.simulator.fault({ host: FRANKFURT, fault });
      const { response } = await call("DE", { stream });
      assert.equal(response.status, 200);
      assert.deepEqual(hosts(), [FRANKFURT, IRELAND]);
      assert.equal(response.headers.get("meridian-served-by"), "bedrock-ireland");
      assert.equal(response.headers.get("meridian-attempts"), "2");
      const row = await gateway.row(response.headers.get("meridian-request-id"));
      assert.deepEqual([row.attempts, row.endpoint, row.outcome], [2, "bedrock-ireland", "ok"]);
    }
  });
}

test("field_16 the caller's own mistake is not tried elsewhere", async () => {
  gateway.simulator.fault({ fault: { status: 400 } });
  const { response, text } = await call("DE");
  assert.equal(response.status, 400);
  assert.equal(JSON.parse(text).error.type, "invalid_request_error");
  assert.deepEqual(hosts(), [FRANKFURT]);
  const row = await gateway.row(response.headers.get("meridian-request-id"));
  assert.deepEqual([row.outcome, row.attempts, row.cost_nano], ["provider_error", 1, 0]);
});

test("when all fail, the last provider's own error is told", async () => {
  for (const stream of [false, true]) {
    await gateway.reset();
    gateway.simulator.fault({ host: FRANKFURT, times: 0, fault: { status: 500 } });
    gateway.simulator.fault({ host: IRELAND, times: 0, fault: { status: 529, headers: { "retry-after": "7" } } });
    const { response, text } = await call("DE", { stream });
    assert.equal(response.status, 529);
    assert.equal(JSON.parse(text).error.type, "overloaded_error");
    assert.equal(response.headers.get("retry-after"), "7");
    assert.deepEqual(hosts(), [FRANKFURT, IRELAND]);
    assert.equal(response.headers.get("meridian-attempts"), "2");
    const row = await gateway.row(response.headers.get("meridian-request-id"));
    assert.deepEqual([row.outcome, row.error, row.attempts, row.endpoint, row.cost_nano], ["provider_error", "provider_529", 2, "bedrock-ireland", 0]);
  }
});

test("a whole reply has its provider's error also where no other endpoint is left", async () => {
  gateway.simulator.fault({ times: 0, fault: { status: 429, headers: { "retry-after": "3" } } });
  const { response, text } = await call("DE", { route: "openai" });
  assert.deepEqual([response.status, response.headers.get("retry-after")], [429, "3"]);
  assert.ok(JSON.parse(text).error.message);
  assert.deepEqual(hosts(), ["eu.api.openai.com"]);
});

test("when none gives an answer, the refusal names what was tried", async () => {
  gateway.simulator.fault({ times: 0, fault: { garbage: true } });
  const { response, text } = await call("DE");
  assert.equal(response.status, 502);
  assert.match(JSON.parse(text).error.message, /bedrock-frankfurt \(malformed response\), bedrock-ireland \(malformed response\)/);
  assert.equal(response.headers.get("meridian-attempts"), "2");
  const row = await gateway.row(response.headers.get("meridian-request-id"));
  assert.deepEqual([row.status, row.error, row.outcome, row.attempts], [502, "provider_malformed", "failed", 2]);
});


test("field_12 a stream whose first event is an error: the next endpoint answers", async () => {
  gateway.simulator.fault({ host: FRANKFURT, fault: { error_at_chunk: 0 } });
  const { response, text } = await call("DE", { stream: true });
  assert.deepEqual(hosts(), [FRANKFURT, IRELAND]);
  assert.equal(response.headers.get("meridian-served-by"), "bedrock-ireland");
  assert.match(text, /message_stop/);
});

test("field_13 a stream that breaks before its first content: the next endpoint answers", async () => {
  for (const fault of [{ error_at_chunk: 1 }, { cut_at_byte: 100 }]) {
    await gateway.reset();
    gateway.simulator.fault({ host: FRANKFURT, fault });
    const { text } = await call("DE", { stream: true });
    assert.deepEqual(hosts(), [FRANKFURT, IRELAND], JSON.stringify(fault));
    assert.match(text, /message_stop/);
  }
});

test("field_18 a provider that does not serve the gateway's country is reported as that", async () => {
  const body = { error: { code: "unsupported_country_region_territory", message: "Country, region, or territory not supported", type: "request_forbidden" } };
  gateway.simulator.fault({ times: 0, fault: { status: 403, body } });
  const { text } = await call("DE", { route: "openai" });
  assert.doesNotMatch(text, /credential|secret/);
  assert.match(text, /country|region/i);
});

test("a whole reply that is no JSON is tried elsewhere, for nothing has reached the client", async () => {
  gateway.simulator.fault({ host: FRANKFURT, fault: { garbage: true } });
  const { response } = await call("DE");
  assert.equal(response.headers.get("meridian-served-by"), "bedrock-ireland");
});

test("an endpoint without its secret is passed over", async () => {
  const { response } = await call("GB");
  assert.equal(response.headers.get("meridian-served-by"), "bedrock-frankfurt");
  assert.equal(response.headers.get("meridian-attempts"), "1");
  assert.deepEqual(hosts(), [FRANKFURT]);
});

test("when the only endpoint has no secret, the refusal names it", async () => {
  const { response, text } = await call("US", { route: "openai", model: "mistral-small" });
  assert.deepEqual([response.status, JSON.parse(text).error.code], [502, "endpoint_not_configured"]);
  assert.match(text, /MISTRAL_US_KEY/);
  assert.deepEqual(hosts(), []);
  const row = await gateway.row(response.headers.get("meridian-request-id"));
  assert.deepEqual([row.outcome, row.attempts, row.cost_nano], ["refused", 0, 0]);
});

test("field_17 whatever fails, nothing leaves the zone", async () => {
  const allowed = {
    DE: /^(eu\.api\.openai\.com|api\.eu\.mistral\.ai|bedrock-runtime\.eu-(central|west)-1\.amazonaws\.com)$/,
    CH: /^(eu\.api\.openai\.com|bedrock-runtime\.eu-(central|west)-1\.amazonaws\.com)$/,
    GB: /^(eu\.api\.openai\.com|bedrock-runtime\.eu-(central-1|west-1|west-2)\.amazonaws\.com)$/,
    US: /^(us\.api\.openai\.com|api\.us\.mistral\.ai|api\.anthropic\.com|bedrock-runtime\.us-east-1\.amazonaws\.com)$/,
    JP: /^(jp\.api\.openai\.com|bedrock-runtime\.ap-northeast-1\.amazonaws\.com)$/,
    T1: /^(eu\.api\.openai\.com|bedrock-runtime\.eu-(central|west)-1\.amazonaws\.com)$/,
  };
  const faults = [{ status: 500 }, { status: 429 }, { status: 401 }, { status: 307, body: "", headers: { location: "https://api.openai.com/" } }, { refuse_connection: true }, { cut_at_byte: 50 }, { garbage: true }, { error_at_chunk: 0 }];
  let contacted = 0;
  for (const [country, pattern] of Object.entries(allowed)) {
    for (const fault of faults) {
      for (const route of ["openai", "anthropic"]) {
        for (const stream of [false, true]) {
          await gateway.reset();
          gateway.simulator.fault({ times: 0, fault });
          await call(country, { route, stream }).catch(() => {});
          for (const host of hosts()) assert.match(host, pattern, `${country} ${JSON.stringify(fault)} ${route}`);
          contacted += hosts().length;
        }
      }
    }
  }
  assert.ok(contacted >= 192, `only ${contacted} requests were sent`);
});
