// The map that the ledger's soak goes by: the one that is shipped, and in two of its
// zones providers may fetch files, search the web and use faster machines. The others
// refuse that as they do by the map that is shipped.
import { execFile } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../bench/rig.mjs";

/** The host that addresses may name. */
export const FILES = "files.example";
const ALLOWED = ["remote-url", "web-search", "tier"];
const OPEN_ZONES = ["eu", "us"];

/** Endpoints and models with a claim of these kinds. `web-search` runs so often at most, where a request does not say. */
const CLAIMS = [
  { file: "openai.toml", endpoint: "openai-eu", model: "gpt-5.4-mini", hosting: "eu", guarantee: "processing+storage", kinds: ["remote-url", "web-search"] },
  { file: "openai.toml", endpoint: "openai-us", model: "gpt-5.4-mini", hosting: "us", guarantee: "processing+storage", kinds: ["remote-url", "web-search"] },
  { file: "anthropic.toml", endpoint: "anthropic-us", model: "claude-sonnet-4-6", hosting: "us", guarantee: "processing", kinds: ["remote-url", "web-search"] },
  { file: "anthropic.toml", endpoint: "anthropic-us", model: "claude-opus-4-6", hosting: "us", guarantee: "processing", kinds: ["tier"] },
];
const MAX_USES = 3;

/**
 * Who may be sent what a request hides, by the callers' countries: a call from
 * elsewhere, or one that gets to another host, went against the map.
 */
export const OPEN_HOSTS = { DE: ["eu.api.openai.com"], US: ["us.api.openai.com", "api.anthropic.com"] };

/** Puts it in force at a gateway, for `authors` [who writes it, who approves it] by their admin keys. */
export async function openZones({ port, authors: [author, approver] }) {
  const folder = mkdtempSync(join(tmpdir(), "soak-map-"));
  try {
    for (const name of ["regions", "gateway.toml", "prices.toml"]) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    OPEN_ZONES.forEach((zone) => allow(join(folder, `regions/zones/${zone}.toml`)));
    for (const { file, ...claim } of CLAIMS) appendFileSync(join(folder, "regions/endpoints", file), claimed(claim));
    const as = async (key, ...args) => {
      const env = { ...process.env, MERIDIAN_URL: `http://127.0.0.1:${port}`, MERIDIAN_ADMIN_KEY: key };
      return (await promisify(execFile)(join(ROOT, "target/debug/meridian"), args, { cwd: folder, env })).stdout;
    };
    const said = await as(author, "publish", "--why", "the soak's zones");
    await as(approver, "approve", /This is draft (\w+)/.exec(said)[1], "--digest", /approves map (\w+)/.exec(said)[1]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Whether a gateway goes by it already. */
export async function isOpen({ port, admin }) {
  const body = JSON.stringify({ country: "DE", model: "gpt-mini" });
  const response = await fetch(`http://127.0.0.1:${port}/admin/v1/explain`, { method: "POST", headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" }, body });
  const { zone } = await response.json();
  return zone.egress.includes("web-search");
}

/** Puts these kinds beside those that a zone allows already. */
function allow(path) {
  const text = readFileSync(path, "utf8");
  const lines = text.split("\n").filter((line) => !/^(\[egress\]|allow = |hosts = )/.test(line));
  const [, kept] = /^allow = \[(.*)\]$/m.exec(text) ?? [];
  const kinds = [...(kept ? [kept] : []), ...ALLOWED.map((kind) => `"${kind}"`)];
  writeFileSync(path, [...lines, "[egress]", `allow = [${kinds.join(", ")}]`, `hosts = ["${FILES}"]`, ""].join("\n"));
}

function claimed({ endpoint, model, hosting, guarantee, kinds }) {
  const about = { hosting, guarantee, source: "https://example.com/egress", reviewer: "privacy@example.com" };
  const lines = Object.entries(about).map(([field, value]) => `${field} = "${value}"`);
  const tables = kinds.map((kind) => [`[${endpoint}.models."${model}".egress.${kind}]`, ...lines, "reviewed = 2026-11-26", ...(kind === "web-search" ? [`max_uses = ${MAX_USES}`] : [])].join("\n"));
  return `\n${tables.join("\n\n")}\n`;
}
