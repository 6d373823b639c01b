// What was spent, as finance asks for it: by the admin API and the command line,
// over sums that lie in several databases.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { ROOT, startGateway } from "./gateway.mjs";

let gateway, vera;
before(async () => {
  gateway = await startGateway();
  vera = await gateway.admin("vera@example.com", "viewer");
  await fill("USAGE_EU", "2026-05-01T10:00:00Z", { cost_nano: 1_500_000_000, calls: 3, not_ok: 1 });
  await fill("USAGE_EU", "2026-05-01T11:00:00Z", { cost_nano: 250_000_000, feature: "", estimated: 1, unpriced: 1 });
  await fill("USAGE_EU", "2026-05-02T00:00:00Z", { cost_nano: 1, team: "=SUM(A1)", lost_nano: 5_000_000, held_nano: 1_250_000_001, held_calls: 3 });
  // The same group in the other database, with more than a float can tell apart.
  await fill("USAGE_US", "2026-05-01T10:00:00Z", { cost_nano: 9_007_199_254_740_993n });
  await fill("USAGE_US", "2026-05-31T23:00:00Z", { zone: "us", model: "gpt-5 mini", endpoint: "openai-us", team: "o'brien & söhne+1" });
});
after(() => gateway.close());

function fill(store, hour, sums) {
  const row = {
    hour: Date.parse(hour), zone: "eu", team: "search", feature: "summaries", environment: "prod", model: "claude-sonnet-4-6", endpoint: "bedrock-frankfurt",
    calls: 1, not_ok: 0, estimated: 0, unpriced: 0, input: 1000, cache_read: 20, cache_write: 3, output: 50, reasoning: 7, cost_nano: 0, lost_nano: 0, ...sums,
  };
  const values = Object.values(row).map((value) => (typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : value));
  return gateway.env[store].prepare(`INSERT INTO usage_by_hour (${Object.keys(row)}) VALUES (${values})`).run();
}
async function ask(query, who = vera) {
  const response = await fetch(`${gateway.url}/admin/v1/usage?${new URLSearchParams(query)}`, { headers: { authorization: `Bearer ${who}` } });
  const text = await response.text();
  const json = response.headers.get("content-type") === "application/json";
  return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : undefined };
}
const MAY = { from: "2026-05-01", to: "2026-05-31" };
const usage = async (query) => {
  const { status, body, text } = await ask({ ...MAY, ...query });
  assert.equal(status, 200, text);
  return body;
};
function meridian(who, ...args) {
  return new Promise((resolve) => {
    const env = { ...process.env, MERIDIAN_URL: gateway.url, MERIDIAN_ADMIN_KEY: who };
    execFile(join(ROOT, "target/debug/meridian"), args, { cwd: ROOT, env }, (error, out, err) => resolve({ ok: !error, out, err }));
  });
}

test("without groups it is one sum over all databases, exact to the billionth", async () => {
  const { text, body } = await ask(MAY);
  assert.deepEqual([body.from, body.to, body.by, body.next], ["2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z", [], null]);
  assert.deepEqual(body.groups, [body.total]);
  const { cost_nano, ...others } = body.total;
  assert.deepEqual(others, {
    calls: 7, not_ok: 1, estimated: 1, unpriced: 1, input: 5000, cache_read: 100, cache_write: 15, output: 250, reasoning: 35,
    cost: "$9007201.004740994", lost_nano: 5_000_000, held_nano: 1_250_000_001, held: "$1.250000001", held_calls: 3, at_least: 0,
  });
  assert.match(text, /"cost_nano":9007201004740994,/);
  const nothing = await usage({ from: "2020-01-01", to: "2020-01-31" });
  assert.deepEqual([nothing.groups.length, nothing.total.calls, nothing.total.cost], [1, 0, "$0.000000000"]);
  assert.deepEqual((await usage({ from: "2020-01-01", to: "2020-01-31", by: "team" })).groups, []);
});

