// Three processes, so that each can be killed alone: the key store and the
// databases (`stores`), a gateway that also hosts the ledger's objects
// (`ledger`), and a gateway that reaches them over a line (`gateway`). All
// storage is on the disk, where it survives kill -9, as it does at Cloudflare.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embedded, layOut, PLACING } from "../../tools/worker.mjs";
import { ROOT, freePort } from "../bench/rig.mjs";

export const DATABASES = ["USAGE_EU", "USAGE_US", "USAGE_WORLD"];
const STORES = ["KEYS", ...DATABASES, "AUDIT"];
const DATES = 'compatibilityDate = "2026-11-01", compatibilityFlags = ["enable_request_signal"],';

/**
 * Starts them. `seed` is what the key store has from the start; `upstream` the
 * port that everything is sent to; `gateway` has tables in place of gateway.toml's; `doors(ports)` may put others before stores.
 */
export async function startCluster({ seed, vars, gateway, secrets, upstream, doors }) {
  const folder = mkdtempSync(join(tmpdir(), "cluster-"));
  const ports = Object.fromEntries(await Promise.all(["ledger", "gateway", "door", ...STORES].map(async (name) => [name, await freePort()])));
  for (const name of ["ledger", "gateway"]) layOut(join(folder, name), { front: PLACING, gateway });
  const modules = embedded(join(folder, "gateway"));
  const known = { ports: { ...ports, ...(await doors?.(ports)) }, vars, secrets, upstream, modules };
  const processes = {
    stores: new Process(join(folder, "stores"), storesConfig(ports, seed), ports.KEYS, "/__up"),
    ledger: new Process(join(folder, "ledger"), gatewayConfig({ ...known, hosts: true }), ports.ledger, "/healthz"),
    gateway: new Process(join(folder, "gateway"), gatewayConfig({ ...known, hosts: false }), ports.gateway, "/healthz"),
  };
  await Promise.all(Object.values(processes).map((one) => one.start()));
  return {
    processes,
    /** The two that take calls, each with its port. */
    gateways: [{ name: "ledger", port: ports.ledger }, { name: "gateway", port: ports.gateway }],
    /** What a statement finds in a database: a list of objects. */
    async query(database, sql, ...params) {
      const response = await fetch(`http://127.0.0.1:${ports[database]}/query`, { method: "POST", body: JSON.stringify({ sql, params }) });
      const { success, error, results } = await response.json();
      if (!success) throw new Error(`${database}: ${error}`);
      return results.rows.map((row) => Object.fromEntries(row.map((value, i) => [results.columns[i], value])));
    },
    async close() {
      await Promise.all(Object.values(processes).map((one) => one.kill()));
      rmSync(folder, { recursive: true });
    },
  };
}

/** One `workerd`, which can be killed and started again on what it had stored. */
class Process {
  /** When it was killed, and since when it answers again. */
  deaths = [];

  constructor(folder, config, port, path) {
    Object.assign(this, { folder, url: `http://127.0.0.1:${port}${path}` });
    mkdirSync(join(folder, "data"), { recursive: true });
    copyFileSync(join(ROOT, "tools/sidecar/stores.js"), join(folder, "stores.js"));
    copyFileSync(join(ROOT, "tests/soak/line.js"), join(folder, "line.js"));
    writeFileSync(join(folder, "config.capnp"), config);
  }

