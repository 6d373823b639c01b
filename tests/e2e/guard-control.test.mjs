// The control side fails closed, no caller's words judge an endpoint, and
// strangers cost little.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { approval, ROOT, startGateway } from "./gateway.mjs";

let gateway, anna, bert, otto, folder;
before(async () => {
  gateway = await startGateway();
  anna = await gateway.admin("anna@example.com", "compliance");
  bert = await gateway.admin("bert@example.com", "compliance");
  otto = await gateway.admin("otto@example.com", "operator");
});
after(() => gateway.close());
beforeEach(async () => {
  await gateway.reset();
  if (folder) rmSync(folder, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), "guard-"));
  for (const name of ["regions", "gateway.toml", "prices.toml"]) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
});

const api = async (who, method, path, body) => {
  const headers = { authorization: `Bearer ${who}`, "content-type": "application/json" };
  const response = await fetch(`${gateway.url}/admin/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
};
function meridian(who, ...args) {
  return new Promise((resolve) => {
    const env = { ...process.env, MERIDIAN_URL: gateway.url, MERIDIAN_ADMIN_KEY: who };
    execFile(join(ROOT, "target/debug/meridian"), args, { cwd: folder, env }, (error, out, err) => resolve({ ok: !error, out, err }));
  });
}
// Makes the instance that serves look up map and limits afresh.
const look = () => api(otto, "GET", "map");
const messages = (key, more = {}, headers = {}) =>
  gateway.from("DE")(`${gateway.url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": key, "anthropic-version": "2023-06-01", ...headers },
    body: JSON.stringify({ model: "claude-sonnet", max_tokens: 5, messages: [{ role: "user", content: "hi" }], ...more }),
  });
const chat = (key) =>
  gateway.from("DE")(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "gpt-mini", max_tokens: 5, messages: [{ role: "user", content: "hi" }] }),
  });
async function notOverAMinute() {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 8_000) await new Promise((resolve) => setTimeout(resolve, left + 50));
}
const inForce = async () => (await api(otto, "GET", "map")).body.version;

test("guard_limits one entry that cannot be read: the third call of another team is refused all the same", async () => {
  const good = { scope: { team: "held" }, requests_per_minute: 2 };
  const broken = { scope: { team: "odd" }, requests_per_minut: 2 };
  await gateway.env.KEYS.put("limits", JSON.stringify({ broken, good }));
  await look();
  await notOverAMinute();
  const held = await gateway.key({ team: "held" });
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await chat(held)).status);
  assert.deepEqual(statuses, [200, 200, 429]);

  gateway.simulator.reset();
  const odd = await gateway.key({ team: "odd" });
  const refused = await chat(odd);
  const { error } = await refused.json();
  assert.deepEqual([refused.status, error.code], [503, "limit_unreadable"]);
  assert.match(error.message, /The limit `broken` may apply to this call/);
  const told = await (await messages(odd)).json();
  assert.deepEqual([told.type, told.error.type], ["error", "api_error"], JSON.stringify(told));
  assert.deepEqual(gateway.simulator.log, []);
  const row = await gateway.row(refused.headers.get("meridian-request-id"));
  assert.deepEqual([row.outcome, row.error], ["refused", "limit_unreadable"]);
  assert.equal((await chat(await gateway.key({ team: "others" }))).status, 200, "others are served");

  // Operators are told, and what cannot be read stays until it is mended.
  const { unread } = (await api(otto, "GET", "budgets")).body;
  assert.deepEqual(unread.map(({ name, scope }) => [name, scope]), [["broken", { team: "odd" }]]);
  const listed = await meridian(otto, "budget", "list");
  assert.match(listed.out, /^! the limit broken cannot be read \(unknown field `requests_per_minut`.*\): calls of team odd are refused until it is set anew or removed/);
  await meridian(otto, "budget", "set", "third", "--team", "third", "--concurrent", "5");
  assert.equal((await chat(odd)).status, 503);
  const mended = await meridian(otto, "budget", "remove", "broken");
  assert.ok(mended.ok, mended.err);
  assert.equal((await chat(odd)).status, 200);
  assert.equal((await chat(held)).status, 429);
});

test("guard_limits a set that cannot be read refuses all calls until it is removed", async () => {
  await gateway.env.KEYS.put("limits", "no json");
  await look();
  const key = await gateway.key({ team: "anybody" });
  assert.equal((await chat(key)).status, 503);
  assert.match((await meridian(otto, "budget", "list")).out, /^! the limits that were set cannot be read/);
  const set = await meridian(otto, "budget", "set", "x", "--concurrent", "5");
  assert.match(set.err, /meridian budget remove '\*'/);
  assert.ok((await meridian(otto, "budget", "remove", "*")).ok);
  assert.equal((await chat(key)).status, 200);
  await gateway.env.KEYS.delete("limits");
});

function edit(file, change) {
  const path = join(folder, file);
  writeFileSync(path, change(readFileSync(path, "utf8")));
}
async function proposed(why) {
  const { ok, out, err } = await meridian(anna, "publish", "--why", why);
  assert.ok(ok, err);
  const [id, , digest] = approval(out);
  return { id, digest };
}

