// The deployed bundle in plain `workerd serve`, with what surrounds it played
// by one small server: the key store, the databases and the way out to the
// providers. Nothing stands between a client and the worker, so that what is
// measured or cut off is the worker's own.
import { spawn } from "node:child_process";
import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUILT, embedded, layOut } from "../../tools/worker.mjs";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const KEY = "mk_bench00000_0123456789abcdef0123456789abcdef";
const { d, x } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
const RECEIPT_KEYS = JSON.stringify({ keys: [{ kty: "OKP", crv: "Ed25519", kid: "bench", x, d }] });
const STORES = ["USAGE_EU", "USAGE_US", "USAGE_WORLD"];

/** The key store and the databases: they count and keep the rows they are sent. */
export async function startStores() {
  const rows = [];
  // What the key store holds besides, by name, and whether it does not answer
  // at all, or not when it is asked for one name.
  const kv = new Map();
  const state = { down: false };
  const record = JSON.stringify({ id: "bench00000", team: "bench", created: "2026-11-20T00:00:00Z" });
  const keyName = `/key:${createHash("sha256").update(KEY).digest("hex")}`;
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      if (request.method === "GET") {
        const name = decodeURIComponent(request.url.split("?")[0]);
        const value = name === keyName ? record : kv.get(name.slice(1));
        if (state.down === true || state.down === name.slice(1)) response.writeHead(500).end();
        else response.writeHead(value ? 200 : 404).end(value ?? "");
        return;
      }
      if (request.method === "PUT") {
        kv.set(decodeURIComponent(request.url.slice(1).split("?")[0]), Buffer.concat(parts).toString());
        response.end();
        return;
      }
      const body = JSON.parse(Buffer.concat(parts).toString());
      for (const { sql, params } of [body].flat()) if (sql.startsWith("INSERT INTO usage (")) rows.push(...JSON.parse(params[0]));
      const done = { success: true, meta: { duration: 0, changes: 1 }, results: { columns: [], rows: [] } };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(Array.isArray(body) ? [body].flat().map(() => done) : done));
    });
  });
  const port = await listen(server);
  return { port, rows, kv, state, close: () => close(server) };
}

/** Starts a worker: the gateway, as `layOut` takes it, or with `script` a plain one to compare with. */
export async function startWorker({ build = BUILT, script, front, gateway, stores, upstream, secrets = [], signs = true, args = [], vars = {} }) {
  const folder = mkdtempSync(join(tmpdir(), "meridian-"));
  const port = await freePort();
  let modules = '(name = "index.js", esModule = embed "index.js")';
  if (script === undefined) {
    layOut(folder, { build, front, gateway });
    modules = embedded(folder);
    mkdirSync(join(folder, "data"));
  } else {
    writeFileSync(join(folder, "index.js"), script);
  }
  writeFileSync(join(folder, "config.capnp"), config({ port, stores, upstream, secrets, signs, vars, plain: script !== undefined, modules }));
  const began = process.hrtime.bigint();
  const child = spawn(join(ROOT, "node_modules/.bin/workerd"), ["serve", ...args, "config.capnp"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const pipe of [child.stdout, child.stderr]) pipe.on("data", (data) => (said += data));
  await answers(port, child, () => said);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    startupMs: Number(process.hrtime.bigint() - began) / 1e6,
    said: () => said,
    // The launcher in node_modules/.bin starts the real program below itself.
    pid: () => workerOf(child.pid),
    close() {
      for (const pid of [workerOf(child.pid), child.pid]) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {}
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function config({ port, stores, upstream, secrets, signs, vars, plain, modules }) {
  const bindings = plain ? [] : [
    '(name = "KEYS", kvNamespace = "stores")',
    '(name = "LEDGER", durableObjectNamespace = "Ledger")',
    ...STORES.map((name) => `(name = "${name}", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = "stores")]))`),
    ...(signs ? [`(name = "RECEIPT_KEYS", text = ${JSON.stringify(RECEIPT_KEYS)})`] : []),
    ...Object.entries(vars).map(([name, value]) => `(name = "${name}", text = ${JSON.stringify(value)})`),
    ...secrets.map((name) => `(name = "${name}", text = "secret-of-${name.toLowerCase()}")`),
  ];
  const ledger = plain ? "" : `durableObjectNamespaces = [(className = "Ledger", uniqueKey = "ledger", enableSql = true)], durableObjectStorage = (localDisk = "disk"),`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    ${plain ? "" : '(name = "disk", disk = (path = "data", writable = true)),'}
    (name = "stores", external = (address = "127.0.0.1:${stores?.port ?? upstream}", http = ())),
    (name = "providers", external = (address = "127.0.0.1:${upstream}", http = ())),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [${modules}],
  bindings = [${bindings.join(", ")}],
  ${ledger}
  compatibilityDate = "2026-11-01",
  compatibilityFlags = ["enable_request_signal"],
  globalOutbound = "providers",
);
`;
}

async function answers(port, child, said) {
  for (let tries = 0; tries < 400; tries++) {
    if (child.exitCode !== null) throw new Error(`workerd ended: ${said()}`);
    const up = await new Promise((resolve) => {
      http.get({ host: "127.0.0.1", port, path: "/healthz" }, (response) => response.resume().on("end", () => resolve(true))).on("error", () => resolve(false));
    });
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`workerd did not answer: ${said()}`);
}

function workerOf(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
  return children.length > 0 ? workerOf(Number(children[0])) : pid;
}

export const listen = (server) => new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));

export function close(server) {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
}

export async function freePort() {
  const server = http.createServer();
  const port = await listen(server);
  await close(server);
  return port;
}
