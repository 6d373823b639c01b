// What plain `workerd` needs to run the gateway on one machine: the same build
// that is deployed, its stores on the disk, and a door that says where it is.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../run.mjs";
import { embedded, layOut } from "../worker.mjs";

const DATABASES = ["USAGE_EU", "USAGE_US", "USAGE_WORLD", "AUDIT"];

/**
 * Writes everything into `folder`: `config.capnp` and the modules it names.
 * `seed` is what the key store has from the start, `secrets` the names of
 * variables of the environment. `ports` are one door each, with a gateway
 * of its own behind it; all of them share one ledger. For tests, `providers` is where all that goes out
 * goes to, and `gateway` has tables that replace those of gateway.toml.
 */
export function writeConfig(folder, { ports, country, seed, secrets, vars = {}, providers, gateway }) {
  mkdirSync(join(folder, "data"), { recursive: true });
  layOut(folder, { gateway });
  for (const name of ["stores.js", "door.js"]) copyFileSync(join(ROOT, "tools/sidecar", name), join(folder, name));
  const gateways = ports.map((port, i) => ({ port, name: `gateway${i}` }));
  writeFileSync(join(folder, "config.capnp"), `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${gateways.map(({ name }, i) => `(name = "${name}", worker = .gateway${i > 0 ? "More" : ""}),\n    (name = "${name}-door", worker = .${name}Door),`).join("\n    ")}
    (name = "stores", worker = .stores),
    (name = "disk", disk = (path = "data", writable = true)),
    ${providers ? `(name = "providers", external = (address = ${text(providers)}, http = ())),` : `(name = "providers", network = (allow = ["public"], tlsOptions = (trustBrowserCas = true))),`}
  ],
  sockets = [${gateways.map(({ port, name }) => `(name = "${name}", address = "127.0.0.1:${port}", http = (), service = "${name}-door")`).join(", ")}],
);
${gateways.slice(0, 2).map((_, i) => `const gateway${i > 0 ? "More" : ""} :Workerd.Worker = (
  modules = [${embedded(folder)}],
  bindings = [
    (name = "KEYS", kvNamespace = ${store("KEYS")}),
    ${DATABASES.map((name) => `(name = "${name}", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = ${store(name)})])),`).join("\n    ")}
    (name = "LEDGER", durableObjectNamespace = ${i > 0 ? '(className = "Ledger", serviceName = "gateway0")' : '"Ledger"'}),
    ${Object.entries(vars).map(([name, value]) => `(name = "${name}", text = ${text(value)}),`).join(" ")}
    ${secrets.map((name) => `(name = "${name}", fromEnvironment = "${name}"),`).join(" ")}
  ],
  ${i > 0 ? "" : `durableObjectNamespaces = [(className = "Ledger", uniqueKey = "meridian-ledger", enableSql = true)], durableObjectStorage = (localDisk = "disk"),`}
  globalOutbound = "providers",
  ${DATES}
);`).join("\n")}
${gateways.map(({ name }) => `const ${name}Door :Workerd.Worker = (
  modules = [(name = "door.js", esModule = embed "door.js")],
  bindings = [(name = "GATEWAY", service = "${name}"), (name = "COUNTRY", text = ${text(country ?? "")})],
  ${DATES}
);`).join("\n")}
const stores :Workerd.Worker = (
  modules = [(name = "stores.js", esModule = embed "stores.js")],
  bindings = [
    (name = "STORES", durableObjectNamespace = "Store"),
    (name = "SEED", json = ${text(JSON.stringify(seed))}),
    (name = "MIGRATIONS", json = ${text(JSON.stringify({ usage: migrations("migrations"), audit: migrations("migrations/audit") }))}),
  ],
  durableObjectNamespaces = [(className = "Store", uniqueKey = "meridian-store", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  ${DATES}
);
`);
}

const DATES = 'compatibilityDate = "2026-11-01", compatibilityFlags = ["enable_request_signal"],';
const store = (name) => `(name = "stores", props = (json = ${text(JSON.stringify({ store: name }))}))`;

// Cap'n Proto's string literals are C's.
function text(value) {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t")}"`;
}

function migrations(folder) {
  const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".sql")).sort();
  return names.map((name) => [name, readFileSync(join(ROOT, folder, name), "utf8")]);
}
