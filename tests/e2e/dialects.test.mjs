// Any client, any provider: conversations of the openai and Anthropic packages
// with every kind of endpoint, streaming and not. The simulator refuses what
// the real provider would refuse, so a translation that is wrong fails here.
import Anthropic from "@anthropic-ai/sdk";
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import OpenAI from "openai";
import { readFileSync } from "node:fs";
import { page, TABLE } from "../../tools/dialects.mjs";
import { COUNTRY, EMBEDDERS, modelOf, startWithTargets, TARGETS, testName } from "./dialects.mjs";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const SCHEMA = { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } }, required: ["city", "days"], additionalProperties: false };

let gateway, key;
before(async () => {
  gateway = await startWithTargets();
  key = await gateway.key();
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

const openai = (headers) => new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, fetch: gateway.from(COUNTRY), maxRetries: 0, defaultHeaders: headers });
const anthropic = (headers) => new Anthropic({ apiKey: key, baseURL: gateway.url, fetch: gateway.from(COUNTRY), maxRetries: 0, defaultHeaders: headers });

const TOKENS = ["oauth2.googleapis.com", "login.microsoftonline.com"];
const calls = () => gateway.simulator.log.filter((entry) => !TOKENS.includes(entry.host));
const last = () => calls().at(-1);
const CASES = Object.keys(TARGETS).flatMap((target) => [false, true].map((stream) => [target, stream]));

// ---- the three clients, each with the same few abilities

const chat = {
  name: "chat",
  tool: (name) => ({ type: "function", function: { name, description: `The ${name}.`, parameters: SCHEMA } }),
  user: (content) => ({ role: "user", content }),
  async say(model, messages, { stream, ...more } = {}) {
    const asked = { model, messages, ...more };
    const completion = stream ? await openai().chat.completions.stream(asked).finalChatCompletion() : await openai().chat.completions.create(asked);
    const [{ message, finish_reason }] = completion.choices;
    const calls = (message.tool_calls ?? []).map((call) => ({ id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments) }));
    return { text: message.content ?? "", calls, stopped: finish_reason, turn: [message], thoughts: message.reasoning_details?.length ?? 0, usage: completion.usage && [completion.usage.prompt_tokens, completion.usage.completion_tokens], refusal: message.refusal };
  },
  results: (calls) => calls.map(({ id }, i) => ({ role: "tool", tool_call_id: id, content: i ? "Error: none there" : "42" })),
  image: () => [{ role: "user", content: [{ type: "text", text: "What is this?" }, { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } }] }],
  schema: () => ({ response_format: { type: "json_schema", json_schema: { name: "trip", schema: SCHEMA, strict: true } } }),
  thinking: () => ({ reasoning_effort: "low" }),
};

const responses = {
  name: "responses",
  tool: (name) => ({ type: "function", name, description: `The ${name}.`, parameters: SCHEMA, strict: true }),
  user: (content) => ({ role: "user", content }),
  async say(model, input, { stream, ...more } = {}) {
    const asked = { model, input, store: false, ...more };
    const response = stream ? await openai().responses.stream(asked).finalResponse() : await openai().responses.create(asked);
    if (response.status === "failed") throw new Error(response.error.message);
    const calls = response.output.filter((item) => item.type === "function_call").map((item) => ({ id: item.call_id, name: item.name, input: JSON.parse(item.arguments) }));
    const turn = response.output.map(({ parsed_arguments, ...item }) => (item.type === "message" ? { ...item, content: item.content.map(({ parsed, ...part }) => part) } : item));
    return { text: response.output_text, calls, stopped: response.status, turn, thoughts: response.output.filter((item) => item.type === "reasoning").length, usage: [response.usage.input_tokens, response.usage.output_tokens] };
  },
  results: (calls) => calls.map(({ id }, i) => ({ type: "function_call_output", call_id: id, output: i ? "Error: none there" : "42" })),
  image: () => [{ role: "user", content: [{ type: "input_text", text: "What is this?" }, { type: "input_image", detail: "auto", image_url: `data:image/png;base64,${PNG}` }] }],
  schema: () => ({ text: { format: { type: "json_schema", name: "trip", schema: SCHEMA, strict: true } } }),
  thinking: () => ({ reasoning: { effort: "low", summary: "auto" }, include: ["reasoning.encrypted_content"] }),
};

