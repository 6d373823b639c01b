// Each answered or refused call has a receipt that any JOSE library can check.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { compactVerify, createLocalJWKSet } from "jose";
import { receiptKeys, ROOT, startGateway } from "./gateway.mjs";

let gateway, key, keys;
before(async () => {
  gateway = await startGateway();
  key = await gateway.key();
  keys = await (await fetch(`${gateway.url}/.well-known/jwks.json`)).json();
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

async function call(country, { model = "claude-sonnet", stream = false, apiKey = key, path = "/v1/messages" } = {}) {
  const response = await gateway.from(country, "VIE")(gateway.url + path, {
    method: "POST",
    headers: { "x-api-key": apiKey, "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model, max_tokens: 5, stream, messages: [{ role: "user", content: "PROMPT-CANARY" }] }),
  });
  await response.text();
  return response;
}
async function read(token) {
  const { payload, protectedHeader } = await compactVerify(token, createLocalJWKSet(keys));
  assert.equal(protectedHeader.alg, "EdDSA");
  return JSON.parse(new TextDecoder().decode(payload));
}
const receipt = (response) => read(response.headers.get("meridian-receipt"));

test("the published keys are public", () => {
  assert.equal(keys.keys.length, 1);
  assert.deepEqual(Object.keys(keys.keys[0]).sort(), ["alg", "crv", "kid", "kty", "use", "x"]);
  const { d } = JSON.parse(receiptKeys()).keys[0];
  assert.ok(d && !JSON.stringify(keys).includes(d));
});

for (const stream of [false, true]) {
  test(`an answered call's receipt says what was decided and where it went${stream ? ", streaming" : ""}`, async () => {
    gateway.simulator.fault({ host: "bedrock-runtime.eu-central-1.amazonaws.com", fault: { status: 503 } });
    const response = await call("AT", { stream });
    const said = await receipt(response);
    const { jti, iat, country, colo, zone, zone_reason, map, model, attempts, outcome, status } = said;
    assert.equal(jti, response.headers.get("meridian-request-id"));
    assert.ok(Math.abs(iat - Date.now() / 1000) < 30);
    assert.deepEqual([country, colo, zone, zone_reason], ["AT", "VIE", "eu", "the caller is in AT, which is in eu"]);
    assert.deepEqual([map, model, outcome, status], [response.headers.get("meridian-map"), "claude-sonnet-4-6", "answered", 200]);
    assert.deepEqual(attempts.map((one) => [one.endpoint, one.hosting, one.guarantee]), [["bedrock-frankfurt", "eu", "processing"], ["bedrock-ireland", "eu", "processing"]]);
    assert.deepEqual(attempts.map((one) => one.host), gateway.simulator.log.map((entry) => entry.host));
    assert.doesNotMatch(JSON.stringify(said), /CANARY|mk_|search/);
    const row = await gateway.row(jti);
    assert.equal(row.receipt, response.headers.get("meridian-receipt"), "kept with the row");
  });
}

test("a refused call has one too, but not a stranger's", async () => {
  const refused = await call("US", { apiKey: await gateway.key({ zone: "eu" }) });
  const said = await receipt(refused);
  assert.deepEqual([said.outcome, said.status, said.error, said.attempts], ["refused", 403, "zones_clash", []]);
  assert.equal((await gateway.row(said.jti)).receipt, refused.headers.get("meridian-receipt"));
  const stranger = await call("US", { apiKey: "mk_nobody" });
  assert.deepEqual([stranger.status, stranger.headers.get("meridian-receipt")], [401, null]);
  gateway.simulator.fault({ times: 0, fault: { garbage: true } });
  const failed = await receipt(await call("AT"));
  assert.deepEqual([failed.outcome, failed.error, failed.attempts.length], ["refused", "provider_malformed", 2]);
});

test("meridian verify tells a genuine receipt from any other", async () => {
  const jwks = join(tmpdir(), `jwks-${process.pid}.json`);
  writeFileSync(jwks, JSON.stringify(keys));
  const verify = (token, file = jwks) => spawnSync(join(ROOT, "target/debug/meridian"), ["verify", token, "--jwks", file], { encoding: "utf8" });
  const token = (await call("AT")).headers.get("meridian-receipt");
  const genuine = verify(token);
  assert.equal(genuine.status, 0, genuine.stderr);
  assert.match(genuine.stdout, /✓ genuine[\s\S]*country AT, gateway in VIE[\s\S]*zone +eu[\s\S]*sent to +bedrock-frankfurt .* in eu, processing/);
  const [head, payload, signature] = token.split(".");
  const other = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(payload, "base64url")), country: "US" })).toString("base64url");
  for (const forged of [[head, other, signature], [head, payload, Buffer.alloc(64).toString("base64url")], [head, payload, ""]]) {
    const told = verify(forged.join("."));
    assert.equal(told.status, 1);
    assert.match(told.stderr, /NOT GENUINE/);
  }
  assert.match(verify("nonsense").stderr, /no receipt/);
  const strange = join(tmpdir(), `jwks-${process.pid}-other.json`);
  writeFileSync(strange, JSON.stringify({ keys: [{ ...keys.keys[0], kid: "other" }] }));
  assert.match(verify(token, strange).stderr, /no key is called/);
});

test("a key that was replaced still verifies what it signed", async () => {
  const file = join(tmpdir(), `jwks-${process.pid}.json`);
  writeFileSync(file, JSON.stringify(keys));
  const token = (await call("AT")).headers.get("meridian-receipt");
  const made = spawnSync(join(ROOT, "target/debug/meridian"), ["receipts", "keygen", "--keep", file], { encoding: "utf8" });
  const next = await startGateway({ vars: { RECEIPT_KEYS: made.stdout.trim() } });
  try {
    const published = await (await fetch(`${next.url}/.well-known/jwks.json`)).json();
    assert.equal(published.keys.length, 2);
    assert.doesNotMatch(JSON.stringify(published), /"d"/);
    await compactVerify(token, createLocalJWKSet(published));
  } finally {
    await next.close();
  }
});

test("without a key there are no receipts, and everything else works", async () => {
  const bare = await startGateway({ vars: { RECEIPT_KEYS: "" } });
  try {
    const apiKey = await bare.key();
    const response = await bare.from("AT")(`${bare.url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": apiKey, "anthropic-version": "2023-06-01" },
      body: JSON.stringify({ model: "claude-sonnet", max_tokens: 5, messages: [{ role: "user", content: "hi" }] }),
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("meridian-receipt"), null);
    await response.text();
    assert.equal((await bare.row(response.headers.get("meridian-request-id"))).receipt, null);
  } finally {
    await bare.close();
  }
});
