// Drills and how endpoints fare, as an operator sees them: by the admin API and
// the command line.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { ROOT, startGateway } from "./gateway.mjs";

let gateway, key, otto, vera;
before(async () => {
  gateway = await startGateway();
  key = await gateway.key();
  otto = await gateway.admin("otto@example.com", "operator");
  vera = await gateway.admin("vera@example.com", "viewer");
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

const FRANKFURT = "bedrock-runtime.eu-central-1.amazonaws.com";
const IRELAND = "bedrock-runtime.eu-west-1.amazonaws.com";
const hosts = () => gateway.simulator.log.map((entry) => entry.host);
function meridian(who, ...args) {
  return new Promise((resolve) => {
    const env = { ...process.env, MERIDIAN_URL: gateway.url, MERIDIAN_ADMIN_KEY: who };
    execFile(join(ROOT, "target/debug/meridian"), args, { cwd: ROOT, env }, (error, out, err) => resolve({ ok: !error, out, err }));
  });
}
const api = async (who, method, path, body) => {
  const headers = { authorization: `Bearer ${who}`, "content-type": "application/json" };
  const response = await fetch(`${gateway.url}/admin/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
};
async function call(more = {}) {
  const response = await gateway.from("DE")(`${gateway.url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": key, "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model: "claude-sonnet", max_tokens: 10, messages: [{ role: "user", content: "hi" }], ...more }),
  });
  return { response, text: await response.text(), by: response.headers.get("meridian-served-by") };
}
const rowOf = ({ response }) => gateway.row(response.headers.get("meridian-request-id"));

for (const [kind, why] of [["429", "rate_limited"], ["529", "overloaded"], ["connect", "no_connection"]]) {
  test(`a drill (${kind}): the next endpoint of the zone answers, nothing is sent to the one that is blocked`, async () => {
    const blocked = await meridian(otto, "drill", "block", "bedrock-frankfurt", "--for", "10m", "--as", kind, "--why", "Tuesday's exercise");
    assert.match(blocked.out, /^Drill: bedrock-frankfurt is treated as .* until 20\d\d-.*Z, by otto@example.com\.\n/, blocked.err);
    for (const stream of [false, true]) {
      const answered = await call({ stream });
      assert.equal(answered.by, "bedrock-ireland");
      const row = await rowOf(answered);
      const tried = JSON.parse(row.failures);
      // Once an endpoint is known to rest, it is not tried at all.
      for (const one of tried) assert.deepEqual([one.endpoint, one.why, one.drill], ["bedrock-frankfurt", why, true]);
      assert.equal(row.lost_nano, 0);
    }
    assert.deepEqual(new Set(hosts()), new Set([IRELAND]));
    const { body } = await api(vera, "GET", "health");
    assert.match(body.banner, /^Drill: bedrock-frankfurt/);
    assert.match((await api(vera, "GET", "drills")).body.banner, /otto@example.com/);
    assert.match((await meridian(vera, "status")).out, /^! Drill: bedrock-frankfurt/);
    assert.match((await meridian(otto, "drill", "end", "bedrock-frankfurt")).out, /is over/);
    await gateway.reset();
    assert.equal((await call()).by, "bedrock-frankfurt");
    assert.equal((await api(vera, "GET", "health")).body.banner, null);
  });
}

test("a drill (cut): streams break off with an error, whole answers go to the next endpoint", async () => {
  await meridian(otto, "drill", "block", "bedrock-frankfurt", "--for", "90s", "--as", "cut");
  const cut = await call({ stream: true });
  assert.equal(cut.by, "bedrock-frankfurt");
  assert.match(cut.text, /event: error\n/);
  assert.doesNotMatch(cut.text, /message_stop/);
  assert.deepEqual([(await rowOf(cut)).outcome], ["failed"]);
  assert.equal((await call()).by, "bedrock-ireland");
  await meridian(otto, "drill", "end", "bedrock-frankfurt");
});

test("every drill is in the audit log, with who and why", async () => {
  const log = (await meridian(vera, "audit", "log")).out;
  assert.match(log, /drill\.begun bedrock-frankfurt .*otto@example\.com .*Tuesday's exercise/);
  assert.match(log, /drill\.ended bedrock-frankfurt/);
  assert.ok((await meridian(vera, "audit", "verify")).ok);
});

test("obvious mistakes with drills get a line that helps", async () => {
  for (const [who, args, help] of [
    [otto, ["block", "bedrock-frankfort", "--for", "10m"], /There is no endpoint bedrock-frankfort\. Did you mean bedrock-frankfurt\?/],
    [otto, ["block", "bedrock-frankfurt", "--for", "9h"], /between a second and four hours/],
    [otto, ["end", "bedrock-frankfurt"], /There is no drill at bedrock-frankfurt/],
    [vera, ["block", "bedrock-frankfurt", "--for", "10m"], /vera@example\.com may not do this: it takes the role operator/],
  ]) {
    const done = await meridian(who, "drill", ...args);
    assert.ok(!done.ok);
    assert.match(done.err, help);
  }
  assert.match((await meridian(vera, "drill", "list")).out, /No drill goes on/);
});

test("status tells circuits, limits and speed; forgetting closes them", async () => {
  gateway.simulator.fault({ host: FRANKFURT, times: 0, fault: { status: 500 } });
  for (let i = 0; i < 6; i++) assert.equal((await call()).by, "bedrock-ireland");
  // The sixth call found the circuit open.
  assert.equal(hosts().filter((host) => host === FRANKFURT).length, 5);
  const { body } = await api(vera, "GET", "health");
  const of = (endpoint, model) => body.endpoints.find((one) => one.endpoint === endpoint && one.model === model);
  const frankfurt = of("bedrock-frankfurt", "claude-sonnet-4-6");
  assert.deepEqual([frankfurt.state, frankfurt.recent_failures, frankfurt.last_failure.why], ["open", 5, "failing"]);
  assert.equal(of("bedrock-frankfurt", "claude-haiku-4-5").state, "ready");
  const { out } = await meridian(vera, "status");
  assert.match(out, /bedrock-frankfurt +claude-sonnet-4-6 +open +20\S+ +5\/5 +failing at 20/);
  assert.match(out, /more were not asked lately/);
  gateway.simulator.reset();
  const forgotten = await api(otto, "POST", "health/forget", { endpoint: "bedrock-frankfurt" });
  assert.ok(forgotten.body.forgotten >= 1);
  assert.equal((await call()).by, "bedrock-frankfurt");
  assert.equal((await api(vera, "POST", "health/forget", {})).status, 403);
});

test("with every endpoint open the least bad is tried, still in the zone", async () => {
  gateway.simulator.fault({ times: 0, fault: { status: 503 } });
  for (let i = 0; i < 7; i++) assert.equal((await call()).response.status, 503);
  const { body } = await api(vera, "GET", "health");
  const states = body.endpoints.filter((one) => one.model === "claude-sonnet-4-6" && one.recent_calls).map((one) => one.state);
  assert.deepEqual(states, ["open", "open"]);
  gateway.simulator.reset();
  assert.equal((await call()).response.status, 200);
  assert.equal(hosts().length, 1);
});