test("groups of several databases are one group, sorted by their fields", async () => {
  const of = ({ groups }, ...names) => groups.map((group) => names.map((name) => group[name]));
  assert.deepEqual(of(await usage({ by: "hour" }), "hour", "calls"), [
    ["2026-05-01T10:00:00Z", 4], ["2026-05-01T11:00:00Z", 1], ["2026-05-02T00:00:00Z", 1], ["2026-05-31T23:00:00Z", 1],
  ]);
  assert.deepEqual(of(await usage({ by: "day,feature" }), "day", "feature", "cost"), [
    ["2026-05-01", "", "$0.250000000"], ["2026-05-01", "summaries", "$9007200.754740993"], ["2026-05-02", "summaries", "$0.000000001"], ["2026-05-31", "summaries", "$0.000000000"],
  ]);
  assert.deepEqual(of(await usage({ by: "team,day" }), "team", "day", "calls"), [
    ["=SUM(A1)", "2026-05-02", 1], ["o'brien & söhne+1", "2026-05-31", 1], ["search", "2026-05-01", 5],
  ]);
  const all = (await usage({ by: "zone,team,feature,environment,model,endpoint,day,hour" })).groups;
  assert.equal(all.length, 4);
  assert.deepEqual(Object.keys(all[0]).filter((name) => typeof all[0][name] === "string").sort(), ["cost", "day", "endpoint", "environment", "feature", "held", "hour", "model", "team", "zone"]);
});

test("filters are exact, and an hour belongs to the range when its beginning does", async () => {
  const calls = async (query) => (await usage(query)).total.calls;
  for (const [query, count] of [
    [{ team: "search" }, 5], [{ team: "sear" }, 0], [{ team: "SEARCH" }, 0], [{ team: "%" }, 0], [{ team: "o'brien & söhne+1" }, 1],
    [{ team: "search\n" }, 0],
    [{ feature: "" }, 1], [{ feature: "summaries", team: "search" }, 4], [{ zone: "us" }, 1], [{ zone: "us", team: "search" }, 0],
    [{ environment: "prod" }, 7], [{ environment: "qa" }, 0], [{ model: "gpt-5 mini" }, 1], [{ endpoint: "bedrock-frankfurt" }, 6],
    [{ team: "' OR 1 = 1 --" }, 0],
    [{ to: "2026-05-30" }, 6], [{ to: "2026-05-31T23:00:00Z" }, 6], [{ to: "2026-05-31T23:00:01Z" }, 7],
    [{ from: "2026-05-01T10:00:00Z" }, 7], [{ from: "2026-05-01T10:00:01Z" }, 3], [{ from: "2026-05-01T12:00:00+02:00" }, 7],
    [{ from: "2026-05-01T11:00:00Z", to: "2026-05-01T12:00:00Z" }, 1],
  ]) assert.equal(await calls(query), count, JSON.stringify(query));
  // The total is that of the filter, not of the page.
  const { groups, total } = await usage({ by: "hour", team: "search", limit: 1 });
  assert.deepEqual([groups.length, groups[0].calls, total.calls], [1, 4, 5]);
});

test("pages have every group once, whichever database it is in", async () => {
  for (let n = 0; n < 40; n++) {
    const hour = "2026-06-10T00:00:00Z";
    if (n % 3 !== 0) await fill("USAGE_EU", hour, { team: `team${String(n).padStart(2, "0")}`, cost_nano: n });
    if (n % 3 !== 1) await fill("USAGE_WORLD", hour, { team: `team${String(n).padStart(2, "0")}`, cost_nano: n });
  }
  const june = { from: "2026-06-01", to: "2026-06-30", by: "day,team" };
  const whole = (await ask({ ...june, limit: 1000 })).body;
  assert.equal(whole.groups.length, 40);
  assert.equal(whole.next, null);
  assert.deepEqual(whole.groups.map((group) => group.cost_nano), Array.from({ length: 40 }, (_, n) => (n % 3 === 2 ? 2 * n : n)));
  const paged = [];
  let asked = 0;
  // Further pages need not say the range again: it is in the cursor.
  for (let query = june; query; asked++) {
    const { body } = await ask({ ...query, limit: 7 });
    assert.deepEqual([body.total, body.from, body.to], [whole.total, whole.from, whole.to]);
    paged.push(...body.groups);
    query = body.next && { by: june.by, after: body.next };
  }
  assert.equal(asked, 6);
  assert.deepEqual(paged, whole.groups);
});

