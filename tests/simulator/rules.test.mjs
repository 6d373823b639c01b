// Single rules of providers: what each takes, what it refuses, and in which words.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { chat, eventsOf, messages, send, user } from "./client.mjs";
import { startSimulator } from "./simulator.mjs";

const sim = await startSimulator();
after(() => sim.close());
beforeEach(() => sim.reset());

const said = async (asked) => {
  const { status, text } = await asked;
  return { status, text, json: JSON.parse(text) };
};
async function refused(asked, status, words) {
  const answer = await said(asked);
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.text, words);
  return answer.json;
}
const taken = async (asked) => {
  const answer = await said(asked);
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
};

const responses = (body) => send(sim, { path: "/v1/responses", body: { model: "sim-small", input: "Tell me something.", ...body } });
const mistral = (body) => chat(sim, { model: "mistral-large-2512", ...body }, { host: "api.eu.mistral.ai", headers: { authorization: "Bearer k" } });
const bearer = { authorization: "Bearer k" };
const FRANKFURT = "bedrock-runtime.eu-central-1.amazonaws.com";
const claudeHere = "eu.anthropic.claude-sonnet-4-6";
const says = (text) => [{ role: "user", content: [{ text }] }];
const converse = (body, model = claudeHere) => send(sim, { host: FRANKFURT, path: `/model/${encodeURIComponent(model)}/converse`, headers: bearer, body: { messages: says("Tell me something."), ...body } });
const gemini = (body, model = "gemini-2.5-flash") => send(sim, { host: "generativelanguage.googleapis.com", path: `/v1beta/models/${model}:generateContent`, headers: { "x-goog-api-key": "k" }, body: { contents: [{ role: "user", parts: [{ text: "Tell me something." }] }], ...body } });

test("OpenAI's responses take what Codex says of itself, as texts by name", async () => {
  await taken(responses({ client_metadata: { "x-codex-installation-id": "1" } }));
  await refused(responses({ client_metadata: { depth: 1 } }), 400, /Invalid type for 'client_metadata\.depth'/);
  await refused(chat(sim, { client_metadata: {} }), 400, /Unrecognized request argument supplied: client_metadata/);
});

test("Anthropic: who asks for a thread is told to send the whole conversation", async () => {
  const { error } = await refused(messages(sim, { thread: { type: "create" } }), 400, /thread/);
  assert.equal(error.details.error_code, "thread_unsupported_request");
});

test("Mistral: its own names for fields, and a list of what it does not know", async () => {
  await taken(mistral({ random_seed: 7, max_tokens: 20, safe_prompt: true, n: 2 }));
  for (const field of ["seed", "max_completion_tokens", "user", "logprobs", "stream_options"]) {
    const { detail } = await refused(mistral({ [field]: 1 }), 422, /extra_forbidden/);
    assert.deepEqual(detail[0].loc, ["body", field]);
  }
  await refused(chat(sim, { random_seed: 7 }), 400, /Unrecognized request argument supplied: random_seed/);
  await refused(mistral({ temperature: 0, n: 2 }), 400, /n must be 1 when using greedy sampling/);
  await refused(mistral({ temperature: 0, top_p: 0.5 }), 400, /top_p must be 1 when using greedy sampling/);
  await refused(mistral({ reasoning_effort: "high" }), 400, /reasoning_effort/);
  await taken(mistral({ model: "mistral-small-2603", reasoning_effort: "high" }));
});

test("Mistral shows its thoughts, in parts, and takes them back", async () => {
  const asked = { model: "mistral-small-2603", reasoning_effort: "high" };
  const { message } = (await taken(mistral(asked))).choices[0];
  assert.deepEqual(message.content.map(({ type }) => type), ["thinking", "text"]);
  await taken(mistral({ ...asked, messages: [...user("Think."), message, ...user("Go on.")] }));
  const { text } = await mistral({ ...asked, stream: true });
  const deltas = eventsOf(text).map(({ json }) => json?.choices[0].delta.content).filter(Boolean);
  const thoughts = deltas.filter(Array.isArray).map(([part]) => part.thinking[0].text).join("");
  assert.equal(thoughts, message.content[0].thinking[0].text);
  assert.equal(deltas.filter((one) => typeof one === "string").join(""), message.content[1].text);
});

test("Claude's thoughts are good at every host of Claude's, and nobody else's are", async () => {
  const thinking = { type: "enabled", budget_tokens: 1024 };
  const { content } = await taken(messages(sim, { max_tokens: 2000, thinking, messages: user("Think.") }));
  const { thinking: text, signature } = content[0];
  const back = [...says("Think."), { role: "assistant", content: [{ reasoningContent: { reasoningText: { text, signature } } }, { text: "Said." }] }, ...says("Go on.")];
  await taken(converse({ messages: back }));
  await refused(converse({ messages: back }, "eu.amazon.nova-pro-v1:0"), 400, /Invalid `signature`/);
  const contents = [{ role: "user", parts: [{ text: "Think." }] }, { role: "model", parts: [{ text: "Said.", thoughtSignature: signature }] }, { role: "user", parts: [{ text: "Go on." }] }];
  await refused(gemini({ contents }), 400, /corrupted thought signature/);
});

const strictly = (properties) => ({ type: "object", properties, required: Object.keys(properties), additionalProperties: false });
const DAYS = strictly({ days: { type: "integer", minimum: 1, maximum: 7 } });
const LIST = strictly({ list: { type: "array", items: { type: "string", minLength: 2 } } });

