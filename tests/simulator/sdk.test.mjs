// The providers' own SDKs must take the simulator for the real thing.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { user } from "./client.mjs";
import { startSimulator } from "./simulator.mjs";

const sim = await startSimulator();
after(() => sim.close());
beforeEach(() => sim.reset());

const load = (name) => import(name).catch(() => null);
const [openaiSdk, anthropicSdk] = [await load("openai"), await load("@anthropic-ai/sdk")];
const openaiSkip = openaiSdk ? false : "the openai package is not installed";
const anthropicSkip = anthropicSdk ? false : "the @anthropic-ai/sdk package is not installed";

const options = (host, path = "") => ({
  apiKey: "test-key",
  baseURL: sim.url + path,
  maxRetries: 0,
  defaultHeaders: { "x-simulated-host": host },
});
const openai = openaiSdk && new openaiSdk.default(options("api.openai.com", "/v1"));
const anthropic = anthropicSdk && new anthropicSdk.default(options("api.anthropic.com"));

const schema = { type: "object", properties: { place: { type: "string" }, days: { type: "integer" } } };
const chatAsk = { model: "sim-small", messages: user("Tell me something.") };
const messageAsk = { model: "sim-large", max_tokens: 200, messages: user("Tell me something.") };

async function collect(stream) {
  const all = [];
  for await (const item of await stream) all.push(item);
  return all;
}

test("openai: whole, streamed, byte by byte", { skip: openaiSkip }, async () => {
  const whole = await openai.chat.completions.create(chatAsk);
  assert.match(whole._request_id, /^req_/);
  for (const fault of [{}, { split: "byte", crlf: true, comments: true }]) {
    sim.fault({ fault });
    const ask = { ...chatAsk, stream: true, stream_options: { include_usage: true } };
    const chunks = await collect(openai.chat.completions.create(ask));
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
    assert.equal(text, whole.choices[0].message.content);
    assert.deepEqual(chunks.at(-1).usage, whole.usage);
  }
});

test("openai: tool call assembled from a stream", { skip: openaiSkip }, async () => {
  const tools = [{ type: "function", function: { name: "lookup", parameters: schema } }];
  const stream = openai.chat.completions.stream({ ...chatAsk, tools, tool_choice: "required" });
  const { choices } = await stream.finalChatCompletion();
  assert.equal(choices[0].finish_reason, "tool_calls");
  const [call] = choices[0].message.tool_calls;
  assert.equal(call.function.name, "lookup");
  assert.deepEqual(Object.keys(JSON.parse(call.function.arguments)), ["place", "days"]);
});

test("openai: completions of prompts, whole and streamed", { skip: openaiSkip }, async () => {
  const asked = { model: "sim-instruct", prompt: ["Once upon", "There was"], n: 2, best_of: 2, max_tokens: 5, logprobs: 1, echo: true };
  const whole = await openai.completions.create(asked);
  assert.deepEqual(whole.choices.map(({ index, finish_reason }) => [index, finish_reason]), [0, 1, 2, 3].map((index) => [index, "length"]));
  assert.ok(whole.choices[1].text.startsWith("Once upon") && whole.choices[2].text.startsWith("There was"));
  assert.deepEqual(whole.choices[0].logprobs.tokens.join(""), whole.choices[0].text);
  assert.equal(whole.usage.completion_tokens, 20);
  const chunks = await collect(openai.completions.create({ ...asked, stream: true, stream_options: { include_usage: true } }));
  const said = (index) => chunks.flatMap(({ choices }) => choices).filter((choice) => choice.index === index).map(({ text }) => text).join("");
  assert.deepEqual([0, 1, 2, 3].map(said), whole.choices.map(({ text }) => text));
  assert.deepEqual([chunks.at(-1).choices, chunks.at(-1).usage], [[], whole.usage]);
  const usual = await openai.completions.create({ model: "sim-instruct", prompt: [1, 2, 3] });
  assert.ok(usual.usage.completion_tokens <= 16);
  await assert.rejects(openai.completions.create({ model: "gpt-4.1", prompt: "a" }), openaiSdk.NotFoundError);
  await assert.rejects(openai.completions.create({ model: "sim-instruct", prompt: ["a", 1] }), openaiSdk.BadRequestError);
  await assert.rejects(openai.completions.create({ model: "sim-instruct", prompt: "a", n: 3, best_of: 2 }), openaiSdk.BadRequestError);
});

