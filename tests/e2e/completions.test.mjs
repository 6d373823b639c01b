// Completions of a prompt, the API before chat: only for models whose endpoint
// claims them, never outside of the zone, never for more than was reserved.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import OpenAI, { AzureOpenAI } from "openai";
import { COUNTRY, modelOf, startWithTargets } from "./dialects.mjs";

// gpt-4.1 is 2 and 8 dollars for a million tokens.
const MODEL = "gpt-4.1";
const [INPUT, OUTPUT] = [2_000, 8_000];
const CHAT_ALONE = modelOf("mistral");
const server = (host) => ({ host, dialect: "openai-chat", auth: "bearer:T_KEY", claim: { id: "m-prompts", completions: true, max_output: 4_096 } });
const azure = { host: "resource.openai.azure.com", dialect: "openai-chat", auth: "api-key:T_KEY", base_path: "/openai/deployments/{model}", query: "api-version=2024-10-21", sku: "GlobalStandard", claim: { id: "m-azure-prompts", completions: true } };
const more = [
  ["a-prompts", server("one.example.com"), MODEL],
  ["b-prompts", server("two.example.com"), MODEL],
  ["c-prompts", azure, "gpt-5.4"],
];
/** The zone of callers of whom nothing is known: the EU alone. */
const STRICT = "CN";

let gateway, key;
before(async () => {
  gateway = await startWithTargets({ more });
  key = await gateway.key();
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

const openai = (apiKey = key, country = COUNTRY) => new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, fetch: gateway.from(country), maxRetries: 0 });
const create = (asked, ...from) => openai(...from).completions.create({ model: MODEL, prompt: "Once upon a time", ...asked });

async function said(stream) {
  const chunks = [];
  for await (const chunk of await stream) chunks.push(chunk);
  const texts = [];
  for (const { index, text } of chunks.flatMap(({ choices }) => choices)) texts[index] = (texts[index] ?? "") + text;
  return { chunks, texts };
}

const sent = () => gateway.simulator.log.map(({ host, path, body }) => ({ host, path, body: JSON.parse(body) }));

test("a prompt goes to the endpoint that claims completions, as it came, and leaves a row", async () => {
  const { data, response } = await create({ max_tokens: 9, temperature: 0.5, seed: 7 }).withResponse();
  assert.deepEqual([data.object, data.choices.length, typeof data.choices[0].text, data.choices[0].finish_reason], ["text_completion", 1, "string", "length"]);
  assert.deepEqual(sent(), [{ host: "one.example.com", path: "/v1/completions", body: { model: "m-prompts", prompt: "Once upon a time", max_tokens: 9, temperature: 0.5, seed: 7 } }]);
  const row = await gateway.row(response.headers.get("meridian-request-id"));
  const { prompt_tokens: input, completion_tokens: output } = data.usage;
  assert.deepEqual([row.dialect, row.endpoint, row.model, row.outcome, row.stream], ["openai-completions", "a-prompts", MODEL, "ok", 0]);
  assert.deepEqual([row.input, row.output, row.cost_nano], [input, output, input * INPUT + output * OUTPUT]);
});

test("a stream says the same, its usage is counted, and hidden where it was not asked for", async () => {
  const whole = await create({ max_tokens: 9, n: 2 });
  const { data, response } = await create({ max_tokens: 9, n: 2, stream: true }).withResponse();
  const hidden = await said(data);
  assert.deepEqual(hidden.texts, whole.choices.map(({ text }) => text));
  assert.ok(hidden.chunks.every(({ choices, usage }) => choices.length === 1 && !usage));
  assert.deepEqual(sent()[1].body.stream_options, { include_usage: true });
  const row = await gateway.row(response.headers.get("meridian-request-id"));
  assert.deepEqual([row.output, row.stream, row.outcome], [whole.usage.completion_tokens, 1, "ok"]);
  const shown = await said(create({ max_tokens: 9, n: 2, stream: true, stream_options: { include_usage: true } }));
  assert.deepEqual(shown.chunks.at(-1).usage, whole.usage);
});

