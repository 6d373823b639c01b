// What the simulator's own tests use to talk to it: plain HTTP, down to the
// single pieces in which a body arrives.

import { request } from "node:http";

export const CHAT = "/v1/chat/completions";
export const MESSAGES = "/v1/messages";

const KEYS = {
  "api.openai.com": { authorization: "Bearer test-key" },
  "api.anthropic.com": { "x-api-key": "test-key", "anthropic-version": "2023-06-01" },
};

export const user = (content) => [{ role: "user", content }];

/** A request to one provider; `body` may be a value or a string sent as it is. */
export function send(sim, { host = "api.openai.com", path = CHAT, method = "POST", headers = {}, body }) {
  const known = host === null ? {} : { "x-simulated-host": host, ...KEYS[host] };
  const bytes = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  return exchange(sim, { path, method, headers: { "content-type": "application/json", ...known, ...headers } }, bytes);
}

export function chat(sim, body = {}, options = {}) {
  return send(sim, { body: { model: "sim-small", messages: user("Tell me something."), ...body }, ...options });
}

export function messages(sim, body = {}, options = {}) {
  return send(sim, {
    host: "api.anthropic.com",
    path: MESSAGES,
    body: { model: "sim-large", max_tokens: 500, messages: user("Tell me something."), ...body },
    ...options,
  });
}

/** → {status, headers, text, bytes, pieces, complete, headMs, pieceMs}; rejects if no head came. */
function exchange(sim, options, body) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const req = request(sim.url, { ...options, agent: false }, (res) => {
      const headMs = performance.now() - started;
      const pieces = [];
      const pieceMs = [];
      res.on("data", (piece) => {
        pieces.push(piece);
        pieceMs.push(performance.now() - started);
      });
      res.on("error", () => {}); // seen as complete: false
      res.on("close", () => {
        const bytes = Buffer.concat(pieces);
        const { statusCode: status, headers, complete } = res;
        resolve({ status, headers, text: bytes.toString(), bytes, pieces, complete, headMs, pieceMs });
      });
    });
    req.on("error", reject);
    req.end(body);
  });
}

/** The events of a stream: {event, data, json}; json is null where data is not JSON. */
export function eventsOf(text) {
  return text
    .split(/\r?\n\r?\n/)
    .filter((block) => /^data: /m.test(block))
    .map((block) => {
      const data = /^data: (.*?)\r?$/m.exec(block)[1];
      return { event: /^event: (.*?)\r?$/m.exec(block)?.[1] ?? null, data, json: parsed(data) };
    });
}

function parsed(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

/** The text a stream of either dialect carries. */
export function textIn(events) {
  return contentIn(events).join("");
}

export function contentIn(events) {
  return events
    .map(({ json }) => json?.choices?.[0]?.delta?.content ?? json?.delta?.text)
    .filter((text) => typeof text === "string" && text !== "");
}
