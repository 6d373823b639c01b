// OpenAI's responses as seen from outside: what it refuses, and what a request
// asks for. The shape of answers is in responses-reply.mjs.

import { isBlobOf } from "./blobs.mjs";
import * as openai from "./openai.mjs";
import { lastUserText, textOf, textOfMessages } from "./prompt.mjs";
import { tokensIn } from "./words.mjs";

export { errorBody, headers, modelList, refuseHead, refuseInstruction, refuseJson, refuseMethod, refuseUnknownPath, requestId } from "./openai.mjs";
export { body, events, streamError } from "./responses-reply.mjs";

const PARAMETERS = new Set(
  (
    "background conversation include input instructions max_output_tokens max_tool_calls metadata model parallel_tool_calls " +
    "previous_response_id prompt prompt_cache_key prompt_cache_retention reasoning safety_identifier service_tier store stream " +
    "stream_options temperature text tool_choice tools top_logprobs top_p truncation user context_management"
  ).split(" "),
);
const PARTS = new Set(["input_text", "input_image", "input_file", "output_text", "refusal", "summary_text"]);

export const replyPrefix = "resp_";
export const streams = (json) => json.stream === true;
export const messagesOf = (json) => (typeof json.input === "string" ? [{ role: "user", content: json.input }] : json.input);

/** Ids of responses by the host that keeps them. */
const kept = new Map();
export const keep = (id, host) => kept.set(id, host);

const invalid = (message, param = null, code = null) => ({ status: 400, message, param, code });

export function refuseBody(json, request) {
  const unknown = Object.keys(json).find((name) => !PARAMETERS.has(name));
  if (unknown) return invalid(`Unknown parameter: '${unknown}'.`, unknown, "unknown_parameter");
  if (typeof json.model !== "string") return invalid("Missing required parameter: 'model'.", "model", "missing_required_parameter");
  if (json.input == null) return invalid("Missing required parameter: 'input'.", "input", "missing_required_parameter");
  if (json.max_output_tokens != null && json.max_output_tokens < 16) return invalid("Invalid 'max_output_tokens': below the minimum 16.", "max_output_tokens", "integer_below_min_value");
  if (json.model.startsWith("nope")) return { status: 404, message: `The requested model '${json.model}' does not exist.`, code: "model_not_found" };
  const tool = (json.tools ?? []).findIndex((one) => one.type === "function" && typeof one.name !== "string");
  if (tool >= 0) return invalid(`Missing required parameter: 'tools[${tool}].name'.`, `tools[${tool}].name`, "missing_required_parameter");
  const before = json.previous_response_id;
  if (before != null && kept.get(before) !== request.host) {
    return invalid(`Previous response with id '${before}' not found.`, "previous_response_id", "previous_response_not_found");
  }
  return typeof json.input === "string" ? null : refuseItems(json.input, before, request);
}

function refuseItems(items, before, { host }) {
  if (!Array.isArray(items) || items.length === 0) return invalid("Invalid type for 'input'.", "input", "invalid_type");
  const calls = new Set();
  for (const [i, item] of items.entries()) {
    const at = `input[${i}]`;
    const type = item.type ?? "message";
    if (type === "message") {
      if (!["user", "assistant", "system", "developer"].includes(item.role)) return invalid(`Invalid value: '${item.role}'.`, `${at}.role`, "invalid_value");
      const bad = Array.isArray(item.content) && item.content.findIndex((part) => !PARTS.has(part.type) || !fits(item.role, part));
      if (bad !== false && bad >= 0) return invalid(`Invalid value: '${item.content[bad].type}'.`, `${at}.content[${bad}]`, "invalid_value");
    } else if (type === "function_call") {
      if (typeof item.arguments !== "string" || !item.call_id) return invalid(`Missing required parameter: '${at}.arguments'.`, at);
      calls.add(item.call_id);
    } else if (type === "function_call_output") {
      if (!calls.delete(item.call_id) && !before) return invalid(`No tool call found for function call output with call_id ${item.call_id}.`, "input");
    } else if (type === "reasoning") {
      if (item.encrypted_content && !isBlobOf(item.encrypted_content, host)) return invalid("The encrypted content could not be verified.", at, "invalid_encrypted_content");
    } else return invalid(`Invalid value: '${type}'.`, `${at}.type`, "invalid_value");
  }
  return calls.size ? invalid(`No tool output found for function call ${[...calls][0]}.`, "input") : null;
}

function fits(role, part) {
  if (part.type === "input_image") return /^https:|^data:image\/(png|jpeg|gif|webp);base64,/.test(part.image_url ?? "") || Boolean(part.file_id);
  if (part.type === "input_file") return Boolean(part.file_id ?? part.file_url) || /^data:/.test(part.file_data ?? "");
  return role === "assistant" ? ["output_text", "refusal"].includes(part.type) : part.type === "input_text";
}

export function ask(json) {
  const messages = messagesOf(json);
  const tools = (json.tools ?? []).filter((tool) => tool.type === "function");
  const format = json.text?.format;
  return {
    model: json.model,
    text: [textOf(json.instructions), textOfMessages(messages)].filter(Boolean).join("\n"),
    lastText: lastUserText(messages),
    tools: tools.map(({ name, parameters }) => ({ name, schema: parameters })),
    toolChoice: json.tool_choice === "required" ? "any" : json.tool_choice?.type === "function" ? { name: json.tool_choice.name } : (json.tool_choice ?? "auto"),
    speaksBeforeTool: false,
    maxTokens: json.max_output_tokens ?? Infinity,
    count: 1,
    thinks: json.reasoning?.effort != null && json.reasoning.effort !== "none",
    schema: format?.schema ?? (format?.type === "json_object" ? openai.ANSWER : undefined),
  };
}

export function countTokens(json) {
  const { text, tools } = ask(json);
  return JSON.stringify({ object: "response.input_tokens", input_tokens: tokensIn(text + (tools.length ? JSON.stringify(tools) : "")) });
}
