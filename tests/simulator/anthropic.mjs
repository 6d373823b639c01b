// Anthropic's messages as seen from outside: what it refuses, in which words,
// and what a request asks for. The shape of answers is in anthropic-reply.mjs.

import { lastUserText, textOf, textOfMessages } from "./prompt.mjs";
import { isBlobOf } from "./blobs.mjs";
import { randomText } from "./ids.mjs";
import { tokensIn } from "./words.mjs";

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

export const replyPrefix = "msg_01";
export const messagesOf = (json) => json.messages;
export const streams = (json) => json.stream === true;

export function refuseBody(json, request) {
  const needed = request?.operation === "count" ? ["model", "messages"] : ["model", "messages", "max_tokens"];
  for (const name of needed) {
    if (json[name] === undefined) return invalid(`${name}: Field required`);
  }
  const unknown = Object.keys(json).find((name) => !PARAMETERS.has(name));
  if (unknown) return invalid(`${unknown}: Extra inputs are not permitted`);
  const { model, max_tokens, temperature, stream } = json;
  if (typeof model !== "string" || !/^[\w][\w.:/@-]{0,199}$/.test(model)) {
    return invalid("model: String should be a model identifier");
  }
  if (request?.operation === "count") return refuseMessages(json.messages, request);
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
  if (json.thinking?.type === "enabled" && !(json.thinking.budget_tokens >= 1024 && json.thinking.budget_tokens < max_tokens)) {
    return invalid("`max_tokens` must be greater than `thinking.budget_tokens`, which must be at least 1024.");
  }
  if (json.thinking && ["any", "tool"].includes(json.tool_choice?.type)) {
    return invalid("Thinking may not be enabled when tool_choice forces tool use.");
  }
  return refuseMessages(json.messages, request);
}

const BLOCKS = {
  text: (block) => typeof block.text === "string" && block.text !== "",
  image: ({ source }) =>
    (source?.type === "base64" && /^image\/(png|jpeg|gif|webp)$/.test(source.media_type) && /^[A-Za-z0-9+/=]+$/.test(source.data)) ||
    (source?.type === "url" && /^https:/.test(source.url)),
  document: ({ source }) =>
    (source?.type === "base64" && source.media_type === "application/pdf") || (source?.type === "text" && source.media_type === "text/plain") || source?.type === "url",
  tool_use: (block) => typeof block.id === "string" && typeof block.name === "string" && typeof block.input === "object",
  tool_result: (block) => typeof block.tool_use_id === "string",
  thinking: (block) => typeof block.thinking === "string" && typeof block.signature === "string",
  redacted_thinking: (block) => typeof block.data === "string",
};

function refuseBlocks(messages, request) {
  let open = new Set();
  for (const [i, { role, content }] of messages.entries()) {
    const blocks = typeof content === "string" ? [{ type: "text", text: content || " " }] : content;
    for (const [j, block] of blocks.entries()) {
      const at = `messages.${i}.content.${j}`;
      if (BLOCKS[block?.type] && !BLOCKS[block.type](block)) return invalid(`${at}: Input does not match the expected shape`);
      const blob = block.type === "thinking" ? block.signature : block.type === "redacted_thinking" ? block.data : null;
      if (blob !== null && !isBlobOf(blob, request?.host)) return invalid(`${at}: Invalid \`signature\` in \`thinking\` block`);
    }
    const results = blocks.filter((block) => block.type === "tool_result").map((block) => block.tool_use_id);
    const strange = results.find((id) => !open.delete(id));
    if (strange) return invalid(`messages.${i}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${strange}`);
    if (open.size > 0) return invalid(`messages.${i}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${[...open].join(", ")}`);
    if (role === "assistant") open = new Set(blocks.filter((block) => block.type === "tool_use").map((block) => block.id));
  }
  return open.size > 0 ? invalid("`tool_use` ids were found without `tool_result` blocks") : null;
}

export function countTokens(json) {
  const { text, tools } = ask({ ...json, max_tokens: 1 });
  return JSON.stringify({ input_tokens: tokensIn(text + (tools.length ? JSON.stringify(tools) : "")) });
}

function refuseMessages(messages, request) {
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
  return refuseBlocks(messages, request);
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
    thinks: ["enabled", "adaptive"].includes(json.thinking?.type),
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
