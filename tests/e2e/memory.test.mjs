// How much memory large bodies and many streams take, in plain workerd: what
// its process grows by at most, beside what it had before.
// Alone: it measures memory.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { after, before, test } from "node:test";
import { KEY, close, freePort, listen, startStores, startWorker } from "../bench/rig.mjs";

const MB = 1024 * 1024;
const ADMIN = "ma_memory0000_0123456789abcdef0123456789abcdef01234567";
const FRANKFURT = "bedrock-runtime.eu-central-1.amazonaws.com";
let stores, provider, upstream, answer;
const asked = [];
before(async () => {
  provider = http.createServer((request, response) => {
    let length = 0;
    request.on("data", (part) => (length += part.length));
    request.on("end", () => {
      if (request.method === "GET") return response.end();
      asked.push({ host: request.headers.host, length });
      answer(response, request.headers.host);
    });
  });
  upstream = await listen(provider);
  stores = await startStores();
  stores.kv.set(`admin:key:${createHash("sha256").update(ADMIN).digest("hex")}`, JSON.stringify({ id: "a", who: "otto@example.com", roles: ["viewer"], created: "2026-11-20T00:00:00Z" }));
});
after(async () => {
  await stores.close();
  await close(provider);
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const status = (pid, field) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
// From here on the highest mark counts anew, where the kernel has that.
function mark(pid) {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {}
}

function post(port, path, body, onResponse) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json", "content-length": Buffer.byteLength(body), "anthropic-version": "2023-06-01" };
    const request = http.request({ host: "127.0.0.1", port, path, method: "POST", headers, agent: false }, onResponse ?? ((response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(parts).toString() }));
    }));
    request.on("error", reject);
    request.end(body);
  });
}

const whole = '{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":5}}';
const picture = (bytes) => "iVBORw0KGgo" + "A".repeat(bytes);
const IMAGES = {
  "in the same dialect": ["/v1/messages", (data) => ({ model: "claude-sonnet", max_tokens: 5, messages: [{ role: "user", content: [{ type: "image", source: { type: "base64", media_type: "image/png", data } }] }] })],
  "translated": ["/v1/chat/completions", (data) => ({ model: "claude-sonnet", messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: `data:image/png;base64,${data}` } }] }] })],
};

for (const [name, [path, body]] of Object.entries(IMAGES)) {
  test(`20 MB of pictures, ${name}, with one failover take at most three copies`, async () => {
    const gateway = await startWorker({ stores, upstream, secrets: ["BEDROCK_EU_KEY"] });
    try {
      const pid = gateway.pid();
      let failing = () => false;
      answer = (response, host) => response.writeHead(failing(host) ? 529 : 200, { "content-type": "application/json" }).end(failing(host) ? "{}" : whole);
      for (let i = 0; i < 20; i++) await post(gateway.port, path, JSON.stringify(body(picture(1000))));
      asked.splice(0);
      failing = (host) => host === FRANKFURT;
      const text = JSON.stringify(body(picture(20 * MB)));
      mark(pid);
      const before = status(pid, "VmRSS");
      const { status: code, headers } = await post(gateway.port, path, text);
      const grew = status(pid, "VmHWM") - before;
      assert.equal(code, 200);
      assert.equal(headers["meridian-served-by"], "bedrock-ireland");
      console.log(`# ${name}: ${asked.map(({ host, length }) => `${host.split(".")[1]} ${(length / MB).toFixed(1)} MB`).join(", ")}; the process grew by ${grew.toFixed(0)} MB, ${(grew / (text.length / MB)).toFixed(1)} copies`);
      assert.ok(grew < 3 * (text.length / MB), `${grew.toFixed(0)} MB`);
    } finally {
      gateway.close();
    }
  });
}

const sse = (type, more) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const BEGIN = sse("message_start", { message: { id: "m", type: "message", role: "assistant", model: "m", content: [], stop_reason: null, usage: { input_tokens: 3, output_tokens: 1 } } });
const WORD = sse("content_block_delta", { index: 0, delta: { type: "text_delta", text: "word " } });
const END = sse("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } }) + sse("message_stop", {});
const MANY = 1000;

// What counts against Cloudflare's 128 MB: V8's heap, what hangs on it, and
// wasm's memory, of what is in use. V8 collects the rest when it comes near the
// limit; workerd here sets none, so it is told to. What workerd itself needs for
// connections does not count; a worker that only forwards takes 100 KB of that a
// stream, a pipe and a tee 250 more.
// Empty where the inspector is silent.
async function isolateMb(gateway, inspector) {
  const [target] = await (await fetch(`http://127.0.0.1:${inspector}/json`)).json();
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((resolve) => (socket.onopen = resolve));
  // Both in one go: what calls leave behind between the two would count as in
  // use. An isolate that has just nothing to do may not hear its inspector.
  const usage = await Promise.race([sleep(2000), new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      const { id, result } = JSON.parse(data);
      if (id === 2) resolve(result);
    };
    for (const [id, method] of [[1, "HeapProfiler.collectGarbage"], [2, "Runtime.getHeapUsage"]]) socket.send(JSON.stringify({ id, method }));
  })]);
  socket.close();
  if (usage === undefined) return [];
  const health = await (await fetch(`${gateway.url}/admin/v1/health`, { headers: { authorization: `Bearer ${ADMIN}` } })).json();
  return [(usage.usedSize + usage.embedderHeapUsedSize + usage.backingStorageSize + health.wasm_memory_bytes) / MB];
}

for (const [name, path, body] of [
  ["in the same dialect", "/v1/messages", { model: "claude-sonnet", max_tokens: 5 }],
  ["translated", "/v1/chat/completions", { model: "claude-sonnet" }],
]) {
  test(`a thousand slow streams at once, ${name}, stay within 128 MB`, async () => {
    const inspector = await freePort();
    const gateway = await startWorker({ stores, upstream, secrets: ["BEDROCK_EU_KEY"], args: [`--inspector-addr=127.0.0.1:${inspector}`] });
    try {
      let open = 0;
      let most = 0;
      const seen = [];
      answer = (response) => {
        most = Math.max(most, ++open);
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(BEGIN + WORD);
        // They end, all at about the same time, when enough was seen of them.
        const timer = setInterval(() => {
          if (most < MANY || seen.length < 8) return response.write(WORD);
          clearInterval(timer);
          open -= 1;
          response.end(END);
        }, 500);
      };
      const ask = () => post(gateway.port, path, JSON.stringify({ ...body, stream: true, messages: [{ role: "user", content: "hi" }] }));
      const rows = stores.rows.length;
      const before = status(gateway.pid(), "VmRSS");
      let over = false;
      const streams = Promise.all(Array.from({ length: MANY }, ask)).finally(() => (over = true));
      while (!over) {
        await sleep(300);
        seen.push(...(await isolateMb(gateway, inspector)));
      }
      const all = await streams;
      const process = status(gateway.pid(), "VmHWM") - before;
      console.log(`# ${name}: ${most} streams at once; the isolate had ${Math.max(...seen).toFixed(0)} MB at most, the process grew by ${process.toFixed(0)} MB`);
      assert.equal(most, MANY);
      assert.ok(all.every(({ text }) => /message_stop|\[DONE\]/.test(text)), "every stream ended well");
      assert.ok(seen.length >= 8, "the inspector told too little");
      assert.ok(Math.max(...seen) < 128, `${seen.map(Math.round)} MB`);
      for (let tries = 0; tries < 80 && stores.rows.length < rows + MANY; tries++) await sleep(50);
      assert.equal(stores.rows.length, rows + MANY);
    } finally {
      gateway.close();
    }
  });
}
