// Instances that did not publish a map themselves, in plain workerd: when they
// take it up, and what they go by if the store fails or holds nonsense.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { KEY, ROOT, close, listen, startStores, startWorker } from "../bench/rig.mjs";

const whole = '{"type":"message","model":"m","content":[],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":5}}';
let stores, provider, upstream, builtIn, edited;
before(async () => {
  provider = http.createServer((request, response) => request.resume().on("end", () => response.writeHead(200, { "content-type": "application/json" }).end(whole)));
  upstream = await listen(provider);
  stores = await startStores();
  builtIn = map();
  edited = map((text) => text.replace("[bedrock-frankfurt]\n", '[bedrock-frankfurt]\noff = "a test"\n'));
  stores.kv.set(`map:${edited.version}`, JSON.stringify(edited));
});
after(async () => {
  await stores.close();
  await close(provider);
});

// The map of an edited copy of the project, as the command line prints it.
function map(edit = (text) => text) {
  const folder = mkdtempSync(join(tmpdir(), "map-"));
  for (const name of ["regions", "gateway.toml", "prices.toml"]) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  const file = join(folder, "regions/endpoints/bedrock.toml");
  writeFileSync(file, edit(readFileSync(file, "utf8")));
  const printed = spawnSync(join(ROOT, "target/debug/meridian"), ["map"], { cwd: folder, encoding: "utf8" });
  rmSync(folder, { recursive: true });
  assert.equal(printed.status, 0, printed.stderr);
  return JSON.parse(printed.stdout);
}
const pointer = (...versions) => stores.kv.set("map:current", typeof versions[0] === "string" ? JSON.stringify({ seq: 1, versions }) : "no json");
const start = () => startWorker({ stores, upstream, secrets: ["BEDROCK_EU_KEY"] });
async function call(gateway) {
  const response = await fetch(`${gateway.url}/v1/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model: "claude-sonnet", max_tokens: 5, messages: [{ role: "user", content: "hi" }] }),
  });
  const text = await response.text();
  const headers = (name) => response.headers.get(`meridian-${name}`);
  return { status: response.status, text, map: headers("map"), by: headers("served-by") };
}
const seconds = (count) => new Promise((resolve) => setTimeout(resolve, count * 1000));

test("field_26 an instance takes up a published map in time, and keeps it while the store is down", async () => {
  stores.kv.delete("map:current");
  const gateway = await start();
  try {
    assert.deepEqual([(await call(gateway)).map, (await call(gateway)).by], [builtIn.version, "bedrock-frankfurt"]);
    const began = Date.now();
    pointer(edited.version);
    let now;
    do {
      await seconds(0.5);
      now = await call(gateway);
      assert.equal(now.status, 200);
    } while (now.map === builtIn.version && Date.now() - began < 60_000);
    const took = (Date.now() - began) / 1000;
    assert.deepEqual([now.map, now.by], [edited.version, "bedrock-ireland"]);
    // The store of the deployed gateway may serve a copy that is 30 seconds old.
    assert.ok(took < 30, `took ${took} s`);
    stores.state.down = true;
    await seconds(26);
    const kept = await call(gateway);
    assert.deepEqual([kept.status, kept.map], [200, edited.version]);
  } finally {
    stores.state.down = false;
    gateway.close();
  }
});

test("an instance that sees no traffic does not begin again with an old map", async () => {
  stores.kv.delete("map:current");
  const gateway = await start();
  try {
    await call(gateway);
    pointer(edited.version);
    await seconds(26);
    assert.equal((await call(gateway)).map, edited.version, "the first call after a pause");
  } finally {
    gateway.close();
  }
});

test("a fresh instance goes by the newest map that is good, and by none if it cannot know", async () => {
  const leaky = { ...structuredClone(edited), version: "000000000000" };
  leaky.zones.eu.hosting = ["eu", "us"];
  stores.kv.set("map:000000000000", JSON.stringify(leaky));
  for (const [versions, expected] of [
    [["000000000000", edited.version], edited.version],
    [["missing", edited.version], edited.version],
    [["built-in", edited.version], builtIn.version],
    [["missing"], builtIn.version],
    [[null], builtIn.version],
  ]) {
    pointer(...versions);
    const gateway = await start();
    try {
      const { status, map } = await call(gateway);
      assert.deepEqual([status, map], [200, expected], JSON.stringify(versions));
    } finally {
      gateway.close();
    }
  }
  stores.state.down = true;
  const gateway = await start();
  try {
    const { status, text } = await call(gateway);
    assert.deepEqual([status, JSON.parse(text).error.message.includes("region map in force could not be read")], [503, true], text);
  } finally {
    stores.state.down = false;
    gateway.close();
  }
});

test("guard_limits an instance that could not read the limits yet serves nobody, and reads them soon", async () => {
  stores.kv.delete("map:current");
  stores.state.down = "limits";
  const gateway = await start();
  try {
    for (let i = 0; i < 3; i++) {
      const { status, text } = await call(gateway);
      assert.equal(status, 503, text);
      assert.match(JSON.parse(text).error.message, /The limits that apply to calls could not be read/);
    }
    assert.match(gateway.said(), /the published limits cannot be read from KV/);
    stores.state.down = false;
    await seconds(1.1);
    assert.equal((await call(gateway)).status, 200);
    // What was read once stays in force while the store is away.
    stores.state.down = "limits";
    await seconds(26);
    assert.equal((await call(gateway)).status, 200);
  } finally {
    stores.state.down = false;
    gateway.close();
  }
});
