// What the gateway costs, as multiples of the platform's floor: a one-line
// worker that only forwards. Everything is measured in one run, in turns, so
// that a noisy machine disturbs all alike; read the ratios.
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { load, VARIANTS } from "./load.mjs";
import { startPortkey } from "./peers.mjs";
import { BUILT, MODULES } from "../../tools/worker.mjs";
import { startStores, startWorker } from "./rig.mjs";

const FLOOR = "export default { fetch(request) { return fetch(request); } };";
const { values } = parseArgs({ options: { quick: { type: "boolean" }, only: { type: "string" }, build: { type: "string", default: BUILT }, script: { type: "string" }, against: { type: "string" } } });
const rounds = values.quick ? 2 : 5;
const variants = Object.keys(VARIANTS).filter((name) => !values.only || name === values.only);
const secrets = ["OPENAI_EU_KEY", "BEDROCK_EU_KEY"];

const provider = fork(join(import.meta.dirname, "provider.mjs"));
const stopped = [() => provider.kill("SIGKILL")];
process.on("exit", () => stopped.forEach((stop) => stop()));
const upstream = await new Promise((resolve) => provider.once("message", resolve));
const stores = await startStores();
const limitedStores = await startStores();
const FAR = { budget: { amount: 9_000_000_000_000_000, per: "month" }, requests_per_minute: 4_000_000_000, concurrent: 100_000 };
limitedStores.kv.set("limits", JSON.stringify({ team: { scope: { team: "*" }, ...FAR }, feature: { scope: { team: "*", feature: "*" }, ...FAR } }));
const ADMIN = `ma_bench_${"0".repeat(40)}`;
for (const { kv } of [stores, limitedStores]) kv.set(`admin:key:${createHash("sha256").update(ADMIN).digest("hex")}`, JSON.stringify({ id: "b", who: "bench@example.com", roles: ["viewer"], created: "2026-11-20T00:00:00Z" }));

const workers = {
  floor: { script: FLOOR },
  gateway: { build: values.build },
  // The same without a key for receipts: the difference is what signing costs.
  unsigned: { build: values.build, signs: false },
  // The same under limits that are far: what these cost more than being noted.
  limited: { build: values.build, stores: limitedStores },
  // Another build, to see what a change costs.
  ...(values.against && { other: { build: values.against } }),
  ...(values.script && { script: { script: readFileSync(values.script, "utf8") } }),
};
for (const [name, options] of Object.entries(workers)) {
  workers[name] = await startWorker({ stores, ...options, upstream, secrets });
  stopped.push(workers[name].close);
}
// What others need for the same calls; they speak OpenAI's chat here.
const portkey = values.script || values.against ? undefined : await startPortkey(upstream);
if (portkey) {
  workers.portkey = portkey;
  stopped.push(portkey.close);
}
const can = (name, variant) => name !== "portkey" || VARIANTS[variant].path === "/v1/chat/completions" && VARIANTS[variant].model === "gpt-mini";
const sent = {};
const threads = {};
const results = await measure();
const startup = await startups();
const files = Object.keys(MODULES).map((name) => join(values.build, name)).filter((file) => existsSync(file));
const gzip = files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);
await checkRows();
const hops = { limited: await countHops("limited"), gateway: await countHops("gateway") };
report();
process.exit(0);

async function measure() {
  const all = {};
  for (const variant of variants) for (const [name, { port, headers }] of Object.entries(workers)) if (can(name, variant)) await load(port, variant, 16, 16, headers);
  for (let round = 0; round < rounds; round++) {
    for (const variant of variants) {
      for (const atOnce of [1, 16]) {
        const count = Math.ceil(VARIANTS[variant].requests[atOnce] / (values.quick ? 3 : 1));
        const direct = await load(upstream, variant, Math.ceil(count / 4), atOnce);
        note(all, variant, atOnce, "direct", { ...timings(direct), cpu: 0, rps: 0 });
        for (const [name, worker] of Object.entries(workers)) {
          if (!can(name, variant)) continue;
          const before = cpuMs(worker.pid());
          const done = await load(worker.port, variant, count, atOnce, worker.headers);
          sent[name] = (sent[name] ?? 0) + count;
          // Rows are written after the answer: their cost belongs to the call.
          await new Promise((resolve) => setTimeout(resolve, 120));
          note(all, variant, atOnce, name, { ...timings(done), cpu: (cpuMs(worker.pid()) - before) / count, rps: count / done.seconds });
        }
      }
    }
  }
  return all;
}