test("guard_approve the digest that was looked at is approved, and no other", async () => {
  edit("regions/endpoints/bedrock.toml", (text) => text.replace("[bedrock-frankfurt]\n", '[bedrock-frankfurt]\noff = "an outage"\n'));
  const { id, digest } = await proposed("an outage");
  assert.match(digest, /^[0-9a-f]{64}$/);
  const before = await inForce();
  for (const [body, status, code] of [
    [{}, 400, "invalid"],
    [{ digest: digest.slice(0, 12) }, 409, "other_digest"],
    [{ digest: digest.replace(/.$/, (last) => (last === "0" ? "1" : "0")) }, 409, "other_digest"],
    [{ digest: before }, 409, "other_digest"],
  ]) {
    const refused = await api(bert, "POST", `drafts/${id}/approve`, body);
    assert.deepEqual([refused.status, refused.body.error.code], [status, code], JSON.stringify(refused.body));
  }
  const unsaid = await meridian(bert, "approve", id);
  assert.ok(!unsaid.ok);
  assert.match(unsaid.out, new RegExp(`loses bedrock-frankfurt[\\s\\S]*The digest of its map is ${digest}`));
  assert.match(unsaid.err, new RegExp(`say which map you mean, with --digest ${digest}: nothing is approved`));
  assert.match((await meridian(bert, "approve", id, "--digest", before)).err, /nothing is approved/);
  assert.equal(await inForce(), before);

  // What was proposed under its name stays what it was.
  const { AUDIT } = gateway.env;
  const evil = JSON.stringify({ ...JSON.parse((await AUDIT.prepare("SELECT map FROM maps WHERE version = ?").bind(digest).first()).map), version: "x" });
  for (const [sql, ...values] of [
    ["UPDATE maps SET map = ? WHERE version = ?", evil, digest],
    ["INSERT OR REPLACE INTO maps (version, map) VALUES (?, ?)", digest, evil],
    ["DELETE FROM maps WHERE version = ?", digest],
    ["UPDATE drafts SET version = ? WHERE id = ?", before, id],
    ["UPDATE drafts SET base = 'x', state = 'approved' WHERE id = ?", id],
    ["DELETE FROM drafts WHERE id = ?", id],
    ["INSERT OR REPLACE INTO drafts (id, at, author, why, base, version, state) VALUES (?, 1, 'eve', 'x', 'x', ?, 'open')", id, digest],
  ]) {
    await assert.rejects(AUDIT.prepare(sql).bind(...values).run(), /never changes|only decided|FOREIGN KEY/, sql);
  }
  const approved = await meridian(bert, "approve", id, "--digest", digest);
  assert.ok(approved.ok, approved.err);
  const answered = await messages(await gateway.key());
  assert.deepEqual([answered.headers.get("meridian-map"), answered.headers.get("meridian-served-by")], [digest, "bedrock-ireland"]);
  await answered.text();
  assert.equal((await gateway.row(answered.headers.get("meridian-request-id"))).map, digest);
  assert.ok((await meridian(otto, "rollback", "--to", "built-in", "--why", "done")).ok);
});

// The map of the files here, changed, with the digest of that.
async function changed(change) {
  const map = JSON.parse((await meridian(anna, "map")).out);
  change(map);
  map.version = createHash("sha256").update(JSON.stringify({ ...map, version: "" })).digest("hex");
  return map;
}

test("guard_versions a map of twelve digits is no longer published, but one that is in force is read", async () => {
  const map = await changed((map) => (map.policy.colo_in_zone = ["jp"]));
  map.version = map.version.slice(0, 12);
  const refused = await api(anna, "POST", "drafts", { map, why: "x" });
  assert.deepEqual([refused.status, refused.body.error.code], [422, "map_does_not_check"]);
  assert.match(refused.body.error.message, /version is not the digest of its content/);
  await gateway.env.KEYS.put(`map:${map.version}`, JSON.stringify(map));
  await gateway.env.KEYS.put("map:current", JSON.stringify({ seq: 99, versions: [map.version] }));
  assert.equal((await api(otto, "GET", "map")).body.served_here, map.version);
  assert.equal((await messages(await gateway.key())).headers.get("meridian-map"), map.version);
  assert.ok((await meridian(anna, "rollback", "--why", "x")).err, "the books know nothing of it");
  await gateway.env.KEYS.delete("map:current");
  await look();
});

