// Anthropic's messages as seen from outside: what it refuses, in which words,
// and what a request asks for. The shape of answers is in anthropic-reply.mjs.

import { invalid, refuseMessages } from "./anthropic-blocks.mjs";
import { refuseSampling } from "./claude-rules.mjs";
import { refuseOutput, refuseSystem, refuseThinking, refuseTools, thinksIn } from "./anthropic-options.mjs";
import { MAKER } from "./blobs.mjs";
import { lastUserText, textOf, textOfMessages } from "./prompt.mjs";
import { randomText } from "./ids.mjs";
import { mediaTokens } from "./media.mjs";
import { inputTokens } from "./reply.mjs";

export { body, events, streamError } from "./anthropic-reply.mjs";

const PARAMETERS = new Set(
  (
    "model messages max_tokens system metadata stop_sequences stream temperature top_k top_p tools " +
    "tool_choice thinking service_tier container context_management mcp_servers output_config " +
    "output_format cache_control inference_geo speed compaction diagnostics fallbacks " +
    "fallback_credit_token billing_policy thread user_profile_id workspace_id"
  ).split(" "),
);
const COUNTED = new Set(
  "model messages system tools tool_choice thinking cache_control context_management mcp_servers output_config output_format speed".split(" "),
);

const TYPES = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  405: "invalid_request_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  503: "api_error",
  504: "timeout_error",
  529: "overloaded_error",
};
const MESSAGES = {
  401: "invalid x-api-key",
  405: "Method Not Allowed",
  429: "The rate limit for this organisation was exceeded.",
  500: "Internal server error",
  529: "Overloaded",
};

export function requestId() {
  return `req_011C${randomText(20)}`;
}

export function headers(ctx) {
  return {
    "request-id": ctx.requestId,
    "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
    "anthropic-ratelimit-requests-limit": "4000",
    "anthropic-ratelimit-requests-remaining": "3999",
  };
}

export function errorBody(status, detail = {}, ctx) {
  const type = detail.type ?? TYPES[status] ?? (status >= 500 ? "api_error" : "invalid_request_error");
  const message = detail.message ?? MESSAGES[status] ?? "The request could not be handled.";
  const { details } = detail;
  return JSON.stringify({ type: "error", error: { type, message, ...(details ? { details } : {}) }, request_id: ctx.requestId });
}

export function refuseHead({ headers: got }) {
  if (!got["x-api-key"] && !/^Bearer\s+\S/i.test(got.authorization ?? "")) {
    return { status: 401, message: "x-api-key header is required" };
  }
  return got["anthropic-version"] ? null : invalid("anthropic-version: header is required");
}

export function refuseMethod() {
  return { status: 405 };
}

export function refuseUnknownPath() {
  return { status: 404, message: "Not Found" };
}

export function refuseJson() {
  return invalid("The request body is not valid JSON.");
}

export function refuseInstruction(message) {
  return invalid(`Bad [[sim: …]] instruction: ${message}`);
}

export const replyPrefix = "msg_01";
export const messagesOf = (json) => json.messages;
export const streams = (json) => json.stream === true;

export function refuseBody(json, { operation }) {
  const counts = operation === "count";
  for (const name of counts ? ["model", "messages"] : ["model", "messages", "max_tokens"]) {
    if (json[name] === undefined) return invalid(`${name}: Field required`);
  }
  const known = counts ? COUNTED : PARAMETERS;
  const unknown = Object.keys(json).find((name) => !known.has(name));
  if (unknown) return invalid(`${unknown}: Extra inputs are not permitted`);
  const { model } = json;
  if (typeof model !== "string" || !/^[\w][\w.:/@-]{0,199}$/.test(model)) {
    return invalid("model: String should be a model identifier");
  }
  if (model.startsWith("nope")) return { status: 404, message: `model: ${model}` };
  // This host keeps no threads: a client then sends the whole conversation.
  if (json.thread !== undefined) {
    return { ...invalid("thread: this model does not keep threads; resend the full conversation"), details: { error_code: "thread_unsupported_request" } };
  }
  const thinks = !counts && json.thinking?.type === "enabled";
  return (
    (counts ? null : (refuseNumbers(json) ?? refuseSampling(json, model) ?? refuseUser(json.metadata))) ??
    refuseTools(json) ??
    (counts ? null : refuseThinking(json)) ??
    refuseOutput(json) ??
    refuseSystem(json) ??
    refuseMessages(json.messages, { maker: MAKER, thinks })
  );
}

function refuseNumbers({ max_tokens, temperature, top_p, stream }) {
  if (!Number.isInteger(max_tokens)) return invalid("max_tokens: Input should be a valid integer");
  // 0 fills the cache and says nothing.
  if (max_tokens < 0) return invalid("max_tokens: Input should be greater than or equal to 0");
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 1)) {
    return invalid("temperature: range: 0..1");
  }
  if (top_p !== undefined && !(top_p >= 0 && top_p <= 1)) return invalid("top_p: range: 0..1");
  if (stream !== undefined && typeof stream !== "boolean") {
    return invalid("stream: Input should be a valid boolean");
  }
  return null;
}

function refuseUser(metadata) {
  return metadata?.user_id?.length > 256 ? invalid("metadata.user_id: String should have at most 256 characters") : null;
}

export function countTokens(json) {
  return JSON.stringify({ input_tokens: inputTokens(ask({ ...json, max_tokens: 1 })) });
}

export function ask(json) {
  const tools = (json.tools ?? []).filter((tool) => tool?.input_schema);
  const choice = toolChoice(json.tool_choice);
  return {
    model: json.model,
    text: [textOf(json.system), textOfMessages(json.messages)].filter(Boolean).join("\n"),
    lastText: lastUserText(json.messages),
    tools: tools.map(({ name, input_schema }) => ({ name, schema: input_schema })),
    toolChoice: choice,
    speaksBeforeTool: choice === "auto",
    maxTokens: json.max_tokens,
    count: 1,
    media: mediaTokens(json.messages),
    oneToolOnly: json.tool_choice?.disable_parallel_tool_use === true,
    thinks: thinksIn(json),
    schema: json.output_config?.format?.schema,
  };
}

function toolChoice(given) {
  if (given?.type === "tool") return { name: given.name };
  return given?.type === "any" || given?.type === "none" ? given.type : "auto";
}

export function modelList() {
  const data = ["sim-small", "sim-large"].map((id) => ({
    type: "model",
    id,
    display_name: `Simulated ${id}`,
    created_at: "2025-01-01T00:00:00Z",
  }));
  return JSON.stringify({ data, has_more: false, first_id: data[0].id, last_id: data[1].id });
}
