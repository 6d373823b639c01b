// What the simulator answers and refuses, and that its log misses nothing.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, beforeEach, test } from "node:test";
import { CHAT, chat, contentIn, eventsOf, messages, send, textIn, user } from "./client.mjs";
import { startSimulator } from "./simulator.mjs";

const sim = await startSimulator();
after(() => sim.close());
beforeEach(() => sim.reset());

const TOOL = {
  name: "lookup",
  schema: {
    type: "object",
    properties: { place: { type: "string" }, days: { type: "integer" }, unit: { enum: ["c", "f"] } },
    required: ["place"],
  },
};
const openaiTool = { type: "function", function: { name: TOOL.name, parameters: TOOL.schema } };
const anthropicTool = { name: TOOL.name, input_schema: TOOL.schema };

test("the same request gets the same text, streamed or not, and no chunk twice in a row", async () => {
  for (const ask of [chat, messages]) {
    const whole = JSON.parse((await ask(sim)).text);
    const text = whole.choices?.[0].message.content ?? whole.content[0].text;
    const events = eventsOf((await ask(sim, { stream: true })).text);
    assert.equal(textIn(events), text);
    const content = contentIn(events);
    assert.ok(content.length >= 12);
    content.forEach((chunk, i) => assert.notEqual(chunk, content[i - 1]));
    const usage = whole.usage;
    assert.equal(usage.completion_tokens ?? usage.output_tokens, content.length);
    assert.equal(usage.prompt_tokens ?? usage.input_tokens, Math.ceil("Tell me something.".length / 4));
  }
});

test("OpenAI: usage comes only when asked for, and then as null in all other chunks", async () => {
  const silent = eventsOf((await chat(sim, { stream: true })).text);
  assert.ok(silent.every(({ json }) => json === null || !("usage" in json)));
  const asked = eventsOf((await chat(sim, { stream: true, stream_options: { include_usage: true } })).text);
  const chunks = asked.slice(0, -1).map(({ json }) => json);
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.ok(chunks.at(-1).usage.total_tokens > 0);
  assert.ok(chunks.slice(0, -1).every(({ usage }) => usage === null));
  assert.equal(asked.at(-1).data, "[DONE]");
});

test("the token limit is honoured", async () => {
  for (const name of ["max_tokens", "max_completion_tokens"]) {
    const { choices, usage } = JSON.parse((await chat(sim, { [name]: 3 })).text);
    assert.equal(choices[0].finish_reason, "length");
    assert.equal(usage.completion_tokens, 3);
  }
  const reply = JSON.parse((await messages(sim, { max_tokens: 3 })).text);
  assert.equal(reply.stop_reason, "max_tokens");
  assert.equal(reply.usage.output_tokens, 3);
});

test("OpenAI: n choices, each with its own text", async () => {
  const { choices } = JSON.parse((await chat(sim, { n: 3 })).text);
  assert.deepEqual(choices.map(({ index }) => index), [0, 1, 2]);
  assert.equal(new Set(choices.map(({ message }) => message.content)).size, 3);
  const texts = ["", "", ""];
  const finished = [];
  for (const { json } of eventsOf((await chat(sim, { n: 3, stream: true })).text).slice(0, -1)) {
    const [{ index, delta, finish_reason }] = json.choices;
    texts[index] += delta.content ?? "";
    if (finish_reason) finished.push(index);
  }
  assert.deepEqual(texts, choices.map(({ message }) => message.content));
  assert.deepEqual(finished, [0, 1, 2]);
});

test("OpenAI: a tool is called when forced or asked for, its arguments in pieces", async () => {
  const forced = { tools: [openaiTool], tool_choice: { type: "function", function: { name: "lookup" } } };
  const whole = JSON.parse((await chat(sim, forced)).text).choices[0];
  assert.equal(whole.finish_reason, "tool_calls");
  assert.equal(whole.message.content, null);
  const input = JSON.parse(whole.message.tool_calls[0].function.arguments);
  assert.deepEqual(Object.keys(input), ["place", "days", "unit"]);

  const events = eventsOf((await chat(sim, { ...forced, stream: true })).text);
  const calls = events.flatMap(({ json }) => json?.choices[0].delta.tool_calls ?? []);
  assert.equal(calls[0].function.name, "lookup");
  assert.ok(calls.length > 3);
  assert.deepEqual(JSON.parse(calls.map((call) => call.function.arguments).join("")), input);

  const asked = { tools: [openaiTool], messages: user("Please use the tool.") };
  assert.ok(JSON.parse((await chat(sim, asked)).text).choices[0].message.tool_calls);
  const call = JSON.parse((await chat(sim, asked)).text).choices[0].message;
  const answered = [...asked.messages, call, { role: "tool", tool_call_id: call.tool_calls[0].id, content: "sunny" }];
  const done = JSON.parse((await chat(sim, { ...asked, messages: answered })).text).choices[0];
  assert.equal(done.finish_reason, "stop");
});