test("Claude's structured output: keywords that it is not held to are refused, at any depth", async () => {
  const asked = (schema) => messages(sim, { output_config: { format: { type: "json_schema", schema } } });
  await refused(asked(DAYS), 400, /For 'integer' type, properties maximum, minimum are not supported/);
  await refused(asked(LIST), 400, /For 'string' type, property 'minLength' is not supported/);
  await refused(asked(strictly({ list: { type: "array", minItems: 2, items: { type: "string" } } })), 400, /'minItems' values other than 0 or 1/);
  await refused(asked({ type: "object", properties: {} }), 400, /'additionalProperties' must be explicitly set to false/);
  await taken(asked(strictly({ days: { type: "integer", enum: [1, 2] }, list: { type: "array", minItems: 1, items: { type: "string" } } })));
  await refused(messages(sim, { tools: [{ name: "a", strict: true, input_schema: DAYS }] }), 400, /properties maximum, minimum are not supported/);
  await taken(messages(sim, { tools: [{ name: "a", input_schema: DAYS }] }));
  const there = (model) => converse({ outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema: { name: "a", schema: JSON.stringify(DAYS) } } } } }, model);
  await refused(there(claudeHere), 400, /properties maximum, minimum are not supported/);
  await taken(there("eu.amazon.nova-pro-v1:0"));
});

test("Claude samples by one setting from 4.1 on, and by none from 4.7 on", async () => {
  const both = { temperature: 0.5, top_p: 0.5 };
  await taken(messages(sim, { model: "claude-opus-4-20250514", ...both }));
  for (const model of ["claude-opus-4-1", "claude-sonnet-4-5-20250929", "claude-haiku-4-5", "claude-sonnet-4-6"]) {
    await refused(messages(sim, { model, ...both }), 400, /`temperature` and `top_p` cannot both be specified/);
    await taken(messages(sim, { model, top_p: 0.5 }));
  }
  for (const model of ["claude-opus-4-8", "claude-sonnet-5"]) await refused(messages(sim, { model, temperature: 0.5 }), 400, /`temperature` is deprecated for this model/);
  await refused(converse({ inferenceConfig: { temperature: 0.5, topP: 0.5 } }), 400, /cannot both be specified/);
});

test("models that make vectors do not chat", async () => {
  const model = "text-embedding-3-small";
  await refused(chat(sim, { model }), 403, /not allowed to sample from this model/);
  await refused(responses({ model }), 403, /not allowed to sample from this model/);
  await refused(gemini({}, "gemini-embedding-001"), 404, /is not supported for generateContent/);
});

test("models without thoughts have no effort", async () => {
  for (const model of ["gpt-4o-mini", "gpt-4.1"]) {
    await refused(chat(sim, { model, reasoning_effort: "low" }), 400, /Unrecognized request argument supplied: reasoning_effort/);
    await refused(responses({ model, reasoning: { effort: "low" } }), 400, /'reasoning\.effort' is not supported with this model/);
  }
  await taken(chat(sim, { model: "gpt-5-mini", reasoning_effort: "low" }));
});

test("pictures count at Converse as they do elsewhere", async () => {
  const bytes = "iVBORw0KGgo=";
  const image = { image: { format: "png", source: { bytes } } };
  const alone = await taken(converse({}));
  const both = await taken(converse({ messages: [{ role: "user", content: [...says("Tell me something.")[0].content, image] }] }));
  assert.equal(both.usage.inputTokens - alone.usage.inputTokens, 85);
});

test("names of users have a length", async () => {
  const long = "u".repeat(65);
  for (const field of ["user", "safety_identifier", "prompt_cache_key"]) {
    for (const ask of [(body) => chat(sim, body), responses]) {
      await taken(ask({ [field]: long.slice(1) }));
      await refused(ask({ [field]: long }), 400, new RegExp(`Invalid '${field}': string too long. Expected a string with maximum length 64`));
    }
  }
  await refused(messages(sim, { metadata: { user_id: "u".repeat(257) } }), 400, /at most 256 characters/);
});

test("what is empty is refused, and ids of other letters", async () => {
  for (const content of ["", [], [{ type: "text", text: "" }]]) await refused(messages(sim, { messages: [{ role: "user", content }] }), 400, /non-empty/);
  await refused(converse({ messages: [{ role: "user", content: [] }] }), 400, /is empty/);
  await refused(gemini({ contents: [{ role: "user", parts: [] }] }), 400, /must not be empty/);
  const called = (id) => [...user("Go."), { role: "assistant", content: [{ type: "tool_use", id, name: "a", input: {} }] }, { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: "1" }] }];
  await refused(messages(sim, { messages: called("call:1") }), 400, /should match pattern/);
  await taken(messages(sim, { messages: called("call_1-a") }));
  const there = (toolUseId) => [...says("Go."), { role: "assistant", content: [{ toolUse: { toolUseId, name: "a", input: {} } }] }, { role: "user", content: [{ toolResult: { toolUseId, content: [{ text: "1" }] } }] }];
  const toolConfig = { tools: [{ toolSpec: { name: "a", inputSchema: { json: { type: "object" } } } }] };
  await refused(converse({ messages: there("call:1"), toolConfig }), 400, /messages\.1\.content\.0 is not valid/);
  await taken(converse({ messages: there("call_1-a"), toolConfig }));
});