test("every form of a prompt is taken, and each prompt is answered", async () => {
  for (const [prompt, choices] of [["a", 1], [["a", "b", "c"], 3], [[1, 2, 3], 1], [[[1, 2], [3]], 2]]) {
    const answer = await create({ prompt, suffix: " The end.", logprobs: 2, echo: true, best_of: 1, max_tokens: 3 });
    assert.equal(answer.choices.length, choices, JSON.stringify(prompt));
    assert.equal(answer.choices[0].logprobs.tokens.join(""), answer.choices[0].text);
  }
  for (const prompt of [[], ["a", 1], {}, 7]) await assert.rejects(create({ prompt }), (error) => error instanceof OpenAI.BadRequestError && error.param === "prompt");
  await assert.rejects(create({ prompt: undefined }), { status: 400, param: "prompt" });
  await assert.rejects(create({ shiny: 1 }), { status: 403, code: "egress_not_allowed" });
  await assert.rejects(create({ best_of: 1, n: 2 }), OpenAI.BadRequestError);
});

test("where nothing is said, OpenAI's default of 16 tokens is sent, whatever the host's own is", async () => {
  assert.ok((await create({})).usage.completion_tokens <= 16);
  await create({ max_tokens: null });
  assert.deepEqual(sent().map(({ body }) => body.max_tokens), [16, 16]);
});

test("an endpoint that fails before its first content is followed by the next", async () => {
  for (const fault of [{ status: 503 }, { error_at_chunk: 0 }]) {
    await gateway.reset();
    gateway.simulator.fault({ host: "one.example.com", fault });
    const { data, response } = await create({ stream: true }).withResponse();
    assert.ok((await said(data)).texts[0]);
    assert.equal(response.headers.get("meridian-served-by"), "b-prompts");
  }
  gateway.simulator.fault({ host: "one.example.com", fault: { error_at_chunk: 3 } });
  await assert.rejects(said(create({ stream: true })), OpenAI.APIError);
});

test("no prompt leaves its zone, and a model without completions says where it works", async () => {
  const refused = (call, ...words) => assert.rejects(call, (error) => error.status === 403 && error.code === "no_endpoint_in_zone" && words.every((word) => word.test(error.message)));
  await refused(create({}, key, STRICT), /a-prompts processes requests in global/, /on this route: none/);
  await refused(create({ stream: true }, key, STRICT), /b-prompts processes requests in global/);
  await refused(create({ model: CHAT_ALONE }), /no claim for `completions`/, /on this route: gpt-4\.1, gpt-5\.4\./, /\/v1\/chat\/completions/);
  assert.deepEqual(gateway.simulator.log, []);
});

test("a budget reserves every prompt, every choice and what is repeated", async () => {
  const small = (amount) => gateway.key({ team: `prompts-${amount}`, limits: { small: { budget: { amount, per: "day" } } } });
  const asked = { prompt: ["a", "b", "c"], n: 2, best_of: 4, max_tokens: 1_000 };
  const most = 3 * 4 * 1_000 * OUTPUT;
  await assert.rejects(create(asked, await small(most)), { status: 402, code: "budget_exceeded" });
  assert.deepEqual(gateway.simulator.log, []);
  const enough = await small(most + 1_000_000);
  const { usage } = await create(asked, enough);
  assert.ok(usage.completion_tokens * OUTPUT < most);
  // The same without a limit is 16 tokens each.
  await create({ ...asked, max_tokens: undefined }, await small(3 * 4 * 16 * OUTPUT + 1_000_000));
});

test("Azure's way in, and Azure's way out", async () => {
  const client = new AzureOpenAI({ apiKey: key, endpoint: gateway.url, apiVersion: "2024-10-21", fetch: gateway.from(COUNTRY), maxRetries: 0 });
  const answer = await client.completions.create({ model: MODEL, prompt: "hi", max_tokens: 5 });
  assert.equal(answer.usage.completion_tokens, 5);
  const { texts } = await said(client.completions.create({ model: "gpt-5.4", prompt: "hi", max_tokens: 5, stream: true }));
  assert.ok(texts[0]);
  assert.deepEqual(sent().map(({ path }) => path), ["/v1/completions", "/openai/deployments/m-azure-prompts/completions?api-version=2024-10-21"]);
});

test("errors are OpenAI's, also the provider's own", async () => {
  gateway.simulator.fault({ times: 0, fault: { status: 400 } });
  await assert.rejects(create({}), OpenAI.BadRequestError);
  await assert.rejects(create({}, "mk_of_nobody"), OpenAI.AuthenticationError);
});
