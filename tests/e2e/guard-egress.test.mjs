// A request cannot make a provider reach out of the zone: every way of asking, in
// every dialect and every zone. What happens is written to docs/egress.md.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { COUNTRY, modelOf, startWithTargets } from "./dialects.mjs";
import { ASKS, CLIENT_RUN, OFFERED, PLAIN } from "./egress.mjs";
import { meridian, ROOT, startGateway } from "./gateway.mjs";

// A caller of each zone that is shipped.
const CALLERS = { au: "AU", br: "BR", ca: "CA", ch: "CH", default: "CN", eu: "DE", in: "IN", jp: "JP", kr: "KR", sg: "SG", uk: "GB", us: "US" };
const LAB = { "openai-chat": "openai-chat", "openai-responses": "openai-responses", "anthropic-messages": "anthropic-messages", "anthropic-count-tokens": "anthropic-messages", "openai-completions": "openai-chat", "openai-embeddings": "openai-embed" };

/** What each way of asking met: first by the map that is shipped, then in the lab. */
const met = new Map();
let gateway, key, inLab;

function start(lab) {
  before(async () => {
    [gateway, inLab] = [lab ? await startWithTargets() : await startGateway(), lab];
    key = await gateway.key();
  });
  after(() => gateway.close());
}

async function ask(country, dialect, body, headers = {}, own = key) {
  gateway.simulator.reset();
  const plain = PLAIN[dialect];
  const model = inLab ? modelOf(LAB[dialect]) : plain.model;
  const response = await gateway.from(country)(gateway.url + plain.path, {
    method: "POST",
    headers: { authorization: `Bearer ${own}`, "content-type": "application/json", "anthropic-version": "2023-06-01", ...headers },
    body: JSON.stringify({ model, ...plain.body, ...body }),
  });
  const answer = await response.json();
  const sent = gateway.simulator.log.map((entry) => entry.body?.toString() ?? "");
  return { status: response.status, answer, error: answer.error, headers: response.headers, sent };
}

/** What happens, in a word for the table. */
function outcome({ sent, error, answer }) {
  if (sent.length > 0) return "sent";
  return error.code ?? error.meridian?.code ?? error.type ?? JSON.stringify(answer);
}

test("the table has every zone that is shipped", () => {
  const zones = readdirSync(join(ROOT, "regions/zones")).map((name) => name.replace(".toml", ""));
  assert.deepEqual(zones.sort(), Object.keys(CALLERS).sort());
});

