// The platform's calls that would cost many crossings between wasm and
// JavaScript if they were made one by one, each made in one.

// Method, path with query, country and colo, then the headers, a line each.
export function head(request) {
  const { url, cf } = request;
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const path = start < 0 ? "/" : url.slice(start);
  let flat = `${request.method}\n${path}\n${cf?.country ?? ""}\n${cf?.colo ?? ""}`;
  for (const [name, value] of request.headers) flat += `\n${name}: ${value}`;
  return flat;
}

// The query as JSON, a pair of name and value each: all that is asked for,
// since a filter that got lost would make a sum of too much.
export function query(request) {
  return JSON.stringify([...new URL(request.url).searchParams]);
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
