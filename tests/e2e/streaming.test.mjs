// Streams: that the client gets the provider's bytes as they come, and that
// one which breaks never looks complete.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { startGateway } from "./gateway.mjs";

let gateway, key;
before(async () => {
  gateway = await startGateway();
  key = await gateway.key();
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

const openai = () => new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, fetch: gateway.from("US"), maxRetries: 0 });
const anthropic = () => new Anthropic({ apiKey: key, baseURL: gateway.url, fetch: gateway.from("US"), maxRetries: 0 });
const messages = [{ role: "user", content: "Say hello." }];

const post = (path, body) => gateway.from("US")(gateway.url + path, {
  method: "POST",
  headers: { "x-api-key": key, "anthropic-version": "2023-06-01", "content-type": "application/json" },
  body: JSON.stringify({ stream: true, messages, ...body }),
});
const ways = {
  "OpenAI, usage asked for": { path: "/v1/chat/completions", body: { model: "gpt-mini", stream_options: { include_usage: true } } },
  "OpenAI, usage not asked for": { path: "/v1/chat/completions", body: { model: "gpt-mini" } },
  "Anthropic": { path: "/v1/messages", body: { model: "claude-sonnet", max_tokens: 30 } },
};
const chunk = 'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"half"},"finish_reason":null}]}';
const block = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"half"}}';
const openings = {
  "/v1/chat/completions": `${chunk}\n\n`,
  "/v1/messages": `event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":3,"output_tokens":1}}}\n\nevent: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n${block}\n\n`,
};
const rowOf = (response) => gateway.row(response.headers.get("meridian-request-id"));

