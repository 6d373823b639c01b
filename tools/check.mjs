// `npm run check`: is this fit to be deployed? The configuration, the bundle,
// and, where an environment is named, what wrangler.toml says of it. Every
// problem is told at once.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildCli, meridian } from "./cli.mjs";
import { fail, ROOT } from "./run.mjs";
import { setUp } from "./setup.mjs";

// src/edge/local.rs has the same words.
const LOCAL_MARKER = "meridian-local-build";
const STORES = ["USAGE_EU", "USAGE_US", "USAGE_WORLD"];

export async function check(environment) {
  buildCli();
  process.stdout.write(meridian("check"));
  const problems = [...bundle(), ...(await deployment(environment))];
  if (problems.length > 0) fail(problems.join("\n✗ "));
  console.log(`✓ the bundle and ${environment ?? "the local environment"} check`);
}

// What is deployed must have no way to move a caller or to panic on purpose.
function bundle() {
  const wasm = join(ROOT, "build/release/index_bg.wasm");
  if (!existsSync(wasm)) return ["build/release is missing: npm run build"];
  if (readFileSync(wasm).includes(LOCAL_MARKER)) return ["build/release holds a local build, which lets a header say where a caller is: npm run build"];
  return [];
}

async function deployment(environment) {
  const { unstable_readConfig } = await import("wrangler");
  const config = unstable_readConfig({ config: join(ROOT, "wrangler.toml"), env: environment });
  const where = environment ? `wrangler.toml, [env.${environment}]` : "wrangler.toml";
  const problems = [];
  for (const name of Object.keys(config.vars ?? {})) {
    if (name.startsWith("LOCAL_")) problems.push(`${where}: the variable ${name} is for local runs only; remove it`);
  }
  if (!/(^|\/)build\/release\/index\.js$/.test(config.main ?? "")) problems.push(`${where}: main is ${config.main}; only build/release/index.js may be deployed`);
  for (const store of STORES) {
    if (!config.d1_databases.some(({ binding }) => binding === store)) problems.push(`${where}: the database ${store} is missing`);
  }
  if (!config.kv_namespaces.some(({ binding }) => binding === "KEYS")) problems.push(`${where}: the KV namespace KEYS is missing`);
  if (!config.durable_objects.bindings.some(({ name }) => name === "LEDGER")) problems.push(`${where}: the Durable Object LEDGER is missing`);
  if (environment) problems.push(...unfilled(config, where));
  return problems;
}

function unfilled(config, where) {
  const problems = [];
  for (const { binding, database_id: id } of config.d1_databases) {
    if (!id || id === "create-me") problems.push(`${where}: ${binding} has no database_id; README.md, "Deploy", says how to create it`);
  }
  for (const { binding, id } of config.kv_namespaces) {
    if (!id || id === "create-me") problems.push(`${where}: ${binding} has no id; README.md, "Deploy", says how to create it`);
  }
  if ((config.routes ?? []).some((route) => String(route.pattern ?? route).includes("create-me"))) problems.push(`${where}: routes still names the example domain`);
  if (config.workers_dev) problems.push(`${where}: workers_dev is open, and workers.dev cannot be held to a region`);
  if (config.placement?.mode === "smart") problems.push(`${where}: smart placement moves execution out of the caller's region`);
  return problems;
}

if (process.argv[1] === import.meta.filename) {
  setUp();
  await check(process.argv[2]);
}
