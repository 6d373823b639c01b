// Time limits, what a waiting client hears, hedging, and clients that do not
// wait, in plain `workerd serve` with limits of a second or less.
import assert from "node:assert/strict";
import http from "node:http";
import { after, afterEach, before, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { KEY, close, listen, startStores, startWorker } from "../bench/rig.mjs";

const FRANKFURT = "bedrock-runtime.eu-central-1.amazonaws.com";
const IRELAND = "bedrock-runtime.eu-west-1.amazonaws.com";
const limits = (more) => ({ connect: 600, first_token: 900, between_tokens: 2000, answer: 900, total: 9000, keep_alive: 60000, ...more });
const GATEWAYS = {
  strict: { timeouts: limits() },
  // A client hears that the connection lives long before a limit passes.
  patient: { timeouts: limits({ connect: 2000, first_token: 3000, between_tokens: 4000, keep_alive: 200 }) },
  brief: { timeouts: limits({ between_tokens: 8000, total: 1200 }) },
  finishing: { on_disconnect: "finish", timeouts: limits({ between_tokens: 8000 }) },
  enduring: { on_disconnect: "finish", timeouts: limits({ connect: 60000, first_token: 60000, total: 90000, keep_alive: 200 }) },
  hedging: { models: { "claude-sonnet-4-6": { hedge: true } }, timeouts: limits({ connect: 4000, first_token: 4000, answer: 4000 }) },
};

let stores, provider, upstream;
const workers = {};
let answer;
const asked = [];
before(async () => {
  provider = http.createServer((request, response) => {
    const parts = [];
    const entry = { host: request.headers.host, path: request.url, closed: undefined, began: Date.now() };
    asked.push(entry);
    response.on("close", () => (entry.closed = Date.now() - entry.began));
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      entry.body = Buffer.concat(parts).toString();
      if (request.method === "GET") response.end();
      else answer(response, entry);
    });
  });
  upstream = await listen(provider);
  stores = await startStores();
  for (const [name, gateway] of Object.entries(GATEWAYS)) {
    workers[name] = await startWorker({ gateway, stores, upstream, secrets: ["OPENAI_EU_KEY", "BEDROCK_EU_KEY"] });
  }
});
after(async () => {
  for (const worker of Object.values(workers)) worker.close();
  await stores.close();
  await close(provider);
});
afterEach(() => asked.splice(0));

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(found, what) {
  for (let tries = 0; tries < 200; tries++) {
    const result = found();
    if (result) return result;
    await sleep(25);
  }
  assert.fail(`${what} did not happen`);
}
const rowOf = (response) => until(() => stores.rows.find((row) => row.id === response.headers.get("meridian-request-id")), "the row");
const hosts = () => asked.map((entry) => entry.host);
const why = (row) => JSON.parse(row.failures).map((tried) => `${tried.endpoint} ${tried.why}`);

const call = (worker, path, body, signal) => fetch(workers[worker].url + path, {
  method: "POST",
  headers: { authorization: `Bearer ${KEY}`, "anthropic-version": "2023-06-01" },
  body: JSON.stringify({ messages: [{ role: "user", content: "hi" }], ...body }),
  signal,
});
const message = (worker, body, signal) => call(worker, "/v1/messages", { model: "claude-sonnet", max_tokens: 5, ...body }, signal);
const chat = (worker, body, signal) => call(worker, "/v1/chat/completions", { model: "gpt-mini", reasoning_effort: "none", ...body }, signal);

