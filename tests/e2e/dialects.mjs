// A map with one endpoint for each way of speaking to a provider, put in force
// as a published map is. All of them stand behind the simulator.
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { APPLICATION } from "../simulator/entra-token.mjs";
import { serviceAccount } from "../simulator/google-token.mjs";
import { ACCESS_KEY, SECRET_KEY } from "../simulator/sigv4.mjs";
import { aliased } from "./aliases.mjs";
import { approval, ROOT, startGateway } from "./gateway.mjs";

/** Where the callers of these tests are. Their zone accepts every place. */
export const COUNTRY = "BV";

const VERTEX = "europe-west4-aiplatform.googleapis.com";
const PROJECT = "/v1/projects/p/locations/europe-west4/publishers";
const BEDROCK = "bedrock-runtime.eu-central-1.amazonaws.com";

/** Name → what the map says of it. */
export const TARGETS = {
  "openai-chat": { host: "chat.example.com", dialect: "openai-chat", auth: "bearer:T_KEY", claim: { thinking: "effort", completions: true } },
  "openai-responses": { host: "responses.example.com", dialect: "openai-responses", auth: "bearer:T_KEY", claim: { thinking: "effort" } },
  "anthropic-messages": { host: "messages.example.com", dialect: "anthropic-messages", auth: "x-api-key:T_KEY" },
  "bedrock-converse": { host: BEDROCK, dialect: "bedrock-converse", auth: "sigv4:T_AWS", claim: { id: "global.anthropic.claude-sonnet-4-6" } },
  "bedrock-converse-bearer": { host: BEDROCK, dialect: "bedrock-converse", auth: "bearer:T_KEY", claim: { id: "arn:aws:bedrock:eu-central-1:123456789012:provisioned-model/abc1claude" } },
  "bedrock-invoke": {
    host: BEDROCK, dialect: "anthropic-messages", auth: "sigv4:T_AWS", base_path: "/model",
    paths: { once: "/{model}/invoke", stream: "/{model}/invoke-with-response-stream" },
    without: ["model", "stream"], fixed: { anthropic_version: "bedrock-2023-05-31" }, claim: { id: "global.anthropic.claude-haiku-4-5-20251001-v1:0", thinking: "budget" },
  },
  "azure-classic": { host: "resource.openai.azure.com", dialect: "openai-chat", auth: "api-key:T_KEY", base_path: "/openai/deployments/{model}", query: "api-version=2024-10-21", sku: "GlobalStandard", claim: { id: "m-azure-classic-128k", context: 128_000, max_output: 16_384, max_choices: 128, thinking: "effort" } },
  "azure-v1": { host: "resource.openai.azure.com", dialect: "openai-responses", auth: "entra:T_ENTRA", base_path: "/openai/v1", sku: "GlobalStandard", claim: { thinking: "effort" } },
  "gemini-api": { host: "generativelanguage.googleapis.com", dialect: "gemini", auth: "x-goog-api-key:T_KEY", claim: { thinking: "budget" } },
  vertex: { host: VERTEX, dialect: "gemini", auth: "google:T_GOOGLE", base_path: `${PROJECT}/google`, claim: { thinking: "effort" } },
  "vertex-claude": {
    host: VERTEX, dialect: "anthropic-messages", auth: "google:T_GOOGLE", base_path: `${PROJECT}/anthropic/models`,
    paths: { once: "/{model}:rawPredict", stream: "/{model}:streamRawPredict" }, without: ["model"], fixed: { anthropic_version: "vertex-2023-10-16" }, claim: { id: "claude-sonnet@20260101" },
  },
  mistral: {
    host: "mistral.example.com", dialect: "openai-chat", auth: "bearer:T_KEY", stream_usage: "always",
    quirks: { rename: { max_completion_tokens: "max_tokens", seed: "random_seed" }, unknown: ["user", "verbosity", "logprobs", "top_logprobs", "service_tier", "prompt_cache_key"], short_ids: true }, claim: { context: null },
  },
};

/** What each client does with each target, and what its test is called. */
export const FEATURES = ["tools", "image", "json", "thinking", "usage"];
export const CLIENT_NAMES = ["chat", "responses", "messages"];
export const testName = (feature, client, target) => `${feature}: ${client} to ${target}`;

/** Targets that only hold embeddings. */
export const EMBEDDERS = {
  "openai-embed": { host: "chat.example.com", dialect: "openai-chat", auth: "bearer:T_KEY" },
  "gemini-embed": { host: "generativelanguage.googleapis.com", dialect: "gemini", auth: "x-goog-api-key:T_KEY" },
  "vertex-embed": { host: VERTEX, dialect: "gemini", auth: "google:T_GOOGLE", base_path: `${PROJECT}/google/models`, paths: { once: "/{model}:predict", stream: "/{model}:predict" } },
  "cohere-embed": { host: "api.cohere.com", dialect: "cohere-embed", auth: "bearer:T_KEY" },
};

// A published map goes with the prices of the deployment, so each target
// stands under the name of a model that has one.
const PRICED = ["gpt-4.1", "gpt-5-mini", "claude-sonnet-4-6", "claude-opus-4-6", "nova-pro", "claude-haiku-4-5", "gpt-4o-mini", "gpt-5.4-mini", "gemini-2.5-flash", "mistral-large", "text-embedding-3-large", "mistral-small"];
const PRICED_EMBEDDERS = ["text-embedding-3-small", "gemini-embedding-001", "text-embedding-3-large", "embed-v4"];

