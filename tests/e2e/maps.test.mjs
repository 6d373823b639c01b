// A map's life without a deploy: proposed, looked at, approved by somebody
// else, in force within a minute, rolled back; and the log of all that.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { approval, ROOT, startGateway } from "./gateway.mjs";

let gateway, key, anna, bert, viewer, operator, folder;
before(async () => {
  gateway = await startGateway();
  key = await gateway.key();
  anna = await gateway.admin("Anna@example.com", "compliance");
  bert = await gateway.admin("bert@example.com", "compliance");
  viewer = await gateway.admin("vera@example.com", "viewer");
  operator = await gateway.admin("otto@example.com", "operator");
});
after(() => gateway.close());
beforeEach(() => {
  if (folder) rmSync(folder, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), "map-"));
  for (const name of ["regions", "gateway.toml", "prices.toml"]) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
});

// The command line as somebody, in a folder with an edited map.
function meridian(who, ...args) {
  return new Promise((resolve) => {
    const env = { ...process.env, MERIDIAN_URL: gateway.url, MERIDIAN_ADMIN_KEY: who };
    execFile(join(ROOT, "target/debug/meridian"), args, { cwd: folder, env }, (error, out, err) => resolve({ ok: !error, out, err }));
  });
}
function edit(file, from, to) {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  assert.ok(text.includes(from), `${file} has no ${from}`);
  writeFileSync(path, text.replace(from, to));
}
const api = async (who, method, path, body) => {
  const headers = { authorization: `Bearer ${who}`, "content-type": "application/json" };
  const response = await fetch(`${gateway.url}/admin/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
};
async function call(country) {
  const response = await gateway.from(country)(`${gateway.url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": key, "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model: "claude-sonnet", max_tokens: 5, messages: [{ role: "user", content: "hi" }] }),
  });
  await response.text();
  return response;
}
async function published(why = "for a test") {
  const { ok, out, err } = await meridian(anna, "publish", "--why", why);
  assert.ok(ok, err);
  const [id, , digest] = approval(out);
  digests.set(id, digest);
  return id;
}
// What a draft's approver has looked at.
const digests = new Map();
const approve = (who, id) => api(who, "POST", `drafts/${id}/approve`, { digest: digests.get(id) });
const approveBy = (who, id) => meridian(who, "approve", id, "--digest", digests.get(id));
const off = () => edit("regions/endpoints/bedrock.toml", "[bedrock-frankfurt]\n", '[bedrock-frankfurt]\noff = "an outage"\n');

test("field_26 a map is proposed, approved by somebody else, in force within a minute, and rolled back", async () => {
  const before = (await call("DE")).headers;
  assert.equal(before.get("meridian-served-by"), "bedrock-frankfurt");
  assert.ok(await gateway.row(before.get("meridian-request-id")), "the replay needs its row");
  off();
  const draft = await published("Frankfurt is down");

  const shown = await meridian(bert, "drafts", draft, "--replay");
  assert.match(shown.out, /eu, claude-haiku-4-5, .*claude-opus-4-6, .*claude-sonnet-4-6, .*: loses bedrock-frankfurt/);
  assert.match(shown.out, /1 would go to another endpoint/);
  assert.equal((await call("DE")).headers.get("meridian-map"), before.get("meridian-map"), "a draft changes nothing");

  const own = await approveBy(anna, draft);
  assert.ok(!own.ok);
  assert.match(own.err, /anna@example.com wrote this draft: somebody else has to approve it/);
  const began = Date.now();
  const approved = await approveBy(bert, draft);
  assert.ok(approved.ok, approved.err);
  let now;
  do {
    now = (await call("DE")).headers;
    await new Promise((resolve) => setTimeout(resolve, 250));
  } while (now.get("meridian-served-by") !== "bedrock-ireland" && Date.now() - began < 60_000);
  assert.equal(now.get("meridian-served-by"), "bedrock-ireland");
  assert.notEqual(now.get("meridian-map"), before.get("meridian-map"));

  assert.match((await meridian(viewer, "history")).out, /draft.approved by bert@example.com: Frankfurt is down/);
  const again = await approveBy(bert, draft);
  assert.ok(again.ok, "what is in force already is put there once more");

  const back = await meridian(operator, "rollback", "--why", "Frankfurt is up");
  assert.ok(back.ok, back.err);
  assert.equal((await call("DE")).headers.get("meridian-map"), before.get("meridian-map"));
  const twice = await meridian(operator, "rollback", "--why", "once more");
  assert.match(twice.err, /came into force by a rollback. Name the version/);

  const log = await meridian(viewer, "audit", "log");
  assert.match(log.out, /draft.created.*anna@example.com.*\n.*draft.approved.*bert@example.com.*\n.*map.rolled-back.*otto@example.com \(key \w+\): Frankfurt is up/);
  const verified = await meridian(viewer, "audit", "verify");
  assert.match(verified.out, /✓ 3 entries/);
  const known = verified.out.trim().split("\n").at(-1);
  assert.ok((await meridian(viewer, "audit", "verify", "--known", known)).ok);
  assert.ok(!(await meridian(viewer, "audit", "verify", "--known", "2:abc")).ok);
});