const messages = {
  name: "messages",
  tool: (name) => ({ name, description: `The ${name}.`, input_schema: SCHEMA }),
  user: (content) => ({ role: "user", content }),
  async say(model, conversation, { stream, ...more } = {}) {
    const asked = { model, max_tokens: 2000, messages: conversation, ...more };
    const message = stream ? await anthropic().messages.stream(asked).finalMessage() : await anthropic().messages.create(asked);
    const calls = message.content.filter((block) => block.type === "tool_use").map(({ id, name, input }) => ({ id, name, input }));
    const text = message.content.filter((block) => block.type === "text").map((block) => block.text).join("");
    const turn = message.content.map(({ parsed, parsed_output, ...block }) => block);
    return { text, calls, stopped: message.stop_reason, turn: [{ role: "assistant", content: turn }], thoughts: message.content.filter((block) => block.type.includes("thinking")).length, usage: [message.usage.input_tokens, message.usage.output_tokens] };
  },
  results: (calls) => [{ role: "user", content: calls.map(({ id }, i) => ({ type: "tool_result", tool_use_id: id, content: i ? "none there" : "42", ...(i ? { is_error: true } : {}) })) }],
  image: () => [{ role: "user", content: [{ type: "text", text: "What is this?" }, { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } }] }],
  schema: () => ({ output_config: { format: { type: "json_schema", schema: SCHEMA } } }),
  thinking: () => ({ thinking: { type: "enabled", budget_tokens: 1024 } }),
};

const CLIENTS = [chat, responses, messages];

// ---- what each of them does with each target

for (const client of CLIENTS) {
  for (const [target, stream] of CASES) {
    const about = (feature) => `${testName(feature, client.name, target)}, ${stream ? "streamed" : "whole"}`;
    const model = modelOf(target);

    test(about("tools"), async () => {
      const tools = [client.tool("weather"), client.tool("hotels")];
      const conversation = [client.user("Please use both tools.")];
      const first = await client.say(model, conversation, { stream, tools });
      assert.deepEqual(first.calls.map((call) => call.name), ["weather", "hotels"]);
      assert.notEqual(first.calls[0].id, first.calls[1].id);
      for (const { input } of first.calls) assert.deepEqual(Object.keys(input).sort(), ["city", "days"]);
      assert.ok(["tool_calls", "tool_use", "completed"].includes(first.stopped), first.stopped);

      conversation.push(...first.turn, ...client.results(first.calls));
      const second = await client.say(model, conversation, { stream, tools });
      assert.ok(second.text.length > 20 && second.calls.length === 0);
      assert.ok(["stop", "end_turn", "completed"].includes(second.stopped), second.stopped);

      conversation.push(...second.turn, client.user("Now use the tool once more."));
      const third = await client.say(model, conversation, { stream, tools });
      assert.deepEqual(third.calls.map((call) => call.name), ["weather"]);
      assert.ok(calls().every((entry) => entry.status === 200));
    });

    test(about("image"), async () => {
      const { text } = await client.say(model, client.image(), { stream });
      assert.ok(text.length > 20);
      assert.ok(last().body.includes(PNG), "the picture went along");
    });

    test(about("json"), async () => {
      const { text } = await client.say(model, [client.user("Where to?")], { stream, ...client.schema() });
      assert.deepEqual(Object.keys(JSON.parse(text)), ["city", "days"]);
    });

    test(about("thinking"), async () => {
      // Mistral, of all targets, is one that is not told to think here.
      const conversation = [client.user("Think, then answer.")];
      const first = await client.say(model, conversation, { stream, ...client.thinking() });
      assert.ok(first.text.length > 20);
      if (first.thoughts > 0) {
        // What comes back goes to the endpoint that made it, which checks it.
        conversation.push(...first.turn, client.user("And now?"));
        const second = await client.say(model, conversation, { stream, ...client.thinking() });
        assert.ok(second.text.length > 20);
      }
    });

    test(about("usage"), async () => {
      const usage = stream && client === chat ? { stream_options: { include_usage: true } } : {};
      const said = await client.say(model, [client.user("Tell me something.")], { stream, ...usage });
      const entry = last();
      assert.equal(entry.status, 200);
      assert.ok(said.usage[0] > 0 && said.usage[1] > 5, JSON.stringify(said.usage));
    });
  }
}

test("JSON mode is kept where a dialect has none", async () => {
  for (const target of Object.keys(TARGETS)) {
    for (const stream of [false, true]) {
      const asked = { response_format: { type: "json_object" }, stream };
      const { text, calls, stopped } = await chat.say(modelOf(target), [chat.user("Answer in JSON.")], asked);
      assert.equal(typeof JSON.parse(text), "object", target);
      assert.deepEqual([calls, stopped], [[], "stop"], target);
    }
  }
});