/** The model that only this target serves. */
export function modelOf(target) {
  const at = Object.keys(TARGETS).indexOf(target);
  return at < 0 ? PRICED_EMBEDDERS[Object.keys(EMBEDDERS).indexOf(target)] : PRICED[at];
}

const toml = (value) =>
  Array.isArray(value) ? `[${value.map(toml).join(", ")}]`
  : typeof value === "object" ? `{ ${Object.entries(value).map(([k, v]) => `${k} = ${toml(v)}`).join(", ")} }`
  : JSON.stringify(value);

/** Every kind of egress that a zone can allow, from the map's own file. */
export const KINDS = [...readFileSync(join(ROOT, "regions/egress.toml"), "utf8").matchAll(/^\[kinds\.([a-z-]+)\]/gm)].map(([, kind]) => kind).filter((kind) => kind !== "place");

/** The host that addresses may name in the lab. */
export const ALLOWED_HOST = "files.example.com";

function endpoint(name, { claim, ...fields }, model = modelOf(name)) {
  const lines = Object.entries(fields).map(([field, value]) => `${field} = ${toml(value)}`);
  const about = { id: `m-${name}`, hosting: "global", guarantee: "none", source: "https://example.com", reviewer: "privacy@example.com", context: 1_048_576, ...claim };
  const claimed = Object.entries(about).filter(([, value]) => value !== null).map(([field, value]) => `${field} = ${toml(value)}`);
  const beyond = KINDS.flatMap((kind) => [`[${name}.models."${model}".egress.${kind}]`, ...["hosting", "guarantee", "source", "reviewer"].map((field) => `${field} = ${toml(about[field])}`), "reviewed = 2026-11-21"]);
  return [`[${name}]`, ...lines, `[${name}.models."${model}"]`, ...claimed, "reviewed = 2026-11-21", ...beyond, ""].join("\n");
}

const ANYWHERE = `name = "The lab"
basis = "none: for tests"
countries = ["${COUNTRY}"]
hosting = ["global"]
guarantee = "none"
usage_store = "USAGE_WORLD"
review_by = 2027-06-30

[egress]
allow = ${toml(KINDS)}
hosts = ["${ALLOWED_HOST}"]
`;

/** The gateway with that map in force. `more`: [name, target, model], endpoints beside the targets. */
export async function startWithTargets({ more = [], ...options } = {}) {
  const vars = { T_KEY: "provider-secret-t", T_AWS: `${ACCESS_KEY}:${SECRET_KEY}`, T_ENTRA: APPLICATION, T_GOOGLE: JSON.stringify(serviceAccount()) };
  const gateway = await startGateway({ ...options, vars: { ...vars, ...options.vars } });
  const folder = mkdtempSync(join(tmpdir(), "map-"));
  for (const name of ["regions", "gateway.toml", "prices.toml"]) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  // Nothing else serves these models here.
  for (const part of ["regions/endpoints", "regions/zones"]) {
    rmSync(join(folder, part), { recursive: true });
    mkdirSync(join(folder, part));
  }
  const all = Object.entries({ ...TARGETS, ...EMBEDDERS });
  writeFileSync(join(folder, "regions/endpoints/targets.toml"), all.map(([name, target]) => endpoint(name, target)).join("\n"));
  const rest = aliased().filter((model) => !PRICED.includes(model));
  const other = { host: "rest.example.com", dialect: "openai-chat", auth: "bearer:T_KEY" };
  writeFileSync(join(folder, "regions/endpoints/rest.toml"), rest.map((model, i) => endpoint(`rest-${i}`, other, model)).join("\n"));
  if (more.length > 0) writeFileSync(join(folder, "regions/endpoints/more.toml"), more.map((one) => endpoint(...one)).join("\n"));
  writeFileSync(join(folder, "regions/zones/anywhere.toml"), ANYWHERE);
  // A map wants a strict default, and something that serves it.
  cpSync(join(ROOT, "regions/zones/default.toml"), join(folder, "regions/zones/default.toml"));
  const strict = { host: "strict.example.com", dialect: "cohere-embed", auth: "bearer:T_KEY", claim: { hosting: "eu", guarantee: "processing" } };
  writeFileSync(join(folder, "regions/endpoints/strict.toml"), endpoint("strict", strict, "embed-v4"));
  const as = async (who, ...args) => {
    const env = { ...process.env, MERIDIAN_URL: gateway.url, MERIDIAN_ADMIN_KEY: who };
    const { stdout } = await promisify(execFile)(join(ROOT, "target/debug/meridian"), args, { cwd: folder, env });
    return stdout;
  };
  const [anna, bert] = [await gateway.admin("anna@example.com", "compliance"), await gateway.admin("bert@example.com", "compliance")];
  const said = await as(anna, "publish", "--why", "for a test");
  await as(bert, "approve", ...approval(said));
  rmSync(folder, { recursive: true });
  await inForce(gateway);
  return gateway;
}

async function inForce(gateway) {
  const key = await gateway.key();
  for (;;) {
    const response = await gateway.from(COUNTRY)(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    if ((await response.text()).includes("embed-v4")) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
