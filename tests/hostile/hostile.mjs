// What one caller's bodies cost the others: CPU as a multiple of an ordinary
// conversation of the same length, how it grows when the body doubles, the memory
// of wasm a body, and what a neighbour waits. Only ratios count, and both sides of
// each are measured in turns, so that a noisy machine disturbs both alike.
// `--seconds` goes on with bodies that dice made, from `--seed`.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BUILT } from "../../tools/worker.mjs";
import { NEIGHBOUR, start, surroundings } from "./rig.mjs";
import { found, plain, ROUTES, SHAPES } from "./shapes.mjs";

const { values } = parseArgs({
  options: {
    build: { type: "string", default: BUILT },
    seconds: { type: "string" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    ci: { type: "boolean", default: false },
    kib: { type: "string" },
  },
});
const KIB = 1024;
/** At the smaller size the densest bodies are read to their end; at the larger most are refused for their number of values. */
const SIZES = (values.kib ?? "96,384").split(",").map((kib) => Number(kib) * KIB);
const LARGE = 4 * KIB * KIB;
/** Rounds until a figure is within its bound, and no more than so many. */
const ROUNDS = 25;
/** So many generated shapes where no time is given, and none once so many milliseconds are over. */
const ENOUGH = 75_000;
const GENERATED = 16;
const BOUNDS = { cpu: 3, growth: 2.5, wait: 6, memory: 4 };

/** What `--ci` fails at: others use its machine too. Work in the square of the length grows by 4. */
const IN_CI = { cpu: 6, growth: 3.5, wait: 6, memory: 4 };

const small = (model = "gpt-mini") => JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] });
const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];

const around = await surroundings();
const failures = [];
let gateway = await start(around, values.build);
process.on("exit", () => gateway.close());
const plainBodies = (size) => Object.fromEntries(Object.keys(ROUTES).map((name) => [name, { n: plain(ROUTES[name], size), double: plain(ROUTES[name], 2 * size) }]));
const bodies = new Map(SIZES.map((size) => [size, plainBodies(size)]));

const wanted = (name) => !values.only || name.includes(values.only);
const shapes = Object.entries(SHAPES).filter(([name]) => wanted(name)).map(([name, body]) => ({ name, body }));
const seed = Number(values.seed);
console.log(`Each body at ${SIZES.map((size) => `${size / KIB} and ${(2 * size) / KIB}`).join(", ")} KiB; the worst of ${Object.keys(ROUTES).length} routes. Bounds: CPU ${BOUNDS.cpu}× a plain body, growth ${BOUNDS.growth}×, wait ${BOUNDS.wait}×, memory ${BOUNDS.memory}× the body.\n`);
console.log(line(["shape", "CPU", "growth", "wait", "memory", "status"]));
await warm();
for (const shape of shapes) await judge(shape);
const until = Date.now() + Number(values.seconds ?? 0) * 1000;
for (let number = 0; values.seconds ? Date.now() < until : number < GENERATED && !values.only && performance.now() < ENOUGH; number++) await judge(found(seed + number));
if (wanted("sockets")) await sockets();
if (wanted("values of a tag")) await tags();
gateway.close();
await around.close();
if (failures.length > 0) {
  console.error(`\n${failures.join("\n")}`);
  process.exit(1);
}
console.log("\n✓ nothing is out of bounds");
process.exit(0);

async function warm() {
  for (let round = 0; round < 4; round++) {
    for (const [name, { path }] of Object.entries(ROUTES)) await gateway.post(path, plainBodies(SIZES[0])[name].double);
  }
}

/** A shape at every size on every route: the worst of each figure. */
async function judge({ name, body }) {
  const bounds = values.ci ? IN_CI : BOUNDS;
  const worst = { cpu: 0, growth: 0, wait: 0, statuses: new Set() };
  for (const size of SIZES) {
    for (const [route, how] of Object.entries(ROUTES)) {
      const figures = await measure(how.path, bodies.get(size)[route], body(how, size), body(how, 2 * size), bounds);
      for (const kind of ["cpu", "growth", "wait"]) {
        worst[kind] = Math.max(worst[kind], figures[kind]);
        if (figures[kind] > bounds[kind]) failures.push(`${name} of ${size / KIB} KiB, ${route}: ${kind} ${figures[kind].toFixed(2)}, bound ${bounds[kind]}`);
      }
      figures.statuses.forEach((status) => worst.statuses.add(status));
    }
  }
  const memory = await room(name, body, bounds.memory);
  const over = Object.entries({ ...worst, memory }).some(([kind, figure]) => figure > BOUNDS[kind]);
  console.log(line([name, worst.cpu.toFixed(2), worst.growth.toFixed(2), worst.wait.toFixed(2), memory.toFixed(2), [...worst.statuses].join(" ") + (over ? " (over)" : "")]));
}

