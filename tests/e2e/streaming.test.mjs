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
beforeEach(() => gateway.simulator.reset());

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
const rowOf = (response) => gateway.row(response.headers.get("meridian-request-id"));

// The same request to the simulator itself gives the bytes to compare with.
async function direct(path) {
  const [entry] = gateway.simulator.log;
  const headers = Object.fromEntries(Object.entries(entry.headers).filter(([name]) => !["host", "connection", "content-length"].includes(name)));
  const response = await fetch(gateway.simulator.url + path, { method: "POST", headers, body: entry.body });
  return response.text();
}
const withoutIds = (text) => text.replaceAll(/"(id|created|system_fingerprint)":("[^"]*"|\d+)/g, '"$1":0');

for (const [name, { path, body }] of Object.entries(ways)) {
  test(`field_07 field_19 ${name}: the client gets the provider's bytes, and the row its usage`, async () => {
    const response = await post(path, body);
    const got = withoutIds(await response.text());
    let want = withoutIds(await direct(path));
    if (name.endsWith("not asked for")) {
      const usage = want.split("\n\n").find((event) => event.includes('"choices":[]'));
      assert.ok(usage, "the provider was asked for usage");
      want = want.replace(`${usage}\n\n`, "");
      assert.doesNotMatch(got, /"choices":\[\]/);
    }
    assert.equal(got, want);
    const row = await rowOf(response);
    assert.equal(row.outcome, "ok");
    assert.equal(row.estimated, 0);
    assert.ok(row.output > 0 && row.input > 0);
  });

  test(`field_22 ${name}: cut at every byte, CRLF, comments, no last marker`, async () => {
    for (const fault of [{ split: "byte", comments: true }, { split: 3, crlf: true }, { no_done: true, chunks: 5 }]) {
      gateway.simulator.fault({ fault });
      const response = await post(path, body);
      await response.text();
      const row = await rowOf(response);
      assert.deepEqual([row.outcome, row.estimated], ["ok", 0], JSON.stringify(fault));
    }
  });

  test(`field_14 ${name}: a stream that breaks ends with an error, and its row says so`, async () => {
    for (const [fault, error] of [[{ cut_at_byte: 700 }, "cut"], [{ garbage: true }, "garbled"]]) {
      gateway.simulator.fault({ fault });
      const response = await post(path, body);
      const text = await response.text().catch(() => "the connection broke");
      assert.match(text, /The provider's stream broke before its end/, JSON.stringify(fault));
      if (fault.cut_at_byte) assert.doesNotMatch(text, /\[DONE\]|message_stop/);
      const row = await rowOf(response);
      assert.deepEqual([row.outcome, row.error], ["failed", error]);
    }
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

test("both SDKs throw when a stream breaks", async () => {
  const drain = async (stream) => {
    for await (const _ of stream);
  };
  gateway.simulator.fault({ times: 0, fault: { cut_at_byte: 900 } });
  await assert.rejects(openai().chat.completions.create({ model: "gpt-mini", messages, stream: true }).then(drain), OpenAI.APIError);
  await assert.rejects(anthropic().messages.create({ model: "claude-sonnet", max_tokens: 30, messages, stream: true }).then(drain), Anthropic.APIError);
});

test("an error event of the provider reaches the client as it is", async () => {
  for (const { path, body } of Object.values(ways)) {
    gateway.simulator.fault({ fault: { error_at_chunk: 3 } });
    const response = await post(path, body);
    const text = await response.text();
    assert.match(text, /"error"/);
    assert.doesNotMatch(text, /stream broke/);
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
