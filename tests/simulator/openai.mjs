// OpenAI's chat completions as seen from outside: what it refuses, in which
// words, and what a request asks for. The shape of answers is in openai-reply.mjs.

import { mediaTokens } from "./media.mjs";
import { invalid, refuseMessages } from "./openai-messages.mjs";
import { refuseChoice, refuseEffort, refuseFlags, refuseFormat, refuseNamesOfUsers, refuseRanges, refuseTools } from "./openai-options.mjs";
import { lastUserText, textOfMessages } from "./prompt.mjs";
import { randomHex } from "./ids.mjs";

export { refuseEmbed } from "./openai-embeddings.mjs";
export { body, events, streamError } from "./openai-reply.mjs";

const PARAMETERS = new Set(
  (
    "messages model audio frequency_penalty function_call functions logit_bias logprobs " +
    "max_completion_tokens max_tokens metadata modalities moderation n parallel_tool_calls " +
    "prediction presence_penalty prompt_cache_key prompt_cache_options prompt_cache_retention " +
    "reasoning_effort response_format safety_identifier seed service_tier stop store stream " +
    "stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options"
  ).split(" "),
);
const DEFAULTS = {
  400: { type: "invalid_request_error", message: "The request was not valid." },
  401: { type: "invalid_request_error", code: "invalid_api_key", message: "Incorrect API key provided." },
  403: { type: "invalid_request_error", code: "permission_denied", message: "You may not do this." },
  404: { type: "invalid_request_error", code: "model_not_found", message: "The model does not exist." },
  405: { type: "invalid_request_error", code: "method_not_supported", message: "Method not allowed." },
  429: { type: "requests", code: "rate_limit_exceeded", message: "Rate limit reached." },
  500: { type: "server_error", message: "The server had an error." },
  503: { type: "server_error", message: "The engine is overloaded." },
};

export function requestId() {
  return `req_${randomHex(32)}`;
}

export function headers(ctx, status) {
  // These two are answered by the real one's edge, which names a charset.
  const fromEdge = status === 401 || status === 404;
  return {
    ...(fromEdge ? { "content-type": "application/json; charset=utf-8" } : {}),
    "x-request-id": ctx.requestId,
    "openai-version": "2020-10-01",
    "openai-processing-ms": "7",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "9999",
  };
}

export function errorBody(status, detail = {}) {
  const byStatus = DEFAULTS[status] ?? (status >= 500 ? DEFAULTS[500] : DEFAULTS[400]);
  const { message, type, param = null, code = null } = { ...byStatus, ...detail };
  return JSON.stringify({ error: { message, type, param, code } }, null, 2);
}

export function refuseHead({ headers: got, host, pathname }) {
  const bearer = /^Bearer\s+\S/i.test(got.authorization ?? "");
  // Azure's hosts take the key in a header of their own as well.
  if (bearer || (host.includes("azure") && got["api-key"])) return null;
  return {
    status: 401,
    message: `You didn't provide an API key for ${pathname}.`,
    code: null,
  };
}

export function refuseMethod({ method, pathname }) {
  return { status: 405, message: `Not allowed to ${method} on ${pathname}.` };
}

export function refuseUnknownPath({ method, pathname }) {
  return { status: 404, message: `Invalid URL (${method} ${pathname})`, code: null };
}

export function refuseJson() {
  return invalid("We could not parse the JSON body of your request.");
}

export function refuseInstruction(message) {
  return invalid(`Bad [[sim: …]] instruction: ${message}`, null, "simulator_instruction");
}