test("CSV: a line of names, no formulas, and pages by a header", async () => {
  const { status, headers, text } = await ask({ ...MAY, by: "team,feature", format: "csv", limit: 3 });
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "text/csv; charset=utf-8");
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(text, [
    "team,feature,calls,not_ok,estimated,unpriced,input,cache_read,cache_write,output,reasoning,cost_nano,cost,lost_nano,held_nano,held,held_calls,at_least",
    "'=SUM(A1),summaries,1,0,0,0,1000,20,3,50,7,1,$0.000000001,5000000,1250000001,$1.250000001,3,0",
    "o'brien & söhne+1,summaries,1,0,0,0,1000,20,3,50,7,0,$0.000000000,0,0,$0.000000000,0,0",
    "search,,1,0,1,1,1000,20,3,50,7,250000000,$0.250000000,0,0,$0.000000000,0,0",
    "",
  ].join("\r\n"));
  const next = await ask({ by: "team,feature", format: "csv", after: headers.get("meridian-next") });
  assert.equal(next.text.split("\r\n")[1], "search,summaries,4,1,0,0,2000,40,6,100,14,9007200754740993,$9007200.754740993,0,0,$0.000000000,0,0");
  assert.equal(next.headers.get("meridian-next"), null);
});

test("what cannot be answered says why", async () => {
  for (const [query, message] of [
    [{ taem: "x" }, /There is no parameter `taem`; did you mean `team`\?/],
    [{ by: "modle" }, /`by` has no `modle`; did you mean `model`\?/],
    [{ by: "team,team" }, /`by` has `team` twice/],
    [{ by: "1; DROP TABLE usage" }, /`by` has no `1; DROP TABLE usage`; there are: hour, day/],
    [{ limit: "1001" }, /`limit` must be a whole number from 1 to 1000/],
    [{ from: "May" }, /`from` must be a day or a time: 2026-05-01 or/],
    [{ from: "2026-05-02", to: "2026-05-01" }, /`from` must be before `to`/],
    [{ after: "x" }, /`after` is none that was given out/],
    [{ format: "xlsx" }, /`format` must be `json` or `csv`/],
    [[["team", "a"], ["team", "b"]], /`team` is given twice/],
  ]) {
    const { status, body, headers } = await ask(query);
    assert.deepEqual([status, body.error.code, headers.get("content-type")], [400, "invalid", "application/json"], JSON.stringify(query));
    assert.match(body.error.message, message);
  }
  for (const [who, status] of [["ma_none_none", 401], [await gateway.key(), 401], ["", 401], [await gateway.admin("nobody@example.com"), 403]]) {
    assert.equal((await ask({}, who)).status, status);
  }
  const headers = { authorization: `Bearer ${vera}`, "content-type": "application/json" };
  assert.equal((await fetch(`${gateway.url}/admin/v1/usage`, { method: "POST", headers, body: "{}" })).status, 405);
});

test("the command line: a table with a total, to the digit that small amounts need, or CSV, of all pages", async () => {
  const may = ["usage", "--from", MAY.from, "--to", MAY.to];
  const { out, err } = await meridian(vera, ...may, "--by", "team,feature");
  assert.equal(out, [
    "Hours from 2026-05-01T00:00:00Z to 2026-06-01T00:00:00Z",
    "",
    "team               feature    calls  not ok  input  cache read  cache write  output  reasoning          cost          lost   held",
    "=SUM(A1)           summaries      1       0   1000          20            3      50          7  $0.000000001  $0.005000000  $1.25",
    "o'brien & söhne+1  summaries      1       0   1000          20            3      50          7         $0.00         $0.00  $0.00",
    "search             -              1       0   1000          20            3      50          7       $0.2500         $0.00  $0.00",
    "search             summaries      4       1   2000          40            6     100         14   $9007200.75         $0.00  $0.00",
    "total                             7       1   5000         100           15     250         35   $9007201.00  $0.005000000  $1.25",
    "! calls without a price, which the cost lacks: 1",
    "! calls whose tokens are an estimate: 1",
    "! held: at most $1.250000001 for 3 calls, not in the cost: what they took is unknown, because they were cut off or their instance died",
    "",
  ].join("\n"), err);
  const sum = await meridian(vera, ...may, "--zone", "us");
  assert.match(sum.out, /\n +calls .*\ntotal +1 +0 +1000 .*\n$/, sum.err);
  assert.equal(sum.out.trim().split("\n").length, 4);
  assert.match((await meridian(vera, ...may, "--team", "o'brien & söhne+1", "--by", "model")).out, /\ngpt-5 mini +1 /);
  assert.match((await meridian(vera, ...may, "--feature", "", "--environment", "prod")).out, /\ntotal +1 /);

  // More groups than a page has.
  await gateway.env.USAGE_EU.prepare("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) INSERT INTO usage_by_hour (hour, zone, team, feature, environment, model, endpoint, calls, not_ok, estimated, unpriced, input, cache_read, cache_write, output, reasoning, cost_nano, lost_nano) SELECT 1783000800000, 'eu', printf('team%05d', i), '', '', '', '', 1, 0, 0, 0, 1, 0, 0, 1, 0, i, 0 FROM n").run();
  const july = ["usage", "--from", "2026-07-01", "--to", "2026-07-31", "--by", "team"];
  const csv = (await meridian(vera, ...july, "--csv")).out.trim().split("\r\n");
  assert.equal(csv[0].split(",")[0], "team");
  assert.equal(csv.length, 2501);
  assert.equal(csv[2500], "team02500,1,0,0,0,1,0,0,1,0,2500,$0.000002500,0,0,$0.000000000,0,0");
  assert.match((await meridian(vera, ...july)).out, /\nteam02500 .*\ntotal +2500 /);

  const wrong = await meridian(vera, "usage", "--by", "taem");
  assert.ok(!wrong.ok);
  assert.match(wrong.err, /`by` has no `taem`; did you mean `team`\?/);
});