/** The page: who meets what. */
function page(lines) {
  const zones = Object.keys(CALLERS);
  const told = (met) => {
    const words = Object.entries(met).sort((a, b) => b[1].length - a[1].length).map(([word, where]) => [word === "egress_not_allowed" ? "refused" : word === "sent" ? "sent" : `refused (\`${word}\`)`, where]);
    return words.map(([word, where], at) => (at === 0 ? word : `${where.map((zone) => `\`${zone}\``).join(", ")}: ${word}`)).join("; ");
  };
  const head = [
    "# What a request can make a provider do, and what becomes of it",
    "",
    "Written by `tests/e2e/guard-egress.test.mjs`, which sends each of these to the built gateway from a caller of each",
    `zone that is shipped (${zones.map((zone) => `\`${zone}\``).join(", ")}), and to one with a map whose zone allows every kind, the host`,
    "`files.example.com`, and endpoints that claim all of it. Refused means: 403 in the client's dialect, nothing sent.",
    "[regions/README.md](../regions/README.md) says how to allow a kind.",
    "",
  ];
  const rows = lines.map(({ dialect, kind, what, met, open }) => `| ${dialect} | \`${kind}\` | ${what} | ${told(met)} | ${open === "sent" ? "sent" : `refused (\`${open}\`)`} |`);
  return [...head, "| client's dialect | kind | asks for | in the shipped zones | where it is allowed |", "| --- | --- | --- | --- | --- |", ...rows, ""].join("\n");
}

describe("by the map that is shipped", () => {
  start(false);

  test("guard_egress every way of asking a provider for more is refused in every zone that does not allow it, and nothing is sent", async () => {
    for (const [dialect, kind, what, body, headers] of ASKS) {
      const here = {};
      for (const [zone, country] of Object.entries(CALLERS)) {
        const result = await ask(country, dialect, body, headers);
        (here[outcome(result)] ??= []).push(zone);
        const label = `${dialect}, ${what}, zone ${zone}: ${JSON.stringify(result.answer).slice(0, 300)}`;
        // Written by hand, so that a mistake in the code cannot agree with itself.
        const keeps = zone === "us" && kind === "stored-response";
        const fixed = kind === "place" && dialect === "anthropic-messages" && ["us", "ca"].includes(zone);
        if (fixed) assert.match(result.sent[0], /"inference_geo":"us"/, label);
        else if (keeps && body.store) assert.match(result.sent[0], /"store":true/, label);
        else if (keeps) assert.equal(result.error.code, "previous_response_not_found", label);
        else {
          // A thread is refused as Anthropic does it: its SDK then goes on without one.
          const status = result.error?.details?.error_code === "thread_unsupported_request" ? 400 : 403;
          assert.deepEqual([result.status, result.sent], [status, []], label);
        }
        if (fixed || keeps) continue;
        const wanted = kind === "place" ? /would follow the request's own `inference_geo`|No endpoint that the zone .* allows can serve/ : kind === "unknown" ? /gateway does not know.*regions\/egress\.toml/s : new RegExp(`zone \`${zone}\` does not allow.*"${kind}"|zone \`${zone}\` does not allow.*regions/zones/${zone}\\.toml`, "s");
        assert.match(result.error.message, wanted, label);
      }
      met.set(what + dialect, here);
    }
  });

  test("guard_egress the row of a refusal says what was asked for, and no host", async () => {
    const image = ASKS.find(([dialect, , what]) => dialect === "openai-chat" && what === "an image at an address");
    const { headers } = await ask("DE", "openai-chat", image[3]);
    const kept = await gateway.row(headers.get("meridian-request-id"));
    assert.deepEqual([kept.egress, kept.error, kept.outcome], ["remote-url", "egress_not_allowed", "refused"]);
  });

  test("guard_egress what clients run themselves passes untouched in the strictest zone", async () => {
    for (const [dialect, what, body] of CLIENT_RUN) {
      const result = await ask("DE", dialect, body, dialect === "anthropic-messages" ? { "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14" } : {});
      assert.equal(result.sent.length, 1, `${what}: ${JSON.stringify(result.answer)}`);
      assert.ok(result.sent[0].includes(JSON.stringify(body.tools).slice(1, -1)), `${what}: byte for byte`);
    }
  });

  test("guard_egress with `drop` a tool that is only offered is left out and named, and all else is refused as without it", async () => {
    const drop = { "meridian-on-unsupported": "drop" };
    const offered = new Set(OFFERED.map((one) => one.join()));
    for (const [dialect, kind, what, body, headers] of ASKS) {
      const result = await ask("DE", dialect, body, { ...headers, ...drop });
      const label = `${dialect}, ${what}: ${JSON.stringify(result.answer).slice(0, 300)}`;
      if (!offered.delete([dialect, what].join())) {
        assert.ok([400, 403].includes(result.status) && result.sent.length === 0, label);
        continue;
      }
      assert.deepEqual([result.status, result.sent.length], [200, 1], label);
      assert.equal(result.headers.get("meridian-dropped"), `tools[${body.tools.length - 1}]`, label);
      // Nothing of it, in whatever field.
      const { type, name = type } = body.tools.at(-1);
      assert.ok(!result.sent[0].includes(type) && !result.sent[0].includes(name), `${label} ${result.sent[0]}`);
      assert.equal((await gateway.row(result.headers.get("meridian-request-id"))).egress, "", `${label}: ${kind}`);
    }
    assert.deepEqual([...offered], []);
  });

  test("guard_egress with a key whose default is `drop` it is the same, but for a tool that the model has to call", async () => {
    const drops = await gateway.key({ unsupported: "drop" });
    const look = { type: "function", name: "look", parameters: { type: "object", properties: {} } };
    const tools = [{ type: "web_search" }, look];
    const left = await ask("DE", "openai-responses", { tools, store: false }, {}, drops);
    assert.deepEqual(JSON.parse(left.sent[0]).tools, [look]);
    for (const tool_choice of [{ type: "web_search" }, { type: "allowed_tools", mode: "auto", tools: [{ type: "web_search" }] }]) {
      const forced = await ask("DE", "openai-responses", { tools, tool_choice }, {}, drops);
      assert.deepEqual([forced.status, forced.error.code, forced.sent], [403, "egress_not_allowed", []], JSON.stringify(tool_choice));
      assert.match(forced.error.message, /tools that the model is free to use/);
    }
    // The header says otherwise.
    const refused = await ask("DE", "openai-responses", { tools }, { "meridian-on-unsupported": "refuse" }, drops);
    assert.deepEqual([refused.status, refused.sent], [403, []]);
    assert.match(refused.error.message, /`meridian-on-unsupported: drop` to have it left out/);
    // In another dialect what is named stands where the client had it.
    const patch = { type: "custom", name: "patch", format: { type: "grammar", syntax: "lark", definition: "start: A" } };
    const claude = await ask("DE", "openai-responses", { model: "claude-sonnet", tools: [{ type: "web_search" }, patch] }, {}, drops);
    assert.equal(claude.headers.get("meridian-dropped"), "tools[0], tools[1].format", JSON.stringify(claude.answer));
    assert.ok(!claude.sent[0].includes("web_search"));
  });

  test("guard_egress a beta feature that nobody knows is left out and named", async () => {
    const { headers } = await ask("US", "anthropic-messages", {}, { "anthropic-beta": "claude-code-20250219,shiny-2027-01-01" });
    assert.match(headers.get("meridian-dropped"), /shiny-2027-01-01/);
    const [entry] = gateway.simulator.log;
    assert.equal(entry.headers["anthropic-beta"], "claude-code-20250219");
  });

  test("guard_egress /v1/responses keeps nothing where that is not allowed, and keeps for its own team alone where it is", async () => {
    const eu = await ask("DE", "openai-responses", {});
    assert.match(eu.sent[0], /"store":false/);
    const us = await ask("US", "openai-responses", {});
    assert.doesNotMatch(us.sent[0], /"store"/);
    const next = { previous_response_id: us.answer.id };
    const other = await ask("US", "openai-responses", next, {}, await gateway.key({ team: "others" }));
    assert.deepEqual([other.status, other.error?.code, other.sent], [400, "previous_response_not_found", []]);
    const own = await ask("US", "openai-responses", next);
    assert.equal(own.status, 200, JSON.stringify(own.answer));
  });

  test("guard_egress the official SDKs get a refusal of their own kind", async () => {
    const tools = [{ type: "web_search" }];
    const openai = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, fetch: gateway.from("DE"), maxRetries: 0 });
    await assert.rejects(openai.responses.create({ model: "gpt-mini", input: "Hello", tools }), (error) => {
      assert.ok(error instanceof OpenAI.PermissionDeniedError);
      assert.deepEqual([error.code, error.param], ["egress_not_allowed", "tools[0].type"]);
      return true;
    });
    const anthropic = new Anthropic({ apiKey: key, baseURL: gateway.url, fetch: gateway.from("DE"), maxRetries: 0 });
    const search = anthropic.messages.create({ model: "claude-sonnet", max_tokens: 16, messages: [{ role: "user", content: "Hello" }], tools: [{ type: "web_search_20250305", name: "web_search" }] });
    await assert.rejects(search, (error) => {
      assert.ok(error instanceof Anthropic.PermissionDeniedError);
      assert.match(error.message, /search the web.*regions\/zones\/eu\.toml/s);
      return true;
    });
  });

  test("explain tells what a zone allows, and what would become of a request that asks for more", () => {
    const words = meridian("explain", "--country", "DE", "--model", "gpt-mini", "--egress", "web-search");
    assert.match(words, /would be refused.*search the web.*regions\/zones\/eu\.toml/s);
    assert.match(meridian("explain", "--country", "US", "--model", "gpt-mini"), /keep the answer.*stored-response/s);
  });
});

