// Stands before a database and lets everything through, or plays one that
// fails: it refuses, does not answer, or does what it is told and does not say so.
import http from "node:http";
import { close, listen } from "../bench/rig.mjs";

/** → {port, state, asked, hangUp, close}; `state.mode` is `well`, `refuses`, `hangs` or `forgets`. */
export async function startDoor(target) {
  const state = { mode: "well" };
  const asked = { well: 0, refuses: 0, hangs: 0, forgets: 0 };
  const server = http.createServer((request, response) => {
    // Who asks may be killed in the middle, or cut off by `hangUp`.
    lead(request, response).catch(() => response.destroy());
  });
  async function lead(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const { mode } = state;
    asked[mode]++;
    if (mode === "hangs") return;
    if (mode === "refuses") return refuse(response, "D1_ERROR: away");
    const answer = await fetch(`http://127.0.0.1:${target}${request.url}`, { method: request.method, body: Buffer.concat(parts) });
    const text = await answer.text();
    // Half of the time the connection breaks, else there is a wrong answer.
    if (mode === "forgets" && asked.forgets % 2 === 0) return request.socket.destroy();
    if (mode === "forgets") return refuse(response, "D1_ERROR: network connection lost");
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") }).end(text);
  }
  return {
    port: await listen(server),
    state,
    asked,
    /** What hangs breaks off. */
    hangUp: () => server.closeAllConnections(),
    close: () => close(server),
  };
}

const refuse = (response, error) => response.writeHead(500, { "content-type": "application/json" }).end(JSON.stringify({ success: false, error }));
