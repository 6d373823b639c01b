// The built worker in real workerd, with local KV, D1 and Durable Objects, and
// the simulator behind it. The worker is the one that is deployed: it asks for
// the providers' real hosts, and workerd's way out leads to the simulator.
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestHarness } from "wrangler";
import { layOut, RULES } from "../../tools/worker.mjs";
import { startSimulator } from "../simulator/simulator.mjs";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const STORES = ["USAGE_EU", "USAGE_US", "USAGE_WORLD"];

/** Starts gateway and simulator. `front` and `gateway` are those of `layOut`; without `ledger` its objects cannot be reached. */
export async function startGateway({ front, gateway, vars = {}, without = [], ledger = true } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "gateway-"));
  const main = layOut(folder, { front, gateway });
  const endpoints = JSON.parse(meridian("endpoints", "--json"));
  const simulator = await startSimulator({ port: 0 });
  const restore = leadFetchTo(simulator);
  const secrets = Object.fromEntries(endpoints.map((e) => [e.secret, secretOf(e.secret)]));
  for (const name of without) delete secrets[name];
  const harness = createTestHarness({
    root: ROOT,
    workers: [{
      config: {
        name: "meridian",
        main: join(folder, main),
        compatibility_date: "2026-11-01",
        compatibility_flags: ["enable_request_signal"],
        no_bundle: true,
        find_additional_modules: true,
        base_dir: folder,
        rules: RULES,
        vars: { RECEIPT_KEYS: receiptKeys(), ENVIRONMENT: "test", ...vars, ...secrets },
        kv_namespaces: [{ binding: "KEYS", id: "keys" }],
        d1_databases: STORES.map((binding) => ({ binding, database_name: binding, database_id: binding, migrations_dir: join(ROOT, "migrations") })).concat({ binding: "AUDIT", database_name: "AUDIT", database_id: "AUDIT", migrations_dir: join(ROOT, "migrations/audit") }),
        durable_objects: { bindings: [{ name: ledger ? "LEDGER" : "UNREACHABLE", class_name: "Ledger" }] },
        migrations: [{ tag: "v1", new_sqlite_classes: ["Ledger"] }],
      },
    }],
  });
  const { url } = await harness.listen();
  const worker = harness.getWorker();
  for (const store of [...STORES, "AUDIT"]) await worker.applyD1Migrations(store);
  const env = await worker.getEnv();
  let operator;

  return {
    url: url.href.replace(/\/$/, ""),
    harness,
    worker,
    simulator,
    env,
    endpoints,

    /** A fetch that comes from a country; `undefined` is from nowhere known. */
    from: (country, colo = "FRA") => (input, init) => harness.fetch(String(input.url ?? input), { ...init, cf: { country, colo } }),

    /** Makes a gateway key. */
    async key(record = {}) {
      const id = randomBytes(5).toString("hex");
      const key = `mk_${id}_${randomBytes(20).toString("hex")}`;
      const hash = createHash("sha256").update(key).digest("hex");
      const full = { id, team: "search", created: "2026-11-20T00:00:00Z", ...record };
      await env.KEYS.put(`key:${hash}`, JSON.stringify(full));
      return key;
    },

    /** Makes an admin key for somebody. */
    async admin(who, ...roles) {
      const id = randomBytes(5).toString("hex");
      const key = `ma_${id}_${randomBytes(20).toString("hex")}`;
      const hash = createHash("sha256").update(key).digest("hex");
      await env.KEYS.put(`admin:key:${hash}`, JSON.stringify({ id, who, roles, created: "2026-11-20T00:00:00Z" }));
      return key;
    },

    /** Forgets faults and how endpoints fared: one test's are not the next one's. */
    async reset() {
      simulator.reset();
      operator ??= await this.admin("operator@example.com", "operator");
      await worker.fetch("https://gateway/admin/v1/health/forget", {
        method: "POST",
        headers: { authorization: `Bearer ${operator}`, "content-type": "application/json" },
        body: "{}",
      });
    },

    /** The row of a request, from whichever database has it. */
    async row(id, { within = 4000 } = {}) {
      const until = Date.now() + within;
      do {
        for (const store of STORES) {
          const row = await env[store].prepare("SELECT * FROM usage WHERE id = ?").bind(id).first();
          if (row) return { ...row, store };
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      } while (Date.now() < until);
      return undefined;
    },

    async close() {
      await harness.close();
      restore();
      await simulator.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** What `meridian approve` is told of a draft, from what `meridian publish` said. */
export const approval = (said) => [/This is draft (\w+)/.exec(said)[1], "--digest", /approves map (\w+)/.exec(said)[1]];

let keys;
/** The keys that receipts are signed with, made by the command line. */
export function receiptKeys() {
  return (keys ??= meridian("receipts", "keygen").trim());
}

/** The credential the simulator sees for a Worker secret. */
export const secretOf = (name) => `provider-secret-${name.toLowerCase()}`;

// The harness sends what the worker fetches through Node's fetch.
function leadFetchTo(simulator) {
  const real = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const url = new URL(input.url ?? input);
    if (url.hostname === "127.0.0.1" || url.hostname === "localhost") return real(input, init);
    const headers = new Headers(init?.headers);
    // A client's own must not get this far: set below, it would hide.
    if (headers.has("x-simulated-host")) throw new Error("the worker passed x-simulated-host on");
    headers.set("x-simulated-host", url.host);
    headers.delete("host");
    const asked = { method: init.method, headers, body: init.body, duplex: "half", redirect: "manual", signal: init.signal };
    return real(simulator.url + url.pathname + url.search, asked).then(wholeOrStream);
  };
  return () => {
    globalThis.fetch = real;
  };
}

// The harness never ends a reply with a length whose body broke off, so it is
// a 502 here, nor the copy of a stream with a length, so that goes without.
// tests/e2e/workerd.test.mjs has the real thing.
async function wholeOrStream(response) {
  const headers = new Headers(response.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  if (headers.get("content-type")?.includes("event-stream")) return new Response(response.body, { status: response.status, headers });
  const body = await response.arrayBuffer().catch(() => null);
  if (body === null) return new Response("{}", { status: 502 });
  return new Response(body.byteLength > 0 ? body : null, { status: response.status, headers });
}

/** Runs the command line. */
export function meridian(...args) {
  const done = spawnSync(join(ROOT, "target/debug/meridian"), args, { cwd: ROOT, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`meridian ${args.join(" ")}: ${done.stderr}`);
  return done.stdout;
}