test("Anthropic: a forced tool comes alone, one asked for after some text", async () => {
  const forced = { tools: [anthropicTool], tool_choice: { type: "any" } };
  const whole = JSON.parse((await messages(sim, forced)).text);
  assert.equal(whole.stop_reason, "tool_use");
  assert.deepEqual(whole.content.map(({ type }) => type), ["tool_use"]);
  const asked = { tools: [anthropicTool], messages: user("Please use the tool."), stream: true };
  const events = eventsOf((await messages(sim, asked)).text);
  const starts = events.filter(({ event }) => event === "content_block_start").map(({ json }) => json);
  assert.deepEqual(starts.map(({ index, content_block: { type } }) => [index, type]), [[0, "text"], [1, "tool_use"]]);
  assert.deepEqual(starts[1].content_block.input, {});
  const pieces = events.map(({ json }) => json.delta?.partial_json ?? "").join("");
  assert.deepEqual(Object.keys(JSON.parse(pieces)), ["place", "days", "unit"]);
});

test("refusals are the provider's own", async () => {
  const openai = (answer) => [answer.status, JSON.parse(answer.text).error];
  const cases = [
    [await chat(sim, {}, { headers: { authorization: "Bearer " } }), 401, /API key/],
    [await send(sim, { body: "{" }), 400, /parse the JSON/],
    [await chat(sim, { model: undefined }), 400, /model parameter/],
    [await chat(sim, { messages: undefined }), 400, /'messages'/],
    [await chat(sim, { messages: [] }), 400, /at least one/],
    [await chat(sim, { model: "nope-1" }), 404, /does not exist/],
    [await chat(sim, { wrong: 1 }), 400, /^Unrecognized request argument supplied: wrong$/],
    [await chat(sim, { stream_options: { include_usage: true } }), 400, /only allowed when 'stream'/],
    [await chat(sim, { n: 0 }), 400, /'n'/],
    [await send(sim, { path: "/v1/nothing", body: {} }), 404, /Invalid URL/],
    [await send(sim, { method: "GET" }), 405, /Not allowed/],
  ];
  for (const [answer, status, message] of cases) {
    const [got, error] = openai(answer);
    assert.equal(got, status, error.message);
    assert.match(error.message, message);
    assert.deepEqual(Object.keys(error), ["message", "type", "param", "code"]);
    assert.match(answer.headers["x-request-id"], /^req_/);
  }
});

test("Anthropic's refusals carry its error types and the request id", async () => {
  const cases = [
    [await messages(sim, {}, { headers: { "x-api-key": "" } }), 401, "authentication_error"],
    [await messages(sim, {}, { headers: { "anthropic-version": "" } }), 400, "invalid_request_error"],
    [await messages(sim, { max_tokens: undefined }), 400, "invalid_request_error"],
    [await messages(sim, { model: undefined }), 400, "invalid_request_error"],
    [await messages(sim, { n: 1 }), 400, "invalid_request_error"],
    [await messages(sim, { model: "nope" }), 404, "not_found_error"],
    [await send(sim, { host: "api.anthropic.com", path: "/v1/complete", body: {} }), 404, "not_found_error"],
  ];
  for (const [answer, status, type] of cases) {
    const { error, request_id, type: kind } = JSON.parse(answer.text);
    assert.deepEqual([answer.status, kind, error.type], [status, "error", type], error.message);
    assert.equal(request_id, answer.headers["request-id"]);
  }
});

test("the path decides the dialect, also under a prefix; models are listed", async () => {
  const prefixed = await messages(sim, {}, { path: "/anthropic/v1/messages?beta=true", host: "eu.example.com",
    headers: { authorization: "Bearer k", "anthropic-version": "2023-06-01" } });
  assert.equal(JSON.parse(prefixed.text).type, "message");
  const listed = JSON.parse((await send(sim, { method: "GET", path: "/v1/models" })).text);
  assert.equal(listed.object, "list");
  assert.equal(sim.log[0].path, "/anthropic/v1/messages?beta=true");
});

