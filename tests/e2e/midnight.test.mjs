// Budgets begin anew at their team's own midnight, also where a day has 23 or 25
// hours. The worker's clock and country are set by the test; everything else is as deployed.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { KEY, close, listen, startStores, startWorker } from "../bench/rig.mjs";

const CLOCK = `
import gateway, { Ledger } from "./index.js";
export { Ledger };
const real = Date.now;
let ahead = 0;
Date.now = () => real() + ahead;
export default {
  fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/clock") return gateway.fetch(new Request(request, { cf: { country: "DE" } }), env, ctx);
    ahead = Date.parse(searchParams.get("at")) - real();
    return new Response(new Date(Date.now()).toISOString());
  },
};
`;
const whole = '{"id":"m","type":"message","role":"assistant","model":"claude-sonnet-4-6","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5}}';
// Some calls of about a thousandth of a dollar at most.
const budget = (feature, per) => ({ scope: { team: "bench", feature }, budget: { amount: 1_300_000, per } });
const LIMITS = {
  all: { day: budget("day", "day"), week: budget("week", "week"), month: budget("month", "month") },
  teams: { bench: { time_zone: "Europe/Vienna" } },
};

let provider, stores, worker;
before(async () => {
  provider = http.createServer((request, response) => request.resume().on("end", () => response.writeHead(200, { "content-type": "application/json" }).end(whole)));
  stores = await startStores();
  worker = await startWorker({
    front: CLOCK,
    stores,
    upstream: await listen(provider),
    secrets: ["BEDROCK_EU_KEY"],
    gateway: { limits: LIMITS },
  });
});
after(async () => {
  worker.close();
  await stores.close();
  await close(provider);
});

const clock = (at) => fetch(`${worker.url}/clock?at=${at}`).then((response) => response.text());
async function call(feature) {
  const response = await fetch(`${worker.url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": KEY, "anthropic-version": "2023-06-01", "meridian-tags": `feature=${feature}` },
    body: JSON.stringify({ model: "claude-sonnet", max_tokens: 10, messages: [{ role: "user", content: "hi" }] }),
  });
  return { status: response.status, text: await response.text() };
}
async function spend(feature) {
  for (let calls = 0; calls < 30; calls++) {
    const { status, text } = await call(feature);
    if (status === 402) return { calls, text };
    assert.equal(status, 200, text);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert.fail("it was never spent");
}

for (const [what, feature, spent, still, anew] of [
  ["a day", "day", "2027-01-14T12:00:00Z", "2027-01-14T22:59:50Z", "2027-01-14T23:00:01Z"],
  ["a day of 23 hours", "day", "2027-03-28T01:30:00Z", "2027-03-28T21:59:50Z", "2027-03-28T22:00:01Z"],
  ["a day of 25 hours", "day", "2027-10-30T22:00:30Z", "2027-10-31T22:59:50Z", "2027-10-31T23:00:01Z"],
  ["a week", "week", "2027-06-16T10:00:00Z", "2027-06-20T21:59:50Z", "2027-06-20T22:00:01Z"],
  ["a month that ends in another time than it began in", "month", "2027-03-01T00:00:00Z", "2027-03-31T21:59:50Z", "2027-03-31T22:00:01Z"],
]) {
  test(`field_05 the budget of ${what} begins anew at the team's midnight, and not before`, async () => {
    await clock(spent);
    const { calls, text } = await spend(feature);
    assert.ok(calls > 0, "nothing was let in");
    // A refusal says when.
    assert.ok(text.includes(anew.slice(0, 17).replace("Z", "")), `${text} ${anew}`);
    await clock(still);
    assert.equal((await call(feature)).status, 402, "before midnight");
    await clock(anew);
    assert.equal((await call(feature)).status, 200, "after midnight");
  });
}
