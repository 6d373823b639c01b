// What providers answer in ways of their own, as a client gets it from a real
// worker: requests that are too long, errors in good answers, what is left out.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { startGateway } from "./gateway.mjs";

let gateway, key;
before(async () => {
  gateway = await startGateway();
  key = await gateway.key();
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

async function call(path, model, { stream = false } = {}) {
  const messages = [{ role: "user", content: "hi" }];
  const response = await gateway.from("DE")(gateway.url + path, {
    method: "POST",
    headers: { "x-api-key": key, "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model, stream, max_tokens: 10, messages }),
  });
  const text = await response.text();
  return { response, text, row: await gateway.row(response.headers.get("meridian-request-id")) };
}

const CHAT = "/v1/chat/completions";
const MESSAGES = "/v1/messages";
const MISTRALS = { object: "error", message: "Prompt contains 137500 tokens and 0 draft tokens, too large for model with 128000 maximum context length", type: "invalid_request_error", param: null, code: "3051" };
const INFERENCE = { message: "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 128000. Given: 137500 `inputs` tokens and 10 `max_new_tokens`" };

test("too long is told as OpenAI and Anthropic say it, with 400, and nobody else is asked", async () => {
  for (const [status, body] of [[400, MISTRALS], [422, INFERENCE]]) {
    for (const stream of [false, true]) {
      await gateway.reset();
      gateway.simulator.fault({ times: 0, fault: { status, body } });
      const chat = await call(CHAT, "mistral-small", { stream });
      assert.equal(chat.response.status, 400, chat.text);
      const error = JSON.parse(chat.text).error;
      assert.deepEqual([error.code, error.type, error.param], ["context_length_exceeded", "invalid_request_error", "messages"]);
      assert.ok(error.message.endsWith(body.message), error.message);
      assert.deepEqual([chat.row.status, chat.row.outcome, chat.row.attempts], [400, "provider_error", 1]);

      const messages = await call(MESSAGES, "mistral-small", { stream });
      assert.equal(messages.response.status, 400, messages.text);
      const told = JSON.parse(messages.text);
      assert.deepEqual([told.type, told.error.type], ["error", "invalid_request_error"]);
      assert.match(told.error.message, /^prompt is too long: /);
      assert.equal(gateway.simulator.log.length, 2);
    }
  }
});

test("a host that speaks the client's dialect is told in the client's terms too", async () => {
  gateway.simulator.fault({ times: 0, fault: { status: 400, body: MISTRALS } });
  const { response, text } = await call(CHAT, "gpt-mini");
  assert.equal(response.status, 400);
  assert.equal(JSON.parse(text).error.code, "context_length_exceeded");
  assert.equal(response.headers.get("content-type"), "application/json");
  // Who says it as OpenAI does is passed on as it is.
  await gateway.reset();
  const own = { error: { message: "Your input exceeds the context window of this model.", type: "invalid_request_error", param: "messages", code: "context_length_exceeded" } };
  gateway.simulator.fault({ times: 0, fault: { status: 400, body: own } });
  assert.deepEqual(JSON.parse((await call(CHAT, "gpt-mini")).text), own);
});

test("Claude's hosts have other words for it than Claude's clients know", async () => {
  gateway.simulator.fault({ fault: { status: 400, headers: { "x-amzn-errortype": "ValidationException" }, body: { message: "Input is too long for requested model." } } });
  const { response, text } = await call(MESSAGES, "claude-sonnet");
  assert.equal(response.status, 400);
  assert.match(JSON.parse(text).error.message, /^prompt is too long: .*Input is too long for requested model\.$/);
});

test("an error inside a good answer is an error, and no answer", async () => {
  const body = { model: "m", choices: [{ index: 0, message: { role: "assistant", content: "" }, error: { code: 502, message: "broke" }, finish_reason: "error" }] };
  for (const [path, model] of [[CHAT, "mistral-small"], [MESSAGES, "mistral-small"], [CHAT, "gpt-mini"]]) {
    await gateway.reset();
    gateway.simulator.fault({ times: 0, fault: { status: 200, body } });
    const { response, text, row } = await call(path, model);
    assert.ok(response.status >= 500, `${path} ${response.status} ${text}`);
    assert.doesNotMatch(text, /choices/);
    assert.notEqual(row.outcome, "ok");
  }
});

test("a whole answer without a reason to stop is told, and what is left out is named", async () => {
  const body = { model: "m", choices: [{ index: 0, message: { role: "assistant", content: "so", images: [{ type: "image_url" }] } }], usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 } };
  gateway.simulator.fault({ times: 0, fault: { status: 200, body } });
  const messages = await call(MESSAGES, "mistral-small");
  assert.equal(messages.response.status, 200, messages.text);
  assert.equal(messages.response.headers.get("meridian-dropped"), "message.images");
  assert.equal(JSON.parse(messages.text).stop_reason, "end_turn");
  assert.deepEqual([messages.row.outcome, messages.row.input, messages.row.output], ["ok", 3, 5]);
  // Where the client gets the provider's bytes, nothing is left out.
  const chat = await call(CHAT, "gpt-mini");
  assert.equal(chat.response.headers.get("meridian-dropped"), null);
  assert.deepEqual(JSON.parse(chat.text), body);
});