test("the audit log cannot be altered, cut or branched in the database", async () => {
  const { AUDIT } = gateway.env;
  for (const sql of ["UPDATE audit SET why = 'x'", "DELETE FROM audit WHERE seq = 1", "INSERT INTO audit SELECT seq + 1, at, who, via, action, subject, version, why, prev, hash || 'x' FROM audit WHERE seq = 3", "INSERT INTO audit SELECT seq + 9, at, who, via, action, subject, version, why, prev, hash || 'x' FROM audit WHERE seq = 1"]) {
    await assert.rejects(AUDIT.prepare(sql).run(), /append-only|does not follow/, sql);
  }
});

test("roles are held to, and strangers get nothing", async () => {
  off();
  for (const [who, method, path, status] of [
    [viewer, "POST", "drafts", 403],
    [viewer, "POST", "rollback", 403],
    [viewer, "GET", "audit", 200],
    [operator, "POST", "drafts/x/approve", 403],
    [anna, "GET", "whoami", 200],
    ["ma_none_none", "GET", "audit", 401],
    [key, "GET", "map", 401],
    ["", "GET", "map", 401],
  ]) {
    const { status: got, body } = await api(who, method, path, method === "POST" ? { why: "x" } : undefined);
    assert.equal(got, status, `${path}: ${JSON.stringify(body)}`);
  }
  const draft = await published();
  assert.equal((await approve(operator, draft)).status, 403);
  assert.equal((await api(viewer, "POST", `drafts/${draft}/withdraw`, { why: "x" })).status, 403);
  assert.equal((await api(bert, "POST", `drafts/${draft}/withdraw`, { why: "not now" })).status, 200);
  assert.equal((await approve(bert, draft)).status, 409);
  const admin = await gateway.admin("gone@example.com", "compliance");
  const record = (await gateway.env.KEYS.list({ prefix: "admin:key:" })).keys;
  assert.equal((await api(admin, "GET", "whoami")).body.who, "gone@example.com");
  for (const { name } of record) {
    const found = JSON.parse(await gateway.env.KEYS.get(name));
    if (found.who === "gone@example.com") await gateway.env.KEYS.put(name, JSON.stringify({ ...found, revoked: "2026-11-20T00:00:00Z" }));
  }
  assert.equal((await api(admin, "GET", "whoami")).status, 401);
});

test("one person is one person, whatever key they use", async () => {
  off();
  const draft = await published();
  const second = await gateway.admin(" ANNA@example.com", "compliance");
  const { status, body } = await approve(second, draft);
  assert.deepEqual([status, body.error.code], [403, "own_draft"]);
  await api(bert, "POST", `drafts/${draft}/withdraw`, { why: "done" });
});

test("a draft from a map that is no longer in force is refused", async () => {
  off();
  const first = await published("one");
  edit("regions/endpoints/bedrock.toml", 'off = "an outage"', 'off = "another outage"');
  const second = await published("two");
  assert.equal((await approve(bert, first)).status, 200);
  const { status, body } = await approve(bert, second);
  assert.deepEqual([status, body.error.code], [409, "conflict"]);
  assert.ok((await meridian(operator, "rollback", "--to", "built-in", "--why", "done")).ok);
});

test("two who approve at once: one entry each is in the log and the chain holds", async () => {
  off();
  const drafts = [await published("one")];
  edit("regions/endpoints/bedrock.toml", 'off = "an outage"', 'off = "x"');
  drafts.push(await published("two"));
  const results = await Promise.all(drafts.map((draft) => approve(bert, draft)));
  assert.deepEqual(results.map(({ status }) => status).sort(), [200, 409]);
  assert.ok((await meridian(viewer, "audit", "verify")).ok);
  assert.ok((await meridian(operator, "rollback", "--to", "built-in", "--why", "done")).ok);
});