const whole = '{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":5}}';
const sse = (type, more) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const START = sse("message_start", { message: { id: "m", type: "message", role: "assistant", model: "m", content: [], stop_reason: null, usage: { input_tokens: 3, output_tokens: 1 } } })
  + sse("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
const WORD = sse("content_block_delta", { index: 0, delta: { type: "text_delta", text: "word " } });
const END = sse("content_block_stop", { index: 0 }) + sse("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } }) + sse("message_stop", {});
const CHUNK = 'data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n';
const CHUNKS_END = 'data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: {"id":"c","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}\n\ndata: [DONE]\n\n';
const begin = (response) => response.writeHead(200, { "content-type": "text/event-stream" });
const good = (response) => begin(response).end(START + WORD + END);

// ---- limits

const slow = {
  "connect: nothing at all comes": () => {},
  "first token: only a preamble comes": (response) => begin(response).write(START),
  "first token: pings are no token": (response) => {
    begin(response).write(START);
    const timer = setInterval(() => response.write(sse("ping", {})), 50);
    response.on("close", () => clearInterval(timer));
  },
};
for (const [name, stall] of Object.entries(slow)) {
  test(`field_15 ${name}: the next endpoint answers, and the slow one is hung up on`, async () => {
    answer = (response, { host }) => (host === FRANKFURT ? stall(response) : good(response));
    const response = await message("strict", { stream: true });
    assert.match(await response.text(), /word .*message_stop/s);
    assert.deepEqual(hosts(), [FRANKFURT, IRELAND]);
    const row = await rowOf(response);
    assert.deepEqual([row.outcome, row.endpoint, row.attempts, why(row)], ["ok", "bedrock-ireland", 2, ["bedrock-frankfurt timed_out"]]);
    // What Frankfurt read may be billed.
    assert.ok(row.lost_nano > 0 && row.cost_nano > 0);
    await until(() => asked[0].closed !== undefined, "hanging up");
  });
}

test("field_15 an answer in one piece has its own limit", async () => {
  answer = (response, { host }) => (host === FRANKFURT ? undefined : response.writeHead(200, { "content-type": "application/json" }).end(whole));
  const response = await message("strict");
  assert.equal(await response.text(), whole);
  const row = await rowOf(response);
  assert.deepEqual([row.endpoint, why(row)], ["bedrock-ireland", ["bedrock-frankfurt timed_out"]]);
});

test("field_15 when all are too slow the client hears of it, with status 504", async () => {
  answer = () => {};
  const response = await message("strict", { stream: true });
  assert.equal(response.status, 504);
  assert.match((await response.json()).error.message, /bedrock-frankfurt \(timed out\), bedrock-ireland \(timed out\)/);
});

for (const [name, ask, first] of [["Anthropic", message, START + WORD], ["OpenAI, usage hidden", chat, CHUNK]]) {
  test(`field_15 ${name}: silence in mid-stream ends it with an error, and the part is billed`, async () => {
    answer = (response) => begin(response).write(first);
    const began = Date.now();
    const response = await ask("strict", { stream: true });
    const text = await response.text();
    assert.ok(text.startsWith(first), text);
    assert.match(text, /The provider's stream broke before its end \(timed_out\)/);
    assert.ok(Date.now() - began < 7000, `after ${Date.now() - began} ms`);
    const row = await rowOf(response);
    assert.deepEqual([row.outcome, row.error, row.estimated], ["failed", "timed_out", true]);
    assert.ok(row.cost_nano > 0);
    await until(() => asked[0].closed !== undefined, "hanging up");
  });

  test(`field_15 ${name}: a stream that is slow but lives is not cut`, async () => {
    answer = async (response) => {
      begin(response).write(first);
      for (let i = 0; i < 5; i++) {
        await sleep(700);
        response.write(name === "Anthropic" ? WORD : CHUNK);
      }
      response.end(name === "Anthropic" ? END : CHUNKS_END);
    };
    const response = await ask("strict", { stream: true });
    assert.match(await response.text(), /message_stop|\[DONE\]/);
    assert.equal((await rowOf(response)).outcome, "ok");
  });

  test(`field_15 ${name}: the total limit ends a stream that never does`, async () => {
    answer = (response) => {
      begin(response).write(first);
      const timer = setInterval(() => response.write(name === "Anthropic" ? WORD : CHUNK), 100);
      response.on("close", () => clearInterval(timer));
    };
    const began = Date.now();
    const response = await ask("brief", { stream: true });
    assert.match(await response.text(), /\(timed_out\)/);
    assert.ok(Date.now() - began < 7000, `after ${Date.now() - began} ms`);
    assert.equal((await rowOf(response)).outcome, "failed");
  });
}

// ---- what a waiting client hears

const anthropic = (worker) => new Anthropic({ baseURL: workers[worker].url, apiKey: KEY, maxRetries: 0 });
const openai = (worker) => new OpenAI({ baseURL: `${workers[worker].url}/v1`, apiKey: KEY, maxRetries: 0 });
const messages = [{ role: "user", content: "hi" }];

test("field_15 a client that waits for the first token hears keep-alives, and then the answer", async () => {
  const late = (text) => async (response) => {
    begin(response);
    await sleep(900);
    response.end(text);
  };
  answer = late(START + WORD + END);
  const heard = await (await message("patient", { stream: true })).text();
  assert.ok(heard.split("event: ping\n").length > 3, heard);
  assert.match(heard, /: meridian-served-by: bedrock-frankfurt\n/);
  assert.match(heard, /: meridian-receipt: ey/);
  assert.match(heard, /word .*message_stop/s);
  answer = late(CHUNK + CHUNKS_END);
  const chatted = await (await chat("patient", { stream: true })).text();
  assert.ok(chatted.split(": keep-alive\n\n").length > 3, chatted);
  // Strict clients take them.
  answer = late(START + WORD + END);
  const told = await anthropic("patient").messages.stream({ model: "claude-sonnet", max_tokens: 5, messages }).finalMessage();
  assert.equal(told.content[0].text, "word ");
  answer = late(CHUNK + CHUNKS_END);
  let text = "";
  for await (const chunk of await openai("patient").chat.completions.create({ model: "gpt-mini", reasoning_effort: "none", stream: true, messages })) text += chunk.choices[0]?.delta.content ?? "";
  assert.equal(text, "word ");
});

test("a client that was answered early still gets the next endpoint's answer", async () => {
  answer = async (response, { host }) => {
    if (host !== FRANKFURT) return good(response);
    begin(response);
    await sleep(600);
    response.end(sse("error", { error: { type: "overloaded_error", message: "Overloaded" } }));
  };
  const response = await message("patient", { stream: true });
  const text = await response.text();
  assert.match(text, /: meridian-served-by: bedrock-ireland\n.*word .*message_stop/s);
  assert.doesNotMatch(text, /Overloaded/);
  const row = await rowOf(response);
  assert.deepEqual([row.outcome, row.endpoint, why(row)], ["ok", "bedrock-ireland", ["bedrock-frankfurt overloaded"]]);
});

test("a client that was answered early is told in an event when nobody answers", async () => {
  answer = async (response) => {
    await sleep(500);
    response.writeHead(500, { "content-type": "application/json" }).end('{"type":"error","error":{"type":"api_error","message":"It broke"}}');
  };
  const response = await message("patient", { stream: true });
  assert.equal(response.status, 200);
  assert.match(await response.text(), /event: error\ndata: \{"type":"error".*It broke/);
  const row = await rowOf(response);
  assert.deepEqual([row.outcome, row.attempts], ["provider_error", 2]);
  answer = (response) => setTimeout(() => response.socket.destroy(), 500);
  await assert.rejects(anthropic("patient").messages.create({ model: "claude-sonnet", max_tokens: 5, messages, stream: true }).then(async (stream) => {
    for await (const _ of stream);
  }), /None of the allowed endpoints returned a response/);
});

for (const [name, ask, first, word, end] of [["Anthropic", message, START + WORD, WORD, END], ["OpenAI, usage hidden", chat, CHUNK, CHUNK, CHUNKS_END]]) {
  test(`field_15 ${name}: a pause in mid-stream is bridged with keep-alives, and no byte is lost`, async () => {
    answer = async (response) => {
      begin(response).write(first);
      await sleep(2600);
      for (let i = 0; i < 3; i++) {
        response.write(word);
        await sleep(50);
      }
      response.end(end);
    };
    const response = await ask("patient", { stream: true });
    const text = await response.text();
    const alive = /event: ping\ndata: \{"type": "ping"\}\n\n|: keep-alive\n\n/g;
    assert.ok(text.match(alive)?.length >= 1, text);
    const kept = name === "Anthropic" ? end : end.replace(/data: [^\n]*"choices":\[\][^\n]*\n\n/, "");
    assert.equal(text.replaceAll(alive, ""), first + word.repeat(3) + kept);
    const row = await rowOf(response);
    assert.deepEqual([row.outcome, row.output, row.estimated], ["ok", 5, false]);
  });
}

// ---- clients that do not wait

for (const [name, ask, word, end] of [["Anthropic", message, WORD, END], ["OpenAI, usage hidden", chat, CHUNK, CHUNKS_END]]) {
  test(`field_06 ${name}: with on_disconnect = "finish" the answer comes to its end, and usage is exact`, async () => {
    answer = async (response) => {
      begin(response).write(name === "Anthropic" ? START + word : word);
      for (let i = 0; i < 20; i++) {
        await sleep(50);
        response.write(word);
      }
      response.end(end);
    };
    const leaving = new AbortController();
    const response = await ask("finishing", { stream: true }, leaving.signal);
    await response.body.getReader().read();
    leaving.abort();
    const row = await rowOf(response);
    assert.deepEqual([row.outcome, row.output, row.estimated], ["client_gone", 5, false]);
    assert.ok(asked[0].closed > 900, `the provider was hung up on after ${asked[0].closed} ms`);
  });
}

test("field_06 a client that leaves while nothing has come: the provider is hung up on, and a row is left", async () => {
  answer = (response) => begin(response).write(START);
  const leaving = new AbortController();
  const response = await message("patient", { stream: true }, leaving.signal);
  leaving.abort();
  const left = Date.now();
  await until(() => asked[0].closed !== undefined, "hanging up");
  assert.ok(asked[0].began + asked[0].closed - left < 1000);
  const row = await rowOf(response);
  assert.deepEqual([row.outcome, row.error, why(row)], ["client_gone", "client_left", ["bedrock-frankfurt client_left"]]);
  assert.ok(row.lost_nano > 0);
});

test("field_06 with on_disconnect = \"finish\" an answer that never begins still leaves its row", async () => {
  answer = (response) => begin(response).write(START);
  const leaving = new AbortController();
  const response = await message("enduring", { stream: true }, leaving.signal);
  leaving.abort();
  let row;
  for (let tries = 0; tries < 250 && !row; tries++) {
    await sleep(100);
    row = stores.rows.find((one) => one.id === response.headers.get("meridian-request-id"));
  }
  assert.deepEqual([row?.outcome, row && why(row)], ["client_gone", ["bedrock-frankfurt client_left"]]);
  assert.ok(asked[0].closed > 10_000, `it was given ${asked[0].closed} ms`);
});

// ---- hedging

test("a second endpoint is asked when the first is slower than it usually is", async () => {
  answer = (response) => setTimeout(() => good(response), 60);
  for (let i = 0; i < 25; i++) await (await message("hedging", { stream: true })).text();
  // On a busy machine one or the other really is slower.
  assert.ok(hosts().filter((host) => host !== FRANKFURT).length <= 3, `${hosts()}`);
  asked.splice(0);
  answer = (response, { host }) => (host === FRANKFURT ? setTimeout(() => good(response), 3000) : good(response));
  const began = Date.now();
  const response = await message("hedging", { stream: true });
  assert.match(await response.text(), /message_stop/);
  assert.ok(Date.now() - began < 2900, `${Date.now() - began} ms`);
  assert.deepEqual(hosts(), [FRANKFURT, IRELAND]);
  assert.equal(response.headers.get("meridian-served-by"), "bedrock-ireland");
  const row = await rowOf(response);
  assert.deepEqual([row.outcome, row.attempts, why(row)], ["ok", 2, ["bedrock-frankfurt hedged"]]);
  assert.ok(row.lost_nano > 0);
  await until(() => asked[0].closed < 2900, "hanging up on the slower one");
  // The slower one may be the second.
  asked.splice(0);
  answer = (response, { host }) => setTimeout(() => good(response), host === FRANKFURT ? 300 : 2000);
  const first = await message("hedging", { stream: true });
  await first.text();
  assert.equal(first.headers.get("meridian-served-by"), "bedrock-frankfurt");
  assert.deepEqual(why(await rowOf(first)), ["bedrock-ireland hedged"]);
});
