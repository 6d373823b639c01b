// What the simulator shows and bills of tools that run at the provider, of a compacted
// conversation and of other speeds; its shapes are held against recordings, which are
// kept beside the repository.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { after, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventsOf, messages, send, user } from "./client.mjs";
import { startSimulator } from "./simulator.mjs";

const RECORDED = fileURLToPath(new URL("../../../shared/vectors/recorded/", import.meta.url));
const skip = existsSync(RECORDED) ? false : "no recordings beside the repository";

const sim = await startSimulator();
after(() => sim.close());
beforeEach(() => sim.reset());

const claudeSearch = { tools: [{ type: "web_search_20250305", name: "web_search", max_uses: 2 }] };
const responses = (body) => send(sim, { path: "/v1/responses", body: { model: "sim-small", input: "Tell me something.", ...body } });
const openaiSearch = (max_tool_calls) => ({ tools: [{ type: "web_search" }], max_tool_calls });

/** All events of a folder's recordings. */
function recorded(folder) {
  const names = readdirSync(RECORDED + folder).filter((name) => existsSync(`${RECORDED}${folder}/${name}/response.sse`));
  return names.flatMap((name) => eventsOf(readFileSync(`${RECORDED}${folder}/${name}/response.sse`, "utf8"))).map(({ json }) => json).filter(Boolean);
}

/** The keys of a value at every depth. */
function keys(value, at = "") {
  if (Array.isArray(value)) return value.length ? keys(value[0], `${at}[]`) : [];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => [at + key, ...keys(inner, `${at}${key}.`)]);
}
const shape = (value) => keys(value).sort().join(" ");

test("Anthropic's searches are blocks as recorded, and the last event counts what the first does not", { skip }, async () => {
  const real = recorded("anthropic-messages");
  const known = new Set(real.map(({ content_block }) => shape(content_block)));
  const events = eventsOf((await messages(sim, { ...claudeSearch, stream: true })).text).map(({ json }) => json);
  const blocks = events.map(({ content_block }) => content_block).filter(Boolean);
  assert.deepEqual(blocks.map(({ type }) => type), ["server_tool_use", "web_search_tool_result", "server_tool_use", "web_search_tool_result", "text"]);
  for (const block of blocks) assert.ok(known.has(shape(block)), shape(block));
  const { usage: first } = events[0].message;
  const { usage: last } = events.find(({ type }) => type === "message_delta");
  assert.equal(first.server_tool_use, undefined);
  assert.deepEqual(last.server_tool_use, { web_search_requests: 2, web_fetch_requests: 0 });
  assert.ok(last.input_tokens > 3 * first.input_tokens, `${first.input_tokens}, ${last.input_tokens}`);
  const whole = JSON.parse((await messages(sim, claudeSearch)).text);
  assert.deepEqual(whole.content.map(({ type }) => type), blocks.map(({ type }) => type));
  assert.deepEqual(whole.content[0].input, { query: "what to find, 1" });
});

test("OpenAI's searches are items as recorded, one of which can be several on the bill", { skip }, async () => {
  const real = recorded("openai-responses");
  const known = new Set(real.map((event) => shape({ ...event, response: undefined })));
  const events = eventsOf((await responses({ ...openaiSearch(3), input: "Run the tools 3 times.", stream: true })).text).map(({ json }) => json);
  const about = events.filter(({ type, item }) => type.startsWith("response.web_search_call") || item?.type === "web_search_call");
  const ofSearch = about.filter(({ item }) => item?.action?.type !== "open_page");
  for (const event of ofSearch) assert.ok(known.has(shape({ ...event, response: undefined })), shape(event));
  const { output, tool_usage: told } = events.at(-1).response;
  assert.deepEqual(output.map(({ action }) => action?.type), ["search", "search", "open_page", undefined]);
  assert.deepEqual(told.web_search, { num_requests: 3 });
  const whole = JSON.parse((await responses(openaiSearch(1))).text);
  assert.deepEqual([whole.output[0].action.queries.length, whole.tool_usage.web_search.num_requests], [2, 2]);
  await sim.idle();
  assert.deepEqual(sim.log.map(({ usage }) => usage.uses), [{ "web-search": 3 }, { "web-search": 2 }]);
});

test("a long conversation is compacted if that is asked for, which is billed beside the sum", async () => {
  const document = { type: "document", source: { type: "url", url: "https://files.example/a.pdf?tokens=180000" } };
  const asked = { context_management: { edits: [{ type: "compact_20260112" }] } };
  const { content, usage } = JSON.parse((await messages(sim, { ...asked, messages: user([document]) })).text);
  assert.deepEqual(content.map(({ type }) => type), ["compaction", "text"]);
  const [compaction, message] = usage.iterations;
  assert.deepEqual([compaction.type, message.type, message.input_tokens], ["compaction", "message", usage.input_tokens]);
  assert.ok(compaction.input_tokens > 180_000 && usage.input_tokens < 10_000);
  const events = eventsOf((await messages(sim, { ...asked, stream: true, messages: user([document]) })).text);
  assert.equal(events.filter(({ json }) => json.delta?.type === "compaction_delta").length, 1);
  // What is short stays as it is, and says so.
  const short = JSON.parse((await messages(sim, asked)).text);
  assert.deepEqual(short.usage.iterations.map(({ type }) => type), ["message"]);
  await sim.idle();
  assert.equal(sim.log[0].usage.input, compaction.input_tokens + message.input_tokens);
  assert.equal(sim.log[0].usage.output, compaction.output_tokens + message.output_tokens);
});

test("who asks for another speed is told which it was", async () => {
  const speed = async (body) => JSON.parse((await messages(sim, body)).text).usage.speed;
  assert.deepEqual([await speed({ speed: "fast" }), await speed({})], ["fast", undefined]);
  await sim.idle();
  assert.deepEqual(sim.log.map(({ usage }) => usage.speed), ["fast", undefined]);
});

test("an answer that never begins is not billed", async () => {
  for (const fault of [{ refuse_connection: true }, { error_at_chunk: 0 }, { error_at_chunk: 1 }]) {
    sim.fault({ fault });
    await messages(sim, { stream: true }).catch(() => {});
  }
  await sim.idle();
  assert.deepEqual(sim.log.map(({ usage }) => usage === null), [true, true, false]);
});