test("field_26 a map that does not check is refused and changes nothing", async () => {
  const { map, version } = (await api(viewer, "GET", "map")).body;
  const broken = structuredClone(map);
  broken.zones.eu.hosting = ["us"];
  const tampered = await api(anna, "POST", "drafts", { map: broken, why: "x" });
  assert.equal(tampered.status, 422);
  assert.match(tampered.body.error.message, /not the digest/);
  edit("regions/zones/eu.toml", 'hosting = ["eu"]', 'hosting = ["eo"]');
  const { ok, err } = await meridian(anna, "publish", "--why", "x");
  assert.ok(!ok);
  assert.match(err, /regions\/zones\/eu.toml:\d+: places.toml has no place `eo`.*\n.*`eu`/);
  assert.equal((await api(viewer, "GET", "map")).body.version, version);
  for (const why of ["", " "]) assert.equal((await api(anna, "POST", "drafts", { map, why })).status, 400);
  assert.equal((await api(anna, "POST", "drafts", { map, why: "x" })).status, 409, "it is in force already");
});

test("field_26 a published map that cannot be used leaves the last good one in force", async () => {
  const good = (await call("DE")).headers.get("meridian-map");
  const kept = await gateway.env.KEYS.get("map:current");
  const { map } = (await api(viewer, "GET", "map")).body;
  const leaky = { ...structuredClone(map), version: "000000000000" };
  leaky.zones.eu.hosting = ["eu", "us"];
  await gateway.env.KEYS.put("map:000000000000", JSON.stringify(leaky));
  for (const pointer of ["no json", JSON.stringify({ seq: 99, versions: ["000000000000"] }), JSON.stringify({ seq: 99, versions: ["missing"] })]) {
    await gateway.env.KEYS.put("map:current", pointer);
    // This looks the map up afresh in the instance that serves.
    const told = await api(viewer, "GET", "map");
    assert.equal(told.body.served_here, good, pointer);
    assert.equal((await call("DE")).headers.get("meridian-map"), good);
  }
  await gateway.env.KEYS.put("map:current", kept);
});

