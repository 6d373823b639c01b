// The load: requests at a given concurrency, each answer checked, and what a
// client sees of it: first byte, time between chunks.
import http from "node:http";
import { KEY } from "./rig.mjs";

const messages = [{ role: "user", content: "Tell me something about the weather in Vienna, please." }];
const openai = { path: "/v1/chat/completions", model: "gpt-mini" };
const asking = { stream: true, stream_options: { include_usage: true } };

/** What is measured. `chunks` is how many content events the client must see. */
export const VARIANTS = {
  json: { ...openai, body: {}, chunks: 0, requests: { 1: 300, 16: 1200 } },
  stream200: { ...openai, body: asking, chunks: 200, requests: { 1: 60, 16: 240 } },
  stream200_hidden_usage: { ...openai, body: { stream: true }, chunks: 200, requests: { 1: 60, 16: 240 } },
  messages200: { path: "/v1/messages", model: "claude-sonnet", body: { stream: true, max_tokens: 300 }, chunks: 200, requests: { 1: 60, 16: 240 } },
  // The gateway asks Anthropic's dialect; what the floor forwards is as long.
  translated200: { path: "/v1/chat/completions", model: "claude-sonnet", body: { ...asking, max_completion_tokens: 300 }, chunks: 200, requests: { 1: 60, 16: 240 } },
  slow50: { ...openai, body: { ...asking, seed: 2 }, chunks: 50, requests: { 1: 3, 16: 48 } },
};

/** Sends `count` requests, `atOnce` at a time. */
export async function load(port, variant, count, atOnce, headers = {}) {
  const { path, model, body, chunks } = VARIANTS[variant];
  // The floor passes on what it gets, so it is sent what the gateway would make of it.
  const text = JSON.stringify({ model, messages, ...body });
  const seen = [];
  // New connections each time: one left over from the last turn may just be closing.
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  let left = count;
  const began = process.hrtime.bigint();
  const worker = async () => {
    while (left-- > 0) {
      const one = await request(agent, port, path, text, headers);
      check(one, chunks, variant);
      seen.push(one);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const seconds = ms(began) / 1000;
  agent.destroy();
  return { seconds, firstBytes: seen.map((one) => one.first), gaps: seen.flatMap((one) => one.gaps) };
}

function request(agent, port, path, body, more) {
  return new Promise((resolve, reject) => {
    const began = process.hrtime.bigint();
    const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json", "content-length": Buffer.byteLength(body), "anthropic-version": "2023-06-01", ...more };
    const sent = http.request({ host: "127.0.0.1", port, path, method: "POST", headers, agent }, (response) => {
      const parts = [];
      const gaps = [];
      let first, last;
      response.on("data", (part) => {
        const now = process.hrtime.bigint();
        first ??= Number(now - began) / 1e6;
        if (last) gaps.push(Number(now - last) / 1e6);
        last = now;
        parts.push(part);
      });
      response.on("end", () => resolve({ status: response.statusCode, first, gaps, text: Buffer.concat(parts).toString() }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function check({ status, text }, chunks, variant) {
  const words = text.split("word").length - 1;
  const whole = chunks === 0 ? words === 60 && text.endsWith("}") : words === chunks && /\[DONE\]\n\n$|message_stop"}\n\n$/.test(text);
  if (status !== 200 || !whole) throw new Error(`${variant}: status ${status}, ${words} words, ends with ${JSON.stringify(text.slice(-200))}`);
}

const ms = (since) => Number(process.hrtime.bigint() - since) / 1e6;
