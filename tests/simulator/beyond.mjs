// What a provider reads for a request beyond its body, and bills: files at
// addresses, what it keeps, the results of tools that it runs itself, a conversation
// that it compacts. And what it says where all of that does not fit into the model's
// context.

import { searchesIn, webActions } from "./hosted.mjs";
import { tokensKept } from "./responses-kept.mjs";

const USUAL_WINDOW = 1_048_576;
const RESULT_TOKENS = 5_000;
const USUAL_RUNS = 2;
/** Anthropic compacts from so many tokens on, unless a request says otherwise. */
const USUAL_TRIGGER = 150_000;
const SUMMARY_TOKENS = 1_500;
const HOSTED = /^(web_search|web_fetch|code_execution|code_interpreter|file_search|image_generation|mcp)/;

/** The context of a model: its id says so, as in `m-128k`. */
export function windowOf(model) {
  const [, thousands] = /-(\d+)k(?:-|$)/.exec(model ?? "") ?? [];
  return thousands === undefined ? USUAL_WINDOW : Number(thousands) * 1000;
}

/** The tokens of files at addresses (`?tokens=180000`) and of what is kept under ids (`conv_t180000`). */
function elsewhere(value) {
  if (Array.isArray(value)) return value.reduce((sum, one) => sum + elsewhere(one), 0);
  if (value === null || typeof value !== "object") return 0;
  return Object.entries(value).reduce((sum, [name, one]) => sum + (typeof one === "string" ? named(name, one) : elsewhere(one)), 0);
}

function named(name, text) {
  if (name === "text") return 0;
  const [, tokens] = /^https?:\/\/[^ ]*[?&]tokens=(\d+)/.exec(text) ?? /^[a-z]+_t(\d+)$/.exec(text) ?? [];
  return tokens === undefined ? 0 : Number(tokens);
}

/** How often each hosted tool is run: as often as it may, but no more than twice unless the user says so. */
function runs({ tools, max_tool_calls: all }, lastText) {
  const [, said] = /run the tools (\d+) times/i.exec(lastText ?? "") ?? [];
  const hosted = (Array.isArray(tools) ? tools : []).filter((tool) => HOSTED.test(tool?.type ?? ""));
  let left = all ?? Infinity;
  return hosted.map(({ type, max_uses: most }) => {
    const times = Math.min(said === undefined ? USUAL_RUNS : Number(said), most ?? Infinity, left);
    left -= times;
    return { tool: HOSTED.exec(type)[1], times };
  });
}

/**
 * → {input, first, begins, tools: [{tool, times}], compaction, window}
 *   with input: all tokens that are read, each pass anew; first: what was sent;
 *   begins: what the first pass of the answer reads; compaction: {input, output} of
 *   the pass before it that makes the conversation short, which counts beside `input`.
 */
export function beyond(json, ask, inputTokens) {
  const window = windowOf(ask.model);
  const kept = typeof json.previous_response_id === "string" ? tokensKept(json.previous_response_id) : 0;
  const first = inputTokens + kept + elsewhere(json);
  const tools = runs(json, ask.lastText);
  const passes = 1 + tools.reduce((sum, { times }) => sum + times, 0);
  const compaction = first > triggerOf(json) ? { input: first, output: SUMMARY_TOKENS } : null;
  const begins = compaction ? inputTokens + SUMMARY_TOKENS : first;
  let input = 0;
  for (let pass = 0; pass < passes; pass++) input += Math.min(begins + pass * RESULT_TOKENS, Math.max(window, begins));
  return { input, first, begins, tools, compaction, window };
}

/** From how many tokens on the conversation is compacted. */
function triggerOf({ context_management: management }) {
  const edit = (management?.edits ?? []).find(({ type }) => type?.startsWith("compact_"));
  return edit ? (edit.trigger?.value ?? USUAL_TRIGGER) : Infinity;
}

/** What is billed beside tokens, by the kinds of egress: how often each tool ran. */
export function used(tools, dialect) {
  const times = (name) => tools.filter(({ tool }) => tool === name).reduce((sum, { times: n }) => sum + n, 0);
  const searches = dialect === "responses" ? searchesIn(webActions(tools)) : times("web_search");
  const uses = { "web-search": searches, "web-fetch": times("web_fetch") };
  return Object.fromEntries(Object.entries(uses).filter(([, count]) => count > 0));
}

/** What is answered where the input does not fit, in each dialect's words. */
export function tooLong(dialect, { first, window }) {
  switch (dialect) {
    case "anthropic":
      return { message: `prompt is too long: ${first} tokens > ${window} maximum` };
    case "openai":
      return { message: `This model's maximum context length is ${window} tokens. However, your messages resulted in ${first} tokens. Please reduce the length of the messages.`, param: "messages", code: "context_length_exceeded" };
    case "responses":
      return { message: "Your input exceeds the context window of this model. Please adjust your input and try again.", param: "input", code: "context_length_exceeded" };
    default:
      return { message: "Input is too long for requested model." };
  }
}

/** As Anthropic counts its searches. */
export function serverToolUse(tools) {
  const times = (name) => tools.filter(({ tool }) => tool === name).reduce((sum, { times: n }) => sum + n, 0);
  return { web_search_requests: times("web_search"), web_fetch_requests: times("web_fetch") };
}