test("openai: errors become its classes", { skip: openaiSkip }, async () => {
  const { AuthenticationError, NotFoundError, BadRequestError, RateLimitError, InternalServerError } = openaiSdk;
  const create = (extra) => openai.chat.completions.create({ ...chatAsk, ...extra });
  await assert.rejects(create({ model: "nope" }), (error) =>
    error instanceof NotFoundError && error.code === "model_not_found" && /^req_/.test(error.requestID));
  await assert.rejects(create({ odd: 1 }), BadRequestError);
  for (const [status, type] of [[401, AuthenticationError], [429, RateLimitError], [503, InternalServerError]]) {
    sim.fault({ fault: { status } });
    await assert.rejects(create({}), type);
  }
  sim.fault({ fault: { refuse_connection: true } });
  await assert.rejects(create({}), openaiSdk.APIConnectionError);
  sim.fault({ fault: { error_at_chunk: 3 } });
  await assert.rejects(collect(create({ stream: true })), openaiSdk.APIError);
  sim.fault({ fault: { cut_at_byte: 900 } });
  await assert.rejects(collect(create({ stream: true })));
});

test("anthropic: whole, streamed, byte by byte", { skip: anthropicSkip }, async () => {
  const whole = await anthropic.messages.create(messageAsk);
  assert.match(whole._request_id, /^req_/);
  for (const fault of [{}, { split: "byte", crlf: true, comments: true }]) {
    sim.fault({ fault });
    const final = await anthropic.messages.stream(messageAsk).finalMessage();
    assert.deepEqual(final.content.map(({ text }) => text), [whole.content[0].text]);
    assert.equal(final.stop_reason, "end_turn");
    assert.equal(final.usage.output_tokens, whole.usage.output_tokens);
  }
});

test("anthropic: text and tool call assembled from a stream", { skip: anthropicSkip }, async () => {
  const tools = [{ name: "lookup", input_schema: schema }];
  const ask = { ...messageAsk, tools, messages: user("Use the tool, please.") };
  const final = await anthropic.messages.stream(ask).finalMessage();
  assert.deepEqual(final.content.map(({ type }) => type), ["text", "tool_use"]);
  assert.deepEqual(Object.keys(final.content[1].input), ["place", "days"]);
  assert.equal(final.stop_reason, "tool_use");
});

test("anthropic: errors become its classes", { skip: anthropicSkip }, async () => {
  const { AuthenticationError, NotFoundError, BadRequestError, RateLimitError, InternalServerError } = anthropicSdk;
  const create = (extra) => anthropic.messages.create({ ...messageAsk, ...extra });
  await assert.rejects(create({ model: "nope" }), (error) =>
    error instanceof NotFoundError && error.type === "not_found_error" && /^req_/.test(error.requestID));
  await assert.rejects(create({ odd: 1 }), BadRequestError);
  for (const [status, type] of [[401, AuthenticationError], [429, RateLimitError], [529, InternalServerError]]) {
    sim.fault({ fault: { status } });
    await assert.rejects(create({}), type);
  }
  sim.fault({ fault: { error_at_chunk: 3 } });
  await assert.rejects(collect(create({ stream: true })), (error) =>
    error instanceof anthropicSdk.APIError && error.type === "overloaded_error");
  sim.fault({ fault: { cut_at_byte: 900 } });
  await assert.rejects(collect(create({ stream: true })));
});
