// `npm run sidecar`: the gateway beside a service, on localhost, in plain
// workerd. Providers' secrets come from the environment, by the names the
// region map gives them; keys, rows and everything else stay in `.sidecar`.
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureBuilt } from "./build.mjs";
import { meridian } from "./cli.mjs";
import { atTheEnd } from "./ending.mjs";
import { fail, ROOT, start } from "./run.mjs";
import { setUp } from "./setup.mjs";
import { writeConfig } from "./sidecar/config.mjs";
import { retention } from "./sidecar/retention.mjs";

const FOLDER = join(ROOT, ".sidecar");

const { country, port } = options();
setUp();
ensureBuilt();
mkdirSync(FOLDER, { recursive: true });

const wanted = [...new Set(JSON.parse(meridian("endpoints", "--json")).filter((e) => !e.off).map((e) => e.secret))];
const secrets = wanted.filter((name) => process.env[name]);
const { key, seed } = gatewayKey();
const deletion = retention();
writeConfig(FOLDER, {
  ports: [port],
  country,
  seed: { ...seed, ...deletion.seed },
  secrets: [...secrets, "RECEIPT_KEYS"],
  vars: { ENVIRONMENT: "sidecar" },
});

console.log(`
Meridian listens at http://127.0.0.1:${port} for callers in ${country ?? "a country that is not known (say --country DE)"}.
Key: ${key}
Providers' secrets found in the environment: ${secrets.join(", ") || "none"}
${secrets.length === 0 ? `Without one every call is refused. The map asks for: ${wanted.join(", ")}\n` : ""}
  OPENAI_BASE_URL=http://127.0.0.1:${port}/v1  ANTHROPIC_BASE_URL=http://127.0.0.1:${port}
`);
const serving = start("workerd", ["serve", join(FOLDER, "config.capnp")], { stdio: "inherit", cwd: FOLDER, env: { RECEIPT_KEYS: receiptKeys() } });
atTheEnd(() => serving.kill("SIGTERM"));
deletion.hourly(`http://127.0.0.1:${port}`);
serving.on("exit", (code) => process.exit(code ?? 0));

function options() {
  try {
    const { values } = parseArgs({ options: { country: { type: "string" }, port: { type: "string", default: "8790" } } });
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 1 || port > 65535) fail(`--port ${values.port} is no port`);
    if (values.country !== undefined && !/^[A-Z]{2}$/.test(values.country)) fail(`--country ${values.country}: say its ISO 3166-1 code in capital letters, such as DE`);
    return { country: values.country, port };
  } catch (error) {
    fail(`${error.message}\nUsage: npm run sidecar -- [--country DE] [--port 8790]`);
  }
}

function gatewayKey() {
  const file = join(FOLDER, "key");
  if (!existsSync(file)) writeFileSync(file, `mk_${randomBytes(5).toString("hex")}_${randomBytes(20).toString("hex")}`, { mode: 0o600 });
  const key = readFileSync(file, "utf8").trim();
  const hash = createHash("sha256").update(key).digest("hex");
  const record = { id: key.split("_")[1], team: "sidecar", created: "2026-01-01T00:00:00Z" };
  return { key, seed: { [`key:${hash}`]: JSON.stringify(record) } };
}

function receiptKeys() {
  const file = join(FOLDER, "receipt-keys.json");
  if (!existsSync(file)) writeFileSync(file, meridian("receipts", "keygen"), { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}