/** In turns until all figures are within their bounds; of several the least. */
async function measure(path, plain, once, twice, bounds) {
  const least = { plain: Infinity, once: Infinity, twice: Infinity, waitPlain: Infinity, wait: Infinity };
  const take = (kind, value) => (least[kind] = Math.min(least[kind], value));
  const statuses = new Set();
  let figures;
  for (let round = 0; round < ROUNDS; round++) {
    take("plain", (await gateway.cost(path, plain.n)).cpu);
    for (const [kind, body] of Object.entries({ once, twice })) {
      const { status, cpu } = await gateway.cost(path, body);
      statuses.add(status);
      take(kind, cpu);
    }
    take("waitPlain", await gateway.wait(path, plain.double));
    take("wait", await gateway.wait(path, twice));
    // What is far below a plain body need not grow evenly.
    const base = Math.max(least.once, least.plain / 2);
    figures = { cpu: least.once / least.plain, growth: least.twice / base, wait: least.wait / least.waitPlain, statuses };
    if (round > 0 && ["cpu", "growth", "wait"].every((kind) => figures[kind] <= bounds[kind])) break;
  }
  return figures;
}

/** What the memory of a fresh instance grows by for one large body of a shape, in bodies. */
async function room(name, body, bound) {
  const route = ROUTES["chat to messages"];
  const text = body(route, LARGE);
  const fresh = await start(around, values.build);
  try {
    await fresh.post(route.path, plain(route, KIB));
    const before = await fresh.memory();
    await fresh.post(route.path, text);
    const times = ((await fresh.memory()) - before) / Buffer.byteLength(text);
    if (times > bound) failures.push(`${name}: ${times.toFixed(2)} times the body's bytes of memory, bound ${bound}`);
    return times;
  } finally {
    fresh.close();
  }
}

/** What a small call of another team takes. */
async function neighbour(count = 25) {
  const taken = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    const { status } = await gateway.post("/v1/chat/completions", small(), NEIGHBOUR);
    if (status !== 200) failures.push(`a neighbour's call ended with ${status}`);
    taken.push(performance.now() - began);
  }
  return median(taken);
}

/** Bodies that are announced and do not come, or come slowly. */
async function sockets() {
  await renew();
  const calm = await neighbour();
  for (const [name, count, begin] of [["128 bodies that do not come", 128, ""], ["64 bodies that come slowly", 64, '{"model":"gpt-mini",']]) {
    const before = await gateway.memory();
    const open = Array.from({ length: count }, () => gateway.announce("/v1/chat/completions", 32 * KIB * KIB, begin));
    const dripping = begin && setInterval(() => open.forEach((socket) => socket.write(" ".repeat(KIB))), 100);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const wait = (await neighbour()) / calm;
    const grew = ((await gateway.memory()) - before) / (KIB * KIB);
    clearInterval(dripping);
    open.forEach((socket) => socket.destroy());
    console.log(line([name, "", "", wait.toFixed(2), `${grew.toFixed(0)} MiB`, ""]));
    if (wait > (values.ci ? IN_CI : BOUNDS).wait) failures.push(`${name}: a neighbour's calls take ${wait.toFixed(1)} times as long`);
    if (grew > 8) failures.push(`${name}: ${grew.toFixed(0)} MiB of memory`);
  }
}

/** Values of a tag, under a limit that counts each of them. */
async function tags() {
  around.stores.kv.set("limits", JSON.stringify({ each: { scope: { team: "*", feature: "*" }, budget: { amount: 9_000_000_000_000, per: "month" } } }));
  await renew();
  const calm = await neighbour();
  let next = 0;
  const ended = {};
  const caller = async () => {
    while (next < 2400) {
      const { status } = await gateway.post("/v1/chat/completions", small(), undefined, { "meridian-tags": `feature=value-${next++}` });
      ended[status] = (ended[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 16 }, caller));
  // Calls that are refused before they are counted would show nothing.
  if (ended[200] !== 2400) failures.push(`2,400 values of a tag: calls ended with ${JSON.stringify(ended)}`);
  const wait = (await neighbour()) / calm;
  console.log(line(["2,400 values of a tag", "", "", wait.toFixed(2), "", ""]));
  if (wait > (values.ci ? IN_CI : BOUNDS).wait) failures.push(`2,400 values of a tag: a neighbour's calls take ${wait.toFixed(1)} times as long`);
}

async function renew() {
  gateway.close();
  gateway = await start(around, values.build);
  for (let i = 0; i < 20; i++) await neighbour(1);
}

function line([name, ...cells]) {
  return `${name.padEnd(74).slice(0, 90)} ${cells.map((cell) => cell.padStart(7)).join(" ")}`;
}
