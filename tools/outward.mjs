// Where the calls of a local run go. Only the host of an endpoint whose secret
// is given is the real one; every other host, unknown ones too, is the simulator,
// whatever the call's headers name.
import http from "node:http";
import https from "node:https";

/** What the secret of a simulated endpoint begins with. */
export const PLACEHOLDER = "simulated-";

/** Where a real endpoint's tokens come from. */
const TOKENS = { ".googleapis.com": "oauth2.googleapis.com", ".openai.azure.com": "login.microsoftonline.com" };
/** Headers of the runtime's own, and of one connection alone. */
const OURS = /^(mf-|cf-worker$|x-simulated-host$|connection$|keep-alive$|transfer-encoding$)/;

/** `endpoints` as `meridian endpoints --json` lists them; `given` has the names of the real secrets. */
export function realHosts(endpoints, given) {
  const hosts = endpoints.filter(({ secret }) => given.has(secret)).map(({ host }) => host);
  const tokens = Object.entries(TOKENS).filter(([ending]) => hosts.some((host) => host.endsWith(ending)));
  return new Set([...hosts, ...tokens.map(([, host]) => host)]);
}

/** Two endpoints can share a host; a placeholder shows that the call is the simulated one's. */
function isReal(request, real) {
  const said = [request.url, ...Object.values(request.headers).flat()];
  return real.has(request.headers.host) && !said.some((text) => text.includes(PLACEHOLDER));
}

/** The way out of the runtime: `(request, response)` as Node's own servers have them. */
export function outward({ simulator, real }) {
  return (request, response) => {
    const { host } = request.headers;
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !OURS.test(name)));
    const asked = isReal(request, real)
      ? https.request(`https://${host}${request.url}`, { method: request.method, headers })
      : http.request(simulator + request.url, { method: request.method, headers: { ...headers, "x-simulated-host": host } });
    asked.on("response", (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders();
      answer.on("error", () => response.destroy());
      answer.pipe(response);
    });
    asked.on("error", (error) => (response.headersSent ? response.destroy() : unreachable(response, host, error)));
    // The client has disconnected or has the whole answer.
    response.on("close", () => asked.destroy());
    request.pipe(asked);
  };
}

function unreachable(response, host, error) {
  const message = `${host} cannot be reached from this machine: ${error.message}`;
  response.writeHead(502, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: { message, type: "server_error", param: null, code: "unreachable" } }));
}
