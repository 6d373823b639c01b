// Limits over the wire: what a client sees, what the provider is sent, and that
// what is settled never goes over a budget, whatever comes at once.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { ROOT, startGateway, STORES } from "./gateway.mjs";

// gpt-mini is 0.75 and 4.50 dollars for a million tokens.
const LIMITS = {
  all: {
    "pennies": { scope: { team: "pennies" }, budget: { amount: 10_000_000, per: "month" } },
    "twice": { scope: { team: "twice" }, requests_per_minute: 2 },
    "narrow": { scope: { team: "narrow" }, concurrent: 2 },
    "few-tokens": { scope: { team: "tokens" }, tokens_per_minute: 300 },
    "cheap": { scope: { team: "cheap" }, budget: { amount: 1_000, per: "day" }, downgrade: "gpt-4o-mini" },
    "each-feature": { scope: { team: "features", feature: "*" }, budget: { amount: 3_000_000, per: "day" } },
    "hooked": { scope: { team: "hooked" }, budget: { amount: 1_500_000, per: "day" }, webhook: "https://hooks.example/budgets" },
    "spilled": { scope: { team: "spilled" }, budget: { amount: 1_000_000_000, per: "ever" } },
    "company": { scope: { environment: "shared" }, requests_per_minute: 3 },
  },
};

let gateway;
before(async () => {
  gateway = await startGateway({ gateway: { limits: LIMITS } });
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

const ask = (key, { country = "DE", tags, ...body } = {}) =>
  gateway.from(country)(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, ...(tags && { "meridian-tags": tags }) },
    body: JSON.stringify({ model: "gpt-mini", max_tokens: 60, messages: [{ role: "user", content: "hello" }], ...body }),
  });

// The command line as somebody.
function meridianAs(url, admin, ...args) {
  return new Promise((resolve) => {
    const env = { ...process.env, MERIDIAN_URL: url, MERIDIAN_ADMIN_KEY: admin };
    execFile(join(ROOT, "target/debug/meridian"), args, { env }, (error, out, err) => resolve({ ok: !error, out, err }));
  });
}

// Until every call has its row.
async function rows(team, count) {
  const until = Date.now() + 15_000;
  for (;;) {
    const found = [];
    for (const store of STORES) found.push(...(await gateway.env[store].prepare("SELECT * FROM usage WHERE team = ?").bind(team).all()).results);
    if (found.length >= count || Date.now() > until) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

for (const atOnce of [50, 500]) {
  test(`field_01 ${atOnce} at once against $0.01, the first requests of a fresh team: never settled above it`, async () => {
    const before = (await rows("pennies", 0)).length;
    const key = await gateway.key({ team: "pennies" });
    const answers = await Promise.all(Array.from({ length: atOnce }, () => ask(key).then(async (response) => [response.status, await response.text()])));
    const statuses = answers.map(([status]) => status);
    assert.ok(statuses.every((status) => status === 200 || status === 402), statuses.join());
    assert.ok(before > 0 || statuses.includes(200));
    const all = await rows("pennies", before + atOnce);
    assert.equal(all.length, before + atOnce, "one row each");
    const spent = all.reduce((sum, row) => sum + row.cost_nano, 0);
    const billed = gateway.simulator.log.length;
    assert.equal(statuses.filter((status) => status === 200).length, billed);
    console.log(`# ${atOnce} at once: ${billed} served, $${(spent / 1e9).toFixed(6)} of $0.010000 settled`);
    assert.ok(spent <= 10_000_000, `${spent}`);
    assert.ok(all.filter((row) => row.outcome === "ok").every((row) => row.cost_nano <= row.reserved_nano && !row.over_bound));
  });
}

test("a spent budget is told as such in each dialect, and nothing is sent", async () => {
  const key = await gateway.key({ team: "pennies" });
  while ((await ask(key)).status === 200);
  gateway.simulator.reset();
  const openai = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, fetch: gateway.from("DE"), maxRetries: 0 });
  await assert.rejects(openai.chat.completions.create({ model: "gpt-mini", max_tokens: 2000, messages: [{ role: "user", content: "hello" }] }), (error) => {
    assert.deepEqual([error.status, error.code, error.type], [402, "budget_exceeded", "insufficient_quota"]);
    assert.match(error.message, /The limit `pennies` of \$0\.0100 for team pennies has no room for this call: \$0\.00\d+ are used.*resets at \d{4}-\d\d-01T00:00:00Z\. Nothing was sent/);
    return true;
  });
  const anthropic = new Anthropic({ apiKey: key, baseURL: gateway.url, fetch: gateway.from("DE"), maxRetries: 0 });
  await assert.rejects(anthropic.messages.create({ model: "claude-sonnet", max_tokens: 2000, messages: [{ role: "user", content: "hello" }] }), (error) => {
    assert.deepEqual([error.status, error.error.error.type], [402, "billing_error"]);
    return true;
  });
  assert.equal(gateway.simulator.log.length, 0);
});

