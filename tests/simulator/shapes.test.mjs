// Compares what the simulator sends with recordings of the real providers, which
// are kept beside the repository: kinds and order of events, keys and their order.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chat, eventsOf, messages, user } from "./client.mjs";
import { startSimulator } from "./simulator.mjs";

const RECORDED = fileURLToPath(new URL("../../../shared/vectors/recorded/", import.meta.url));
const skip = existsSync(RECORDED) ? false : "no recordings beside the repository";

const sim = await startSimulator();
after(() => sim.close());

/** → [{name, status, headers, text}] of one folder's recordings with the given file. */
function recordings(folder, file) {
  if (skip) return [];
  return readdirSync(RECORDED + folder)
    .map((name) => `${RECORDED}${folder}/${name}/`)
    .filter((path) => existsSync(path + file))
    .map((path) => {
      const meta = JSON.parse(readFileSync(`${path}meta.json`, "utf8"));
      return { name: path, text: readFileSync(path + file, "utf8"), ...meta, headers: meta.response_headers ?? {} };
    });
}

/** The keys of a value at every depth, in order: {"a": {"b": 1}} → ["a", "a.b"]. */
function keyPaths(value, at = "") {
  if (Array.isArray(value)) return value.length ? keyPaths(value[0], `${at}[]`) : [];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value)
    .filter(([key]) => key !== "obfuscation")
    .flatMap(([key, inner]) => [at + key, ...keyPaths(inner, `${at}${key}.`)]);
}

const set = (paths) => [...paths].sort().join(" ");

function assertKnownKeys(ours, real, what) {
  const sameKeys = real.some((value) => set(keyPaths(value)) === set(keyPaths(ours)));
  assert.ok(sameKeys, `${what}: no recording has exactly the keys ${keyPaths(ours).join(" ")}`);
}

/** Equal sets in one recording, and the order of nearly all keys in one. */
function assertKnownShape(ours, real, what) {
  assertKnownKeys(ours, real, what);
  const paths = keyPaths(ours);
  const known = real.map((value) => keyPaths(value));
  const sameOrder = known.some((other) => {
    const shared = paths.filter((path) => other.includes(path));
    const order = other.filter((path) => paths.includes(path));
    return shared.length >= paths.length - 2 && shared.join(" ") === order.join(" ");
  });
  assert.ok(sameOrder, `${what}: no recording has the order ${paths.join(" ")}`);
}

function chunkKind({ data, json }) {
  if (data === "[DONE]") return "done";
  if (json.choices.length === 0) return "usage";
  const [{ delta, finish_reason }] = json.choices;
  if (finish_reason !== null) return "finish";
  return delta.role ? "role" : "content";
}

const eventKind = ({ event, json }) => {
  const block = json.content_block?.type.replace("server_tool_use", "tool_use");
  return [event, block ?? json.delta?.type].filter(Boolean).join(" ");
};

const runs = (kinds) => kinds.filter((kind, i) => kind !== kinds[i - 1]).join(" > ");

function byKind(streams, kindOf) {
  const kinds = new Map();
  for (const event of streams.flat()) {
    const kind = kindOf(event);
    kinds.set(kind, [...(kinds.get(kind) ?? []), event.json]);
  }
  return kinds;
}

test("OpenAI streams", { skip }, async () => {
  const real = recordings("openai-chat", "response.sse").map(({ text }) => eventsOf(text));
  const sequences = new Set(real.map((events) => runs(events.map(chunkKind))));
  const kinds = byKind(real, chunkKind);
  for (const stream_options of [undefined, { include_usage: true }]) {
    const ours = eventsOf((await chat(sim, { stream: true, stream_options })).text);
    const sequence = runs(ours.map(chunkKind));
    assert.ok(sequences.has(sequence), `${sequence} is not among ${[...sequences].join("\n")}`);
    for (const event of ours.slice(0, -1)) assertKnownShape(event.json, kinds.get(chunkKind(event)), chunkKind(event));
  }
});

test("OpenAI tool calls in streams", { skip }, async () => {
  // Azure sends the same deltas inside chunks with more keys.
  const real = recordings("azure-chat", "response.sse").flatMap(({ text }) => eventsOf(text));
  const deltasOf = (events) => events.map(({ json }) => json?.choices[0]?.delta).filter((delta) => delta?.tool_calls);
  const tools = [{ type: "function", function: { name: "f", parameters: { properties: { a: { type: "string" } } } } }];
  const ours = deltasOf(eventsOf((await chat(sim, { stream: true, tools, tool_choice: "required" })).text));
  const known = new Set(deltasOf(real).map((delta) => set(keyPaths(delta))));
  assert.ok(ours.length > 1);
  for (const delta of ours) assert.ok(known.has(set(keyPaths(delta))), keyPaths(delta).join(" "));
});

test("Anthropic streams", { skip }, async () => {
  const folders = ["anthropic-messages", "vertex-anthropic-streamRawPredict"];
  const real = folders.flatMap((folder) =>
    recordings(folder, "response.sse").map(({ text }) => eventsOf(text).filter(({ json }) => json?.type)),
  );
  const kinds = byKind(real, eventKind);
  const sequences = new Set(real.map((events) => runs(events.map(eventKind))));
  const text = eventsOf((await messages(sim, { stream: true })).text);
  assert.ok(sequences.has(runs(text.map(eventKind))), runs(text.map(eventKind)));
  const tools = [{ name: "f", input_schema: { type: "object", properties: { a: { type: "string" } } } }];
  const asked = { stream: true, tools, messages: user("Use the tool.") };
  const tool = eventsOf((await messages(sim, asked)).text);
  // Vertex sends its ping one event earlier.
  const unpinged = (events) => runs(events.map(eventKind).filter((kind) => kind !== "ping"));
  assert.ok(real.some((events) => unpinged(events) === unpinged(tool)), unpinged(tool));
  for (const event of [...text, ...tool]) assertKnownShape(event.json, kinds.get(eventKind(event)), eventKind(event));
});

test("whole bodies", { skip }, async () => {
  const bodies = (folder) =>
    recordings(folder, "response.json").filter(({ status }) => status === 200).map(({ text }) => JSON.parse(text));
  assertKnownShape(JSON.parse((await chat(sim)).text), bodies("openai-chat"), "chat.completion");
  // The recordings of current models' bodies were sorted by key; message_start shows the order.
  assertKnownKeys(JSON.parse((await messages(sim)).text), bodies("anthropic-messages"), "message");
});

test("errors and headers", { skip }, async () => {
  const errors = (folder) =>
    recordings(folder, "response.json").filter(({ status }) => status >= 400).map(({ text }) => JSON.parse(text));
  const openai = await chat(sim, { model: "nope" });
  assertKnownShape(JSON.parse(openai.text), errors("openai-chat"), "OpenAI error");
  const recordedNope = errors("openai-chat").find(({ error }) => error.code === "model_not_found").error;
  assert.equal(JSON.parse(openai.text).error.type, recordedNope.type);
  const anthropic = await messages(sim, { model: "nope" });
  assertKnownKeys(JSON.parse(anthropic.text), errors("anthropic-messages"), "Anthropic error");

  for (const [folder, answer, id] of [
    ["openai-chat", await chat(sim, { stream: true }), "x-request-id"],
    ["anthropic-messages", await messages(sim, { stream: true }), "request-id"],
  ]) {
    const real = recordings(folder, "response.sse");
    assert.ok(real.some(({ headers }) => headers["content-type"] === answer.headers["content-type"]));
    assert.ok(real.some(({ headers }) => id in headers) && id in answer.headers);
  }
});