function note(all, variant, atOnce, name, figures) {
  (((all[variant] ??= {})[atOnce] ??= {})[name] ??= []).push(figures);
}

function timings({ firstBytes, gaps }) {
  return { first50: quantile(firstBytes, 0.5), first99: quantile(firstBytes, 0.99), gap50: quantile(gaps, 0.5), gap99: quantile(gaps, 0.99) };
}

function quantile(numbers, q) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}

// Nanoseconds on the CPU, of all threads; /proc/PID/stat counts in ticks of ten
// milliseconds. A thread that ended takes its time along, so those are kept.
function cpuMs(pid) {
  const known = (threads[pid] ??= {});
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      known[thread] = Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6;
    } catch {
      // It ended just now.
    }
  }
  return Object.values(known).reduce((sum, ms) => sum + ms, 0);
}

function memoryMb(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
}

async function startups() {
  const times = { floor: [], gateway: [] };
  for (let i = 0; i < (values.quick ? 3 : 7); i++) {
    for (const [name, options] of [["floor", { script: FLOOR }], ["gateway", { build: values.build }]]) {
      const worker = await startWorker({ ...options, stores, upstream, secrets });
      times[name].push(worker.startupMs);
      worker.close();
    }
  }
  return { floor: quantile(times.floor, 0.5), gateway: quantile(times.gateway, 0.5) };
}

// A benchmark that loses rows measures the wrong thing.
async function checkRows() {
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const limited = sent.limited + 16 * variants.length;
  console.log(`\n${limited} calls under limits left ${limitedStores.rows.length} rows.`);
  if (limitedStores.rows.length !== limited || limitedStores.rows.some((row) => row.reserved_nano === null || row.cost_nano > row.reserved_nano)) {
    console.error("✗ every call under limits must leave one row, within its bound");
    process.exit(1);
  }
  const ids = new Set(stores.rows.map((row) => row.id));
  const expected = sent.gateway + sent.unsigned + (sent.other ?? 0) + (values.against ? 3 : 2) * 16 * variants.length;
  const signed = stores.rows.filter((row) => row.receipt).length;
  const failed = stores.rows.filter((row) => row.outcome !== "ok" || row.estimated).length;
  console.log(`\n${expected} calls left ${stores.rows.length} rows, ${ids.size} of them different, ${signed} with a receipt, ${failed} not fully accounted.`);
  if (ids.size !== expected || stores.rows.length !== expected || failed > 0 || signed !== sent.gateway + (sent.other ?? 0) + (values.against ? 2 : 1) * 16 * variants.length) {
    console.error("✗ every call must leave one row");
    process.exit(1);
  }
}

// What a gateway's ledger was asked and told.
async function countHops(name) {
  const response = await fetch(`http://127.0.0.1:${workers[name].port}/admin/v1/health`, { headers: { authorization: `Bearer ${ADMIN}` } });
  const { ledger } = await response.json();
  return { calls: ledger.admitted, waited: ledger.asked, reports: ledger.reports };
}

