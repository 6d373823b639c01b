// One call over the wire, as a client sees it: all of it, a broken connection,
// or as much as somebody wants who leaves at the first word.
import http from "node:http";

/** → {id, status, text}, or {error} or {left} in place of the text. */
export function send({ port, agent, headers }, call) {
  return new Promise((resolve) => {
    const body = JSON.stringify(call.body);
    const all = { "content-type": "application/json", "content-length": Buffer.byteLength(body), "anthropic-version": "2023-06-01", "meridian-local-country": call.country, ...headers };
    const request = http.request({ host: "127.0.0.1", port, path: call.path, method: "POST", headers: all, agent: call.leaves ? undefined : agent }, (response) => {
      const id = response.headers["meridian-request-id"];
      const status = response.statusCode;
      const parts = [];
      response.on("data", (part) => {
        parts.push(part);
        if (call.leaves && status === 200) {
          resolve({ id, status, left: true });
          request.destroy();
        }
      });
      response.on("end", () => resolve({ id, status, text: Buffer.concat(parts).toString() }));
      response.on("error", (error) => resolve({ id, status, error: error.message }));
    });
    request.on("error", (error) => resolve({ error: error.message }));
    request.end(body);
  });
}
