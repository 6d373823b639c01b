// What a zone no longer keeps is deleted, and nothing else is: rows and sums, in
// every database, each time with an entry in the audit log before it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { approval, ROOT, startGateway, STORES } from "./gateway.mjs";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DAYS = 30;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let gateway, anna, bert, vera, otto, folder, cutoff;
before(async () => {
  // The hour must not end while it is looked at.
  const left = HOUR - (Date.now() % HOUR);
  if (left < 120_000) await sleep(left);
  cutoff = Math.floor((Date.now() - DAYS * DAY) / HOUR) * HOUR;

  gateway = await startGateway();
  anna = await gateway.admin("anna@example.com", "compliance");
  bert = await gateway.admin("bert@example.com", "compliance");
  vera = await gateway.admin("vera@example.com", "viewer");
  otto = await gateway.admin("otto@example.com", "operator");
  folder = mkdtempSync(join(tmpdir(), "retention-"));
  for (const name of ["regions", "gateway.toml", "prices.toml"]) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  const eu = join(folder, "regions/zones/eu.toml");
  writeFileSync(eu, `${readFileSync(eu, "utf8")}\nretention_days = ${DAYS}\n`);
  const published = await meridian(anna, "publish", "--why", "thirty days are enough");
  assert.match(published.out, /its records are kept for 30 days and were kept for good; those that are older are deleted/, published.err);
  const approved = await meridian(bert, "approve", ...approval(published.out));
  assert.ok(approved.ok, approved.err);
});
after(async () => {
  rmSync(folder, { recursive: true });
  await gateway.close();
});
beforeEach(async () => {
  for (const store of STORES) for (const table of ["usage", "usage_by_hour"]) await gateway.env[store].prepare(`DELETE FROM ${table}`).run();
});

