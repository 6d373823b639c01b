// OpenAI's completions of a prompt, the API before chat, as OpenAI's reference
// documents it: what is refused, what a request asks for, and what comes back.

import * as openai from "./openai.mjs";
import { firstOf, invalid, wrongType } from "./openai-messages.mjs";
import { refuseRanges } from "./openai-options.mjs";
import { logprobOf } from "./logprobs.mjs";
import { overlay } from "./reply.mjs";

export { errorBody, headers, refuseHead, refuseInstruction, refuseJson, refuseMethod, refuseUnknownPath, requestId, streamError } from "./openai.mjs";

const PARAMETERS = new Set(
  (
    "model prompt best_of echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty " +
    "seed stop stream stream_options suffix temperature top_p user"
  ).split(" "),
);
const USUAL_MAX_TOKENS = 16;
const FINISH = { end: "stop", length: "length" };

export const replyPrefix = "cmpl-";
export const streams = openai.streams;
export const messagesOf = (json) => promptsOf(json).map((content) => ({ role: "user", content: textOf(content) }));

const isToken = (value) => Number.isInteger(value) && value >= 0;
const isTokens = (value) => Array.isArray(value) && value.length > 0 && value.every(isToken);
const textOf = (prompt) => (typeof prompt === "string" ? prompt : prompt.map((token) => `<${token}>`).join(""));

/** The prompts of a request, each a text or a list of tokens. */
function promptsOf({ prompt }) {
  if (prompt == null) return [""];
  return typeof prompt === "string" || isTokens(prompt) ? [prompt] : Array.isArray(prompt) ? prompt : [];
}

export function refuseBody(json) {
  const unknown = Object.keys(json).filter((name) => !PARAMETERS.has(name));
  if (unknown.length > 0) return invalid(`Unrecognized request argument${unknown.length > 1 ? "s" : ""} supplied: ${unknown.join(", ")}`);
  const { model } = json;
  if (typeof model !== "string" || model === "") return invalid("you must provide a model parameter");
  return refuseModel(model) ?? refusePrompt(json.prompt) ?? refuseNumbers(json);
}

function refuseModel(model) {
  if (model.startsWith("nope")) return { status: 404, message: `The model \`${model}\` does not exist or you do not have access to it.`, code: "model_not_found" };
  if (!/^(gpt-[4-9]|claude)/.test(model)) return null;
  return { status: 404, message: "This is a chat model and not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?", param: "model", code: null };
}

function refusePrompt(prompt) {
  if (prompt == null) return null;
  const list = typeof prompt === "string" || isTokens(prompt) ? [prompt] : prompt;
  const wellFormed = Array.isArray(list) && list.length > 0;
  const same = wellFormed && (list.every((one) => typeof one === "string") || list.every(isTokens));
  return same ? null : invalid("'$.prompt' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.");
}

function refuseNumbers(json) {
  const { n = 1, best_of: made, stream, stream_options: options } = json;
  const whole = firstOf(["max_tokens", "best_of", "logprobs"], (name) => (json[name] == null || isToken(json[name]) ? null : wrongType(name, "an integer", json[name])));
  if (whole) return whole;
  if (made != null && made < n) return invalid("You requested that the server return more choices than it will generate (HINT: you must set 'n' (currently " + n + ") to be at most 'best_of' (currently " + made + "), or omit either parameter if you don't specifically want to use them.)", "best_of");
  if (made > n && stream === true) return invalid("Cannot stream results with best_of > n.", "best_of");
  if (made > 20) return invalid(`${made} is greater than the maximum of 20 - 'best_of'`, "best_of");
  if (options != null && stream !== true) return invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options");
  const { max_tokens: _, ...rest } = json;
  return refuseRanges(rest);
}

export function ask(json) {
  const prompts = promptsOf(json);
  const [texts, tokens] = [prompts.filter((one) => typeof one === "string"), prompts.filter(Array.isArray)];
  return {
    model: json.model,
    text: texts.join("\n") + (json.suffix ?? ""),
    lastText: "",
    tools: [],
    toolChoice: "none",
    maxTokens: json.max_tokens ?? USUAL_MAX_TOKENS,
    count: prompts.length * Math.max(json.n ?? 1, json.best_of ?? 1),
    media: tokens.reduce((sum, one) => sum + one.length, 0),
    thinks: false,
  };
}

/** The choices that are returned, n for each prompt, each with what it begins with. */
function choicesOf(reply, json) {
  const prompts = promptsOf(json);
  const made = reply.choices.length / prompts.length;
  return prompts.flatMap((prompt, at) =>
    reply.choices.slice(at * made, at * made + (json.n ?? 1)).map((choice) => ({ ...choice, begins: json.echo ? textOf(prompt) : "" })),
  );
}

function usage(reply, fault) {
  if (fault.omit_usage) return undefined;
  const counted = overlay({ prompt_tokens: reply.inputTokens, completion_tokens: reply.outputTokens, total_tokens: 0 }, fault.usage);
  return { ...counted, total_tokens: fault.usage?.total_tokens ?? counted.prompt_tokens + counted.completion_tokens };
}

/** The older form of log probabilities: four lists of the same length. */
function logprobs(pieces, most, offset = 0) {
  if (most == null) return null;
  const entries = pieces.map((piece) => logprobOf(piece, most));
  const offsets = pieces.map((_, i) => offset + pieces.slice(0, i).join("").length);
  return {
    tokens: pieces,
    token_logprobs: entries.map(({ logprob }) => logprob),
    top_logprobs: entries.map(({ top_logprobs: top }) => Object.fromEntries(top.map(({ token, logprob }) => [token, logprob]))),
    text_offset: offsets,
  };
}

export function body(reply, ctx, fault, json) {
  const choices = choicesOf(reply, json).map(({ begins, texts, stop }, index) => ({
    text: begins + texts.join(""),
    index,
    logprobs: logprobs([...(begins ? [begins] : []), ...texts], json.logprobs),
    finish_reason: FINISH[stop],
  }));
  return JSON.stringify({ id: ctx.replyId, object: "text_completion", created: ctx.created, model: reply.model, choices, usage: usage(reply, fault) }, null, 2);
}

/** → [{data, content?, last?}], as in openai-reply.mjs. */
export function events(reply, json, ctx, fault) {
  const reportsUsage = json.stream_options?.include_usage === true && !fault.omit_usage;
  const chunk = (choices, extra = reportsUsage ? { usage: null } : {}) =>
    JSON.stringify({ id: ctx.replyId, object: "text_completion", created: ctx.created, choices, model: reply.model, ...extra });
  const said = choicesOf(reply, json).map(({ begins, texts, stop }) => ({ stop, pieces: [...(begins ? [begins] : []), ...texts] }));
  const sent = [];
  for (let round = 0; round < Math.max(0, ...said.map(({ pieces }) => pieces.length)); round++) {
    for (const [index, { pieces }] of said.entries()) {
      const text = pieces[round];
      if (text === undefined) continue;
      const offset = pieces.slice(0, round).join("").length;
      sent.push({ data: chunk([{ text, index, logprobs: logprobs([text], json.logprobs, offset), finish_reason: null }]), content: true });
    }
  }
  for (const [index, { stop }] of said.entries()) sent.push({ data: chunk([{ text: "", index, logprobs: null, finish_reason: FINISH[stop] }]) });
  if (reportsUsage) sent.push({ data: chunk([], { usage: usage(reply, fault) }) });
  sent.push({ data: "[DONE]", last: true });
  return sent;
}
