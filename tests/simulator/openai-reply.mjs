// OpenAI's shapes for an answer: one JSON body, or the chunks of a stream in the
// order the real one sends them. Key order follows recordings of current models.

import { logprobOf } from "./logprobs.mjs";
import { overlay } from "./reply.mjs";
import { hash } from "./words.mjs";
import { randomText } from "./ids.mjs";

const FINISH = { end: "stop", length: "length", tool: "tool_calls", refusal: "stop" };

const fingerprint = (model) => `fp_${hash(model).toString(16).padStart(10, "0")}`;

function usage(reply, fault) {
  if (fault.omit_usage) return undefined;
  const counted = overlay(
    {
      prompt_tokens: reply.inputTokens,
      completion_tokens: reply.outputTokens,
      total_tokens: 0,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: reply.thoughtTokens,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
    fault.usage,
  );
  const total = counted.prompt_tokens + counted.completion_tokens;
  return { ...counted, total_tokens: fault.usage?.total_tokens ?? total };
}

export function body(reply, ctx, fault, json = {}) {
  const choices = reply.choices.map((choice, index) => ({
    index,
    message: message(choice),
    ...logprobs(json, choice.texts, choice.refusal),
    finish_reason: FINISH[choice.stop],
  }));
  const answer = {
    id: ctx.replyId,
    object: "chat.completion",
    created: ctx.created,
    model: reply.model,
    choices,
    usage: usage(reply, fault),
    service_tier: "default",
    system_fingerprint: fingerprint(reply.model),
  };
  return JSON.stringify(answer, null, 2);
}

/** Only there if asked for; null where nothing is said. */
function logprobs({ logprobs: wanted, top_logprobs }, texts, refusal) {
  if (wanted !== true) return {};
  const of = (pieces) => pieces.map((piece) => logprobOf(piece, top_logprobs ?? 0));
  const said = texts?.length || refusal?.length;
  return { logprobs: said ? { content: refusal ? null : of(texts), refusal: refusal ? of(refusal) : null } : null };
}

function message({ texts, tools, refusal }) {
  if (refusal) return { role: "assistant", content: null, refusal: refusal.join(""), annotations: [] };
  if (!tools.length) return { role: "assistant", content: texts.join(""), refusal: null, annotations: [] };
  const calls = tools.map((tool) => ({
    id: callId(),
    type: "function",
    function: { name: tool.name, arguments: tool.pieces.join("") },
  }));
  return { role: "assistant", content: null, tool_calls: calls, refusal: null, annotations: [] };
}

const callId = () => `call_${randomText(24)}`;

/** → [{data, content?, last?}]: `content` marks what faults count as content chunks. */
export function events(reply, json, ctx, fault) {
  // Mistral tells it unasked, with the reason to stop.
  const unasked = ctx.host?.includes("mistral") && !fault.omit_usage;
  const reportsUsage = !unasked && json.stream_options?.include_usage === true && !fault.omit_usage;
  const chunk = (choices, extra = reportsUsage ? { usage: null } : {}) =>
    JSON.stringify({
      id: ctx.replyId,
      object: "chat.completion.chunk",
      created: ctx.created,
      model: reply.model,
      service_tier: "default",
      system_fingerprint: fingerprint(reply.model),
      choices,
      ...extra,
    });
  const delta = (index, delta) => {
    const [texts, refusal] = [delta.content && [delta.content], delta.refusal && [delta.refusal]];
    return chunk([{ index, delta, ...logprobs(json, texts, refusal), finish_reason: null }]);
  };

  const sent = [];
  const rounds = Math.max(1, ...reply.choices.map((choice) => contentOf(choice).length));
  for (let round = 0; round < rounds; round++) {
    for (const [index, choice] of reply.choices.entries()) {
      if (round === 0) sent.push({ data: delta(index, firstDelta(choice)) });
      const content = contentOf(choice)[round];
      if (content) sent.push({ data: delta(index, content), content: true });
    }
  }
  for (const [index, choice] of reply.choices.entries()) {
    const extra = unasked ? { usage: usage(reply, fault) } : undefined;
    sent.push({ data: chunk([{ index, delta: {}, ...logprobs(json), finish_reason: FINISH[choice.stop] }], extra) });
  }
  if (reportsUsage) sent.push({ data: chunk([], { usage: usage(reply, fault) }) });
  sent.push({ data: "[DONE]", last: true });
  return sent;
}

function firstDelta({ tools, refusal }) {
  if (refusal) return { role: "assistant", content: null, refusal: "" };
  if (!tools.length) return { role: "assistant", content: "", refusal: null };
  return { role: "assistant", content: null, tool_calls: [opening(tools[0], 0)], refusal: null };
}

const opening = (tool, index) => ({ index, id: callId(), type: "function", function: { name: tool.name, arguments: "" } });

function contentOf({ texts, tools, refusal }) {
  if (refusal) return refusal.map((piece) => ({ refusal: piece }));
  if (!tools.length) return texts.map((content) => ({ content }));
  // The first call was opened with the role; each further one opens itself.
  return tools.flatMap((tool, index) => [
    ...(index > 0 ? [{ tool_calls: [opening(tool, index)] }] : []),
    ...tool.pieces.map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] })),
  ]);
}

export function streamError() {
  const error = { message: "The server had an error.", type: "server_error", param: null, code: null };
  return { data: JSON.stringify({ error }) };
}
