// What the ledger's objects take: letters with the reports of calls, sent to one
// object and to several, in one process and in two.
//
//     node tests/bench/objects.mjs
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { startStores, startWorker } from "./rig.mjs";

const SECONDS = 8;
const AT_ONCE = 32;
const ROWS = 10;

// Sends letters, so many at once, to its own objects.
const FRONT = `
import gateway, { Ledger } from "./index.js";
export { Ledger };
const row = (id, n) => ({ id, at: Date.now(), key_id: "k", team: "hot", feature: "chat", environment: "production", tags: "{}", country: "DE", colo: "FRA", zone: "eu", zone_reason: "because", map: "0", dialect: "openai-chat", model_asked: "m", model: "m", model_served: "m", endpoint: "e", hosting: "eu", attempts: 1, stream: false, status: 200, outcome: "ok", error: null, stopped: "stop", tier: null, input: 10, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, audio_input: 0, output: 5, reasoning: 0, audio_output: 0, estimated: false, cost_nano: 700, first_byte_ms: 1, duration_ms: 2, key_zone: null, zone_asked: null, receipt: "r".repeat(900), failures: "[]", lost_nano: 0, reserved_nano: 1000, over_bound: false, runaway: null });
const applied = { account: "budget", authority: { team: "hot" }, limit: "budget", whom: "team hot", measure: "money", cap: 1e15, window: { start: 0, end: null } };
let number = 0;
async function letters(env, shard, until, count) {
  const name = (shard > 0 ? "shard " + shard + " of " : "") + "team USAGE_WORLD hot";
  const stub = env.LEDGER.get(env.LEDGER.idFromName(name));
  const holder = crypto.randomUUID();
  while (Date.now() < until) {
    const ids = Array.from({ length: ${ROWS} }, () => "row" + ++number + holder);
    const message = { holder, number: ++number, settled: ids.map((id) => ({ id, holder, parts: [{ account: "budget", amount: 700 }] })), holds: { budget: 64000 }, wants: [{ applied, need: 0, want: 64000 }], for_ms: 60000 };
    const to = { team: { team: "hot", store: "USAGE_WORLD", ...(shard > 0 && { shard }) } };
    const answer = await stub.fetch("https://ledger/", { method: "POST", body: JSON.stringify({ to, message, rows: ids.map(row) }) });
    if (answer.status !== 200) throw new Error(await answer.text());
    await answer.text();
    count();
  }
}
export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/letters") return gateway.fetch(request, env, ctx);
    const [objects, first, seconds] = ["objects", "first", "seconds"].map((name) => Number(searchParams.get(name)));
    let done = 0;
    const until = Date.now() + seconds * 1000;
    await Promise.all(Array.from({ length: ${AT_ONCE} }, (_, n) => letters(env, first + (n % objects), until, () => done++)));
    return Response.json({ done });
  },
};
`;

const cpu = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

async function measure(processes, objects, first) {
  const stores = await startStores();
  const workers = await Promise.all(Array.from({ length: processes }, () => startWorker({ front: FRONT, stores, upstream: stores.port })));
  const ask = async (seconds) => {
    const asked = workers.map((worker) => fetch(`${worker.url}/letters?objects=${objects}&first=${first}&seconds=${seconds}`).then((response) => response.json()));
    return (await Promise.all(asked)).reduce((sum, { done }) => sum + done, 0);
  };
  await ask(2);
  const before = workers.map((worker) => cpu(worker.pid()));
  const done = await ask(SECONDS);
  const spent = workers.reduce((sum, worker, n) => sum + cpu(worker.pid()) - before[n], 0);
  workers.forEach((worker) => worker.close());
  await stores.close();
  return { processes, objects, perSecond: Math.round(done / SECONDS), cpuMs: spent / done };
}

console.log(`${availableParallelism()} cores, ${AT_ONCE} letters at once, ${ROWS} calls in each`);
for (const [processes, objects, first] of [[1, 1, 0], [1, 4, 1], [2, 4, 1], [1, 1, 0], [1, 4, 1], [2, 4, 1]]) {
  const { perSecond, cpuMs } = await measure(processes, objects, first);
  const what = first === 0 ? "the team's own object" : `${objects} shards and the team's object`;
  console.log(`${processes} process${processes > 1 ? "es" : ""}, ${what} in each: ${perSecond} letters a second, ${perSecond * ROWS} calls; ${cpuMs.toFixed(2)} ms of CPU a letter`);
}
process.exit(0);
