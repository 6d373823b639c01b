// Bodies that announce more than they send, that are slow, or that are many: what
// one caller does so costs no other. In plain workerd, with sockets by hand.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { KEY, close, listen, startStores, startWorker } from "../bench/rig.mjs";

const MIB = 1024 * 1024;
// Keys of two other teams than that of KEY.
const OTHER = "mk_other00000_0123456789abcdef0123456789abcdef";
const THIRD = "mk_third00000_0123456789abcdef0123456789abcdef";
const REPLY = '{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}}';
const WORD = 'data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"hi"},"finish_reason":null}]}\n\n';
const END = 'data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
const reply = (response) => response.writeHead(200, { "content-type": "application/json" }).end(REPLY);
let [answer, stores, provider, gateway] = [reply];
before(async () => {
  provider = http.createServer((request, response) => request.on("data", () => {}).on("end", () => answer(response)));
  stores = await startStores();
  for (const [key, team] of [[OTHER, "other"], [THIRD, "third"]]) stores.kv.set(`key:${createHash("sha256").update(key).digest("hex")}`, JSON.stringify({ id: `${team}00000`, team, created: "2026-11-20T00:00:00Z" }));
  gateway = await startWorker({ stores, upstream: await listen(provider), secrets: ["OPENAI_EU_KEY", "OPENAI_US_KEY"] });
  for (const key of [KEY, OTHER, THIRD]) assert.equal((await call(10, { key })).status, 200);
});
beforeEach(() => (answer = reply));
after(async () => {
  gateway.close();
  await Promise.all([stores.close(), close(provider)]);
});

const PATH = "/v1/chat/completions";
const body = (bytes, stream = false) => `{"model":"gpt-mini","stream":${stream},"messages":[{"role":"user","content":"${"x".repeat(bytes)}"}]}`;
const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid()}/status`, "utf8"))[1]) / 1024;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One call; `onData` gets the answer as it comes. */
function call(bytes, { key = KEY, stream = false, onData } = {}) {
  return new Promise((resolve, reject) => {
    const text = body(bytes, stream);
    const request = http.request(gateway.url + PATH, { method: "POST", agent: false, headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "content-length": Buffer.byteLength(text) } }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part) && onData?.(part));
      response.on("end", () => {
        const text = Buffer.concat(parts).toString();
        resolve({ status: response.statusCode, headers: response.headers, json: stream ? undefined : JSON.parse(text), text });
      });
    });
    request.on("error", reject);
    request.end(text);
  });
}

/** A socket that sends only the beginning of a body, with its length announced or in chunks. */
function begin(announced, text, { key = KEY } = {}) {
  const socket = net.connect(new URL(gateway.url).port, "127.0.0.1");
  const opened = { socket, said: "" };
  const length = announced === undefined ? "transfer-encoding: chunked" : `content-length: ${announced}`;
  opened.closed = new Promise((resolve) => socket.on("close", resolve));
  socket.on("data", (data) => (opened.said += data)).on("error", () => {});
  socket.write(`POST ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n${length}\r\n\r\n`);
  opened.sent = new Promise((resolve) => socket.write(announced === undefined ? `${text.length.toString(16)}\r\n${text}\r\n` : text, resolve));
  return opened;
}

async function said(opened, pattern, within) {
  const until = Date.now() + within;
  while (!pattern.test(opened.said)) {
    if (Date.now() > until) assert.fail(`${pattern} was not said within ${within} ms: ${opened.said.slice(0, 300)}`);
    await sleep(50);
  }
}

test("guard_bodies nothing is set aside for what is announced and does not come, and it ends in time", async () => {
  const before = memory();
  const sockets = Array.from({ length: 128 }, () => begin(32 * MIB, '{"model":'));
  await sleep(1000);
  assert.equal((await call(100_000)).status, 200, "a neighbour is served meanwhile");
  const grew = memory() - before;
  console.log(`# 128 sockets that announce 32 MiB each and send nine bytes: the process grew by ${grew.toFixed(0)} MB`);
  assert.ok(grew < 64, `${grew.toFixed(0)} MB`);
  await said(sockets[0], /408 Request Timeout[^]*body_timeout/, 25_000);
  assert.equal((await call(10)).status, 200);
  for (const { socket } of sockets) socket.destroy();
});

