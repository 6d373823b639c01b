// What is settled never exceeds a budget, whatever hides from the bytes of a
// request: files at addresses, what a provider keeps, limits that are none.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { ALLOWED_HOST, COUNTRY, modelOf, startWithTargets } from "./dialects.mjs";
import { STORES } from "./gateway.mjs";

const budget = (team, dollars) => [`b-${team}`, { scope: { team }, budget: { amount: dollars * 1e9, per: "ever" } }];
const LIMITS = { all: Object.fromEntries([budget("files", 0.05), budget("pages", 0.05), budget("room", 20), budget("kept", 0.6), budget("silent", 50), budget("numbers", 50), budget("many", 50), budget("long", 50), budget("tools", 30), budget("endless", 50)]) };

let gateway;
before(async () => {
  gateway = await startWithTargets({ gateway: { limits: LIMITS } });
});
after(() => gateway.close());
beforeEach(() => gateway.reset());

const PATHS = { chat: "/v1/chat/completions", responses: "/v1/responses", messages: "/v1/messages" };

async function ask(team, dialect, target, body) {
  const key = (keys[team] ??= await gateway.key({ team }));
  const said = dialect === "responses" ? { input: "Go on." } : { messages: [{ role: "user", content: "Go on." }] };
  const limit = { chat: "max_tokens", responses: "max_output_tokens", messages: "max_tokens" }[dialect];
  const response = await gateway.from(COUNTRY)(gateway.url + PATHS[dialect], {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model: modelOf(target), [limit]: 16, ...said, ...body }),
  });
  return { status: response.status, answer: await response.json() };
}
const keys = {};

const atOnce = (count, ...args) => Promise.all(Array.from({ length: count }, () => ask(...args)));

// Until every call has its row.
async function rows(team, count) {
  const until = Date.now() + 15_000;
  for (;;) {
    const found = [];
    for (const store of STORES) found.push(...(await gateway.env[store].prepare("SELECT * FROM usage WHERE team = ?").bind(team).all()).results);
    if (found.length >= count || Date.now() > until) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function settled(team, count) {
  const all = await rows(team, count);
  assert.equal(all.length, count, "one row each");
  for (const row of all) assert.ok(!row.over_bound && row.cost_nano <= row.reserved_nano, JSON.stringify(row));
  return all.reduce((sum, row) => sum + row.cost_nano, 0) / 1e9;
}

const picture = (tokens) => ({ messages: [{ role: "user", content: [{ type: "text", text: "Look." }, { type: "image_url", image_url: { url: `https://${ALLOWED_HOST}/a.png?tokens=${tokens}` } }] }] });
const pdf = (tokens) => ({ messages: [{ role: "user", content: [{ type: "document", source: { type: "url", url: `https://${ALLOWED_HOST}/a.pdf?tokens=${tokens}` } }] }] });

test("guard_bounds ten files at once against $0.05: what is settled stays below it", async () => {
  const answers = await atOnce(10, "files", "chat", "azure-classic", picture(100_000));
  const statuses = answers.map(({ status }) => status);
  assert.ok(statuses.every((status) => status === 200 || status === 402), statuses.join());
  assert.ok(statuses.includes(200) && statuses.includes(402), statuses.join());
  const billed = gateway.simulator.log.filter(({ usage }) => usage !== null);
  assert.ok(billed.every(({ usage }) => usage.input > 100_000), JSON.stringify(billed[0].usage));
  const spent = await settled("files", 10);
  console.log(`# ${billed.length} of 10 served, $${spent.toFixed(4)} of $0.05 settled`);
  assert.ok(spent >= billed.length * 0.015 && spent <= 0.05, `${spent}`);
});

test("guard_bounds a PDF at an address is reserved with the context of its model", async () => {
  const answers = await atOnce(10, "pages", "messages", "anthropic-messages", pdf(180_000));
  assert.deepEqual(answers.map(({ status }) => status), Array(10).fill(402), JSON.stringify(answers[0].answer));
  assert.equal(gateway.simulator.log.length, 0, "nothing was sent");
  assert.equal(await settled("pages", 10), 0);

  // With room for three of them at once.
  const roomy = await atOnce(10, "room", "messages", "anthropic-messages", pdf(180_000));
  const served = roomy.filter(({ status }) => status === 200).length;
  assert.ok(served >= 1, JSON.stringify(roomy[0].answer));
  const spent = await settled("room", 10);
  assert.ok(spent >= served * 0.54 && spent <= 20, `${spent}`);
});

test("guard_bounds stored answers and conversations are reserved with the context", async () => {
  const first = await ask("kept", "responses", "openai-responses", { store: true, input: "word ".repeat(4000) });
  assert.equal(first.status, 200, JSON.stringify(first.answer));
  const next = await ask("kept", "responses", "openai-responses", { previous_response_id: first.answer.id });
  assert.equal(next.status, 200, JSON.stringify(next.answer));
  assert.ok(next.answer.usage.input_tokens > 5000, JSON.stringify(next.answer.usage));
  const many = await atOnce(10, "kept", "responses", "openai-responses", { conversation: "conv_t900000" });
  assert.ok(many.some(({ status }) => status === 402) && many.every(({ status }) => status === 200 || status === 402), JSON.stringify(many.map(({ status }) => status)));
  const spent = await settled("kept", 12);
  assert.ok(spent > 0 && spent <= 0.6, `${spent}`);
});

test("guard_bounds where no claim says the context, a call with a budget is refused and says which line is missing", async () => {
  const { status, answer } = await ask("silent", "chat", "mistral", picture(10));
  assert.deepEqual([status, answer.error.code, answer.error.param], [403, "call_without_bound", "messages[0].content[1].image_url.url"]);
  assert.match(answer.error.message, /`b-silent`.*`context`.*\[mistral\.models\."mistral-small"\]` in regions\/endpoints/);
  assert.equal(gateway.simulator.log.length, 0, "nothing was sent");
  const free = await ask("nobody", "chat", "mistral", picture(10));
  assert.equal(free.status, 200, "no budget is about it");
  assert.equal((await ask("silent", "chat", "mistral", {})).status, 200, "nothing is hidden");
});

test("guard_bounds limits that are no whole numbers are refused in every dialect, natively and translated", async () => {
  const targets = { chat: ["openai-chat", "anthropic-messages", "vertex"], responses: ["openai-responses", "bedrock-converse"], messages: ["anthropic-messages", "openai-responses", "vertex-claude"] };
  for (const [dialect, names] of Object.entries(targets)) {
    const fields = { chat: ["max_tokens", "max_completion_tokens"], responses: ["max_output_tokens"], messages: ["max_tokens"] }[dialect];
    for (const target of names) {
      for (const field of fields) {
        // Anthropic takes 0: it fills the cache and says nothing.
        const least = dialect === "messages" ? 0 : 1;
        for (const bad of [-1, least - 1, 1.5, "16", 1e9, [], true]) {
          const { status, answer } = await ask("numbers", dialect, target, { [field]: bad });
          assert.equal(status, 400, `${dialect} to ${target}, ${field} ${bad}: ${JSON.stringify(answer)}`);
          assert.match(answer.error.message, new RegExp(`\`${field}\` must be a whole number from ${least} `));
          if (dialect !== "messages") assert.equal(answer.error.param, field);
        }
      }
    }
  }
  const none = await ask("numbers", "messages", "anthropic-messages", { max_tokens: null });
  assert.equal(none.status, 400, "messages know no null");
  assert.equal(gateway.simulator.log.length, 0, "nothing was sent");
  assert.equal((await ask("numbers", "messages", "openai-responses", { max_tokens: 0 })).status, 400, "0 is not written for others");
  assert.equal(gateway.simulator.log.length, 0, "nothing was sent");
  assert.equal((await ask("numbers", "chat", "openai-chat", { max_tokens: null })).status, 200);
  const filled = await ask("numbers", "messages", "anthropic-messages", { max_tokens: 0 });
  assert.deepEqual([filled.status, filled.answer.usage?.output_tokens], [200, 0], JSON.stringify(filled.answer));
});