test("a refusal is told in each client's way", async () => {
  const said = [["openai-chat", "I will not."], ["openai-responses", "I will not."], ["anthropic-messages", "I will not."], ["bedrock-converse", "I will not."], ["gemini-api", ""]];
  for (const [target, words] of said) {
    for (const stream of [false, true]) {
      const fault = () => gateway.simulator.fault({ host: TARGETS[target].host, fault: { refusal: words || "x" } });
      const about = `${target} ${stream}`;
      fault();
      const told = await messages.say(modelOf(target), [messages.user("Do it.")], { stream });
      assert.deepEqual([told.text, told.stopped], [words, "refusal"], about);
      fault();
      const chatted = await chat.say(modelOf(target), [chat.user("Do it.")], { stream }).catch((error) => error);
      // The SDK's own streaming throws where a filter stopped the answer.
      const filtered = /content filter/.test(chatted.message) || chatted.stopped === "content_filter";
      assert.ok(filtered || chatted.refusal === words, about);
    }
  }
});

test("documents travel, and citations where both sides have them", async () => {
  const pdf = "JVBERi0xLjQK";
  const block = { type: "document", title: "report.pdf", source: { type: "base64", media_type: "application/pdf", data: pdf } };
  for (const target of Object.keys(TARGETS)) {
    await messages.say(modelOf(target), [{ role: "user", content: [{ type: "text", text: "Read." }, block] }]);
    assert.ok(last().body.includes(pdf), target);
    const file = { type: "file", file: { filename: "report.pdf", file_data: `data:application/pdf;base64,${pdf}` } };
    await chat.say(modelOf(target), [{ role: "user", content: [{ type: "text", text: "Read." }, file] }]);
    assert.ok(last().body.includes(pdf), target);
  }
});

test("a stream says what the whole answer says, to every target", async () => {
  for (const client of CLIENTS) {
    for (const target of Object.keys(TARGETS)) {
      const ask = (stream) => client.say(modelOf(target), [client.user("Tell me of the sea.")], { stream });
      const [whole, streamed] = [await ask(false), await ask(true)];
      assert.equal(streamed.text, whole.text, `${client.name} ${target}`);
      assert.equal(streamed.stopped, whole.stopped, `${client.name} ${target}`);
    }
  }
});

test("every target leaves a row with what the provider counted", async () => {
  for (const target of Object.keys(TARGETS)) {
    for (const stream of [false, true]) {
      const asked = { model: modelOf(target), max_tokens: 100, messages: [{ role: "user", content: "count me" }], stream };
      const { data, response } = await anthropic().messages.create(asked).withResponse();
      if (stream) for await (const _ of data);
      const row = await gateway.row(response.headers.get("meridian-request-id"));
      const about = `${target} ${stream}`;
      assert.equal(row.endpoint, target, about);
      assert.equal(row.estimated, 0, about);
      assert.deepEqual([row.outcome, row.status], ["ok", 200], about);
      assert.ok(row.input > 0 && row.output > 5, about);
    }
  }
});

// ---- embeddings and counting

for (const target of Object.keys(EMBEDDERS)) {
  test(`embedding: ${target}`, async () => {
    const asked = { model: modelOf(target), input: ["one", "two words"] };
    const floats = await openai().embeddings.create({ ...asked, encoding_format: "float" });
    const usual = await openai().embeddings.create(asked); // base64 on the wire
    assert.equal(floats.data.length, 2);
    assert.deepEqual(floats.data.map((one) => one.index), [0, 1]);
    assert.equal(floats.data[0].embedding.length, 8);
    const close = (a, b) => a.every((n, i) => Math.abs(n - b[i]) < 1e-6);
    assert.ok(close(usual.data[1].embedding, floats.data[1].embedding));
    assert.notDeepEqual(floats.data[0].embedding, floats.data[1].embedding);
    const short = await openai().embeddings.create({ ...asked, encoding_format: "float", dimensions: 4 });
    assert.equal(short.data[0].embedding.length, 4);
  });
}