test("guard_rows_that_were_unsettled_are_held_after_the_migration_and_leave_the_cost", async () => {
  const db = gateway.env.USAGE_WORLD;
  // As it was before 0008.
  for (const table of ["usage", "usage_by_hour"]) for (const column of ["held_nano", "held_calls"]) await db.prepare(`ALTER TABLE ${table} DROP COLUMN ${column}`).run();
  const at = Date.parse("2026-04-01T10:30:00Z");
  const row = { key_id: "k", team: "before", tags: "{}", country: "DE", colo: "FRA", zone_reason: "", map: "m", dialect: "openai-chat", model_asked: "m", attempts: 1, stream: 0, status: 200, input: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, audio_input: 0, output: 0, reasoning: 0, audio_output: 0, duration_ms: 1, at };
  const insert = (one) => db.prepare(`INSERT INTO usage (${Object.keys(one)}) VALUES (${Object.keys(one).map(() => "?")})`).bind(...Object.values(one)).run();
  await insert({ ...row, id: "ok", zone: "eu", outcome: "ok", estimated: 0, cost_nano: 5 });
  await insert({ ...row, id: "cut", zone: "eu", outcome: "unsettled", estimated: 1, cost_nano: 100 });
  await insert({ ...row, id: "died", zone: "", outcome: "unsettled", estimated: 1, cost_nano: 1_000 });
  const hour = Math.floor(at / 3_600_000) * 3_600_000;
  const sums = "INSERT INTO usage_by_hour (hour, zone, team, feature, environment, model, endpoint, calls, not_ok, estimated, unpriced, input, cache_read, cache_write, output, reasoning, cost_nano, lost_nano) VALUES";
  await db.prepare(`${sums} (${hour}, 'eu', 'before', '', '', '', '', 2, 1, 1, 0, 0, 0, 0, 0, 0, 105, 0), (${hour}, '', 'before', '', '', '', '', 1, 1, 1, 0, 0, 0, 0, 0, 0, 1000, 0)`).run();
  const migration = readFileSync(join(ROOT, "migrations/0008_held.sql"), "utf8").replace(/--.*\n/g, "");
  for (const statement of migration.split(";").filter((text) => text.trim())) await db.prepare(statement).run();
  const { total } = await usage({ from: "2026-04-01", to: "2026-04-01", team: "before" });
  const { calls, not_ok, estimated, cost_nano, held_nano, held_calls } = total;
  assert.deepEqual({ calls, not_ok, estimated, cost_nano, held_nano, held_calls }, { calls: 2, not_ok: 1, estimated: 0, cost_nano: 5, held_nano: 1_100, held_calls: 1 });
  const { results } = await db.prepare("SELECT id, outcome, cost_nano, held_nano, held_calls FROM usage WHERE team = 'before' ORDER BY id").all();
  assert.deepEqual(results.map((one) => Object.values(one)), [["cut", "held", 0, 100, 1], ["died", "held", 0, 1_000, 0], ["ok", "ok", 5, 0, 0]]);
});

test("a database that cannot answer: no sum rather than one that lacks it", async () => {
  await gateway.env.USAGE_WORLD.prepare("ALTER TABLE usage_by_hour RENAME TO away").run();
  for (const format of ["json", "csv"]) {
    const { status, body } = await ask({ ...MAY, format });
    assert.deepEqual([status, body.error.code], [503, "unavailable"]);
    assert.match(body.error.message, /A usage database did not answer; try again/);
  }
  await gateway.env.USAGE_WORLD.prepare("ALTER TABLE away RENAME TO usage_by_hour").run();
  assert.equal((await ask(MAY)).status, 200);
});