// The same request to the simulator itself gives the bytes to compare with.
async function direct(path) {
  const [entry] = gateway.simulator.log;
  const headers = Object.fromEntries(Object.entries(entry.headers).filter(([name]) => !["host", "connection", "content-length"].includes(name)));
  const response = await fetch(gateway.simulator.url + path, { method: "POST", headers, body: entry.body });
  return response.text();
}
// The event with usage alone, which nobody gets who did not ask for it.
function withoutUsage(text) {
  const events = text.split(/(?<=\r?\n\r?\n)/);
  const kept = events.filter((event) => !event.includes('"choices":[]'));
  assert.equal(kept.length, events.length - 1, "the provider was asked for usage");
  return kept.join("");
}
const withoutIds = (text) => text.replaceAll(/"(id|created|system_fingerprint)":("[^"]*"|\d+)/g, '"$1":0');

for (const [name, { path, body }] of Object.entries(ways)) {
  test(`field_07 field_19 ${name}: the client gets the provider's bytes, and the row its usage`, async () => {
    const response = await post(path, body);
    const got = withoutIds(await response.text());
    let want = withoutIds(await direct(path));
    if (name.endsWith("not asked for")) want = withoutUsage(want);
    assert.equal(got, want);
    const row = await rowOf(response);
    assert.equal(row.outcome, "ok");
    assert.equal(row.estimated, 0);
    assert.ok(row.output > 0 && row.input > 0);
  });

  test(`field_22 ${name}: cut at every byte, CRLF, comments, no last marker`, async () => {
    for (const fault of [{ split: "byte", comments: true }, { split: 3, crlf: true }, { split: "byte", crlf: true, text: "Größe 🌍 \u2028 x" }, { no_done: true, chunks: 5 }]) {
      await gateway.reset();
      gateway.simulator.fault({ times: 2, fault });
      const response = await post(path, body);
      const got = withoutIds(await response.text());
      const want = withoutIds(await direct(path));
      assert.equal(got, name.endsWith("not asked for") ? withoutUsage(want) : want, JSON.stringify(fault));
      const row = await rowOf(response);
      assert.deepEqual([row.outcome, row.estimated], ["ok", 0], JSON.stringify(fault));
    }
  });

  test(`field_14 ${name}: a stream that breaks ends with an error, and its row says so`, async () => {
    const nonsense = `${openings[path]}data: {nonsense\n\n`;
    for (const [fault, error] of [[{ cut_at_byte: 3000, chunks: 40 }, "cut"], [{ body: nonsense, content_type: "text/event-stream" }, "garbled"]]) {
      gateway.simulator.fault({ fault });
      const response = await post(path, body);
      const text = await response.text().catch(() => "the connection broke");
      assert.match(text, /The provider's stream broke before its end/, JSON.stringify(fault));
      if (fault.cut_at_byte) assert.doesNotMatch(text, /\[DONE\]|message_stop/);
      assert.match(text.trimEnd().split("\n").at(-1), /^data: \{.*"error":\{/, "an error is the last that is said");
      const row = await rowOf(response);
      assert.deepEqual([row.outcome, row.error], ["failed", error]);
    }
  });

  test(`field_14 ${name}: what had come before a cut is billed as an estimate`, async () => {
    gateway.simulator.fault({ fault: { cut_at_byte: 4000, chunks: 40 } });
    const response = await post(path, body);
    const text = await response.text();
    assert.doesNotMatch(text, /\[DONE\]|message_stop/);
    const row = await rowOf(response);
    assert.deepEqual([row.outcome, row.estimated, row.stream], ["failed", 1, 1]);
    assert.ok(row.input > 0 && row.output > 5 && row.cost_nano > 0, JSON.stringify(row));
  });

  test(`${name}: chunks arrive as they come`, async () => {
    gateway.simulator.fault({ fault: { chunks: 6, delay_between_ms: 120 } });
    const began = Date.now();
    const response = await post(path, body);
    const times = [];
    for await (const _ of response.body) times.push(Date.now() - began);
    assert.ok(times[0] < 400, `first bytes after ${times[0]} ms`);
    assert.ok(times.at(-1) - times[0] >= 500, `all within ${times.at(-1) - times[0]} ms: held back`);
    assert.ok(new Set(times.map((t) => Math.round(t / 100))).size >= 5, `came at ${times}`);
  });
}

// A connection that is closed in good order says nothing about the answer.
// What a client reads as the data of the last event, by the rules of SSE.
function lastData(text) {
  const events = text.split(/(?:\r\n|\n|\r){2,}/).map((event) => event.split(/\r\n|\n|\r/));
  const data = events.map((lines) => lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n")).filter(Boolean);
  return data.at(-1);
}
function isError(data) {
  try {
    return typeof JSON.parse(data).error.message === "string";
  } catch {
    return false;
  }
}
for (const [name, { path, body }] of Object.entries(ways)) {
  const whole = path === "/v1/messages" ? block : chunk;
  const rests = ["", "d", "data", "data:", ": keepal", "id: 4", "event: x", "event: x\n", "\n", whole.slice(0, -20), whole, `${whole}\n`, `${whole}\r`];
  test(`field_14 ${name}: a stream that is closed too early ends with an error, wherever it stood`, async () => {
    const wrong = [];
    for (const rest of rests) {
      await gateway.reset();
      gateway.simulator.fault({ times: 2, fault: { body: openings[path] + rest, content_type: "text/event-stream" } });
      const text = await (await post(path, body)).text();
      assert.ok(text.startsWith(openings[path]));
      const sdk = path === "/v1/messages" ? anthropic().messages : openai().chat.completions;
      const thrown = await (async () => {
        for await (const _ of await sdk.create({ ...body, messages, stream: true }));
      })().then(() => undefined, (error) => error);
      const read = isError(lastData(text));
      if (!thrown || !read) wrong.push({ rest, sdk: thrown?.constructor.name ?? "NO ERROR", client: text.slice(openings[path].length, openings[path].length + rest.length + 20) });
    }
    assert.deepEqual(wrong, []);
  });
}

test("both SDKs throw when a stream breaks", async () => {
  const drain = async (stream) => {
    for await (const _ of stream);
  };
  const asked = { stream_options: { include_usage: true } };
  // Cut at any place: in the first event, between two, in the middle of a later one.
  for (const cut_at_byte of [0, 60, 300, 500, 701, 900, 1100]) {
    await gateway.reset();
    gateway.simulator.fault({ times: 0, fault: { cut_at_byte, chunks: 20 } });
    for (const usage of [{}, asked]) {
      const broken = openai().chat.completions.create({ model: "gpt-mini", messages, stream: true, ...usage }).then(drain);
      await assert.rejects(broken, (e) => e instanceof OpenAI.APIError || e instanceof SyntaxError, `OpenAI, ${cut_at_byte} bytes`);
    }
    await assert.rejects(anthropic().messages.create({ model: "claude-sonnet", max_tokens: 30, messages, stream: true }).then(drain), Anthropic.APIError, `Anthropic, ${cut_at_byte} bytes`);
  }
  await gateway.reset();
  gateway.simulator.fault({ times: 0, fault: { error_at_chunk: 3 } });
  await assert.rejects(openai().chat.completions.create({ model: "gpt-mini", messages, stream: true }).then(drain), OpenAI.APIError);
  await assert.rejects(anthropic().messages.create({ model: "claude-sonnet", max_tokens: 30, messages, stream: true }).then(drain), Anthropic.APIError);
});

test("field_22 both SDKs read a stream that comes in pieces of any size", async () => {
  const said = async (fault) => {
    gateway.simulator.fault({ times: 2, fault: { text: "Größe 🌍 und so weiter", ...fault } });
    let text = "";
    for await (const chunk of await openai().chat.completions.create({ model: "gpt-mini", messages, stream: true })) text += chunk.choices[0].delta.content ?? "";
    const message = await anthropic().messages.stream({ model: "claude-sonnet", max_tokens: 30, messages }).finalMessage();
    return [text, message.content[0].text];
  };
  for (const fault of [{}, { split: "byte" }, { split: 7, crlf: true, comments: true }]) {
    assert.deepEqual(await said(fault), ["Größe 🌍 und so weiter", "Größe 🌍 und so weiter"], JSON.stringify(fault));
  }
});

test("an error event of the provider reaches the client as it is", async () => {
  for (const { path, body } of Object.values(ways)) {
    gateway.simulator.fault({ fault: { error_at_chunk: 3 } });
    const response = await post(path, body);
    const text = await response.text();
    assert.match(text, /"error"/);
    assert.doesNotMatch(text, /stream broke|\[DONE\]|message_stop/);
    assert.equal((await rowOf(response)).outcome, "failed");
  }
});

test("field_20 tool calls come through both SDKs in pieces and whole", async () => {
  const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const tools = [{ type: "function", function: { name: "weather", parameters: schema } }];
  const whole = await openai().chat.completions.create({ model: "gpt-mini", messages, tools, tool_choice: "required" });
  const streamed = await openai().chat.completions.stream({ model: "gpt-mini", messages, tools, tool_choice: "required" }).finalChatCompletion();
  assert.deepEqual(streamed.choices[0].message.tool_calls[0].function.arguments, whole.choices[0].message.tool_calls[0].function.arguments);
  const ask = { model: "claude-sonnet", max_tokens: 200, messages, tools: [{ name: "weather", input_schema: schema }], tool_choice: { type: "any" } };
  const message = await anthropic().messages.create(ask);
  const again = await anthropic().messages.stream(ask).finalMessage();
  assert.deepEqual(again.content.at(-1).input, message.content.at(-1).input);
});