test("tokens are counted where a provider counts them, and refused where none does", async () => {
  const asked = { messages: [{ role: "user", content: "How long is this?" }], system: "Be brief.", tools: [messages.tool("weather")] };
  for (const target of ["anthropic-messages", "openai-responses", "bedrock-converse", "gemini-api", "vertex"]) {
    const { data, response } = await anthropic().messages.countTokens({ model: modelOf(target), ...asked }).withResponse();
    assert.ok(data.input_tokens > 5, target);
    const row = await gateway.row(response.headers.get("meridian-request-id"));
    assert.deepEqual([row.dialect, row.input, row.cost_nano, row.estimated], ["anthropic-count-tokens", 0, 0, 0], target);
  }
  await assert.rejects(anthropic().messages.countTokens({ model: modelOf("openai-chat"), ...asked }), { status: 404, message: /openai-chat, which does not support this operation/ });
});

// ---- tools that are called with text, and tools in namespaces

const FUNCTIONS_ONLY = ["openai-chat", "anthropic-messages", "bedrock-converse", "bedrock-invoke", "gemini-api", "vertex", "vertex-claude", "mistral"];
const PATCH = { type: "custom", name: "apply_patch", description: "Edits files.", format: { type: "grammar", syntax: "lark", definition: "start: /.+/" } };
const AGENTS = { type: "namespace", name: "agents", description: "Tools for agents.", tools: [{ type: "function", name: "close", strict: false, parameters: SCHEMA }] };

for (const [target, stream] of CASES.filter(([target]) => FUNCTIONS_ONLY.includes(target))) {
  test(`custom tools and namespaces: responses to ${target}, ${stream ? "streamed" : "whole"}`, async () => {
    const asked = { model: modelOf(target), store: false, tools: [PATCH, AGENTS] };
    const say = (input) => (stream ? openai().responses.stream({ ...asked, input }).finalResponse() : openai().responses.create({ ...asked, input }));
    const input = [{ role: "user", content: "Please use both tools." }];
    const first = await say(input);
    const [patch, close] = first.output.filter(({ type }) => type.endsWith("_call"));
    assert.deepEqual([patch.type, patch.name, typeof patch.input], ["custom_tool_call", "apply_patch", "string"]);
    assert.ok(patch.input.length > 0 && !patch.input.includes('"input"'), patch.input);
    assert.deepEqual([close.type, close.namespace, close.name], ["function_call", "agents", "close"]);
    assert.deepEqual(Object.keys(JSON.parse(close.arguments)).sort(), ["city", "days"]);
    assert.match(last().body, /Lark grammar/);
    const turn = first.output.map(({ parsed_arguments, ...item }) => item);
    const results = [{ type: "custom_tool_call_output", call_id: patch.call_id, output: "Done!" }, { type: "function_call_output", call_id: close.call_id, output: "closed" }];
    const second = await say([...input, ...turn, ...results]);
    assert.ok(second.output_text.length > 20, JSON.stringify(second.output));
    assert.match(last().body, /Done!.*closed/s);
  });
}

test("custom tools: chat to a model that has none", async () => {
  const { type, ...custom } = PATCH;
  const grammar = { type: "grammar", grammar: { syntax: "lark", definition: "start: /.+/" } };
  const asked = { model: modelOf("anthropic-messages"), tools: [{ type, custom: { ...custom, format: grammar } }], tool_choice: { type, custom: { name: "apply_patch" } } };
  const messages = [{ role: "user", content: "Please use the tool." }];
  const { data, response } = await openai().chat.completions.create({ ...asked, messages }).withResponse();
  assert.equal(response.headers.get("meridian-dropped"), "tools[0].custom.format");
  const [{ message }] = data.choices;
  assert.deepEqual([message.tool_calls[0].type, message.tool_calls[0].custom.name], ["custom", "apply_patch"]);
  messages.push(message, { role: "tool", tool_call_id: message.tool_calls[0].id, content: "Done!" });
  const next = await openai().chat.completions.create({ ...asked, tool_choice: "auto", messages });
  assert.ok(next.choices[0].message.content.length > 20);
});

// ---- what cannot be said

