// What the ledger's soak asks beside plain calls: input that the body does not
// hold, tools that the provider runs, a conversation that it compacts, thinking, and
// clients that leave in the middle of it. A kind is one line: add more as the
// simulator learns to bill them.
import { FILES } from "./map.mjs";

const IMAGE = `https://${FILES}/cat.png?tokens=20000`;
const BOOK = `https://${FILES}/book.pdf?tokens=180000`;
const messages = (more) => ({ path: "/v1/messages", body: { model: "claude-sonnet", max_tokens: 50, ...more } });
const chat = (more) => ({ path: "/v1/chat/completions", body: { model: "gpt-mini", ...more } });
const responses = (more) => ({ path: "/v1/responses", body: { model: "gpt-mini", ...more } });
const thinking = { max_tokens: 1_200, thinking: { type: "enabled", budget_tokens: 1_024 } };
const stream = true;

/** Mostly from zones that allow what these ask for; two of the others refuse it, and in DE only OpenAI may be asked. */
const FROM = ["US", "US", "US", "US", "DE", "DE", "GB", "JP"];
const hidden = { hides: true, from: FROM };
const file = (share, call, part, more) => ({ name: "remote file", share, ...hidden, ...call, parts: [part], ...more });
const document = { type: "document", source: { type: "url", url: BOOK } };
const search = (share, call, more) => ({ name: "web search", share, ...hidden, ...call, ...more });
const claudeSearch = { tools: [{ type: "web_search_20250305", name: "web_search", max_uses: 3 }] };
const compacted = { context_management: { edits: [{ type: "compact_20260112" }] } };
const compaction = (share, call) => ({ ...file(share, call, document), name: "compaction", headers: { "anthropic-beta": "compact-2026-01-12" } });
const thought = (name, share, call, more) => ({ name, share, thinks: true, ...call, ...more });

/**
 * name: what it is about, for the figures; share: of all calls; parts: what the
 * message has beside its text; leaves: how many of its clients do not wait; from: the
 * countries it comes from; sim: what the simulator is told to do.
 * `hides` is input or work that the body does not show: a zone that does not allow it
 * refuses the call, and nothing may be sent or billed. `thinks` is output that nobody
 * sees. `unpriced` has no price that the gateway knows.
 */
export const MIX = [
  file(0.02, messages(), document),
  file(0.015, messages({ stream }), document, { leaves: 0.3 }),
  file(0.02, chat(), { type: "image_url", image_url: { url: IMAGE } }),
  file(0.01, chat({ stream }), { type: "image_url", image_url: { url: IMAGE } }, { leaves: 0.3 }),
  file(0.02, responses(), { type: "input_image", image_url: IMAGE, detail: "auto" }),
  file(0.01, messages({ model: "gpt-mini" }), { type: "image", source: { type: "url", url: IMAGE } }),
  search(0.02, messages(claudeSearch)),
  search(0.015, messages({ ...claudeSearch, stream }), { leaves: 0.3 }),
  search(0.02, responses({ tools: [{ type: "web_search" }], max_tool_calls: 1 })),
  search(0.015, responses({ tools: [{ type: "web_search" }], max_tool_calls: 2, stream }), { leaves: 0.3 }),
  // As often as the endpoint's claim says.
  search(0.01, responses({ tools: [{ type: "web_search" }] })),
  compaction(0.015, messages(compacted)),
  compaction(0.01, messages({ ...compacted, stream })),
  { name: "fast tier", share: 0.015, ...hidden, unpriced: true, ...messages({ model: "claude-opus", speed: "fast" }) },
  thought("thinking", 0.04, messages(thinking)),
  thought("thinking", 0.04, messages({ ...thinking, stream }), { leaves: 0.4 }),
  // The gateway of the soak lets this model finish when a client leaves.
  thought("thinking, let finish", 0.03, messages({ ...thinking, model: "claude-opus", stream }), { leaves: 0.6 }),
  thought("thinking, no count", 0.02, messages({ ...thinking, stream }), { sim: { omit_usage: true } }),
  { name: "hang-up", share: 0.04, ...chat({ stream }), leaves: 1 },
];

/** One of the mix, or nothing for a plain call. Short runs have some calls without a final count, too. */
export function fromMix(dice, n) {
  if (n % 25 === 10) return MIX.find(({ name }) => name === "thinking, no count");
  let at = dice();
  return MIX.find(({ share }) => (at -= share) < 0);
}

/** A message's content: the text, and what a kind has beside it. */
export function contentOf({ path, parts }, text) {
  if (!parts) return text;
  return [{ type: path === "/v1/responses" ? "input_text" : "text", text }, ...parts];
}
