// What one team does with the ledger costs others nothing, in plain workerd with
// storage on the disk: many values of a tag, a shared budget full of reservations,
// and calls that died with their instance.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { writeConfig } from "../../tools/sidecar/config.mjs";
import { ROOT, close, freePort, listen } from "../bench/rig.mjs";

const ADMIN = "ma_sidecar000_0123456789abcdef0123456789abcdef01234567";
const hash = (key) => createHash("sha256").update(key).digest("hex");
const TEAMS = ["tags", "quiet", "greedy", "modest", "killed"];
const key = (team) => `mk_${team.padEnd(10, "0").slice(0, 10)}_0123456789abcdef0123456789abcdef01234567`;
const seed = {
  ...Object.fromEntries(TEAMS.map((team) => [`key:${hash(key(team))}`, JSON.stringify({ id: team, team, created: "2026-11-20T00:00:00Z" })])),
  [`admin:key:${hash(ADMIN)}`]: JSON.stringify({ id: "a", who: "otto@example.com", roles: ["operator"], created: "2026-11-20T00:00:00Z" }),
};
// claude-sonnet is 3 and 15 dollars for a million tokens, and a tenth more in the region.
const OUTPUT = 16_500;
const VALUES = 100;
const LIMITS = {
  values_per_limit: VALUES,
  all: {
    "each-feature": { scope: { team: "tags", feature: "*" }, budget: { amount: 50_000_000, per: "ever" }, requests_per_minute: 5_000 },
    quiet: { scope: { team: "quiet" }, budget: { amount: 1_000_000_000, per: "ever" } },
    shared: { scope: { environment: "shared" }, budget: { amount: 20_000_000, per: "ever" } },
    killed: { scope: { team: "killed" }, budget: { amount: 20_000_000, per: "ever" } },
  },
};
const TIMES = { connect: 700, first_token: 2500, between_tokens: 2500, answer: 2500, total: 3000, keep_alive: 3000 };
const whole = '{"id":"m","type":"message","role":"assistant","model":"claude-sonnet-4-6","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5}}';
const COST = 10 * 3_300 + 5 * OUTPUT;

