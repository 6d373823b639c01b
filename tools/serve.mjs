// The gateway in wrangler's local runtime, and beside it the provider
// simulator. An endpoint whose secret stands in `.dev.vars` is the real one;
// every other is simulated.
//
// The worker does not differ: it calls the providers' own hosts, and outward.mjs
// routes each call to the provider or to the simulator.
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { unstable_startWorker } from "wrangler";
import { APPLICATION } from "../tests/simulator/entra-token.mjs";
import { serviceAccount } from "../tests/simulator/google-token.mjs";
import { ACCESS_KEY, SECRET_KEY } from "../tests/simulator/sigv4.mjs";
import { startSimulator } from "../tests/simulator/simulator.mjs";
import { meridian } from "./cli.mjs";
import { atTheEnd } from "./ending.mjs";
import { outward, PLACEHOLDER, realHosts } from "./outward.mjs";
import { fail, ROOT } from "./run.mjs";
import { layOut, PLACING, RULES } from "./worker.mjs";

/** What signs or is given a token must be of the form that the gateway reads. */
const SIMULATED = { google: () => JSON.stringify(serviceAccount()), entra: () => APPLICATION, sigv4: () => `${ACCESS_KEY}:${SECRET_KEY}` };

/** How long the runtime may take to end. */
const PATIENCE_MS = 3_000;

let worker, simulator;
atTheEnd(end);
const { values } = parseArgs({ options: { port: { type: "string", default: "8787" } } });
if (await isTaken(Number(values.port))) fail(`port ${values.port} is taken, perhaps by another npm start. Another port: npm start -- --port 8788`);
const endpoints = JSON.parse(meridian("endpoints", "--json"));
const real = realSecrets();
simulator = await startSimulator({ port: 0 });

const bindings = {
  RECEIPT_KEYS: { type: "secret_text", value: readFileSync(join(ROOT, ".local/receipt-keys.json"), "utf8").trim() },
};
for (const { secret, auth } of endpoints) {
  if (!real.has(secret)) bindings[secret] = { type: "secret_text", value: SIMULATED[auth]?.() ?? PLACEHOLDER + secret };
}
const folder = join(ROOT, ".local/worker");
const main = layOut(folder, { front: PLACING });
worker = await unstable_startWorker({
  config: join(ROOT, "wrangler.toml"),
  entrypoint: join(folder, main),
  build: { custom: { command: "true" }, moduleRoot: folder, moduleRules: RULES },
  bindings,
  dev: {
    server: { hostname: "127.0.0.1", port: Number(values.port) },
    logLevel: "warn",
    watch: false,
    inspector: false,
    outboundService: { node: outward({ simulator: simulator.url, real: realHosts(endpoints, real) }) },
  },
}).catch((error) => fail(`the gateway could not start: ${error.message}`));
await worker.ready;
greet((await worker.url).href.replace(/\/$/, ""));

// Open streams are closed without waiting.
function end() {
  Promise.race([worker?.dispose(), sleep(PATIENCE_MS)]).finally(() => process.exit(0));
}

// wrangler would wait for the port without a message.
function isTaken(port) {
  return new Promise((resolve) => {
    const probe = connect({ host: "127.0.0.1", port }, () => {
      probe.destroy();
      resolve(true);
    }).on("error", () => resolve(false));
  });
}

function realSecrets() {
  const file = join(ROOT, ".dev.vars");
  if (!existsSync(file)) return new Set();
  const names = readFileSync(file, "utf8").split("\n").map((line) => /^\s*([A-Z0-9_]+)\s*=\s*\S/.exec(line)?.[1]);
  return new Set(names.filter(Boolean));
}

function greet(url) {
  const keys = JSON.parse(readFileSync(join(ROOT, ".local/demo-keys.json"), "utf8"));
  const [[who, admin]] = Object.entries(JSON.parse(readFileSync(join(ROOT, ".local/demo-admins.json"), "utf8")));
  const width = Math.max(...Object.keys(keys).map((zone) => zone.length));
  const played = endpoints.filter(({ secret }) => !real.has(secret)).length;
  console.log(`
Meridian is running at ${url}
${played === endpoints.length ? "All providers are simulated" : `${played} of ${endpoints.length} endpoints are simulated`}: put a provider's secret into .dev.vars for the real one.
What the simulator was sent: ${simulator.url}/__sim/log

A demo key for each zone (a caller is taken to be in its key's zone; the header
"meridian-local-country: DE" puts it anywhere):

${Object.entries(keys).map(([zone, key]) => `  ${zone.padEnd(width)}  ${key}`).join("\n")}

Try it:

curl -N ${url}/v1/chat/completions -H "authorization: Bearer ${keys.eu}" -H "content-type: application/json" -d '{"model": "gpt-mini", "stream": true, "messages": [{"role": "user", "content": "Say hello from Frankfurt."}]}'

For the commands that ask the gateway (target/debug/meridian history, publish, report …),
as ${who}; .local/demo-admins.json has a second person, who approves, and an operator, who holds drills:

export MERIDIAN_URL=${url} MERIDIAN_ADMIN_KEY=${admin}
`);
}
