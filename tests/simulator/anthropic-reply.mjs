// Anthropic's shapes for an answer: one JSON body, or the events of a stream in
// the order the real one sends them, ping and padding included.

import { overlay } from "./reply.mjs";
import { MAKER, mintBlob } from "./blobs.mjs";
import { serverToolUse } from "./beyond.mjs";
import { compactionBlock, serverBlocks } from "./hosted.mjs";
import { randomText } from "./ids.mjs";

const STOP = { end: "end_turn", length: "max_tokens", tool: "tool_use", refusal: "refusal" };
const FIRST_OUTPUT_TOKENS = 1; // what message_start already counts

const compacts = ({ context_management: management }) => (management?.edits ?? []).some(({ type }) => type?.startsWith("compact_"));

/** The passes, where a request has them compacted; that of the compaction is beside the sum. */
function iterations({ inputTokens, outputTokens, compaction }) {
  const pass = (type, input, output) => ({
    input_tokens: input,
    output_tokens: output,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    type,
  });
  const before = compaction ? [pass("compaction", compaction.input, compaction.output)] : [];
  return [...before, pass("message", inputTokens, outputTokens)];
}

function usage(reply, json, fault) {
  if (fault.omit_usage) return undefined;
  const counted = overlay(
    {
      input_tokens: reply.inputTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      output_tokens: reply.outputTokens,
      // Told only by models that think.
      ...(reply.thoughtTokens > 0 ? { output_tokens_details: { thinking_tokens: reply.thoughtTokens } } : {}),
      service_tier: "standard",
      inference_geo: "global",
      ...(reply.hosted?.length > 0 ? { server_tool_use: serverToolUse(reply.hosted) } : {}),
      // Only whoever asks for another speed is told which it was.
      ...(json.speed ? { speed: json.speed } : {}),
      ...(compacts(json) ? { iterations: iterations(reply) } : {}),
    },
    fault.usage,
  );
  // The split by lifetime adds up to the total unless the fault says otherwise.
  if (!fault.usage?.cache_creation) {
    counted.cache_creation.ephemeral_5m_input_tokens = counted.cache_creation_input_tokens;
  }
  return counted;
}

function message(reply, ctx, { content, stop, usage }) {
  return {
    model: reply.model,
    id: ctx.replyId,
    type: "message",
    role: "assistant",
    content,
    stop_reason: stop,
    stop_sequence: null,
    stop_details: null,
    usage,
  };
}

export function body(reply, ctx, fault, json) {
  const [choice] = reply.choices;
  const content = beforeAnswer(reply).map(({ whole }) => whole);
  if (choice.thoughts.length > 0) content.push({ type: "thinking", thinking: choice.thoughts.join(""), signature: mintBlob(MAKER) });
  const said = choice.refusal ?? choice.texts;
  if (said.length > 0) content.push({ type: "text", text: said.join("") });
  for (const tool of choice.tools) content.push(toolBlock(tool, tool.input));
  return JSON.stringify(message(reply, ctx, { content, stop: STOP[choice.stop], usage: usage(reply, json, fault) }));
}

function toolBlock({ name }, input) {
  return { type: "tool_use", id: `toolu_01${randomText(22)}`, name, input, caller: { type: "direct" } };
}

/** → [{event, data, content?, last?}]: `content` marks what faults count as content chunks. */
export function events(reply, json, ctx, fault) {
  const [choice] = reply.choices;
  const total = usage(reply, json, fault);
  const sent = [event("message_start", { message: message(reply, ctx, { content: [], stop: null, usage: begun(total, reply, fault) }) })];
  for (const [index, block] of [...beforeAnswer(reply), ...blocks(choice, ctx)].entries()) {
    sent.push(event("content_block_start", { index, content_block: block.start }));
    if (index === 0) sent.push({ event: "ping", data: '{"type": "ping"}' });
    for (const delta of block.deltas) sent.push({ ...event("content_block_delta", { index, delta }), content: true });
    sent.push(event("content_block_stop", { index }));
  }
  const delta = { stop_reason: STOP[choice.stop], stop_sequence: null, stop_details: null };
  sent.push(event("message_delta", { delta, usage: cumulative(total) }));
  sent.push({ ...event("message_stop", {}), last: true });
  return sent.map(pad);
}

/** What the first event counts: the input of the first pass, and nothing of tools and passes to come. */
function begun(total, { firstTokens }, fault) {
  if (!total) return undefined;
  const { server_tool_use, iterations, ...counted } = total;
  const input = fault.usage?.input_tokens ?? firstTokens ?? counted.input_tokens;
  return { ...counted, input_tokens: input, output_tokens: Math.min(FIRST_OUTPUT_TOKENS, counted.output_tokens) };
}

const beforeAnswer = ({ compaction, hosted }) => [...compactionBlock(compaction), ...serverBlocks(hosted)];

function blocks({ thoughts, texts, refusal, tools }, ctx) {
  const list = [];
  if (thoughts.length > 0) {
    const deltas = thoughts.map((thinking) => ({ type: "thinking_delta", thinking }));
    deltas.push({ type: "signature_delta", signature: mintBlob(MAKER) });
    list.push({ start: { type: "thinking", thinking: "", signature: "" }, deltas });
  }
  const said = refusal ?? texts;
  if (said.length > 0 || !tools.length) {
    const deltas = said.map((text) => ({ type: "text_delta", text }));
    list.push({ start: { type: "text", text: "" }, deltas });
  }
  for (const tool of tools) {
    const pieces = ["", ...tool.pieces]; // the real one opens with an empty piece
    const deltas = pieces.map((partial_json) => ({ type: "input_json_delta", partial_json }));
    list.push({ start: toolBlock(tool, {}), deltas });
  }
  return list;
}

function cumulative(total) {
  if (!total) return undefined;
  const { cache_creation, service_tier, inference_geo, ...rest } = total;
  return rest;
}

const event = (type, fields) => ({ event: type, data: JSON.stringify({ type, ...fields }) });

/** Blanks before the last brace, of varying number, as the real one sends to hide lengths. */
function pad(sent, i) {
  if (sent.event === "ping") return sent;
  return { ...sent, data: `${sent.data.slice(0, -1)}${" ".repeat((i * 5) % 13)}}` };
}

export function streamError(ctx) {
  const error = { type: "overloaded_error", message: "Overloaded" };
  return { event: "error", data: JSON.stringify({ type: "error", error, request_id: ctx.requestId }) };
}
