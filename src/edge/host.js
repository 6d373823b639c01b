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

// The query, a line `name=value` each. Values with line breaks are left out:
// nothing that is asked for here has any.
export function query(request) {
  const pairs = [...new URL(request.url).searchParams].filter((pair) => !pair.join("").includes("\n"));
  return pairs.map(([name, value]) => `${name}=${value}`).join("\n");
}

// The body, or undefined if it is longer than `limit`.
export async function readBody(request, limit) {
  if (request.body === null) return new Uint8Array();
  if (request.headers.has("content-length")) {
    return new Uint8Array(await request.arrayBuffer());
  }
  // Without a length the sender could go on for ever. What is too long is read
  // on for a while, so that the sender comes to hear why it is refused.
  const parts = [];
  let length = 0;
  for await (const part of request.body) {
    length += part.byteLength;
    if (length > 2 * limit) return undefined;
    if (length <= limit) parts.push(part);
  }
  if (length > limit) return undefined;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
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