test("a map that wants the gateway inside the zone refuses those who reached it elsewhere", async () => {
  edit("regions/policy.toml", "colo_in_zone = []", 'colo_in_zone = ["eu", "default"]');
  assert.equal((await approve(bert, await published("stay inside"))).status, 200);
  await api(viewer, "GET", "map");
  await gateway.reset();
  const from = async (country, colo) => {
    const response = await gateway.from(country, colo)(`${gateway.url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": key, "anthropic-version": "2023-06-01" },
      body: JSON.stringify({ model: "claude-sonnet", max_tokens: 5, messages: [{ role: "user", content: "hi" }] }),
    });
    return { response, text: await response.text() };
  };
  for (const [country, colo] of [["DE", "IAD"], ["DE", "LHR"], ["DE", "ZRH"], ["DE", "???"], ["DE", ""], ["T1", "IAD"]]) {
    const { response, text } = await from(country, colo);
    assert.equal(response.status, 403, `${country} ${colo}`);
    assert.match(text, /requires the gateway itself to run inside the zone/);
  }
  assert.deepEqual(gateway.simulator.log, []);
  for (const [country, colo] of [["DE", "FRA"], ["DE", "VIE"], ["DE", "OSL"], ["US", "FRA"], ["US", "IAD"]]) {
    const { response } = await from(country, colo);
    assert.equal(response.status, 200, `${country} ${colo}`);
    if (country === "DE") assert.match(response.headers.get("meridian-zone-reason"), new RegExp(`the gateway ran in ${colo}`));
  }
  const told = await api(viewer, "POST", "explain", { country: "DE", model: "claude-sonnet", colo: "IAD" });
  assert.equal(told.body.refusal.code, "gateway_outside_zone");
  assert.match((await api(viewer, "POST", "explain", { country: "DE", model: "claude-sonnet" })).body.words, /only if it reached the gateway in a data center inside the zone/);
  assert.ok((await meridian(operator, "rollback", "--to", "built-in", "--why", "done")).ok);
});

test("explain says over the API what the command line says", async () => {
  const { body } = await api(viewer, "POST", "explain", { country: "AT", model: "claude-sonnet" });
  const said = await meridian(viewer, "explain", "--country", "AT", "--model", "claude-sonnet", "--json");
  assert.deepEqual(body, JSON.parse(said.out));
  assert.match(body.words, /because the caller is in AT, which is in eu/);
  const served = await call("AT");
  assert.equal(body.tried[0].name, served.headers.get("meridian-served-by"));
  assert.equal((await api(viewer, "POST", "explain", { country: "AT", modle: "x" })).status, 400);
});

test("replay and the transfer report count what was recorded", async () => {
  for (const country of ["FR", "FR", "US"]) await call(country);
  await gateway.from("US")(`${gateway.url}/v1/messages`, { method: "POST", headers: { "x-api-key": key, "meridian-zone": "eu" }, body: "{}" }).then((r) => r.text());
  await new Promise((resolve) => setTimeout(resolve, 400));
  const day = new Date().toISOString().slice(0, 10);
  const { out } = await meridian(viewer, "report", "transfers", "--from", day, "--to", day);
  const lines = out.trim().split("\r\n");
  assert.equal(lines[0], "country,zone,hosting,endpoint,team,egress,requests,refused,failed,maps,first,last");
  const fr = lines.find((line) => line.startsWith("FR,"));
  assert.match(fr, /^FR,eu,eu,bedrock-frankfurt,search,,2,0,0,\w{64},\d{4}-/);
  assert.match(out, /US,,none,none,search,,1,1,0,/);
  const total = lines.slice(1).reduce((sum, line) => sum + Number(line.split(",")[6]), 0);
  let rows = 0;
  for (const store of ["USAGE_EU", "USAGE_US", "USAGE_WORLD"]) rows += (await gateway.env[store].prepare("SELECT count(*) AS n FROM usage").first()).n;
  assert.equal(total, rows);
  assert.match((await meridian(viewer, "report", "transfers", "--from", day, "--to", day, "--zone", "us", "--format", "markdown")).out, /\| US \| us \| us \| anthropic-us \| search \|  \| 3 \|/);

  off();
  const replay = await meridian(viewer, "diff", "--in-force", "--replay");
  assert.match(replay.out, /Of \d+ recorded requests \d+ would go to another endpoint, 0 would be refused/);
  assert.match(replay.out, /2 × FR, claude-sonnet: from bedrock-frankfurt \(eu\) to bedrock-ireland \(eu\)/);
});

test("a report over many pages counts every row once", async () => {
  const columns = "id, at, key_id, team, tags, country, colo, zone, zone_reason, map, dialect, model_asked, endpoint, hosting, attempts, stream, status, outcome, input, cache_read, cache_write_5m, cache_write_1h, audio_input, output, reasoning, audio_output, estimated, duration_ms";
  // A ULID's first ten letters are its time: these are of 1 May 2026.
  const rows = (store, count) => gateway.env[store].prepare(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) INSERT INTO usage (${columns}) SELECT printf('01KQGDBJ00%016d', i), 1777593600000 + i, 'k', 'team' || (i % 3), '{}', 'AT', 'VIE', 'eu', '', 'm' || (i % 2), 'openai-chat', 'gpt-mini', 'openai-eu', 'eu', 1, 0, 200, 'ok', 1, 0, 0, 0, 0, 1, 0, 0, 0, 1 FROM n`).run();
  await rows("USAGE_EU", 45_000);
  await rows("USAGE_US", 20_000);
  const { out, err } = await meridian(viewer, "report", "transfers", "--from", "2026-04-29", "--to", "2026-05-02");
  const lines = out.trim().split("\r\n").slice(1).map((line) => line.split(","));
  assert.equal(lines.length, 3, out + err);
  assert.equal(lines.reduce((sum, line) => sum + Number(line[6]), 0), 65_000);
  assert.deepEqual(lines.map((line) => line[9]), ["m0 m1", "m0 m1", "m0 m1"]);
  const page = (await api(viewer, "GET", "transfers?from=1777420800000&until=1777766400000")).body;
  assert.match(page.next, /^USAGE_EU:01KQGDBJ/, "a page looks at so many rows and no more");
  const outside = await meridian(viewer, "report", "transfers", "--from", "2026-05-03", "--to", "2026-05-04");
  assert.equal(outside.out.trim().split("\r\n").length, 1);
  assert.equal((await api(viewer, "GET", "transfers?cursor=AUDIT:1")).status, 400);
  assert.equal((await api(viewer, "GET", "transfers?from=x")).status, 400);
});