test("guard_secrets no published map makes the gateway send its own secrets", async () => {
  const before = await inForce();
  for (const secret of ["RECEIPT_KEYS", "ENVIRONMENT", "ACCESS_TEAM", "USAGE_EU", "KEYS"]) {
    const taken = await changed((map) => (map.endpoints.find(({ name }) => name === "bedrock-frankfurt").auth = { Bearer: { secret } }));
    const refused = await api(anna, "POST", "drafts", { map: taken, why: "x" });
    assert.equal(refused.status, 422, secret);
    assert.match(refused.body.error.message, /\[own-secret\]/, secret);
    // Not even if it got past the books.
    await gateway.env.KEYS.put(`map:${taken.version}`, JSON.stringify(taken));
    await gateway.env.KEYS.put("map:current", JSON.stringify({ seq: 99, versions: [taken.version] }));
    assert.equal((await api(otto, "GET", "map")).body.served_here, before, secret);
  }
  await gateway.env.KEYS.delete("map:current");
  await look();
  edit("regions/endpoints/example.toml", (text) => text.replace(/^auth = .*$/m, 'auth = "bearer:RECEIPT_KEYS"'));
  assert.match((await meridian(anna, "check")).out, /example\.toml:\d+: `RECEIPT_KEYS` is the gateway's own, and would be sent to \S+ \[own-secret\]/);
});

test("guard_rollback one that deletes records waits for a second person", async () => {
  const keeps = (days) => edit("regions/zones/eu.toml", (text) => `${text.replace(/\nretention_days = .*\n/, "\n")}\nretention_days = ${days}\n`);
  const publish = async (why) => {
    const { id, digest } = await proposed(why);
    assert.equal((await api(bert, "POST", `drafts/${id}/approve`, { digest })).status, 200);
    return digest;
  };
  keeps(30);
  const thirty = await publish("thirty days");
  keeps(90);
  const ninety = await publish("ninety days");

  const asked = await api(otto, "POST", "rollback", { why: "back to thirty" });
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  assert.deepEqual(asked.body.deletes, ["eu: 30 days"]);
  assert.equal(asked.body.draft.version, thirty);
  assert.match(asked.body.words, /eu: its records are kept for 30 days and were kept for 90 days; those that are older are deleted/);
  assert.equal(await inForce(), ninety, "nothing is in force yet");
  const told = await meridian(anna, "rollback", "--why", "back to thirty");
  assert.ok(told.ok, told.err);
  assert.match(told.out, /records would be deleted that are kept now, so it takes a second person[\s\S]*meridian approve (\w+)[\s\S]*approves map [0-9a-f]{64}/);
  const draft = /meridian approve (\w+)/.exec(told.out)[1];
  const own = await api(anna, "POST", `drafts/${draft}/approve`, { digest: thirty });
  assert.deepEqual([own.status, own.body.error.code], [403, "own_draft"]);
  assert.equal((await api(bert, "POST", `drafts/${draft}/approve`, { digest: thirty })).status, 200);
  assert.equal(await inForce(), thirty);

  // One by which records are kept for longer is in force at once.
  const longer = await api(otto, "POST", "rollback", { why: "up again", to: ninety.slice(0, 12) });
  assert.deepEqual([longer.status, longer.body.version], [200, ninety]);
  assert.equal((await api(otto, "POST", "rollback", { why: "done", to: "built-in" })).status, 200);
});

test("guard_health what a caller writes rests no endpoint for others", async () => {
  const [mallory, alice] = [await gateway.key({ team: "mallory" }), await gateway.key({ team: "alice" })];
  for (const quote of [
    "credit balance is too low",
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
    "api_key_invalid API key not valid. Please pass a valid API key.",
    "User location is not supported for the API use.",
  ]) {
    gateway.simulator.reset();
    // As it was seen; by now it does not get as far as a provider.
    const seen = await messages(mallory, { thinking: { type: quote } });
    assert.ok(seen.status >= 400 && seen.status < 500, `${seen.status}`);
    await seen.text();
    const quoted = { tools: [{ name: "f", input_schema: { type: "object" } }], tool_choice: { type: "tool", name: quote } };
    for (const stream of [false, true]) {
      const refused = await messages(mallory, { ...quoted, stream });
      const body = await refused.json();
      assert.equal(refused.status, 400, JSON.stringify(body));
      assert.ok(body.error.message.includes(quote), "the provider quotes it");
      assert.equal(refused.headers.get("meridian-attempts"), "1", "nobody else would answer it");
    }
    const answered = await messages(alice);
    assert.deepEqual([answered.status, answered.headers.get("meridian-served-by"), answered.headers.get("meridian-attempts")], [200, "bedrock-frankfurt", "1"]);
    await answered.text();
  }
  const { endpoints } = (await api(otto, "GET", "health")).body;
  const resting = endpoints.filter(({ state }) => state !== "ready");
  assert.deepEqual(resting, []);
});

test("guard_strangers a call without a valid key is not signed", async () => {
  const wanted = await messages(await gateway.key());
  assert.ok(wanted.headers.get("meridian-receipt"));
  await wanted.text();
  for (const key of ["", "mk_nobody", "sk-else", "mk_aaaaaaaaaa_0123456789abcdef0123456789abcdef01234567"]) {
    const refused = await messages(key);
    assert.equal(refused.status, 401);
    assert.ok(refused.headers.get("meridian-request-id"));
    assert.equal(refused.headers.get("meridian-receipt"), null, key);
    await refused.text();
  }
  const nowhere = await fetch(`${gateway.url}/nowhere`);
  assert.deepEqual([nowhere.status, nowhere.headers.get("meridian-receipt")], [404, null]);
  await nowhere.text();
});
