// What an answer shows of the tools that ran at the provider: Anthropic's calls and
// results among its blocks, OpenAI's calls among its items. The shapes are those of
// recordings.

import { randomText } from "./ids.mjs";
import { splitText } from "./words.mjs";

const PAGE = "https://files.example/found";
const ARGUMENT_PIECE = 9; // characters; the real one breaks anywhere as well

const RESULTS = {
  web_search: () => [{ type: "web_search_result", title: "What was found", url: PAGE, encrypted_content: randomText(64), page_age: "2 weeks ago" }],
  web_fetch: () => ({
    type: "web_fetch_result",
    url: PAGE,
    retrieved_at: "2026-11-20T00:00:00.000000+00:00",
    content: { type: "document", source: { type: "text", media_type: "text/plain", data: "What was found." }, title: "What was found" },
  }),
};

/** Anthropic's blocks before the answer: [{whole, start, deltas}], a call and its result for each run. */
export function serverBlocks(hosted = []) {
  return hosted.filter(({ tool }) => RESULTS[tool]).flatMap(({ tool, times }) => Array.from({ length: times }, (_, n) => run(tool, n)).flat());
}

function run(tool, n) {
  const id = `srvtoolu_01${randomText(22)}`;
  const input = tool === "web_search" ? { query: `what to find, ${n + 1}` } : { url: PAGE };
  const call = { type: "server_tool_use", id, name: tool, input, caller: { type: "direct" } };
  const result = { type: `${tool}_tool_result`, tool_use_id: id, content: RESULTS[tool](), caller: { type: "direct" } };
  const pieces = ["", ...JSON.stringify(input).match(new RegExp(`.{1,${ARGUMENT_PIECE}}`, "gsu"))];
  return [
    { whole: call, start: { ...call, input: {} }, deltas: pieces.map((partial_json) => ({ type: "input_json_delta", partial_json })) },
    { whole: result, start: result, deltas: [] },
  ];
}

/** The block with what was said before, in short; it is sent in one piece. */
export function compactionBlock(compaction) {
  if (!compaction) return [];
  const content = splitText("The user said something about it.").join("");
  const block = { type: "compaction", content, encrypted_content: null };
  const { type, ...rest } = block;
  return [{ whole: block, start: { ...block, content: "" }, deltas: [{ type: "compaction_delta", ...rest }] }];
}

/**
 * What OpenAI's model does on the web in so many calls. The first call has two
 * queries, which are two searches on the bill; the last of several opens a page,
 * which is none.
 */
export function webActions(hosted = []) {
  const calls = hosted.filter(({ tool }) => tool === "web_search").reduce((sum, { times }) => sum + times, 0);
  return Array.from({ length: calls }, (_, n) => {
    if (n > 0 && n === calls - 1) return { type: "open_page", url: PAGE };
    const queries = n === 0 ? ["what to find", "where to find it"] : [`what to find, ${n + 1}`];
    return { type: "search", queries, query: queries[0] };
  });
}

/** How many searches that is. */
export function searchesIn(actions) {
  return actions.reduce((sum, { queries = [] }) => sum + queries.length, 0);
}
