// Every fault does what it says, in both dialects where it concerns both.

import assert from "node:assert/strict";
import { request } from "node:http";
import { after, beforeEach, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { CHAT, chat, contentIn, eventsOf, messages, textIn, user } from "./client.mjs";
import { startSimulator } from "./simulator.mjs";

const sim = await startSimulator();
after(() => sim.close());
beforeEach(() => sim.reset());

const STREAM = { stream: true };

async function faulted(fault, ask = chat, body = STREAM, options) {
  sim.fault({ fault });
  return ask(sim, body, options);
}

test("rules: host, end of the path, number of times, first match", async () => {
  sim.fault({ host: "api.anthropic.com", times: 2, fault: { status: 529 } });
  sim.fault({ path: "/chat/completions", times: 0, fault: { status: 500 } });
  const statuses = [];
  for (const ask of [chat, messages, chat, messages, messages]) statuses.push((await ask(sim)).status);
  assert.deepEqual(statuses, [500, 529, 500, 529, 200]);
  assert.throws(() => sim.fault({ fault: { split: "bits" } }), /split/);
  assert.throws(() => sim.fault({ hosts: "x", fault: {} }), /hosts/);
});

test("status: native body, extra headers, body and content type replaced", async () => {
  const limited = await faulted({ status: 429, headers: { "Retry-After": "7" } });
  assert.deepEqual([limited.status, limited.headers["retry-after"]], [429, "7"]);
  assert.equal(JSON.parse(limited.text).error.code, "rate_limit_exceeded");
  const overloaded = JSON.parse((await faulted({ status: 529 }, messages)).text);
  assert.equal(overloaded.error.type, "overloaded_error");
  const page = await faulted({ status: 502, body: "<html>", content_type: "text/html" });
  assert.deepEqual([page.status, page.text, page.headers["content-type"]], [502, "<html>", "text/html"]);
  assert.deepEqual(JSON.parse((await faulted({ body: { odd: 1 } })).text), { odd: 1 });
});

test("refuse_connection and hang: no byte of an answer, and the log knows", async () => {
  await assert.rejects(faulted({ refuse_connection: true }), { code: "ECONNRESET" });
  sim.fault({ fault: { hang: true } });
  const headers = { "x-simulated-host": "api.openai.com" };
  const req = request(sim.url, { path: CHAT, method: "POST", headers, agent: false });
  req.on("error", () => {});
  req.end("{}");
  setTimeout(() => req.destroy(), 60);
  while (sim.log.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await sim.idle();
  assert.deepEqual(sim.log.map((entry) => [entry.status, entry.finished, entry.bytes_sent]),
    [[null, "cut", 0], [null, "client_closed", 0]]);
  assert.ok(sim.log[1].closed_after_ms >= 30);
});

test("delays: before the headers, before the first chunk, between chunks", async () => {
  const late = await faulted({ delay_first_ms: 80 });
  assert.ok(late.headMs >= 75, `${late.headMs}`);
  const stalled = await faulted({ delay_headers_to_first_chunk_ms: 80 });
  assert.ok(stalled.pieceMs[0] - stalled.headMs >= 70, `${stalled.pieceMs[0] - stalled.headMs}`);
  const slow = await faulted({ chunks: 5, delay_between_ms: 20 });
  assert.ok(slow.pieceMs.at(-1) - slow.pieceMs[0] >= 75);
});

test("chunks, chunk_words, text", async () => {
  for (const ask of [chat, messages]) {
    const many = contentIn(eventsOf((await faulted({ chunks: 7, chunk_words: 3 }, ask)).text));
    assert.equal(many.length, 7);
    assert.ok(many.every((chunk) => chunk.trim().split(" ").length === 3));
    const text = "  Exactly this,\nnaïve 🌿 text. ";
    const said = eventsOf((await faulted({ text }, ask)).text);
    assert.equal(textIn(said), text);
  }
});

test("the prompt can ask for faults; a rule wins over it", async () => {
  const asking = { ...STREAM, messages: user('Go. [[sim: {"chunks": 4, "usage": {"completion_tokens": 9}}]]') };
  assert.equal(contentIn(eventsOf((await chat(sim, asking)).text)).length, 4);
  assert.equal(contentIn(eventsOf((await faulted({ chunks: 2 }, chat, asking)).text)).length, 2);
  assert.deepEqual(sim.log[1].fault, { chunks: 2, usage: { completion_tokens: 9 } });
  const wrong = await chat(sim, { messages: user('[[sim: {"chunkz": 4}]]') });
  assert.deepEqual([wrong.status, /chunkz/.test(wrong.text)], [400, true]);
});

test("cut_at_byte: exactly that many bytes, then no proper end", async () => {
  for (const cut of [0, 1, 100, 701]) {
    const answer = await faulted({ cut_at_byte: cut });
    assert.deepEqual([answer.bytes.length, answer.complete], [cut, false]);
  }
  const body = await faulted({ cut_at_byte: 50 }, messages, {});
  assert.deepEqual([body.bytes.length, body.complete], [50, false]);
  await sim.idle();
  assert.deepEqual(sim.log.map(({ finished, bytes_sent }) => [finished, bytes_sent]),
    [0, 1, 100, 701, 50].map((cut) => ["cut", cut]));
});

test("error_at_chunk: native error in place of the nth chunk, and the stream ends", async () => {
  for (const [ask, type] of [[chat, "server_error"], [messages, "overloaded_error"]]) {
    for (const [at, before] of [[0, 0], [1, 0], [4, 3], [60, 59]]) {
      const events = eventsOf((await faulted({ error_at_chunk: at }, ask)).text);
      const last = events.at(-1);
      assert.equal(last.json.error.type, type);
      assert.equal(last.event, ask === messages ? "error" : null);
      assert.equal(contentIn(events).length, before);
      if (at === 0) assert.equal(events.length, 1);
    }
  }
});

test("split and crlf: the same stream in other pieces", async () => {
  const plain = (await faulted({ text: "größer 東京 🌿" }, messages)).text;
  for (const split of ["byte", 5]) {
    const answer = await faulted({ text: "größer 東京 🌿", split, crlf: true }, messages);
    assert.ok(answer.pieces.every((piece) => piece.length <= (split === "byte" ? 1 : split)));
    const ids = /"(id|request_id)":"[^"]*"/g;
    assert.equal(answer.text.replaceAll("\r\n", "\n").replace(ids, ""), plain.replace(ids, ""));
    assert.equal(answer.text.split("\n").length, answer.text.split("\r\n").length);
  }
});

test("one write per event", async () => {
  const answer = await chat(sim, STREAM);
  assert.equal(answer.pieces.length, eventsOf(answer.text).length);
});

test("no_done, comments, garbage, gzip", async () => {
  assert.ok(!(await faulted({ no_done: true })).text.includes("[DONE]"));
  assert.ok(!(await faulted({ no_done: true }, messages)).text.includes("message_stop"));
  const noisy = await faulted({ comments: true, crlf: true });
  assert.equal(noisy.text.match(/^: keepalive\r$/gm).length, eventsOf(noisy.text).length);
  const garbled = eventsOf((await faulted({ garbage: true })).text);
  assert.equal(garbled.filter(({ data, json }) => json === null && data !== "[DONE]").length, 1);
  const half = await faulted({ garbage: true }, messages, {});
  assert.throws(() => JSON.parse(half.text), SyntaxError);
  assert.equal(half.complete, true);
  const accepting = { headers: { "accept-encoding": "gzip" } };
  const packed = await faulted({ gzip: true }, chat, STREAM, accepting);
  assert.equal(packed.headers["content-encoding"], "gzip");
  assert.ok(gunzipSync(packed.bytes).toString().endsWith("data: [DONE]\n\n"));
  assert.ok(packed.pieces.length > 5);
});

test("usage: laid over what is reported, or left out", async () => {
  const cached = { prompt_tokens: 2000, prompt_tokens_details: { cached_tokens: 1920 } };
  const { usage } = JSON.parse((await faulted({ usage: cached }, chat, {})).text);
  assert.equal(usage.prompt_tokens, 2000);
  assert.deepEqual(usage.prompt_tokens_details, { cached_tokens: 1920, audio_tokens: 0 });
  assert.equal(usage.total_tokens, 2000 + usage.completion_tokens);

  const caching = { cache_creation_input_tokens: 30, cache_read_input_tokens: 400 };
  const events = eventsOf((await faulted({ usage: caching }, messages)).text).map(({ json }) => json);
  const start = events[0].message.usage;
  assert.deepEqual([start.cache_read_input_tokens, start.cache_creation.ephemeral_5m_input_tokens], [400, 30]);
  const end = events.find(({ type }) => type === "message_delta").usage;
  assert.deepEqual([end.cache_creation_input_tokens, end.cache_read_input_tokens], [30, 400]);
  assert.ok(end.output_tokens > start.output_tokens);

  const asked = { ...STREAM, stream_options: { include_usage: true } };
  assert.ok(!(await faulted({ omit_usage: true }, chat, asked)).text.includes("usage"));
  assert.ok(!(await faulted({ omit_usage: true }, messages)).text.includes("usage"));
});

test("a client that leaves during a stream is seen to have left", async () => {
  sim.fault({ fault: { chunks: 50, delay_between_ms: 200 } });
  const headers = { "x-simulated-host": "api.openai.com", authorization: "Bearer k" };
  const req = request(sim.url, { path: CHAT, method: "POST", headers, agent: false }, (res) => {
    res.once("data", () => req.destroy());
  });
  req.on("error", () => {});
  req.end(JSON.stringify({ model: "m", stream: true, messages: user("Hi") }));
  while (sim.log.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
  await sim.idle();
  assert.deepEqual([sim.log[0].status, sim.log[0].finished], [200, "client_closed"]);
  assert.ok(sim.log[0].closed_after_ms < 9000);
});