function meridian(who, ...args) {
  return new Promise((resolve) => {
    const env = { ...process.env, MERIDIAN_URL: gateway.url, MERIDIAN_ADMIN_KEY: who };
    execFile(join(ROOT, "target/debug/meridian"), args, { cwd: folder, env }, (error, out, err) => resolve({ ok: !error, out, err }));
  });
}
async function api(who, method, path, body) {
  const headers = { authorization: `Bearer ${who}`, "content-type": "application/json" };
  const response = await fetch(`${gateway.url}/admin/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}
const run = () => api(otto, "POST", "retention", {});
const entries = async () => (await gateway.env.AUDIT.prepare("SELECT who, via, action, subject, version, why FROM audit WHERE action = 'usage.deleted' ORDER BY seq").all()).results;
const count = async (store, table) => (await gateway.env[store].prepare(`SELECT count(*) AS n FROM ${table}`).first()).n;

// As the gateway's own: they sort by time.
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ulid = (at, n) => [...at.toString(32).padStart(10, "0")].map((digit) => DIGITS[parseInt(digit, 32)]).join("") + String(n).padStart(16, "0");
let made = 0;
/** A call's row and its hour's sum, or one of the two. */
async function fill(store, zone, at, { row = true, sum = true } = {}) {
  const id = ulid(at, made++);
  const statements = [];
  if (row) statements.push(insert(store, "usage", { id, at, key_id: "k", team: "search", tags: "{}", country: "DE", colo: "FRA", zone, zone_reason: "", map: "m", dialect: "openai-chat", model_asked: "gpt-mini", attempts: 1, stream: 0, status: 200, outcome: "ok", input: 1, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, audio_input: 0, output: 1, reasoning: 0, audio_output: 0, estimated: 0, duration_ms: 1 }));
  // A note for an object that never read it.
  if (row) statements.push(insert(store, "spilled", { id, team: "nobody", event: "{}" }));
  // A call in the background whose answer nobody asked for.
  if (row) statements.push(insert(store, "background", { id, answer: id, call: "{}" }));
  if (sum) statements.push(insert(store, "usage_by_hour", { hour: Math.floor(at / HOUR) * HOUR, zone, team: `team ${made}`, feature: "", environment: "", model: "", endpoint: "", calls: 1, not_ok: 0, estimated: 0, unpriced: 0, input: 1, cache_read: 0, cache_write: 0, output: 1, reasoning: 0, cost_nano: 0, lost_nano: 0 }));
  await gateway.env[store].batch(statements);
}
function insert(store, table, values) {
  const names = Object.keys(values);
  return gateway.env[store].prepare(`INSERT INTO ${table} (${names}) VALUES (${names.map(() => "?")})`).bind(...Object.values(values));
}
/** What there is: zone, and how long before or after the cutoff, of rows and of sums. */
async function there(store) {
  const of = async (table, time) => (await gateway.env[store].prepare(`SELECT zone, ${time} AS time FROM ${table} ORDER BY zone, time`).all()).results.map(({ zone, time }) => `${zone} ${time - cutoff}`);
  return { rows: await of("usage", "at"), sums: await of("usage_by_hour", "hour") };
}

test("exactly what is older is deleted, in every database, and the log has it", async () => {
  const kept = { EU: [], US: [], WORLD: [] };
  const at = async (store, zone, time, stays, what) => {
    await fill(`USAGE_${store}`, zone, cutoff + time, what);
    if (stays) kept[store].push([zone, time]);
  };
  await at("EU", "eu", -1, false);
  await at("EU", "eu", -HOUR, false);
  await at("EU", "eu", -365 * DAY, false);
  await at("EU", "eu", 0, true);
  await at("EU", "eu", DAYS * DAY, true);
  // Its rows lay here once.
  await at("US", "eu", -5 * DAY, false);
  await at("WORLD", "eu", -9 * DAY, false, { row: false });
  // Held to both: the stricter one says.
  await at("EU", "eu+us", -DAY, false);
  // A zone that says nothing, one that is gone, one whose name is longer, none at all.
  await at("US", "us", -700 * DAY, true);
  await at("EU", "gone", -700 * DAY, true);
  await at("EU", "gone+us", -700 * DAY, true);
  await at("EU", "eu2", -700 * DAY, true);
  await at("EU", "", -700 * DAY, true);

  const { status, body: looked } = await api(vera, "GET", "retention");
  assert.equal(status, 200);
  const before = new Date(cutoff).toISOString().replace(".000Z", "Z");
  assert.deepEqual(looked.zones.filter((zone) => ["eu", "us"].includes(zone.zone)), [{ zone: "eu", days: 30, before }, { zone: "us", days: null, before: null }]);
  const time = (offset) => new Date(Math.floor((cutoff + offset) / 1000) * 1000).toISOString().replace(".000Z", "Z");
  assert.deepEqual(looked.records.filter((one) => one.store !== "USAGE_EU"), [
    { store: "USAGE_US", zone: "eu", days: 30, before, oldest_row: time(-5 * DAY), oldest_sum: time(-5 * DAY), due: true },
    { store: "USAGE_US", zone: "us", days: null, before: null, oldest_row: time(-700 * DAY), oldest_sum: time(-700 * DAY), due: false },
    { store: "USAGE_WORLD", zone: "eu", days: 30, before, oldest_row: null, oldest_sum: time(-9 * DAY), due: true },
  ]);
  const shown = await meridian(vera, "retention");
  assert.match(shown.out, new RegExp(`\\neu +30 days +USAGE_US +\\S+Z +\\S+Z +what is before ${before}\\n`), shown.err);
  assert.match(shown.out, /\nus +for good +USAGE_US +\S+Z +\S+Z +-\n/);
  assert.match(shown.out, /\njp +for good +- +- +- +-\n/);

  const ran = await meridian(otto, "retention", "run");
  assert.equal(ran.out, [
    `eu, USAGE_EU: 3 rows and 3 sums before ${before} deleted; it keeps 30 days`,
    `eu+us, USAGE_EU: 1 rows and 1 sums before ${before} deleted; it keeps 30 days`,
    `eu, USAGE_US: 1 rows and 1 sums before ${before} deleted; it keeps 30 days`,
    `eu, USAGE_WORLD: 0 rows and 1 sums before ${before} deleted; it keeps 30 days`,
    "",
  ].join("\n"), ran.err);
  for (const [name, all] of Object.entries(kept)) {
    const { rows, sums } = await there(`USAGE_${name}`);
    const lines = (time) => all.map(([zone, offset]) => [zone, time(offset)]).sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x - y)).map(([zone, offset]) => `${zone} ${offset}`);
    assert.deepEqual(rows, lines((offset) => offset), name);
    for (const table of ["spilled", "background"]) {
      const notes = await gateway.env[`USAGE_${name}`].prepare(`SELECT count(*) AS n, count(usage.id) AS rows FROM ${table} LEFT JOIN usage USING (id)`).first();
      assert.deepEqual(notes, { n: rows.length, rows: rows.length }, `${table} of ${name}`);
    }
    assert.deepEqual(sums, lines((offset) => Math.floor(offset / HOUR) * HOUR), name);
  }

  const log = await entries();
  const facts = [["USAGE_EU", "eu", 3, 3], ["USAGE_EU", "eu+us", 1, 1], ["USAGE_US", "eu", 1, 1], ["USAGE_WORLD", "eu", 0, 1]];
  assert.deepEqual(log.map((entry) => JSON.parse(entry.why)), facts.map(([store, zone, rows, sums]) => ({ store, zone, days: 30, before, rows, sums })));
  for (const [i, entry] of log.entries()) {
    assert.deepEqual([entry.who, entry.subject, entry.version], ["otto@example.com", facts[i][1], looked.map]);
    assert.match(entry.via, /^key /);
  }
  const verified = await meridian(vera, "audit", "verify");
  assert.match(verified.out, /✓ 6 entries/, verified.err);

  // Once more: nothing, and nothing in the log.
  const again = await meridian(otto, "retention", "run");
  assert.equal(again.out, "Nothing was deleted.\n", again.err);
  assert.deepEqual((await run()).body, { deleted: [], left: false, stores_not_done: [] });
  assert.equal((await entries()).length, log.length);

  // Reports over a time that is partly deleted count what there is, and say so.
  const days = ["--from", time(-400 * DAY).slice(0, 10), "--to", new Date().toISOString().slice(0, 10)];
  for (const report of [["report", "transfers"], ["usage", "--by", "zone"]]) {
    const { ok, out, err } = await meridian(vera, ...report, ...days);
    assert.ok(ok, err);
    assert.match(out, /\beu\b/);
    assert.ok(err.includes(`! eu keeps 30 days: what was before ${before} is deleted and not counted here\n`), err);
    assert.doesNotMatch(err, /! us/);
  }
  const recent = await meridian(vera, "usage");
  assert.doesNotMatch(recent.err, /keeps/);
  assert.equal((await api(vera, "GET", `requests?from=0`)).status, 200);
});

test("who may: operators only, and nothing but what the map says can be asked for", async () => {
  await fill("USAGE_EU", "eu", cutoff - 1);
  for (const who of [vera, anna]) {
    const { status, body } = await api(who, "POST", "retention", {});
    assert.deepEqual([status, body.error?.code], [403, "role_missing"]);
  }
  assert.match((await meridian(vera, "retention", "run")).err, /it takes the role operator/);
  assert.equal((await api("ma_none_none", "POST", "retention", {})).status, 401);
  assert.equal((await api(otto, "POST", "retention", { zone: "us" })).status, 400);
  assert.equal((await api(otto, "DELETE", "retention")).status, 405);
  assert.equal(await count("USAGE_EU", "usage"), 1);
});

test("without the log nothing is deleted, by whomever", async () => {
  const { AUDIT } = gateway.env;
  await fill("USAGE_EU", "eu", cutoff - 1);
  const known = (await entries()).length;
  const untouched = async () => {
    assert.deepEqual([await count("USAGE_EU", "usage"), await count("USAGE_EU", "usage_by_hour")], [1, 1]);
    assert.equal((await entries()).length, known);
  };
  // It can be read, but takes nothing.
  await AUDIT.prepare("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END").run();
  const { status, body } = await run();
  assert.deepEqual([status, body.error?.code], [503, "unavailable"]);
  await untouched();
  await gateway.worker.scheduled({ cron: "7 * * * *", scheduledTime: new Date() });
  await untouched();
  await AUDIT.prepare("DROP TRIGGER full").run();
  // It cannot even be read.
  await AUDIT.prepare("ALTER TABLE audit RENAME TO away").run();
  assert.equal((await run()).status, 503);
  await AUDIT.prepare("ALTER TABLE away RENAME TO audit").run();
  await untouched();
});

test("the cron does it too, and what came late goes with the next hour", async () => {
  const known = (await entries()).length;
  for (const time of [-1, -400 * DAY]) {
    await fill("USAGE_EU", "eu", cutoff + time);
    const { outcome } = await gateway.worker.scheduled({ cron: "7 * * * *", scheduledTime: new Date() });
    assert.equal(outcome, "ok");
    assert.deepEqual(await there("USAGE_EU"), { rows: [], sums: [] });
  }
  const log = (await entries()).slice(known);
  assert.deepEqual(log.map(({ who, via }) => [who, via]), [["meridian", "schedule"], ["meridian", "schedule"]]);
  assert.ok((await meridian(vera, "audit", "verify")).ok);
});

test("piece by piece, and twice at once: all is deleted once, and the log never says less", async () => {
  const known = (await entries()).length;
  const many = (table, columns, values) => gateway.env.USAGE_EU.prepare(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) INSERT INTO ${table} (${columns}) SELECT ${values} FROM n`).run();
  await many("usage", "id, at, key_id, team, tags, country, colo, zone, zone_reason, map, dialect, model_asked, attempts, stream, status, outcome, input, cache_read, cache_write_5m, cache_write_1h, audio_input, output, reasoning, audio_output, estimated, duration_ms", `printf('many%06d', i), ${cutoff} - i, 'k', 't', '{}', 'DE', 'FRA', 'eu', '', 'm', 'openai-chat', 'gpt-mini', 1, 0, 200, 'ok', 1, 0, 0, 0, 0, 1, 0, 0, 0, 1`);
  await many("usage_by_hour", "hour, zone, team, feature, environment, model, endpoint, calls, not_ok, estimated, unpriced, input, cache_read, cache_write, output, reasoning, cost_nano, lost_nano", `${cutoff - HOUR}, 'eu', printf('t%06d', i), '', '', '', '', 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0`);
  await fill("USAGE_EU", "eu", cutoff);
  const ran = await Promise.all([run(), run()]);
  const sum = (list, name) => list.reduce((all, one) => all + one[name], 0);
  const deleted = ran.flatMap(({ status, body }) => {
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.left, false);
    return body.deleted;
  });
  assert.deepEqual([sum(deleted, "rows"), sum(deleted, "sums")], [12_000, 12_000]);
  assert.deepEqual(await there("USAGE_EU"), { rows: ["eu 0"], sums: ["eu 0"] });
  const log = (await entries()).slice(known).map((entry) => JSON.parse(entry.why));
  assert.ok(sum(log, "rows") >= 12_000 && sum(log, "sums") >= 12_000, JSON.stringify(log));
  assert.ok((await meridian(vera, "audit", "verify")).ok);
});

