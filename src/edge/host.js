// The platform's calls that would cost many crossings between wasm and
// JavaScript if they were made one by one, each made in one.

// Method, path, country and colo, then the headers, a line each.
export function head(request) {
  const { url, cf } = request;
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const query = url.indexOf("?", start);
  const path = start < 0 ? "/" : url.slice(start, query < 0 ? undefined : query);
  let flat = `${request.method}\n${path}\n${cf?.country ?? ""}\n${cf?.colo ?? ""}`;
  for (const [name, value] of request.headers) flat += `\n${name}: ${value}`;
  return flat;
}

// The query as JSON, a pair of name and value each: all that is asked for,
// since a filter that got lost would make a sum of too much.
export function query(request) {
  return JSON.stringify([...new URL(request.url).searchParams]);
}

// Above this a body goes over piece by piece: to have it whole on this side
// first would be two more copies of it.
export const LARGE = 1024 * 1024;
export const PIECE = 65536;

// Hands the body to `inflow`; false if it is longer than `limit`.
export async function readBody(request, limit, inflow) {
  try {
    if (request.body === null) return true;
    const length = Number(request.headers.get("content-length") ?? Infinity);
    if (length <= LARGE) {
      inflow.push(new Uint8Array(await request.arrayBuffer()));
      return true;
    }
    if (length <= limit) inflow.expect(length);
    // Without a length the sender could go on for ever. What is too long is read
    // on for a while, so that the sender comes to hear why it is refused.
    // One buffer for all pieces: each of its own would be another copy of the body.
    const reader = request.body.getReader({ mode: "byob" });
    let buffer = new ArrayBuffer(PIECE);
    let sum = 0;
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done) return sum <= limit;
      sum += value.byteLength;
      if (sum > 2 * limit) return false;
      if (sum <= limit) inflow.push(value);
      buffer = value.buffer;
    }
  } finally {
    inflow.free();
  }
}

// Reads what the client still sends, within reason, and forgets it.
export async function drain(request) {
  if (request.body === null) return;
  let left = 64 * 1024 * 1024;
  try {
    for await (const part of request.body) {
      left -= part.byteLength;
      if (left < 0) return;
    }
  } catch {
    // The client has left.
  }
}

// An answer to the client. `headers` is one line a header.
export function respond(status, headers, body) {
  return new Response(body, { status, headers: pairs(headers) });
}

function pairs(lines) {
  return lines.split("\n").map((line) => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
}

export function fillRandom(bytes) {
  crypto.getRandomValues(bytes);
}
