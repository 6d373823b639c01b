// `npm start` as a developer runs it: what is simulated is simulated, who leaves
// has left, and nothing stays on the port.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../bench/rig.mjs";
import { ROOT } from "./gateway.mjs";

let npm, port, sim, keys;

before(async () => {
  port = await freePort();
  // As npm does it: a shell in between, which passes no signal on.
  npm = spawn("sh", ["-c", `node tools/start.mjs --port ${port}; true`], { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  for await (const piece of npm.stdout.setEncoding("utf8")) {
    said += piece;
    if (said.includes("MERIDIAN_URL=")) break;
  }
  [, sim] = /was sent: (\S+)\/__sim\/log/.exec(said) ?? assert.fail(said);
  assert.match(said, /All providers are simulated/);
  keys = JSON.parse(readFileSync(join(ROOT, ".local/demo-keys.json"), "utf8"));
});
after(() => npm.kill("SIGKILL"));

const ask = (zone, body, { signal, headers } = {}) => fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: "POST", headers: { authorization: `Bearer ${keys[zone]}`, ...headers }, body: JSON.stringify({ messages: [{ role: "user", content: "Hello." }], ...body }), signal });
const log = async () => (await (await fetch(`${sim}/__sim/log`)).json()).entries;

async function until(found, what) {
  for (let tries = 0; tries < 100; tries++) {
    if (await found()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`${what} did not happen`);
}

const CALLS = [
  ["eu", "claude-sonnet", /bedrock-runtime\.eu-/],
  ["eu", "gpt-mini", /eu\.api\.openai\.com|azure/],
  ["eu", "mistral-large", /api\.eu\.mistral\.ai/],
  ["eu", "nova-pro", /bedrock-runtime\.eu-/],
];
for (const [zone, model, host] of CALLS) {
  test(`${model} in ${zone}: the simulator answers, and not the provider`, async () => {
    const answer = await ask(zone, { model });
    assert.equal(answer.status, 200, await answer.clone().text());
    await answer.text();
    assert.match((await log()).at(-1).host, host);
  });
}

test("a caller is in its key's zone, and a header places it anywhere", async () => {
  const zone = async (pinned, country) => {
    const answer = await ask(pinned, { model: "gpt-mini" }, { headers: country && { "meridian-local-country": country } });
    return [answer.headers.get("meridian-zone"), (await answer.json()).error?.code];
  };
  assert.deepEqual(await zone("eu"), ["eu", undefined]);
  assert.deepEqual(await zone("us"), ["us", undefined]);
  assert.deepEqual(await zone("eu", "CH"), ["eu", undefined]);
  assert.deepEqual(await zone("us", "CH"), [null, "zones_clash"]);
});

test("a client that leaves has left at the simulator too", async () => {
  const leaving = new AbortController();
  const answer = await ask("eu", { model: "claude-sonnet", stream: true, messages: [{ role: "user", content: '[[sim: {"chunks": 100, "delay_between_ms": 100}]]' }] }, leaving);
  await answer.body.getReader().read();
  leaving.abort();
  await until(async () => (await log()).at(-1).finished === "client_closed", "the end at the simulator");
});

test("when npm is ended, nothing stays on the port", async () => {
  npm.kill("SIGTERM");
  const taken = () => new Promise((resolve) => {
    const probe = connect(port, "127.0.0.1", () => (probe.destroy(), resolve(true))).on("error", () => resolve(false));
  });
  await until(async () => !(await taken()), "the end of what listened");
  await until(() => fetch(sim).then(() => false, () => true), "the end of the simulator");
});