function report() {
  const out = { cores: cpus().length, gzip_bytes: gzip, startup_ms: Math.round(startup.gateway), startup_floor_ms: Math.round(startup.floor), variants: {} };
  console.log("\n| variant | at once | worker | CPU ms a request | × floor | requests/s | first byte p50 / p99 ms | between chunks p50 / p99 ms |\n| --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const [variant, levels] of Object.entries(results)) {
    for (const [atOnce, names] of Object.entries(levels)) {
      const middle = Object.fromEntries(Object.entries(names).map(([name, runs]) => [name, medians(runs)]));
      // The ratio is taken within each round, where both saw the same machine.
      for (const name of Object.keys(names)) {
        middle[name].ratio = quantile(names[name].map((run, i) => run.cpu / names.floor[i].cpu), 0.5);
        const { cpu, ratio, rps, first50, first99, gap50, gap99 } = middle[name];
        const f = (n) => n.toFixed(2);
        console.log(`| ${variant} | ${atOnce} | ${name} | ${name === "direct" ? "" : f(cpu)} | ${name === "direct" ? "" : f(ratio)} | ${name === "direct" ? "" : Math.round(rps)} | ${f(first50)} / ${f(first99)} | ${f(gap50)} / ${f(gap99)} |`);
      }
      out.variants[`${variant}_${atOnce}`] = round(middle);
    }
  }
  const of = (variant, atOnce = 16) => out.variants[`${variant}_${atOnce}`];
  for (const [key, variant] of [["json", "json"], ["stream", "stream200"], ["stream_hidden_usage", "stream200_hidden_usage"], ["messages", "messages200"], ["translated", "translated200"], ["slow", "slow50"]]) {
    if (of(variant)) out[`cpu_ratio_${key}`] = of(variant).gateway.ratio;
  }
  if (of("json", 1)) {
    const added = results.json[1].gateway.map((run, i) => run.cpu - results.json[1].unsigned[i].cpu);
    out.receipt_cpu_ms = Number(quantile(added, 0.5).toFixed(3));
    console.log(`\nA receipt costs ${out.receipt_cpu_ms} ms of CPU (json, one at a time, median of the rounds' differences).`);
    const { gateway, direct } = of("json", 1);
    out.added_first_byte_ms_p50 = Number((gateway.first50 - direct.first50).toFixed(2));
    out.added_first_byte_ms_p99 = Number((gateway.first99 - direct.first99).toFixed(2));
  }
  out.ledger = beside("limited", "gateway");
  console.log(`\nUnder limits, beside the gateway without: ${JSON.stringify(out.ledger)}`);
  out.ledger_without_limits = beside("gateway", "other");
  console.log(`Without limits${values.against ? ", beside the other build" : ""}: ${JSON.stringify(out.ledger_without_limits)}`);
  out.memory_mb = Object.fromEntries(Object.entries(workers).map(([name, worker]) => [name, Math.round(memoryMb(worker.pid()))]));
  console.log(`\nBundle ${(gzip / 1024).toFixed(0)} KiB gzipped. Start to first answer: gateway ${out.startup_ms} ms, floor ${out.startup_floor_ms} ms. Memory after the load: ${JSON.stringify(out.memory_mb)} MB.`);
  if (!values.only && !values.script && !values.against) writeFileSync(join(import.meta.dirname, "results.json"), `${JSON.stringify(out, null, 2)}\n`);
}

// How often one waited for its ledger, and what it needs beside another.
function beside(name, other) {
  const { calls, waited, reports } = hops[name];
  const rate = (n) => Number(((1000 * n) / calls).toFixed(1));
  const found = { calls, waits_in_1000_calls: rate(waited), reports_in_1000_calls: rate(reports) };
  for (const [atOnce, runs] of Object.entries(results.json ?? {})) {
    if (!runs[other]) continue;
    const ratio = (key) => Number(quantile(runs[name].map((run, i) => run[key] / runs[other][i][key]), 0.5).toFixed(2));
    found[`first_byte_ratio_${atOnce}`] = ratio("first50");
    found[`cpu_ratio_${atOnce}`] = ratio("cpu");
  }
  return found;
}

function medians(runs) {
  return Object.fromEntries(Object.keys(runs[0]).map((key) => [key, quantile(runs.map((run) => run[key]), 0.5)]));
}

function round(value) {
  if (typeof value === "number") return Number(value.toFixed(2));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, round(inner)]));
}