export function refuseBody(json) {
  const unknown = Object.keys(json).filter((name) => !PARAMETERS.has(name));
  if (unknown.length > 0) {
    const plural = unknown.length > 1 ? "s" : "";
    return invalid(`Unrecognized request argument${plural} supplied: ${unknown.join(", ")}`);
  }
  const { model, messages } = json;
  if (model == null || model === "") return invalid("you must provide a model parameter");
  if (typeof model !== "string" || !/^[\w][\w.:/@-]{0,199}$/.test(model)) return invalid("invalid model ID");
  if (messages == null) {
    return invalid("Missing required parameter: 'messages'.", "messages", "missing_required_parameter");
  }
  return refuseMessages(messages) ?? refuseOptions(json) ?? refuseModel(model) ?? refuseEmbedder(model) ?? refuseEffortless(json);
}

/** What JSON mode answers with. */
export const ANSWER = { type: "object", properties: { answer: { type: "string" } } };

export const replyPrefix = "chatcmpl-";
export const messagesOf = (json) => json.messages;
export const streams = (json) => json.stream === true;

function refuseOptions(json) {
  if (json.stream != null && typeof json.stream !== "boolean") {
    return invalid("Invalid type for 'stream': expected a boolean.", "stream", "invalid_type");
  }
  if (json.stream_options != null && json.stream !== true) {
    return invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options");
  }
  if (json.max_tokens != null && json.max_completion_tokens != null) {
    return invalid(
      "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
      "max_tokens",
      "invalid_parameter_combination",
    );
  }
  if (json.top_logprobs != null && json.logprobs !== true) {
    return invalid("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", "top_logprobs");
  }
  return (
    refuseRanges(json) ??
    refuseNamesOfUsers(json) ??
    refuseFlags(json, ["logprobs", "parallel_tool_calls", "store"]) ??
    refuseEffort(json.reasoning_effort, "reasoning_effort") ??
    refuseTools(json.tools, "function") ??
    refuseChoice(json.tool_choice, json.tools, json.tool_choice?.function?.name) ??
    refuseFormat(json.response_format, "response_format", "response_format", textOfMessages(json.messages))
  );
}

function refuseModel(model) {
  if (!model.startsWith("nope")) return null;
  return {
    status: 404,
    message: `The model \`${model}\` does not exist or you do not have access to it.`,
    code: "model_not_found",
  };
}

/** A model that only makes vectors has nothing to say. Also for responses. */
export function refuseEmbedder(model) {
  return /embed/.test(model) ? { status: 403, message: "You are not allowed to sample from this model", code: null } : null;
}

/** The models that have no effort to set. */
export const thinksNever = (model) => /^(gpt-3|gpt-4|chatgpt-4)/.test(model);
export const unsupported = (at) => invalid(`Unrecognized request argument supplied: ${at}`);

function refuseEffortless({ model, reasoning_effort: effort }) {
  return effort != null && thinksNever(model) ? unsupported("reasoning_effort") : null;
}

export function ask(json) {
  const functions = (json.tools ?? []).map((tool) => tool?.function).filter(Boolean);
  return {
    model: json.model,
    text: textOfMessages(json.messages),
    lastText: lastUserText(json.messages),
    tools: functions.map(({ name, parameters }) => ({ name, schema: parameters })),
    toolChoice: toolChoice(json.tool_choice),
    speaksBeforeTool: false,
    maxTokens: json.max_completion_tokens ?? json.max_tokens ?? Infinity,
    count: json.n ?? 1,
    media: mediaTokens(json.messages),
    oneToolOnly: json.parallel_tool_calls === false,
    thinks: json.reasoning_effort != null && json.reasoning_effort !== "none",
    schema: json.response_format?.json_schema?.schema ?? (json.response_format?.type === "json_object" ? ANSWER : undefined),
  };
}

function toolChoice(given) {
  if (given === "required") return "any";
  if (given?.type === "function") return { name: given.function?.name };
  return given === "none" ? "none" : "auto";
}

export function modelList(ctx) {
  const data = ["sim-small", "sim-large"].map((id) => ({
    id,
    object: "model",
    created: ctx.created,
    owned_by: "simulator",
  }));
  return JSON.stringify({ object: "list", data }, null, 2);
}
