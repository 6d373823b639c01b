// Every fault, for every way of speaking to a provider: the faults, what must
// come of them, and a map in which each way has a first endpoint and, for when
// it fails, one that is spoken to in another way.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../bench/rig.mjs";
import { aliased } from "./aliases.mjs";

export const PAGE = join(ROOT, "docs/failover-matrix.md");
export const COUNTRY = "BV";
export const LIMITS = { connect: 400, first_token: 500, between_tokens: 1200, answer: 500, total: 8000, keep_alive: 8000 };

/** Dialect → how its first endpoint is reached, by a host of its own. */
export const DIALECTS = {
  "openai-chat": { host: "chat.example.com", auth: "bearer:T_KEY", model: "gpt-4.1" },
  "openai-responses": { host: "responses.example.com", auth: "bearer:T_KEY", model: "gpt-5-mini" },
  "anthropic-messages": { host: "messages.example.com", auth: "x-api-key:T_KEY", model: "claude-sonnet-4-6" },
  "bedrock-converse": { host: "bedrock-runtime.eu-central-1.amazonaws.com", auth: "bearer:T_KEY", model: "claude-opus-4-6", id: "global.anthropic.claude-opus-4-6" },
  gemini: { host: "generativelanguage.googleapis.com", auth: "x-goog-api-key:T_KEY", model: "gemini-2.5-flash" },
};
/** Who answers when the first does not: another dialect, another host. */
export const NEXT = { dialect: "anthropic-messages", host: "next.example.com", auth: "x-api-key:T_KEY" };
const NEXT_OF_MESSAGES = { dialect: "openai-chat", host: "next-chat.example.com", auth: "bearer:T_KEY" };
export const nextOf = (dialect) => (dialect === "anthropic-messages" ? NEXT_OF_MESSAGES : NEXT);

// What becomes of a call.
const over = (why) => ({ then: "the next endpoint answers", why });
const ENDS = { then: "an error event ends it", outcome: "failed" };
const TOLD = { then: "the client is told", outcome: "provider_error" };
const FINE = { then: "answered", outcome: "ok" };
const many = { chunks: 40 };

/** The faults, and what must come of each for whole answers and for streams. */
export const FAULTS = [
  { name: "no connection", fault: { refuse_connection: true }, whole: over("no_connection"), stream: over("no_connection") },
  { name: "never answers", fault: { hang: true }, whole: over("timed_out"), stream: over("timed_out") },
  { name: "401: our credential", fault: { status: 401 }, whole: over("refused_us"), stream: over("refused_us") },
  { name: "402: nothing left to pay with", fault: { status: 402 }, whole: over("quota_used_up"), stream: over("quota_used_up") },
  { name: "408", fault: { status: 408 }, whole: over("failing"), stream: over("failing") },
  { name: "429", fault: { status: 429 }, whole: over("rate_limited"), stream: over("rate_limited") },
  { name: "429 with Retry-After", fault: { status: 429, headers: { "retry-after": "2" } }, whole: over("rate_limited"), stream: over("rate_limited") },
  { name: "500", fault: { status: 500 }, whole: over("failing"), stream: over("failing") },
  { name: "502 with a page", fault: { status: 502, body: "<html>", content_type: "text/html" }, whole: over("failing"), stream: over("failing") },
  { name: "503", fault: { status: 503 }, whole: over("overloaded"), stream: over("overloaded") },
  { name: "529", fault: { status: 529 }, whole: over("overloaded"), stream: over("overloaded") },
  { name: "307 elsewhere", fault: { status: 307, body: "", headers: { location: "https://elsewhere.example.com/" } }, whole: over("redirected"), stream: over("redirected") },
  { name: "400: the caller's mistake", fault: { status: 400 }, whole: TOLD, stream: TOLD },
  { name: "an error as the first event of a 200", fault: { error_at_chunk: 0 }, stream: over(/overloaded|failing/) },
  { name: "an error before the first content", fault: { error_at_chunk: 1 }, stream: over(/overloaded|failing/) },
  { name: "breaks off before the first content", fault: { cut_at_byte: 30 }, whole: over("broke_off"), stream: over("broke_off") },
  { name: "nonsense", fault: { garbage: true }, whole: over("malformed"), stream: over(/malformed|broke_off/) },
  { name: "the first token does not come", fault: { delay_headers_to_first_chunk_ms: 2000 }, stream: over("timed_out") },
  { name: "an error after content", fault: { error_at_chunk: 5 }, stream: ENDS },
  { name: "breaks off after content", fault: { cut_at_byte: 6000, ...many }, stream: ENDS },
  { name: "falls silent after content", fault: { delay_between_ms: 2500 }, stream: ENDS },
  { name: "slow, but alive", fault: { delay_between_ms: 250, chunks: 4 }, stream: FINE },
];

