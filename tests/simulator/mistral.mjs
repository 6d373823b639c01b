// Mistral's chat completions: OpenAI's with fewer fields and some of its own, and
// with thoughts that are shown. What it does not know it refuses, with the list that
// its validator makes.

import * as openai from "./openai.mjs";

export * from "./openai.mjs";

const PARAMETERS = new Set(
  (
    "model messages temperature top_p max_tokens stream stop random_seed metadata response_format tools tool_choice presence_penalty " +
    "frequency_penalty n prediction parallel_tool_calls prompt_mode reasoning_effort guardrails safe_prompt prompt_cache_key"
  ).split(" "),
);
/** The models that think when they are asked to. */
const THINKS = /small|medium|magistral|^sim-|^m-/;

export function errorBody(status, detail = {}) {
  return detail.list ? JSON.stringify({ detail: detail.list }) : openai.errorBody(status, detail);
}

const refused = (name, type, msg, input) => ({ status: 422, list: [{ type, loc: ["body", name], msg, input }] });

export function refuseBody(json) {
  const odd = Object.keys(json).find((name) => !PARAMETERS.has(name));
  if (odd) return refused(odd, "extra_forbidden", "Extra inputs are not permitted", json[odd]);
  const { random_seed: seed, prompt_mode, guardrails, safe_prompt, ...rest } = json;
  if (seed != null && !(Number.isInteger(seed) && seed >= 0)) return refused("random_seed", "int_type", "Input should be a valid integer", seed);
  if (json.reasoning_effort != null && !THINKS.test(json.model ?? "")) return openai.unsupported("reasoning_effort");
  if (json.temperature != null && !(json.temperature >= 0 && json.temperature <= 1.5)) return refused("temperature", "less_than_equal", "Input should be less than or equal to 1.5", json.temperature);
  // Without chance all answers would be the same.
  if (json.temperature === 0 && json.top_p != null && json.top_p !== 1) return { status: 400, message: "top_p must be 1 when using greedy sampling.", type: "invalid_request_invalid_args" };
  if (json.temperature === 0 && json.n > 1) return { status: 400, message: `n must be 1 when using greedy sampling, got ${json.n}.`, type: "invalid_request_invalid_args" };
  return openai.refuseBody({ ...rest, messages: rest.messages?.map?.(withoutThoughts) });
}

/** Thoughts may come back, and are what OpenAI's has no part for. */
function withoutThoughts(message) {
  if (message?.role !== "assistant" || !Array.isArray(message.content)) return message;
  const said = message.content.filter((part) => part?.type !== "thinking");
  return { ...message, content: said.length > 0 ? said : null, ...(said.length > 0 || message.tool_calls ? {} : { content: "" }) };
}

const thought = (text) => ({ type: "thinking", thinking: [{ type: "text", text }] });

/** Thoughts stand before the text, which then is a part as well. */
export function body(reply, ctx, fault, json) {
  const answer = JSON.parse(openai.body(reply, ctx, fault, json));
  for (const [i, { thoughts }] of reply.choices.entries()) {
    const { message } = answer.choices[i];
    if (thoughts.length > 0) message.content = [thought(thoughts.join("")), ...(message.content ? [{ type: "text", text: message.content }] : [])];
  }
  return JSON.stringify(answer, null, 2);
}

/** In a stream thoughts come in parts, text as it does elsewhere. */
export function events(reply, json, ctx, fault) {
  return openai.events(reply, json, ctx, fault).flatMap((event) => {
    const chunk = event.last ? null : JSON.parse(event.data);
    const [choice] = chunk?.choices ?? [];
    if (choice?.delta.role === undefined) return [event];
    const pieces = reply.choices[choice.index].thoughts.map((text) => ({ ...chunk, choices: [{ index: choice.index, delta: { content: [thought(text)] }, finish_reason: null }] }));
    const role = { ...chunk, choices: [{ ...choice, delta: { role: "assistant", content: "" } }] };
    const calls = choice.delta.tool_calls ? [{ ...chunk, choices: [{ ...choice, delta: { tool_calls: choice.delta.tool_calls } }] }] : [];
    return pieces.length === 0 ? [event] : [role, ...pieces, ...calls].map((one, i) => ({ data: JSON.stringify(one), content: i > 0 && i <= pieces.length }));
  });
}