const BUSY = /503 Service Unavailable[^]*gateway_busy/;

/** Ends what a test has opened, and waits until its room is free: all that one body can take. */
async function end(...opened) {
  for (const { socket } of opened) socket.destroy();
  const until = Date.now() + 20_000;
  while ((await call(31 * MIB)).status !== 200) {
    assert.ok(Date.now() < until, "its room was not given back");
    await sleep(200);
  }
}

test("guard_bodies large bodies that are held keep no small one out, and what is refused says when to come again", async () => {
  const large = begin(32 * MIB, body(30 * MIB).slice(0, 30 * MIB));
  await large.sent;
  await sleep(500);
  assert.equal((await call(100_000)).status, 200, "a small body has room");
  const refused = await call(20 * MIB);
  assert.deepEqual([refused.status, refused.json.error.code], [503, "gateway_busy"], "of the same team");
  assert.ok(Number(refused.headers["retry-after"]) > 0);
  // It is read to its end first: its sender would see a broken connection instead.
  const text = body(5 * MIB);
  const reads = begin(text.length, text.slice(0, 2 * MIB));
  await sleep(500);
  assert.equal(reads.said, "");
  reads.socket.write(text.slice(2 * MIB));
  await said(reads, BUSY, 2_000);
  reads.socket.destroy();
  assert.equal(large.said, "");
  await end(large);
});

test("guard_bodies one that is large and slow makes room for another team's at once", async () => {
  const slow = begin(32 * MIB, body(30 * MIB).slice(0, 30 * MIB));
  await slow.sent;
  await sleep(500);
  // What has room beside it costs it nothing.
  assert.equal((await call(2 * MIB, { key: OTHER })).status, 200);
  assert.equal(slow.said, "");
  for (const bytes of [5 * MIB, 20 * MIB]) {
    const began = Date.now();
    const other = await call(bytes, { key: OTHER });
    assert.equal(other.status, 200, JSON.stringify(other.json));
    console.log(`# beside a slow body of 30 MiB one of ${bytes / MIB} MiB is served within ${Date.now() - began} ms`);
  }
  await said(slow, BUSY, 2_000);
  assert.match(slow.said, /retry-after: \d/i);
  assert.match(slow.said, /"type":"server_error"/, "in its dialect");
  await end(slow);
});

test("guard_bodies many that stay just below a large one leave room for another team's", async () => {
  const slow = [KEY, THIRD].flatMap((key) => Array.from({ length: 40 }, () => begin(undefined, body(MIB).slice(0, MIB - 1000), { key })));
  await sleep(2000);
  for (const bytes of [100_000, 10 * MIB]) {
    const began = Date.now();
    const other = await call(bytes, { key: OTHER });
    assert.equal(other.status, 200, JSON.stringify(other.json));
    console.log(`# beside 80 slow ones of two teams, of just below 1 MiB, one of ${bytes} bytes is served within ${Date.now() - began} ms`);
  }
  // What is refused is read for ten seconds before its sender is told.
  await sleep(11_000);
  const busy = slow.filter((one) => BUSY.test(one.said)).length;
  console.log(`# ${busy} of the 80 were refused or have ended`);
  assert.ok(busy > 80 - 36 && busy < 80, `${busy}`);
  await end(...slow);
});

test("guard_bodies a call that waits for its provider ends for no other, and its body is released when the answer begins", async () => {
  let waiting;
  answer = (response) => (waiting = response);
  let heard;
  const first = new Promise((resolve) => (heard = resolve));
  const waits = call(30 * MIB, { stream: true, onData: heard });
  for (let tries = 0; waiting === undefined && tries < 400; tries++) await sleep(50);
  assert.ok(waiting, "the provider was not asked");
  answer = reply;
  assert.equal((await call(100_000, { key: OTHER })).status, 200);
  assert.equal((await call(20 * MIB, { key: OTHER })).status, 503, "a complete body does not end");
  waiting.writeHead(200, { "content-type": "text/event-stream" });
  waiting.write(WORD);
  await first;
  assert.equal((await call(20 * MIB, { key: OTHER })).status, 200, "and is not held any more");
  waiting.end(END);
  const served = await waits;
  assert.equal(served.status, 200);
  assert.match(served.text, /\[DONE\]/);
});