describe("in a zone that allows all of it", () => {
  start(true);

  test("guard_egress where a zone allows each kind, what endpoints claim is sent, and the rest is not", async () => {
    const lines = [];
    for (const [dialect, kind, what, body, headers] of ASKS) {
      const result = await ask(COUNTRY, dialect, body, headers);
      const open = outcome(result);
      const elsewhere = kind === "background" && dialect !== "openai-responses";
      const refused = ["unknown", "place"].includes(kind) || elsewhere || /host that nobody names|by its id$/.test(what) && open === "previous_response_not_found" || JSON.stringify(body).includes("evil.example");
      assert.equal(open === "sent", !refused, `${dialect}, ${what}: ${JSON.stringify(result.answer).slice(0, 300)}`);
      lines.push({ dialect, kind, what, met: met.get(what + dialect), open });
    }
    writeFileSync(join(ROOT, "docs/egress.md"), page(lines));
  });

  test("guard_egress where a zone allows it and the endpoint claims it, it is sent as it came, and the row and the receipt say so", async () => {
    const image = ASKS.find(([dialect, , what]) => dialect === "openai-chat" && what === "an image at an address");
    const { status, sent, headers } = await ask(COUNTRY, "openai-chat", image[3]);
    assert.equal(status, 200);
    assert.ok(sent[0].includes("https://files.example.com/a.pdf"));
    const row = await gateway.row(headers.get("meridian-request-id"));
    assert.equal(row.egress, "remote-url:files.example.com");
    const receipt = JSON.parse(Buffer.from(headers.get("meridian-receipt").split(".")[1], "base64url"));
    assert.deepEqual(receipt.egress, ["remote-url:files.example.com"]);
  });
});