test("requests a minute: the third is refused and told when to come back", async () => {
  const key = await gateway.key({ team: "twice" });
  // Not over the end of a minute.
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 5_000) await new Promise((resolve) => setTimeout(resolve, left + 50));
  const statuses = [];
  let last;
  for (let i = 0; i < 3; i++) statuses.push((last = await ask(key)).status);
  assert.deepEqual(statuses, [200, 200, 429]);
  const wait = Number(last.headers.get("retry-after"));
  assert.ok(wait >= 1 && wait <= 60, `${wait}`);
  const { error } = await last.json();
  assert.deepEqual([error.type, error.code], ["rate_limit_error", "requests_limit_exceeded"]);
});

test("tokens a minute: what is reserved counts until it is settled", async () => {
  const key = await gateway.key({ team: "tokens" });
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 5_000) await new Promise((resolve) => setTimeout(resolve, left + 50));
  const [a, b] = await Promise.all([ask(key, { max_tokens: 100 }), ask(key, { max_tokens: 100 })]);
  assert.deepEqual([a.status, b.status].sort(), [200, 429]);
  // The first took far less than its bound.
  await Promise.all([a.text(), b.text()]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal((await ask(key, { max_tokens: 100 })).status, 200);
});

test("calls at once: a place is free again when a call is over", async () => {
  const key = await gateway.key({ team: "narrow" });
  gateway.simulator.fault({ times: 3, fault: { delay_first_ms: 600 } });
  const statuses = (await Promise.all([1, 2, 3].map(() => ask(key)))).map((response) => response.status).sort();
  assert.deepEqual(statuses, [200, 200, 429]);
  gateway.simulator.reset();
  assert.equal((await ask(key)).status, 200);
});

test("a budget that is spent lets the cheaper model answer, and says so", async () => {
  const key = await gateway.key({ team: "cheap" });
  const response = await ask(key);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("meridian-downgraded"), "cheap: gpt-5.4-mini");
  const row = await gateway.row(response.headers.get("meridian-request-id"));
  assert.deepEqual([row.model_asked, row.model], ["gpt-mini", "gpt-4o-mini"]);
});

test("each feature has an account of its own, and half of it is told", async () => {
  const key = await gateway.key({ team: "features" });
  let told;
  let served = 0;
  for (; served < 400; served++) {
    const response = await ask(key, { tags: "feature=chat" });
    if (response.status === 402) break;
    assert.equal(response.status, 200);
    told = response.headers.get("meridian-budget") ?? told;
    await response.text();
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  assert.ok(served < 400 && served > 3, `${served}`);
  assert.match(told ?? "", /^each-feature=\d\d%$/);
  assert.equal((await ask(key, { tags: "feature=search" })).status, 200);
});

test("a limit over all teams is one, in every jurisdiction", async () => {
  const [a, b] = [await gateway.key({ team: "a" }), await gateway.key({ team: "b" })];
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 8_000) await new Promise((resolve) => setTimeout(resolve, left + 50));
  const statuses = [];
  for (const [key, country] of [[a, "DE"], [b, "US"], [a, "US"], [b, "DE"]]) {
    const response = await ask(key, { country, tags: "environment=shared" });
    statuses.push(response.status);
    await response.text();
  }
  assert.deepEqual(statuses, [200, 200, 200, 429]);
});