test("guard_bounds a tier that costs more than is known is refused where a budget holds", async () => {
  for (const [dialect, target] of [["chat", "openai-chat"], ["responses", "openai-responses"], ["messages", "openai-responses"]]) {
    const { status, answer } = await ask("numbers", dialect, target, { service_tier: "priority" });
    assert.deepEqual([status, answer.error.code], [403, "call_without_bound"], JSON.stringify(answer));
    assert.match(answer.error.message, /`service_tier` asks the provider to .*Remove it/);
    assert.equal(gateway.simulator.log.length, 0, "nothing was sent");
    assert.equal((await ask("numbers", dialect, target, { service_tier: dialect === "messages" ? "standard_only" : "default" })).status, 200);
    gateway.simulator.reset();
  }
  assert.equal((await ask("nobody", "chat", "openai-chat", { service_tier: "priority" })).status, 200, "no budget is about it");
});

test("guard_bounds n is bounded by what the model gives", async () => {
  for (const n of [129, 16_385, -1, 1.5]) {
    const { status, answer } = await ask("numbers", "chat", "azure-classic", { n });
    assert.deepEqual([status, answer.error.param], [400, "n"], JSON.stringify(answer));
  }
  assert.equal(gateway.simulator.log.length, 0, "nothing was sent");
  const { status, answer } = await ask("many", "chat", "azure-classic", { n: 128 });
  assert.equal(status, 200, JSON.stringify(answer));
  assert.equal(answer.choices.length, 128);
  const spent = await settled("many", 1);
  assert.ok(spent > (128 * 10 * 0.6) / 1e6, `${spent}`);
});

const search = (more) => ({ tools: [{ type: "web_search_20250305", name: "web_search", ...more }], messages: [{ role: "user", content: "Run the tools 9 times." }] });

test("guard_bounds tools that the provider runs are reserved with the context for each run, and their price", async () => {
  const answers = await atOnce(10, "tools", "messages", "anthropic-messages", search({ max_uses: 1 }));
  const served = answers.filter(({ status }) => status === 200);
  assert.ok(served.length >= 1 && answers.some(({ status }) => status === 402), JSON.stringify(answers.map(({ status }) => status)));
  assert.equal(served[0].answer.usage.server_tool_use.web_search_requests, 1, "the provider keeps to it");
  const spent = await settled("tools", 10);
  // Two passes, 5,000 tokens in the second, and a cent for the search.
  assert.ok(spent >= served.length * 0.025 && spent <= 30, `${spent}`);
});

test("guard_bounds tools that run as often as they like are refused where a budget holds", async () => {
  const { status, answer } = await ask("endless", "messages", "anthropic-messages", search({}));
  assert.deepEqual([status, answer.error.code], [403, "call_without_bound"], JSON.stringify(answer));
  assert.match(answer.error.message, /`tools\[0\]\.type`.*`max_uses`.*egress\.web-search\]/);
  assert.equal(gateway.simulator.log.length, 0, "nothing was sent");
});

test("what does not fit into a context is refused by its provider and costs nothing", async () => {
  const { status, answer } = await ask("long", "chat", "azure-classic", picture(200_000));
  assert.deepEqual([status, answer.error.code], [400, "context_length_exceeded"], JSON.stringify(answer));
  assert.equal(await settled("long", 1), 0);
});
