// Ten thousand calls, and as many to warm up, through the built worker in plain workerd, 64 at once,
// against the simulator. What each client saw is held against its row, and
// what was sent against the zones.
import { readFileSync } from "node:fs";
import http from "node:http";
import { parseArgs } from "node:util";
import { startSimulator } from "../simulator/simulator.mjs";
import { PLACING } from "../../tools/worker.mjs";
import { KEY, startStores, startWorker } from "../bench/rig.mjs";
import { ALLOWED, judge, makeCall, random } from "./calls.mjs";
import { send } from "./client.mjs";

const { values } = parseArgs({ options: { calls: { type: "string", default: "20000" }, seed: { type: "string", default: "1" }, "at-once": { type: "string", default: "64" } } });
const total = Number(values.calls);
const atOnce = Number(values["at-once"]);
const SECRETS = ["OPENAI_EU_KEY", "OPENAI_US_KEY", "OPENAI_JP_KEY", "BEDROCK_EU_KEY", "BEDROCK_UK_KEY", "BEDROCK_US_KEY", "BEDROCK_JP_KEY", "ANTHROPIC_US_KEY"];
const limits = { connect: 400, first_token: 500, between_tokens: 1500, answer: 500, total: 6000, keep_alive: 6000 };

const simulator = await startSimulator({ byHost: true });
const stores = await startStores();
const worker = await startWorker({
  front: PLACING,
  gateway: { timeouts: limits, reasoning: limits },
  stores,
  upstream: simulator.port,
  secrets: SECRETS,
});
process.on("exit", () => worker.close());

const dice = random(Number(values.seed));
const seen = new Map();
const wrong = [];
const counts = {};
const memory = [];
const began = Date.now();
let next = 0;
let done = 0;
const agent = new http.Agent({ keepAlive: true, maxSockets: atOnce });
// V8 lets its heap grow for as many calls as these before it begins to collect
// in earnest: memory is compared from then on.
await run(total);
const warm = memory.length;
await run(2 * total);
// What nobody waits for any more ends by its limits.
await new Promise((resolve) => setTimeout(resolve, 3000));
sample();
checkRows();
checkZones();
report();

async function run(until) {
  const worker = async () => {
    while (next < until) {
      const call = makeCall(next++, dice);
      if (call.fault) simulator.fault({ fault: call.fault });
      await one(call);
      if (++done % 1000 === 0) sample();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function one(call) {
  const got = await send({ port: worker.port, agent, headers: { authorization: `Bearer ${KEY}` } }, call);
  const what = got.left ? "left" : got.error ? `connection: ${got.error}` : judge(call, got.status, got.text);
  const known = ["complete", "refused", "broken", "left"].includes(what);
  counts[known ? what : "wrong"] = (counts[known ? what : "wrong"] ?? 0) + 1;
  if (!known) wrong.push(`call ${call.n} ${call.path} ${JSON.stringify(call.fault ?? {})}: ${what}`);
  if (!got.id) wrong.push(`call ${call.n}: no request id`);
  else if (seen.has(got.id)) wrong.push(`call ${call.n}: its id ${got.id} was given twice`);
  else seen.set(got.id, { call, what, status: got.status });
}

function sample() {
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${worker.pid()}/status`, "utf8"));
  memory.push(Math.round(Number(rss[1]) / 1024));
}

// One row a call, and it says what the client saw.
function checkRows() {
  const rows = new Map();
  for (const row of stores.rows) {
    if (rows.has(row.id)) wrong.push(`two rows of ${row.id}`);
    rows.set(row.id, row);
  }
  const outcomes = { complete: ["ok"], broken: ["failed"], refused: ["refused", "provider_error", "failed"], left: ["client_gone", "ok", "failed"] };
  for (const [id, { call, what, status }] of seen) {
    const row = rows.get(id);
    if (!row) {
      wrong.push(`call ${call.n} (${what}) left no row`);
      continue;
    }
    const fits = outcomes[what]?.includes(row.outcome) ?? true;
    if (!fits || (what !== "broken" && row.status !== status)) wrong.push(`call ${call.n} ${call.path} ${JSON.stringify(call.fault ?? {})}: the client saw ${what} (${status}), the row says ${row.outcome} (${row.status}) ${row.error}`);
    counts[`row: ${row.outcome}`] = (counts[`row: ${row.outcome}`] ?? 0) + 1;
    if (row.attempts > 1 && row.outcome === "ok") counts["failed over"] = (counts["failed over"] ?? 0) + 1;
  }
  if (rows.size !== 2 * total) wrong.push(`${2 * total} calls left ${rows.size} rows`);
}

function checkZones() {
  for (const { host, body } of simulator.log) {
    const country = /Call \d+ from (..):/.exec(body)?.[1];
    if (!country || !ALLOWED[country].test(host)) wrong.push(`${host} was sent a call from ${country}`);
  }
}

function report() {
  const [before, after] = [memory.slice(0, warm), memory.slice(warm)].map((part) => Math.max(...part));
  // A leak of a kilobyte a call would be ten megabytes in each ten thousand.
  if (after > before * 1.05 + 8) wrong.push(`memory grew from ${before} to ${after} MB`);
  console.log(`${total} calls and as many to warm up, ${atOnce} at once, ${((Date.now() - began) / 1000).toFixed(0)} s, ${simulator.log.length} requests to providers, ${simulator.log.filter((entry) => entry.fault).length} of them with a fault.`);
  for (const [what, count] of Object.entries(counts).sort()) console.log(`${String(count).padStart(7)}  ${what}`);
  console.log(`Memory of the process in MB, every 1000 calls: ${memory.join(" ")}`);
  for (const line of wrong.slice(0, 20)) console.error(`✗ ${line}`);
  if (wrong.length > 0) {
    console.error(`\n✗ ${wrong.length} things are off (seed ${values.seed})`);
    process.exit(1);
  }
  console.log("\n✓ every call answered or cleanly refused, one row each, nothing outside its zone, memory flat");
  process.exit(0);
}
