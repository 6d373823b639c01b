// What a host answers about the responses that it stored: the response itself, what
// it was asked, its deletion, and the end of one that goes on in the background.

import { deleted, keptFor } from "./responses-kept.mjs";

const PATH = /\/responses\/([^/]+)(\/cancel|\/input_items)?$/;
const METHODS = { "": ["GET", "DELETE"], "/cancel": ["POST"], "/input_items": ["GET"] };
const INCLUDABLE = ["include", "include[]", "limit", "after", "before", "order"];

const wholes = new Map();

// Of answers in the background, what is told of them until they are over: once.
const begun = new Map();

export const keepBegun = (id, response) => begun.set(id, response);

export const keepWhole = (id, response) => wholes.set(id, JSON.stringify(response));

/** The response that a path names, and what is asked of it; or null. */
export function route(pathname, method) {
  const [, id, tail = ""] = PATH.exec(pathname) ?? [];
  if (id === undefined || !METHODS[tail].includes(method)) return null;
  return { id: decodeURIComponent(id), tail };
}

export function answer({ id, tail, method, host, path, body }, errorBody) {
  const refuse = (status, message) => ({ status, body: errorBody(status, { type: "invalid_request_error", message, code: null }) });
  const kept = keptFor(id, host);
  if (!kept) return refuse(404, `Response with id '${id}' not found.`);
  if (body) return refuse(400, "This takes no body.");
  const query = new URL(path, "http://host").searchParams;
  for (const name of query.keys()) if (!INCLUDABLE.includes(name)) return refuse(400, `Unknown parameter: '${name}'.`);
  if (tail === "/cancel") {
    const { background } = JSON.parse(wholes.get(id));
    if (!background) return refuse(400, "Cannot cancel a synchronous response.");
    const running = begun.get(id);
    if (running) keepWhole(id, { ...running, status: "cancelled" });
    begun.delete(id);
    return { status: 200, body: wholes.get(id) };
  }
  if (tail === "/input_items") return { status: 200, body: JSON.stringify(itemsOf(kept.input, Number(query.get("limit") ?? 20))) };
  if (method === "GET") {
    const running = begun.get(id);
    begun.delete(id);
    return { status: 200, body: running ? JSON.stringify(running) : wholes.get(id) };
  }
  deleted(id);
  return { status: 200, body: JSON.stringify({ id, object: "response", deleted: true }) };
}

function itemsOf(input, limit) {
  const said = typeof input === "string" ? [{ type: "message", role: "user", content: [{ type: "input_text", text: input }] }] : (input ?? []);
  const all = said.map((item, i) => ({ id: `msg_in_${i}`, type: "message", status: "completed", ...item }));
  const data = all.slice(0, limit);
  return { object: "list", data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: data.length < all.length };
}
