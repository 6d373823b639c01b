// OpenAI's responses as seen from outside: what it refuses, and what a request
// asks for. Items of the input are in responses-items.mjs, answers in
// responses-reply.mjs.

import { mediaTokens } from "./media.mjs";
import * as openai from "./openai.mjs";
import { firstOf, invalid, missing, wrongType, wrongValue } from "./openai-messages.mjs";
import { refuseChoice, refuseEffort, refuseFlags, refuseFormat, refuseNamesOfUsers, refuseRanges, refuseTools } from "./openai-options.mjs";
import { lastUserText, textOf, textOfMessages } from "./prompt.mjs";
import { inputTokens } from "./reply.mjs";
import { refuseItems } from "./responses-items.mjs";
import { keptFor } from "./responses-kept.mjs";

export { errorBody, headers, modelList, refuseHead, refuseInstruction, refuseJson, refuseMethod, refuseUnknownPath, requestId } from "./openai.mjs";
export { body, events, streamError } from "./responses-reply.mjs";

const PARAMETERS = new Set(
  (
    "background client_metadata context_management conversation include input instructions max_output_tokens max_tool_calls metadata model " +
    "moderation parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention " +
    "reasoning safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs " +
    "top_p truncation user"
  ).split(" "),
);
const INCLUDABLE = [
  "file_search_call.results", "web_search_call.results", "web_search_call.action.sources", "message.input_image.image_url",
  "computer_call_output.output.image_url", "code_interpreter_call.outputs", "reasoning.encrypted_content", "message.output_text.logprobs",
];
const INNER = {
  reasoning: new Set(["context", "effort", "generate_summary", "mode", "summary"]),
  text: new Set(["format", "verbosity"]),
};

export const replyPrefix = "resp_";
export const streams = (json) => json.stream === true;
export const messagesOf = ({ input }) => (typeof input === "string" ? [{ role: "user", content: input }] : (input ?? []));

export function refuseBody(json, request) {
  return refuseNames(json) ?? refuseModel(json.model) ?? refuseInput(json, request) ?? refuseOptions(json);
}

function refuseNames(json) {
  const unknown = Object.keys(json).find((name) => !PARAMETERS.has(name)) ?? unknownInside(json);
  return unknown ? invalid(`Unknown parameter: '${unknown}'.`, unknown, "unknown_parameter") : null;
}

function unknownInside(json) {
  const inside = Object.entries(INNER).flatMap(([outer, known]) => {
    const unknown = Object.keys(json[outer] ?? {}).find((name) => !known.has(name));
    return unknown ? [`${outer}.${unknown}`] : [];
  });
  return inside[0];
}

function refuseModel(model) {
  if (model == null) return missing("model");
  if (typeof model !== "string") return wrongType("model", "a string", model);
  if (!model.startsWith("nope")) return null;
  // Unlike chat completions it is a 400, and says which parameter it means.
  return invalid(`The requested model '${model}' does not exist.`, "model", "model_not_found");
}

function refuseInput(json, { host }) {
  const { input, previous_response_id: before } = json;
  const previous = before == null ? null : keptFor(before, host);
  if (before != null && !previous) {
    return invalid(`Previous response with id '${before}' not found.`, "previous_response_id", "previous_response_not_found");
  }
  if (input == null) return before ?? json.prompt ?? json.conversation ? null : missing("input");
  if (typeof input === "string") return refuseItems([], previous, host);
  if (!Array.isArray(input)) return wrongType("input", "one of an array of objects or string", input);
  return refuseItems(input, previous, host);
}

function refuseOptions(json) {
  const { reasoning, include, text, tool_choice: choice } = json;
  if (include != null && !Array.isArray(include)) return wrongType("include", "an array of strings", include);
  if (json.stream_options != null && json.stream !== true) {
    return invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options");
  }
  if (json.background === true && json.store === false) return invalid("Background mode requires `store` to be true.", "background");
  return (
    refuseRanges(json) ??
    refuseNamesOfUsers(json) ??
    refuseClient(json.client_metadata) ??
    openai.refuseEmbedder(json.model) ??
    refuseEffortless(json) ??
    refuseFlags(json, ["background", "parallel_tool_calls", "store", "stream"]) ??
    firstOf(include ?? [], (name, i) => (INCLUDABLE.includes(name) ? null : wrongValue(`include[${i}]`, name, INCLUDABLE))) ??
    refuseEffort(reasoning?.effort, "reasoning.effort") ??
    refuseSummary(reasoning?.summary) ??
    refuseTools(json.tools, null) ??
    refuseChoice(choice, json.tools, choice?.type === "function" ? choice.name : undefined) ??
    refuseFormat(text?.format, "text.format", "response_format", textOfMessages(messagesOf(json)))
  );
}

/** What Codex says of itself: texts by name. */
function refuseClient(metadata) {
  if (metadata == null) return null;
  if (typeof metadata !== "object" || Array.isArray(metadata)) return wrongType("client_metadata", "an object", metadata);
  return firstOf(Object.entries(metadata), ([name, value]) => (typeof value === "string" ? null : wrongType(`client_metadata.${name}`, "a string", value)));
}

function refuseEffortless({ model, reasoning }) {
  if (reasoning?.effort == null || !openai.thinksNever(model)) return null;
  return invalid("Unsupported parameter: 'reasoning.effort' is not supported with this model.", "reasoning.effort", "unsupported_parameter");
}

function refuseSummary(summary) {
  const allowed = ["concise", "detailed", "auto"];
  return summary == null || allowed.includes(summary) ? null : wrongValue("reasoning.summary", summary, allowed);
}

export function ask(json) {
  const messages = messagesOf(json);
  const read = messages.map((item) => ({ ...item, content: item.content ?? item.output }));
  const tools = (json.tools ?? []).filter((tool) => tool.type === "function");
  const format = json.text?.format;
  return {
    model: json.model,
    text: [textOf(json.instructions), textOfMessages(read)].filter(Boolean).join("\n"),
    lastText: lastUserText(messages),
    tools: tools.map(({ name, parameters }) => ({ name, schema: parameters })),
    toolChoice: toolChoice(json.tool_choice),
    speaksBeforeTool: false,
    maxTokens: json.max_output_tokens ?? Infinity,
    count: 1,
    media: mediaTokens(messages),
    oneToolOnly: json.parallel_tool_calls === false,
    thinks: json.reasoning?.effort != null && json.reasoning.effort !== "none",
    schema: format?.schema ?? (format?.type === "json_object" ? openai.ANSWER : undefined),
  };
}

function toolChoice(given) {
  if (given === "required") return "any";
  if (given?.type === "function") return { name: given.name };
  return given === "none" ? "none" : "auto";
}

export function countTokens(json) {
  return JSON.stringify({ object: "response.input_tokens", input_tokens: inputTokens(ask(json)) });
}
