// The way out of a local run (tools/outward.mjs): which calls are simulated, and
// what becomes of a call whose client leaves.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, beforeEach, test } from "node:test";
import { outward, realHosts } from "../../tools/outward.mjs";
import { startSimulator } from "./simulator.mjs";

const sim = await startSimulator();
const doors = [];
after(async () => {
  for (const door of doors) door.close();
  await sim.close();
});
beforeEach(() => sim.reset());

const ENDPOINTS = [
  { host: "api.anthropic.com", secret: "A_US" },
  { host: "api.anthropic.com", secret: "A_GLOBAL" },
  { host: "generativelanguage.googleapis.com", secret: "GEMINI" },
  { host: "aiplatform.eu.rep.googleapis.com", secret: "VERTEX" },
  { host: "mine.openai.azure.com", secret: "AZURE" },
];

/** A door as the runtime knocks at it: the host that is asked for stands in the header. */
async function door(...given) {
  const real = realHosts(ENDPOINTS, new Set(given));
  const server = http.createServer(outward({ simulator: sim.url, real })).listen(0, "127.0.0.1");
  doors.push(server);
  await once(server, "listening");
  return (host, { path = "/v1/chat/completions", headers = {}, body = "{}" } = {}) =>
    http.request({ port: server.address().port, host: "127.0.0.1", method: "POST", path, headers: { host, ...headers } }).end(body);
}

async function answered(request) {
  const [response] = await once(request, "response");
  response.setEncoding("utf8");
  const text = (await response.toArray()).join("");
  return { status: response.statusCode, text };
}

test("without real secrets every call is simulated, whatever its headers and its host", async () => {
  const ask = await door();
  for (const [host, headers] of [
    ["generativelanguage.googleapis.com", { "x-goog-api-key": "simulated-GEMINI" }],
    ["mine.openai.azure.com", { "api-key": "simulated-AZURE" }],
    ["oauth2.googleapis.com", {}],
    ["login.microsoftonline.com", {}],
    ["api.anthropic.com", { authorization: "Bearer sk-real" }],
    ["hooks.example.com", {}],
    ["127.0.0.1", { "x-simulated-host": "api.openai.com" }],
  ]) {
    await answered(ask(host, { headers }));
    const entry = sim.log.at(-1);
    assert.deepEqual([sim.log.length, entry.host], [1, host]);
    assert.ok(!Object.keys(entry.headers).some((name) => name.startsWith("mf-")));
    sim.log.length = 0;
  }
});

test("only the host of an endpoint with a real secret is the real one, and not for a placeholder", async () => {
  const hosts = (...given) => [...realHosts(ENDPOINTS, new Set(given))].sort();
  assert.deepEqual(hosts("A_US"), ["api.anthropic.com"]);
  assert.deepEqual(hosts("VERTEX"), ["aiplatform.eu.rep.googleapis.com", "oauth2.googleapis.com"]);
  assert.deepEqual(hosts("AZURE"), ["login.microsoftonline.com", "mine.openai.azure.com"]);
  const ask = await door("A_US");
  await answered(ask("api.anthropic.com", { headers: { "x-api-key": "simulated-A_GLOBAL" } }));
  await answered(ask("generativelanguage.googleapis.com"));
  assert.deepEqual(sim.log.map(({ host }) => host), ["api.anthropic.com", "generativelanguage.googleapis.com"]);
});

test("a client that leaves in a stream, or before it begins, has left at the simulator too", async () => {
  const ask = await door();
  const body = (fault) => JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: `[[sim: ${JSON.stringify(fault)}]]` }] });
  const headers = { authorization: "Bearer k" };
  const streamed = ask("api.openai.com", { headers, body: body({ chunks: 100, delay_between_ms: 50 }) });
  const [response] = await once(streamed, "response");
  await once(response, "data");
  streamed.destroy();
  const silent = ask("api.openai.com", { headers, body: body({ hang: true }) });
  silent.on("error", () => {});
  while (!sim.log[1]?.body) await new Promise((resolve) => setTimeout(resolve, 10));
  silent.destroy();
  await sim.idle();
  assert.deepEqual(sim.log.map(({ finished }) => finished), ["client_closed", "client_closed"]);
});

test("a body that breaks off breaks off", async () => {
  const ask = await door();
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: '[[sim: {"cut_at_byte": 40}]]' }] });
  await assert.rejects(answered(ask("api.openai.com", { headers: { authorization: "Bearer k" }, body })), /aborted|hang up/);
});