let folder, provider, answer, running, url;
let asked = 0;
before(async () => {
  provider = http.createServer((request, response) => request.resume().on("end", () => answer(response)));
  const upstream = await listen(provider);
  folder = mkdtempSync(join(tmpdir(), "guard-ledger-"));
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const gateway = { limits: LIMITS, timeouts: TIMES };
  writeConfig(folder, { ports: [port], country: "DE", seed, secrets: ["BEDROCK_EU_KEY"], vars: { ENVIRONMENT: "sidecar" }, providers: `127.0.0.1:${upstream}`, gateway });
  await serve();
});
after(async () => {
  await stop("SIGTERM");
  await close(provider);
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  answer = well;
  await admin("health/forget", {});
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const well = (response) => response.writeHead(200, { "content-type": "application/json" }).end(whole);
async function serve() {
  running = spawn(join(ROOT, "node_modules/.bin/workerd"), ["serve", "config.capnp"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, BEDROCK_EU_KEY: "secret-of-bedrock-eu" }, detached: true });
  for (let tries = 0; !(await fetch(`${url}/healthz`).then((r) => r.ok, () => false)); tries++) {
    assert.ok(tries < 200, "it does not answer");
    await sleep(25);
  }
}
async function stop(signal) {
  const over = new Promise((resolve) => running.once("exit", resolve));
  process.kill(-running.pid, signal);
  await over;
}
async function call(team, tags, { max_tokens = 10, dialect = "messages" } = {}) {
  // Nobody asks the same again and again: that would be a loop.
  const messages = [{ role: "user", content: `hi ${String(asked++).padStart(5, "0")}` }];
  const [path, body] = dialect === "messages" ? ["/v1/messages", { max_tokens }] : ["/v1/chat/completions", { max_completion_tokens: max_tokens }];
  const response = await fetch(url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${key(team)}`, "anthropic-version": "2023-06-01", "content-type": "application/json", ...(tags && { "meridian-tags": tags }) },
    body: JSON.stringify({ model: "claude-sonnet", messages, ...body }),
  });
  return { status: response.status, retryAfter: response.headers.get("retry-after"), told: await response.json() };
}
async function admin(path, body) {
  const response = await fetch(`${url}/admin/v1/${path}`, { method: body ? "POST" : "GET", headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" }, body: body && JSON.stringify(body) });
  const told = await response.json();
  assert.equal(response.status, 200, JSON.stringify(told));
  return told;
}
const accountsOf = async (team, limit) => (await admin(`budgets?team=${team}`)).accounts.filter((account) => account.limit === limit);
// The command line, as an operator.
function meridian(...args) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, MERIDIAN_URL: url, MERIDIAN_ADMIN_KEY: ADMIN };
    execFile(join(ROOT, "target/debug/meridian"), args, { env }, (error, out, err) => (error ? reject(new Error(err)) : resolve(out)));
  });
}

// What the ledger was sent, when nothing more has come for two seconds: what calls
// before left idle is given back by then.
async function atRest() {
  let last;
  for (let tries = 0; tries < 30; tries++) {
    const { ledger } = await admin("health");
    if (last && ledger.bytes === last.bytes) return ledger;
    last = ledger;
    await sleep(2_000);
  }
  throw new Error("messages to the ledger do not end");
}

// The bytes that calls send to the ledger, with their rows of some two kilobytes.
async function bytesACall(calls) {
  const before = await atRest();
  await calls();
  const after = await atRest();
  return (after.bytes - before.bytes) / (after.admitted - before.admitted);
}

test("guard_many_values_of_a_tag_do_not_make_anybodys_messages_longer", async () => {
  const few = await bytesACall(async () => {
    for (let i = 0; i < 20; i++) assert.equal((await call("tags", "feature=one")).status, 200);
  });
  for (let i = 0; i < 300; i += 10) {
    const calls = Array.from({ length: 10 }, (_, n) => call("tags", `feature=value-${i + n}`));
    for (const { status } of await Promise.all(calls)) assert.ok([200, 402, 429].includes(status), `${status}`);
  }
  // One call after the other, each reported alone, so that nothing is shared out.
  const many = await bytesACall(async () => {
    for (let i = 0; i < 20; i++) assert.equal((await call("tags", "feature=one")).status, 200);
  });
  const quiet = await bytesACall(async () => {
    for (let i = 0; i < 20; i++) assert.equal((await call("quiet")).status, 200);
  });
  console.log(`# bytes to the ledger a call: ${few.toFixed(0)} with one value, ${many.toFixed(0)} with 300, ${quiet.toFixed(0)} of another team`);
  assert.ok(many < few * 1.3 + 500 && quiet < few * 1.3 + 500, `${few} ${many} ${quiet}`);
});

test("guard_values_beyond_the_cap_count_together_under_a_name_that_says_so", async () => {
  const accounts = (await accountsOf("tags", "each-feature")).filter((account) => account.measure === "budget");
  assert.ok(accounts.length <= VALUES + 1, `${accounts.length} accounts`);
  const [others] = accounts.filter((account) => account.whom === `team tags, other features (more than ${VALUES} values)`);
  assert.ok(others?.spent > 0, JSON.stringify(accounts.slice(0, 2)));
  assert.ok(accounts.every((account) => account.spent <= account.of));
  // A value that is new is refused when what all others have together is spent.
  let refused;
  for (let i = 0; i < 700 && !refused; i += 10) {
    const all = await Promise.all(Array.from({ length: 10 }, (_, n) => call("tags", `feature=new-${i + n}`)));
    refused = all.find(({ status }) => status !== 200);
  }
  assert.match(refused.told.error.message, new RegExp(`other features \\(more than ${VALUES} values\\)`));
});

test("guard_one_teams_reservations_do_not_fill_a_shared_budget", async () => {
  const held = [];
  answer = (response) => held.push(response);
  const tags = "environment=shared";
  // Each is bound by $0.0028 of $0.02.
  const large = { max_tokens: 125 };
  const calls = Array.from({ length: 7 }, (_, n) => call("greedy", tags, { ...large, dialect: n % 2 ? "messages" : "chat" }).then((reply) => ({ ...reply, n })));
  await sleep(1_200);
  const served = held.splice(0);
  assert.ok(served.length >= 1 && served.length <= 2, `${served.length} of seven are under way`);
  // Meanwhile another team is served.
  answer = well;
  assert.equal((await call("modest", tags, large)).status, 200);
  served.forEach(well);
  const replies = await Promise.all(calls);
  const refused = replies.filter(({ status }) => status !== 200);
  assert.equal(refused.length, 7 - served.length);
  for (const { status, retryAfter, told, n } of refused) {
    assert.deepEqual([status, retryAfter], [429, "5"], JSON.stringify(told));
    assert.equal(told.error.type, "rate_limit_error");
    if (n % 2 === 0) assert.equal(told.error.code, "team_share_exceeded");
    assert.match(told.error.message, /a team may reserve at most 25 % of what is left/);
  }
  // What was reserved is free again when they are over.
  await sleep(3_500);
  assert.equal((await call("greedy", tags, large)).status, 200);
});

test("guard_what_died_with_its_instance_is_held_and_never_told_as_spent", async () => {
  assert.equal((await call("killed")).status, 200);
  await sleep(3_000);
  answer = () => {};
  const cut = [0, 1, 2].map(() => call("killed", undefined, { max_tokens: 100 }).catch(() => "cut"));
  await sleep(500);
  await stop("SIGKILL");
  assert.deepEqual(await Promise.all(cut), ["cut", "cut", "cut"]);
  await serve();
  answer = well;
  let total;
  for (let tries = 0; tries < 150 && !(total?.held_nano > 0); tries++) {
    await sleep(100);
    ({ total } = await admin("usage?team=killed"));
  }
  assert.deepEqual([total.calls, total.cost_nano, total.cost], [1, COST, `$0.000${COST}`.slice(0, 12)], JSON.stringify(total));
  assert.ok(total.held_nano >= 3 * 100 * OUTPUT && total.held_nano <= 20_000_000, JSON.stringify(total));
  assert.ok(total.held_calls >= 1 && total.held_calls <= 3, JSON.stringify(total));
  const [account] = await accountsOf("killed", "killed");
  assert.deepEqual([account.spent, account.held, account.reserved, account.percent], [COST, total.held_nano, 0, 0]);

  // Every report has it as a line of its own.
  const table = await meridian("usage", "--team", "killed");
  assert.match(table, /! held: at most \$0\.0\d+ for [123] calls, not in the cost/);
  const csv = await meridian("usage", "--team", "killed", "--csv");
  assert.match(csv, new RegExp(`,cost_nano,cost,lost_nano,held_nano,held,held_calls,at_least\\r\\n.*,${COST},\\$[0-9.]+,0,${total.held_nano},\\$[0-9.]+,${total.held_calls},0\\r\\n`));
  assert.match(await meridian("budget", "list", "--team", "killed"), /! killed held: at most \$0\.0\d+ for [123] calls/);

  // It counts against the budget until an operator releases it.
  const free = 20_000_000 - COST - total.held_nano;
  const larger = Math.ceil(free / OUTPUT) + 1;
  const refused = await call("killed", undefined, { max_tokens: larger });
  assert.equal(refused.status, 402);
  assert.match(refused.told.error.message, /are held for calls whose cost is unknown/);
  assert.match(await meridian("budget", "release", "--team", "killed", "--why", "the provider billed nothing"), /Released: at most \$0\.0\d+ for [123] calls\. If providers bill them/);
  await sleep(1_500);
  assert.equal((await call("killed", undefined, { max_tokens: larger })).status, 200);
  ({ total } = await admin("usage?team=killed"));
  assert.deepEqual([total.held_nano, total.held_calls], [0, 0], JSON.stringify(total));
  const { entries } = await admin("audit");
  assert.ok(entries.some((entry) => entry.action === "held.released" && entry.subject === "killed" && /billed nothing/.test(entry.why)), JSON.stringify(entries));
});