  async start() {
    this.child = spawn(join(ROOT, "node_modules/.bin/workerd"), ["serve", "config.capnp"], { cwd: this.folder, stdio: ["ignore", "ignore", "pipe"], detached: true });
    let said = "";
    this.child.stderr.on("data", (data) => (said = (said + data).slice(-4000)));
    this.said = () => said;
    process.on("exit", (this.end = () => this.#signal()));
    for (let tries = 0; !(await fetch(this.url).then((response) => response.status < 500, () => false)); tries++) {
      if (tries > 400 || this.child.exitCode !== null) throw new Error(`${this.url} does not answer: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const death = this.deaths.at(-1);
    if (death) death.back = Date.now();
  }

  /** At once and with everything it holds, kill -9. */
  async kill() {
    const over = new Promise((resolve) => this.child.once("exit", resolve));
    this.deaths.push({ at: Date.now(), back: Infinity });
    this.#signal();
    process.off("exit", this.end);
    await over;
  }

  // The launcher in node_modules/.bin starts the real program in its own group.
  #signal() {
    try {
      process.kill(-this.child.pid, "SIGKILL");
    } catch {}
  }
}

function storesConfig(ports, seed) {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "stores", worker = .stores), (name = "disk", disk = (path = "data", writable = true))],
  sockets = [${STORES.map((name) => socket(name, ports[name], `(name = "stores", props = (json = ${text(JSON.stringify({ store: name }))}))`)).join(", ")}],
);
const stores :Workerd.Worker = (
  modules = [(name = "stores.js", esModule = embed "stores.js")],
  bindings = [
    (name = "STORES", durableObjectNamespace = "Store"),
    (name = "SEED", json = ${text(JSON.stringify(seed))}),
    (name = "MIGRATIONS", json = ${text(JSON.stringify({ usage: migrations("migrations"), audit: migrations("migrations/audit") }))}),
  ],
  durableObjectNamespaces = [(className = "Store", uniqueKey = "stores", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  ${DATES}
);
`;
}

// Both gateways are the same program; only where `LEDGER` leads to differs.
function gatewayConfig({ ports, vars, secrets, upstream, modules, hosts }) {
  const external = (name, port) => `(name = "${name}", external = (address = "127.0.0.1:${port}", http = ()))`;
  const line = (bindings, storage) => `const line :Workerd.Worker = (
  modules = [(name = "line.js", esModule = embed "line.js")],
  bindings = [${bindings}],
  ${storage}
  ${DATES}
);
`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main), (name = "line", worker = .line),
    ${hosts ? '(name = "disk", disk = (path = "data", writable = true)),' : `${external("door", ports.door)},`}
    ${STORES.map((name) => external(name, ports[name])).join(", ")},
    ${external("providers", upstream)},
  ],
  sockets = [${socket("http", hosts ? ports.ledger : ports.gateway, '"main"')}${hosts ? `, ${socket("door", ports.door, '"line"')}` : ""}],
);
const main :Workerd.Worker = (
  modules = [${modules}],
  bindings = [
    (name = "KEYS", kvNamespace = "KEYS"),
    ${STORES.slice(1).map((name) => `(name = "${name}", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = "${name}")])),`).join("\n    ")}
    (name = "LEDGER", durableObjectNamespace = ${hosts ? '"Ledger"' : '(className = "Ledger", serviceName = "line")'}),
    ${Object.entries(vars).map(([name, value]) => `(name = "${name}", text = ${text(value)}),`).join(" ")}
    ${secrets.map((name) => `(name = "${name}", text = "secret-of-${name.toLowerCase()}"),`).join(" ")}
  ],
  ${hosts ? 'durableObjectNamespaces = [(className = "Ledger", uniqueKey = "ledger", enableSql = true)], durableObjectStorage = (localDisk = "disk"),' : ""}
  globalOutbound = "providers",
  ${DATES}
);
${hosts
    ? line('(name = "LEDGER", durableObjectNamespace = (className = "Ledger", serviceName = "main"))', "")
    : line('(name = "DOOR", service = "door")', 'durableObjectNamespaces = [(className = "Ledger", uniqueKey = "line")], durableObjectStorage = (inMemory = void),')}`;
}

const socket = (name, port, service) => `(name = "${name}", address = "127.0.0.1:${port}", http = (), service = ${service})`;

// Cap'n Proto's string literals are C's.
function text(value) {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

function migrations(folder) {
  const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".sql")).sort();
  return names.map((name) => [name, readFileSync(join(ROOT, folder, name), "utf8")]);
}