test("a key's own limit", async () => {
  const key = await gateway.key({ team: "own", limits: { small: { requests_per_minute: 1 } } });
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 5_000) await new Promise((resolve) => setTimeout(resolve, left + 50));
  assert.equal((await ask(key)).status, 200);
  const refused = await ask(key);
  assert.equal(refused.status, 429);
  assert.match((await refused.json()).error.message, /: small` of 1 requests for key /);
});

test("a webhook is told when half, four fifths and all of a budget are spent, once each", async () => {
  const key = await gateway.key({ team: "hooked" });
  gateway.simulator.fault({ host: "hooks.example", times: 100, fault: { status: 200, body: "{}" } });
  for (let i = 0; i < 60 && (await ask(key, { max_tokens: 20 })).status === 200; i++) await new Promise((resolve) => setTimeout(resolve, 60));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const told = gateway.simulator.log.filter((entry) => entry.host === "hooks.example").map((entry) => JSON.parse(entry.body));
  assert.ok(told.length >= 2, JSON.stringify(told));
  assert.deepEqual(told.map((one) => one.percent), [50, 80, 100].slice(0, told.length));
  assert.match(told[0].text, /^50 % of the budget `hooked` are spent: \$0\.00\d+ of \$0\.00\d+\.$/);
  assert.deepEqual([told[0].whom, told[0].budget_nano], ["team hooked", 1_500_000]);
});

test("limits are set, listed and removed while the gateway runs, by operators, and the log says who", async () => {
  const [otto, vera] = [await gateway.admin("otto@example.com", "operator"), await gateway.admin("vera@example.com", "viewer")];
  const run = (admin, ...args) => meridianAs(gateway.url, admin, "budget", ...args);
  const key = await gateway.key({ team: "live" });
  assert.equal((await ask(key)).status, 200);
  const refused = await run(vera, "set", "live-total", "--team", "live", "--budget", "0.000001", "--per", "day");
  assert.ok(!refused.ok && /operator/.test(refused.err), refused.err);
  const wrong = await run(otto, "set", "live-total", "--team", "live", "--model", "gpt-5.4-min", "--concurrent", "3");
  assert.match(wrong.err, /no model gpt-5\.4-min/);
  const set = await run(otto, "set", "live-total", "--team", "live", "--budget", "0.000001", "--per", "day", "--why", "the quarter is over");
  assert.ok(set.ok, set.err);
  assert.equal((await ask(key)).status, 402);
  const listed = await run(vera, "list", "--team", "live");
  assert.match(listed.out, /live-total +team live +\$0\.00 of \$0\.000001000 +0 /, listed.out);
  const log = await meridianAs(gateway.url, vera, "audit", "log");
  assert.match(log.out + log.err, /limit\.set/);
  assert.ok((await run(otto, "remove", "live-total")).ok);
  assert.equal((await ask(key)).status, 200);
  assert.match((await run(otto, "remove", "live-total")).err, /No limit live-total was set/);
});

test("what was left in the database for an object that could not be reached is settled with the team's next rows", async () => {
  const key = await gateway.key({ team: "spilled" });
  const first = await ask(key);
  const row = await gateway.row(first.headers.get("meridian-request-id"));
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const storage = await gateway.worker.getDurableObjectStorage("LEDGER", { name: `team ${row.store} spilled` });
  const spent = async () => JSON.parse((await storage.exec("SELECT value FROM state WHERE key LIKE 'account %budget%'"))[0].value).spent;
  const before = await spent();
  assert.equal(before, row.cost_nano);
  const account = JSON.parse((await storage.exec("SELECT value FROM state WHERE key LIKE 'account %budget%'"))[0].value).applied.account;
  const left = { ...row, id: "01SPILLED00000000000000000", tags: "{}", stream: false, estimated: false, over_bound: false };
  delete left.store;
  const event = JSON.stringify({ message: { holder: "gone", number: 1, settled: [{ id: left.id, holder: "gone", parts: [{ account, amount: 777 }] }] }, row: left });
  for (let i = 0; i < 2; i++) {
    // Left twice, it counts once.
    await gateway.env[row.store].prepare("INSERT INTO spilled VALUES (?, 'spilled', ?)").bind(`${left.id}${i}`, event).run();
    await (await ask(key)).text();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
  }
  assert.equal(await spent(), 3 * row.cost_nano + 777);
  assert.equal((await gateway.env[row.store].prepare("SELECT count(*) AS left FROM spilled").first()).left, 0);
});