test("what a target cannot say is refused by the client's own name for it", async () => {
  const hello = [{ role: "user", content: "hi" }];
  const cases = [
    [() => openai().chat.completions.create({ model: modelOf("anthropic-messages"), messages: hello, logit_bias: { 5: 1 } }), "logit_bias"],
    [() => openai().chat.completions.create({ model: modelOf("bedrock-converse"), messages: hello, seed: 7 }), "seed"],
    [() => openai().chat.completions.create({ model: modelOf("gemini-api"), messages: hello, n: 2 }), "n"],
    [() => openai().chat.completions.create({ model: modelOf("bedrock-converse"), messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://files.example.com/a.png" } }] }] }), "messages[0].content[0]"],
    [() => openai().responses.create({ model: modelOf("anthropic-messages"), input: "hi", conversation: "conv_1" }), "conversation"],
    [() => openai().responses.create({ model: modelOf("gemini-api"), input: "hi", tools: [{ type: "web_search" }] }), "tools[0]"],
  ];
  for (const [call, param] of cases) await assert.rejects(call(), { status: 400, code: "unsupported_parameter", param });
  await assert.rejects(anthropic().messages.create({ model: modelOf("openai-chat"), max_tokens: 9, messages: hello, top_k: 5 }), { status: 400, message: /`top_k`.*meridian-on-unsupported: drop/ });
  assert.equal(gateway.simulator.log.length, 0, "nothing was sent");
});

test("a hint is left out and listed, unless the request is strict", async () => {
  const asked = { model: modelOf("anthropic-messages"), messages: [{ role: "user", content: "hi", name: "ann" }], temperature: 1.5, verbosity: "low", metadata: { ticket: "7" } };
  const { response } = await openai().chat.completions.create(asked).withResponse();
  assert.equal(response.headers.get("meridian-dropped"), "temperature, verbosity, metadata, messages[0].name");
  assert.equal(JSON.parse(last().body).temperature, 1);
  await assert.rejects(openai({ "meridian-on-unsupported": "strict" }).chat.completions.create(asked), { status: 400, code: "unsupported_parameter", param: "temperature" });
  const strict = await gateway.key({ team: "strict", unsupported: "strict" });
  const refused = await gateway.from(COUNTRY)(`${gateway.url}/v1/chat/completions`, { method: "POST", headers: { authorization: `Bearer ${strict}` }, body: JSON.stringify(asked) });
  assert.equal(refused.status, 400, "a key can say so for all its requests");
});

test("it is left out if the request says so, and then listed", async () => {
  const drop = { "meridian-on-unsupported": "drop" };
  const asked = { model: modelOf("anthropic-messages"), messages: [{ role: "user", content: "hi" }], seed: 7, logit_bias: { 5: 1 }, temperature: 1.5 };
  const { response } = await openai(drop).chat.completions.create(asked).withResponse();
  assert.equal(response.headers.get("meridian-dropped"), "seed, logit_bias, temperature");
  const sent = JSON.parse(last().body);
  assert.deepEqual([sent.seed, sent.logit_bias, sent.temperature], [undefined, undefined, 1]);
  await assert.rejects(openai({ "meridian-on-unsupported": "maybe" }).chat.completions.create(asked), { status: 400, code: "invalid_header" });
});

test("field_21 a signature goes back to the endpoint that made it, and to no other", async () => {
  const conversation = [{ role: "user", content: "Think." }];
  const first = await messages.say(modelOf("vertex"), [...conversation, ], { ...messages.thinking(), tools: [messages.tool("weather")] });
  const turn = [...conversation, ...first.turn, { role: "user", content: "Go on." }];
  assert.ok(JSON.stringify(turn).includes("vertex"), "the signature carries its endpoint's name");
  await messages.say(modelOf("vertex"), turn);
  for (const target of ["anthropic-messages", "bedrock-converse", "gemini-api", "openai-responses"]) {
    await gateway.reset();
    const dropped = await anthropic().messages.create({ model: modelOf(target), max_tokens: 2000, messages: turn }).withResponse();
    assert.ok(gateway.simulator.log.every((entry) => !entry.body.includes("bWFkZSBie")), `${target} was sent the signature`);
    assert.match(dropped.response.headers.get("meridian-dropped") ?? "", /messages\[1\]\.content\[\d\]/, target);
  }
});

test("field_21 bare signatures and stored responses go back to their endpoint too", async () => {
  // In the client's own dialect nothing is renamed: the gateway remembers.
  const conversation = [{ role: "user", content: "Think." }];
  const first = await messages.say(modelOf("anthropic-messages"), conversation, messages.thinking());
  assert.ok(!JSON.stringify(first.turn).includes("meridian."), "byte for byte");
  const turn = [...conversation, ...first.turn, { role: "user", content: "Go on." }];
  await messages.say(modelOf("anthropic-messages"), turn);
  const { signature } = first.turn.flatMap(({ content }) => content).find(({ type }) => type === "thinking");
  for (const target of ["vertex-claude", "bedrock-converse", "gemini-api"]) {
    await gateway.reset();
    const { response } = await anthropic().messages.create({ model: modelOf(target), max_tokens: 2000, messages: turn }).withResponse();
    assert.match(response.headers.get("meridian-dropped") ?? "", /messages\[1\]\.content\[0\]/, target);
    assert.ok(!last().body.includes(signature), `${target} was sent the signature`);
  }
  const response = await openai().responses.create({ model: modelOf("openai-responses"), input: "Remember this." });
  const next = { previous_response_id: response.id, input: "And now?" };
  await openai().responses.create({ model: modelOf("openai-responses"), ...next });
  await assert.rejects(openai().responses.create({ model: modelOf("azure-v1"), ...next }), { status: 400, code: "bound_to_endpoint" });
});

test("a thread of messages, which no zone lets Anthropic keep, is refused in the words that its SDK goes by", async () => {
  const body = JSON.stringify({ model: "claude-sonnet", max_tokens: 9, messages: [{ role: "user", content: "hi" }], thread: { type: "create" } });
  const refused = await gateway.from("US")(`${gateway.url}/v1/messages`, { method: "POST", headers: { authorization: `Bearer ${key}`, "anthropic-version": "2023-06-01" }, body });
  assert.deepEqual([refused.status, (await refused.json()).error.details?.error_code], [400, "thread_unsupported_request"]);
});

// ---- bad input, bad answers

test("what is malformed is a 400 that says where", async () => {
  const post = async (path, body) => {
    const response = await gateway.from(COUNTRY)(`${gateway.url}${path}`, { method: "POST", headers: { authorization: `Bearer ${key}` }, body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  };
  const model = modelOf("bedrock-converse");
  const chatted = await post("/v1/chat/completions", { model, messages: [{ role: "user", content: "a" }, { role: "assistant", tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{" } }] }] });
  assert.deepEqual([chatted.status, chatted.body.error.param], [400, "messages[1].tool_calls[0].function.arguments"]);
  const asked = await post("/v1/responses", { model, input: [{ type: "message", role: "wizard", content: "a" }] });
  assert.deepEqual([asked.status, asked.body.error.param], [400, "input[0].role"]);
  const told = await post("/v1/messages", { model, max_tokens: 5, messages: [{ role: "user", content: [{ type: "image", source: { type: "base64", data: 5 } }] }] });
  assert.equal(told.status, 400);
  assert.match(told.body.error.message, /messages\[0\]\.content\[0\]\.source\.data/);
});

test("a provider's own error is told in the client's words, with its status", async () => {
  for (const target of ["bedrock-converse", "gemini-api", "openai-responses", "anthropic-messages"]) {
    gateway.simulator.fault({ times: 2, fault: { status: 400 } });
    await assert.rejects(chat.say(modelOf(target), [chat.user("hi")]), { status: 400, type: "invalid_request_error" }, target);
    await assert.rejects(messages.say(modelOf(target), [messages.user("hi")]), { status: 400, type: "invalid_request_error" }, target);
  }
});

const PAIRS = Object.keys(TARGETS).flatMap((target) => CLIENTS.map((client) => [target, client]));

test("a malformed answer is a 502", async () => {
  for (const [target, client] of PAIRS) {
    await gateway.reset();
    gateway.simulator.fault({ host: TARGETS[target].host, fault: { body: "{\"half\":", content_type: "application/json" } });
    await assert.rejects(client.say(modelOf(target), [client.user("hi")]), { status: 502 }, `${client.name} ${target}`);
  }
});

test("field_14 a stream that breaks never ends well, whoever hears it", async () => {
  for (const [target, client] of PAIRS) {
    for (const fault of [{ error_at_chunk: 3 }, { garbage: true }, { no_done: true, cut_at_byte: 900 }]) {
      await gateway.reset();
      // Before anything of an answer has come, an endpoint gets a second chance.
      gateway.simulator.fault({ host: TARGETS[target].host, times: 0, fault });
      await assert.rejects(client.say(modelOf(target), [client.user("hi")], { stream: true }), undefined, `${client.name} ${target} ${JSON.stringify(fault)}`);
    }
  }
});

test("the table of dialects is up to date", () => {
  assert.equal(readFileSync(TABLE, "utf8"), page(), "run: node tools/dialects.mjs");
});

test("tokens of Google and Entra are asked for once and kept", async () => {
  for (let i = 0; i < 3; i++) {
    await chat.say(modelOf("vertex"), [chat.user("hi")]);
    await chat.say(modelOf("azure-v1"), [chat.user("hi")]);
  }
  for (const host of TOKENS) assert.ok(gateway.simulator.log.filter((entry) => entry.host === host).length <= 1, host);
  assert.equal(calls().length, 6);
});
