// The gateway in plain workerd, with what it costs: the CPU of its process, the
// memory of its wasm, and what a neighbour waits.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { KEY, close, listen, startStores, startWorker } from "../bench/rig.mjs";

// Tells how large the memory of wasm is.
const FRONT = `
const memories = [];
const Instance = WebAssembly.Instance;
WebAssembly.Instance = function (module, imports) {
  const made = new Instance(module, imports);
  memories.push(made.exports.memory);
  return made;
};
const { default: gateway, Ledger } = await import("./index.js");
export { Ledger };
export default {
  fetch(request, env, ctx) {
    if (!request.url.endsWith("/memory")) return gateway.fetch(request, env, ctx);
    return new Response(String(memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)));
  },
};
`;

const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };
const CHAT = JSON.stringify({ id: "c", object: "chat.completion", model: "m", choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }], usage });
const MESSAGE = JSON.stringify({ id: "m", type: "message", role: "assistant", model: "m", content: [{ type: "text", text: "hi" }], stop_reason: "end_turn", usage: { input_tokens: 3, output_tokens: 5 } });
const RESPONSE = JSON.stringify({ id: "r", object: "response", status: "completed", model: "m", output: [{ type: "message", id: "i", role: "assistant", status: "completed", content: [{ type: "output_text", text: "hi", annotations: [] }] }], usage: { input_tokens: 3, output_tokens: 5, total_tokens: 8, input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } } });
const REPLIES = [["/messages", MESSAGE], ["/responses", RESPONSE], ["", CHAT]];
/** The key of another team. */
export const NEIGHBOUR = "mk_next00000_0123456789abcdef0123456789abcdef";
const hash = (key) => createHash("sha256").update(key).digest("hex");

/** Providers that take anything, and the stores. */
export async function surroundings() {
  const provider = http.createServer((request, response) => {
    request.on("data", () => {}).on("end", () => {
      response.writeHead(200, { "content-type": "application/json" }).end(REPLIES.find(([path]) => request.url.includes(path))[1]);
    });
  });
  const [stores, upstream] = await Promise.all([startStores(), listen(provider)]);
  stores.kv.set(`key:${hash(NEIGHBOUR)}`, JSON.stringify({ id: "next00000", team: "next", created: "2026-11-20T00:00:00Z" }));
  return { stores, upstream, close: () => Promise.all([stores.close(), close(provider)]) };
}

/** A gateway that is warm. */
export async function start({ stores, upstream }, build) {
  const worker = await startWorker({ build, front: FRONT, stores, upstream, secrets: ["OPENAI_EU_KEY", "OPENAI_US_KEY", "BEDROCK_EU_KEY", "BEDROCK_US_KEY"] });
  const agent = new http.Agent({ keepAlive: true });
  const ask = (method, path, body, headers = {}) => new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port: worker.port, path, method, agent, headers }, (response) => {
      const parts = [];
      response.on("data", (data) => parts.push(data));
      response.on("end", () => resolve({ status: response.statusCode, text: Buffer.concat(parts).toString() }));
    });
    request.on("error", reject);
    request.end(body);
  });
  const gateway = {
    worker,
    post: (path, body, key = KEY, more = {}) => ask("POST", path, body, { authorization: `Bearer ${key}`, "content-type": "application/json", "content-length": Buffer.byteLength(body), "anthropic-version": "2023-06-01", ...more }),
    health: () => ask("GET", "/healthz"),
    memory: async () => Number((await ask("GET", "/memory")).text),
    /** The CPU that each thread of its process has had, in nanoseconds. */
    cpu() {
      const tasks = `/proc/${worker.pid()}/task`;
      const times = new Map();
      for (const task of readdirSync(tasks)) {
        try {
          times.set(task, Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]));
        } catch {} // A thread that has just ended.
      }
      return times;
    },
    /** What a call costs, in milliseconds. */
    async cost(path, body) {
      // What a thread has had is told once it rests.
      const rest = () => new Promise((resolve) => setTimeout(resolve, 4));
      for (;;) {
        await rest();
        const before = gateway.cpu();
        const { status } = await gateway.post(path, body);
        await rest();
        const after = gateway.cpu();
        // What a thread had that has ended meanwhile is not known.
        if ([...before.keys()].some((task) => !after.has(task))) continue;
        let sum = 0;
        for (const [task, time] of after) sum += time - (before.get(task) ?? 0);
        return { status, cpu: sum / 1e6 };
      }
    },
    /** What others wait at most while a body is served. */
    async wait(path, body) {
      let over = false;
      const served = gateway.post(path, body).finally(() => (over = true));
      let longest = 0;
      do {
        const began = performance.now();
        await gateway.health();
        longest = Math.max(longest, performance.now() - began);
      } while (!over);
      await served;
      return longest;
    },
    /** A connection that announces a body. */
    announce(path, length, start = "") {
      const socket = net.connect(worker.port, "127.0.0.1").on("error", () => {});
      socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${start}`);
      return socket;
    },
    close() {
      agent.destroy();
      worker.close();
    },
  };
  return gateway;
}
