// Anthropic's messages as seen from outside: what it refuses, in which words,
// and what a request asks for. The shape of answers is in anthropic-reply.mjs.

import { lastUserText, textOf, textOfMessages } from "./prompt.mjs";
import { randomText } from "./ids.mjs";

export { body, events, streamError } from "./anthropic-reply.mjs";

const PARAMETERS = new Set(
  (
    "model messages max_tokens system metadata stop_sequences stream temperature top_k top_p tools " +
    "tool_choice thinking service_tier container context_management mcp_servers output_config " +
    "output_format cache_control inference_geo speed compaction diagnostics fallbacks " +
    "fallback_credit_token billing_policy thread user_profile_id workspace_id"
  ).split(" "),
);
const ROLES = new Set(["user", "assistant", "system"]);

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
  return JSON.stringify({ type: "error", error: { type, message }, request_id: ctx.requestId });
}

const invalid = (message) => ({ status: 400, message });

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

export function refuseBody(json) {
  for (const name of ["model", "messages", "max_tokens"]) {
    if (json[name] === undefined) return invalid(`${name}: Field required`);
  }
  const unknown = Object.keys(json).find((name) => !PARAMETERS.has(name));
  if (unknown) return invalid(`${unknown}: Extra inputs are not permitted`);
  const { model, max_tokens, temperature, stream } = json;
  if (typeof model !== "string" || !/^[\w][\w.:/@-]{0,199}$/.test(model)) {
    return invalid("model: String should be a model identifier");
  }
  if (!Number.isInteger(max_tokens)) return invalid("max_tokens: Input should be a valid integer");
  if (max_tokens < 1) return invalid("max_tokens: must be greater than or equal to 1");
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 1)) {
    return invalid("temperature: range: 0..1");
  }
  if (stream !== undefined && typeof stream !== "boolean") {
    return invalid("stream: Input should be a valid boolean");
  }
  if (json.tools !== undefined && !Array.isArray(json.tools)) {
    return invalid("tools: Input should be a valid list");
  }
  if (json.tool_choice !== undefined && !json.tools?.length) {
    return invalid("tool_choice: may only be specified while providing tools");
  }
  if (model.startsWith("nope")) return { status: 404, message: `model: ${model}` };
  return refuseMessages(json.messages);
}

function refuseMessages(messages) {
  if (!Array.isArray(messages)) return invalid("messages: Input should be a valid list");
  if (messages.length === 0) return invalid("messages: at least one message is required");
  for (const [i, message] of messages.entries()) {
    if (!ROLES.has(message?.role)) {
      return invalid(`messages.${i}.role: Input should be 'user' or 'assistant'`);
    }
    if (typeof message.content !== "string" && !Array.isArray(message.content)) {
      return invalid(`messages.${i}.content: Input should be a string or a valid list`);
    }
    const last = i === messages.length - 1;
    if (message.content.length === 0 && !(last && message.role === "assistant")) {
      return invalid(`messages.${i}: messages must have non-empty content`);
    }
  }
  return null;
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
