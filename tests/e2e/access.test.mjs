// People who come through Cloudflare Access: only a token that the team has
// really signed, for this application, that is still good, names anybody.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { startGateway } from "./gateway.mjs";

const TEAM = "acme.cloudflareaccess.com";
const AUDIENCE = "app-tag";
let gateway, signing, stranger, secondKey, published, asked, down;
before(async () => {
  signing = await generateKeyPair("RS256");
  secondKey = await generateKeyPair("RS256");
  stranger = await generateKeyPair("RS256");
  published = [{ ...(await exportJWK(signing.publicKey)), kid: "k1", alg: "RS256", use: "sig" }];
  gateway = await startGateway({ vars: { ACCESS_TEAM: TEAM, ACCESS_AUDIENCE: AUDIENCE } });
  // The team's keys, instead of the simulator.
  const real = globalThis.fetch;
  asked = 0;
  globalThis.fetch = (input, init) => {
    const url = new URL(input.url ?? input);
    if (url.hostname !== TEAM) return real(input, init);
    asked += 1;
    assert.equal(url.pathname, "/cdn-cgi/access/certs");
    if (down) return new Promise((resolve) => setTimeout(() => resolve(new Response("away", { status: 502 })), 50));
    return Promise.resolve(Response.json({ keys: published }));
  };
  await gateway.env.KEYS.put("admin:person:anna@example.com", JSON.stringify({ id: "", who: "anna@example.com", roles: ["compliance"], created: "2026-11-20T00:00:00Z" }));
});
after(() => gateway.close());

const claims = { email: "Anna@example.com", type: "app" };
const token = ({ key = signing.privateKey, kid = "k1", alg = "RS256", iss = `https://${TEAM}`, aud = [AUDIENCE], exp = "5m", more = {} } = {}) =>
  new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg, kid }).setIssuedAt().setIssuer(iss).setAudience(aud).setExpirationTime(exp).sign(key);
const whoami = async (assertion) => {
  const response = await fetch(`${gateway.url}/admin/v1/whoami`, { headers: { "cf-access-jwt-assertion": assertion } });
  return { status: response.status, body: await response.json() };
};

test("guard_access keys that cannot be had are not asked for with each request", async () => {
  down = true;
  const one = await token();
  const many = await Promise.all(Array.from({ length: 20 }, () => whoami(one)));
  assert.deepEqual(new Set(many.map(({ status }) => status)), new Set([503]));
  assert.equal(asked, 1, "one at a time");
  const until = Date.now() + 4_000;
  let sent = 0;
  for (; Date.now() < until; sent++) assert.equal((await whoami(await token({ kid: `k${sent}` }))).status, 503);
  assert.ok(sent > 50 && asked <= 4, `${asked} times for ${sent} requests`);
  down = false;
  const began = Date.now();
  while ((await whoami(await token())).status !== 200 && Date.now() - began < 20_000) await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal((await whoami(await token())).status, 200, "and once they can be had again, they are");
  asked = 1;
});

test("a genuine token names its holder, with the roles of the key store", async () => {
  const { status, body } = await whoami(await token());
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.who, body.via, body.roles], ["anna@example.com", "access", ["compliance"]]);
  await whoami(await token());
  assert.equal(asked, 1, "the team's keys are remembered");
});

test("every other token is refused", async () => {
  const good = await token();
  const [head, payload, signature] = good.split(".");
  const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const spki = await exportSPKI(signing.publicKey);
  // The public key taken for an HMAC secret: the classic confusion.
  const hs = `${encoded({ alg: "HS256", kid: "k1" })}.${payload}`;
  const refused = {
    "signed by somebody else": await token({ key: stranger.privateKey }),
    "a key the team does not have": await token({ kid: "k9" }),
    "another audience": await token({ aud: ["other"] }),
    "another team": await token({ iss: "https://evil.cloudflareaccess.com" }),
    "expired": await token({ exp: Math.floor(Date.now() / 1000) - 120 }),
    "not valid yet": await token({ more: { nbf: Math.floor(Date.now() / 1000) + 600 } }),
    "altered claims": `${head}.${encoded({ ...JSON.parse(Buffer.from(payload, "base64url")), email: "bert@example.com" })}.${signature}`,
    "without a signature": `${encoded({ alg: "none", kid: "k1" })}.${payload}.`,
    "HMAC with the public key": `${hs}.${createHmac("sha256", spki).update(hs).digest("base64url")}`,
    "no token": "nonsense",
  };
  for (const [how, assertion] of Object.entries(refused)) {
    const { status, body } = await whoami(assertion);
    assert.deepEqual([status, body.error?.code], [401, "not_known"], how);
  }
});

test("somebody without a role gets nothing", async () => {
  const { status, body } = await whoami(await token({ more: { email: "eve@example.com" } }));
  assert.equal(status, 401);
  assert.match(body.error.message, /eve@example.com has no role here/);
});

test("a new key of the team is found, but not asked for with every bad token", async () => {
  const before = asked;
  published = [...published, { ...(await exportJWK(secondKey.publicKey)), kid: "k2", alg: "RS256", use: "sig" }];
  for (let i = 0; i < 5; i++) assert.equal((await whoami(await token({ key: secondKey.privateKey, kid: "k2" }))).status, 401);
  assert.ok(asked <= before + 1, "asked at most once a minute");
});