const toml = (fields) => Object.entries(fields).map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join("\n");
function endpoint(name, { host, auth, dialect, hosting = "global", guarantee = "none" }, model, id) {
  const claim = { id: id ?? `m-${name}`, hosting, guarantee, source: "https://example.com", reviewer: "privacy@example.com" };
  return `[${name}]\n${toml({ host, dialect, auth })}\n[${name}.models."${model}"]\n${toml(claim)}\nreviewed = 2026-11-21\n`;
}

/** The map, as the command line prints it. */
export function map() {
  const folder = mkdtempSync(join(tmpdir(), "map-"));
  for (const name of ["regions", "gateway.toml", "prices.toml"]) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  for (const part of ["regions/endpoints", "regions/zones"]) {
    rmSync(join(folder, part), { recursive: true });
    mkdirSync(join(folder, part));
  }
  const all = Object.entries(DIALECTS).flatMap(([dialect, { model, id, ...rest }]) => [
    endpoint(`first-${dialect}`, { ...rest, dialect }, model, id),
    endpoint(`next-${dialect}`, { ...nextOf(dialect) }, model),
  ]);
  const tried = Object.values(DIALECTS).map(({ model }) => model);
  const rest = aliased().filter((model) => !tried.includes(model));
  all.push(...rest.map((model, i) => endpoint(`rest-${i}`, { host: "rest.example.com", dialect: "openai-chat", auth: "bearer:T_KEY" }, model)));
  // And something must serve the strict default zone.
  all.push(endpoint("strict", { host: "strict.example.com", dialect: "cohere-embed", auth: "bearer:T_KEY", hosting: "eu", guarantee: "processing" }, "embed-v4"));
  writeFileSync(join(folder, "regions/endpoints/matrix.toml"), all.join("\n"));
  writeFileSync(join(folder, "regions/zones/anywhere.toml"), `name = "The lab"\nbasis = "none: for tests"\ncountries = ["${COUNTRY}"]\nhosting = ["global"]\nguarantee = "none"\nusage_store = "USAGE_WORLD"\nreview_by = 2027-06-30\n`);
  cpSync(join(ROOT, "regions/zones/default.toml"), join(folder, "regions/zones/default.toml"));
  const printed = spawnSync(join(ROOT, "target/debug/meridian"), ["map"], { cwd: folder, encoding: "utf8" });
  rmSync(folder, { recursive: true });
  if (printed.status !== 0) throw new Error(printed.stderr);
  return JSON.parse(printed.stdout);
}

/** The page: what was seen, one line a fault. `seen` has the results by test name. */
export function page(clients, seen) {
  const ways = Object.keys(DIALECTS).length * clients.length;
  const cell = (expected, name, kind) => {
    if (!expected) return "–";
    const results = clients.flatMap((client) => Object.keys(DIALECTS).map((dialect) => seen.get(testName(name, client, dialect, kind))));
    const good = results.filter((result) => result === expected.then).length;
    const why = expected.why ? ` (\`${String(expected.why).replaceAll("/", "").replace("|", "` or `")}\`)` : "";
    return good === ways ? `${expected.then}${why}` : `**${good} of ${ways}**: ${expected.then}${why}`;
  };
  const lines = FAULTS.map(({ name, whole, stream }) => `| ${name} | ${cell(whole, name, "whole")} | ${cell(stream, name, "stream")} |`);
  return `# What comes of every fault

Generated by \`UPDATE_GOLDEN=1 node --test tests/e2e/matrix.test.mjs\`; the test compares. Each cell holds for ${ways} ways: a client of ${clients.join(", ")}, and a first endpoint that speaks ${Object.keys(DIALECTS).join(", ")}, with one behind it that speaks another dialect. In each the test looks at what the client saw, what was sent where and in which order, the row, and that no other host was contacted. The word in brackets is what the row's \`failures\` say of the first endpoint.

| the first endpoint | an answer in one piece | a stream |
| --- | --- | --- |
${lines.join("\n")}
`;
}

export const testName = (fault, client, dialect, kind) => `${fault}: ${client} to ${dialect}, ${kind}`;