test("the log has every header and the body of every request, refused ones too", async () => {
  await chat(sim, { model: "nope" }, { headers: { "x-secret": "s" } });
  await send(sim, { host: "unknown.example", path: "/x?q=1", body: "größe" });
  await send(sim, { host: null, path: "/v1/models", method: "GET" });
  await sim.idle();
  const [first, second, third] = sim.log;
  assert.equal(first.headers["x-secret"], "s");
  assert.equal(JSON.parse(first.body).model, "nope");
  assert.deepEqual([second.host, second.path, second.body, second.body_bytes, second.status],
    ["unknown.example", "/x?q=1", "größe", 7, 404]);
  assert.deepEqual([third.host, third.status, third.finished], [null, 421, "complete"]);
  assert.deepEqual(sim.log.map(({ bytes_sent }) => bytes_sent > 0), [true, true, true]);
});

test("the log sees what Node would answer or drop by itself", async () => {
  const talk = async (text) => {
    const socket = connect(sim.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    socket.write(text);
    await once(socket, "close");
  };
  await talk("GET /a HTTP/1.1\r\nauthorization: one\r\nauthorization: two\r\nconnection: close\r\n\r\n");
  await talk("POST /b HTTP/1.1\r\nhost: h\r\nexpect: magic\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  await talk("CONNECT c.example:443 HTTP/1.1\r\nhost: c.example\r\n\r\n");
  await talk("\u0016\u0003\u0001 not http");
  await sim.idle();
  assert.deepEqual(sim.log.map(({ method, path }) => [method, path]),
    [["GET", "/a"], ["POST", "/b"], ["CONNECT", "c.example:443"], [null, null]]);
  assert.equal(sim.log[0].headers.authorization, "one, two");
  assert.match(sim.log[3].body, /not http/);
});

test("the log says what an answer is billed as, and whether all that says so was sent", async () => {
  const { text } = await chat(sim);
  const whole = JSON.parse(text).usage;
  await chat(sim, { stream: true, stream_options: { include_usage: true } });
  await chat(sim, { stream: true });
  await messages(sim, { stream: true });
  for (const fault of [{ cut_at_byte: 50 }, { garbage: true }, { omit_usage: true }, { status: 500 }]) {
    sim.fault({ fault });
    await chat(sim);
  }
  // Cut when nothing is left to be sent.
  sim.fault({ fault: { cut_at_byte: Buffer.byteLength(text) } });
  await chat(sim);
  await sim.idle();
  assert.deepEqual(sim.log.map(({ reported }) => reported), [true, true, false, true, false, false, false, false, true]);
  const { input, output, model } = sim.log[0].usage;
  assert.deepEqual([input, output, model], [whole.prompt_tokens, whole.completion_tokens, JSON.parse(sim.log[0].body).model]);
  assert.equal(sim.log[7].usage, null);
});

test("the log keeps the part of a body that arrived before the client left", async () => {
  const socket = connect(sim.port, "127.0.0.1");
  socket.write(`POST ${CHAT} HTTP/1.1\r\nx-simulated-host: api.openai.com\r\ncontent-length: 99\r\n\r\nhalf a`);
  while (!sim.log[0]?.body) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.equal(sim.log[0].finished, null);
  socket.destroy();
  await sim.idle();
  assert.equal(sim.log.length, 1);
  assert.deepEqual([sim.log[0].body, sim.log[0].finished], ["half a", "client_closed"]);
});

test("the control API is the in-process one over HTTP, and is not itself logged", async () => {
  const control = (method, path, body) => send(sim, { host: null, method, path: `/__sim/${path}`, body });
  assert.equal((await control("POST", "faults", { host: "api.openai.com", fault: { status: 503 } })).status, 200);
  assert.equal((await control("POST", "faults", { fault: { statuss: 503 } })).status, 400);
  assert.equal((await messages(sim)).status, 200);
  assert.equal((await chat(sim)).status, 503);
  assert.equal((await chat(sim)).status, 200);
  const { entries } = JSON.parse((await control("GET", "log")).text);
  assert.deepEqual(entries.map(({ status }) => status), [200, 503, 200]);
  assert.deepEqual(entries[1].fault, { status: 503 });
  assert.equal((await send(sim, { method: "GET", path: "/__sim/log" })).status, 404);
  await control("POST", "faults", { times: 0, fault: { status: 500 } });
  await control("POST", "reset");
  assert.equal((await chat(sim)).status, 200);
  assert.equal(sim.log.length, 1);
});
