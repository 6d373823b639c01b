// The runaway guard over the wire: an agent in a loop is flagged, reported
// of once, and made to wait where that is wanted; people who talk are not.
import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { STORES, startGateway } from "./gateway.mjs";

const HOOK = "hooks.example";
async function start(rules) {
  const runaway = { calls: 5, within: 60_000, webhook: `https://${HOOK}/loops`, ...rules };
  const gateway = await startGateway({ gateway: { runaway } });
  gateway.simulator.fault({ host: HOOK, times: 100, fault: { status: 200, body: "{}" } });
  return gateway;
}

// An agent: each call has the one before in it.
function agent(send) {
  const messages = [];
  return async () => {
    messages.push({ role: "user", content: `Step ${messages.length}: what the tool said, at length.` });
    const result = await send(messages);
    messages.push({ role: "assistant", content: "Then I call the tool again." });
    return result;
  };
}

const told = (gateway) => gateway.simulator.log.filter(({ host }) => host === HOOK).map(({ body }) => JSON.parse(body));
async function rows(gateway, team, count) {
  for (let tries = 0; ; tries++) {
    const found = [];
    for (const store of STORES) found.push(...(await gateway.env[store].prepare("SELECT * FROM usage WHERE team = ? ORDER BY id").bind(team).all()).results);
    if (found.length >= count || tries > 100) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("an agent that goes in circles is flagged, in its replies, its rows and once to an address", async () => {
  const gateway = await start({ action: "flag" });
  try {
    const key = await gateway.key({ team: "loops" });
    const openai = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, fetch: gateway.from("DE"), maxRetries: 0, defaultHeaders: { "meridian-tags": "feature=crawler" } });
    const step = agent(async (messages) => (await openai.chat.completions.create({ model: "gpt-mini", max_tokens: 20, messages }).asResponse()).headers.get("meridian-runaway"));
    const seen = [];
    for (let i = 0; i < 7; i++) seen.push(await step());
    assert.deepEqual(seen, [null, null, null, null, "growth", "growth", "growth"]);
    const all = await rows(gateway, "loops", 7);
    assert.deepEqual(all.map((row) => row.runaway), seen);
    assert.ok(all.every((row) => row.outcome === "ok" && row.feature === "crawler"));
    const [{ text, ...first }, ...others] = told(gateway);
    assert.equal(others.length, 0, "told once");
    assert.match(text, /^5 calls of team loops, feature crawler within \d+ s, each contains the one before: \d+ bytes of messages grew to \d+ bytes\. If this is intended, raise `calls`/);
    assert.deepEqual([first.kind, first.team, first.feature, first.calls], ["growth", "loops", "crawler", 5]);
    assert.ok(!JSON.stringify(told(gateway)).includes("tool said"), "no text of anybody's");
  } finally {
    await gateway.close();
  }
});

test("with throttle it waits, longer and longer, in its client's own dialect; others do not", async () => {
  const gateway = await start({ action: "throttle" });
  try {
    const key = await gateway.key({ team: "loops" });
    const anthropic = new Anthropic({ apiKey: key, baseURL: gateway.url, fetch: gateway.from("DE"), maxRetries: 0 });
    const step = agent((messages) => anthropic.messages.create({ model: "claude-sonnet", max_tokens: 20, messages }).then(() => 200, (error) => error));
    for (let i = 0; i < 4; i++) assert.equal(await step(), 200);
    const refused = await step();
    assert.ok(refused instanceof Anthropic.RateLimitError, String(refused));
    assert.equal(refused.headers.get("retry-after"), "1");
    assert.match(refused.error.error.message, /^5 calls of team loops, no feature within .* Try again in 1 s\.$/);
    const sent = gateway.simulator.log.filter(({ host }) => host !== HOOK).length;
    assert.equal(sent, 4, "nothing was sent of what was refused");
    const other = await gateway.key({ team: "people" });
    const openai = new OpenAI({ apiKey: other, baseURL: `${gateway.url}/v1`, fetch: gateway.from("DE"), maxRetries: 0 });
    for (let i = 0; i < 12; i++) await openai.chat.completions.create({ model: "gpt-mini", max_tokens: 20, messages: [{ role: "user", content: `Question ${i}, by somebody else` }] });
    const texts = Array.from({ length: 40 }, () => openai.embeddings.create({ model: "text-embedding-3-small", input: "the same" }));
    await Promise.all(texts);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    assert.equal(await step(), 200, "one is let through after the wait");
    const again = await step();
    assert.equal(again.headers.get("retry-after"), "2");
    const all = await rows(gateway, "loops", 7);
    assert.deepEqual(all.map(({ outcome, error, runaway, cost_nano }) => [outcome, error, runaway, cost_nano > 0]).slice(3), [["ok", null, null, true], ["refused", "runaway_calls", "growth", false], ["ok", null, "growth", true], ["refused", "runaway_calls", "growth", false]]);
    assert.equal(told(gateway).length, 1);
  } finally {
    await gateway.close();
  }
});