test("a database that does not answer keeps none of the others from it", async () => {
  const { USAGE_EU } = gateway.env;
  for (const store of STORES) await fill(store, "eu", cutoff - 1);
  await USAGE_EU.prepare("ALTER TABLE usage_by_hour RENAME TO away").run();
  const { status, body } = await run();
  const looked = (await api(vera, "GET", "retention")).body;
  const told = await meridian(otto, "retention", "run");
  await USAGE_EU.prepare("ALTER TABLE away RENAME TO usage_by_hour").run();
  assert.equal(status, 200);
  assert.deepEqual([body.deleted.map((one) => one.store), body.stores_not_done], [["USAGE_US", "USAGE_WORLD"], ["USAGE_EU"]]);
  assert.deepEqual(looked.stores_not_read, ["USAGE_EU"]);
  assert.match(told.out, /! USAGE_EU did not answer/);
  assert.deepEqual(await Promise.all(STORES.map((store) => count(store, "usage"))), [1, 0, 0]);
  assert.deepEqual((await run()).body.deleted.map((one) => one.store), ["USAGE_EU"]);
});

test("where it is in doubt which map is in force, nothing is deleted", async () => {
  const { KEYS } = gateway.env;
  const pointer = await KEYS.get("map:current");
  const known = (await entries()).length;
  await fill("USAGE_EU", "eu", cutoff - 1);
  // The edge would go by the map it was built with, and the books say another.
  await KEYS.delete("map:current");
  const { status, body } = await run();
  assert.deepEqual([status, body.error?.code], [409, "conflict"], JSON.stringify(body));
  assert.match(body.error.message, /so nothing is deleted/);
  await gateway.worker.scheduled({ cron: "7 * * * *", scheduledTime: new Date() });
  assert.equal(await count("USAGE_EU", "usage"), 1);
  assert.equal((await entries()).length, known);
  await KEYS.put("map:current", pointer);
  assert.equal((await run()).body.deleted.length, 1);
});
