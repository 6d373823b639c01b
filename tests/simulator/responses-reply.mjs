// The shapes of a response: one JSON body, or the events of a stream in the
// order the real one sends them.

import { mintBlob } from "./blobs.mjs";
import { randomText } from "./ids.mjs";
import { overlay } from "./reply.mjs";
import { keep } from "./responses.mjs";

function usage(reply, fault) {
  if (fault.omit_usage) return null;
  return overlay(
    {
      input_tokens: reply.inputTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: reply.outputTokens,
      output_tokens_details: { reasoning_tokens: reply.thoughtTokens },
      total_tokens: reply.inputTokens + reply.outputTokens,
    },
    fault.usage,
  );
}

function response(reply, json, ctx, { status, output, usage = null }) {
  return {
    id: ctx.replyId,
    object: "response",
    created_at: ctx.created,
    status,
    background: false,
    completed_at: status === "in_progress" ? null : ctx.created,
    error: null,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    instructions: json.instructions ?? null,
    max_output_tokens: json.max_output_tokens ?? null,
    model: reply.model,
    output,
    parallel_tool_calls: json.parallel_tool_calls ?? true,
    previous_response_id: json.previous_response_id ?? null,
    reasoning: { effort: json.reasoning?.effort ?? null, summary: json.reasoning?.summary ?? null },
    service_tier: "default",
    store: json.store ?? true,
    temperature: json.temperature ?? 1,
    text: json.text ?? { format: { type: "text" }, verbosity: "medium" },
    tool_choice: json.tool_choice ?? "auto",
    tools: json.tools ?? [],
    top_p: json.top_p ?? 1,
    truncation: "disabled",
    usage,
    user: null,
    metadata: json.metadata ?? {},
  };
}

/** The items of an answer, each with the pieces it is streamed in. */
function items({ choices: [choice] }, json, ctx) {
  const list = [];
  if (choice.thoughts.length > 0) {
    const shown = json.reasoning?.summary ? choice.thoughts : [];
    const hidden = json.include?.includes("reasoning.encrypted_content");
    const summary = shown.length ? [{ type: "summary_text", text: shown.join("") }] : [];
    const proof = hidden ? { encrypted_content: mintBlob(ctx.host) } : {};
    list.push({ pieces: shown, item: { id: `rs_${randomText(20)}`, type: "reasoning", summary, ...proof } });
  }
  const said = choice.refusal ?? choice.texts;
  if (said.length > 0) {
    const text = said.join("");
    const part = choice.refusal ? { type: "refusal", refusal: text } : { type: "output_text", annotations: [], logprobs: [], text };
    list.push({ pieces: said, item: { id: `msg_${randomText(20)}`, type: "message", status: "completed", content: [part], role: "assistant" } });
  }
  for (const tool of choice.tools) {
    const item = { id: `fc_${randomText(20)}`, type: "function_call", status: "completed", arguments: tool.pieces.join(""), call_id: `call_${randomText(20)}`, name: tool.name };
    list.push({ pieces: tool.pieces, item });
  }
  return list;
}

const statusOf = ({ choices: [choice] }) => (choice.stop === "length" ? "incomplete" : "completed");

export function body(reply, ctx, fault, json) {
  if (json.store !== false) keep(ctx.replyId, ctx.host);
  const output = items(reply, json, ctx).map(({ item }) => item);
  return JSON.stringify(response(reply, json, ctx, { status: statusOf(reply), output, usage: usage(reply, fault) }), null, 2);
}

/** → [{event, data, content?, last?}]: `content` marks what faults count as content chunks. */
export function events(reply, json, ctx, fault) {
  if (json.store !== false) keep(ctx.replyId, ctx.host);
  const begun = { response: response(reply, json, ctx, { status: "in_progress", output: [] }) };
  const all = [["response.created", begun], ["response.in_progress", begun]];
  const list = items(reply, json, ctx);
  for (const [output_index, { item, pieces }] of list.entries()) all.push(...told(item, pieces, output_index));
  const status = statusOf(reply);
  const output = list.map(({ item }) => item);
  all.push([`response.${status}`, { response: response(reply, json, ctx, { status, output, usage: usage(reply, fault) }) }]);
  return all.map(([type, fields], sequence_number) => ({
    event: type,
    data: JSON.stringify({ type, ...fields, sequence_number }),
    content: /delta$/.test(type),
    last: /completed|incomplete/.test(type),
  }));
}

function told(item, pieces, output_index) {
  const at = { item_id: item.id, output_index };
  const done = ["response.output_item.done", { item, output_index }];
  const added = (fields) => ["response.output_item.added", { item: { ...item, ...fields }, output_index }];
  if (item.type === "function_call") {
    return [
      added({ status: "in_progress", arguments: "" }),
      ...pieces.map((delta) => ["response.function_call_arguments.delta", { ...at, delta }]),
      ["response.function_call_arguments.done", { ...at, arguments: item.arguments, name: item.name }],
      done,
    ];
  }
  if (item.type === "reasoning") {
    const [part] = item.summary;
    const inner = part && [
      ["response.reasoning_summary_part.added", { ...at, summary_index: 0, part: { ...part, text: "" } }],
      ...pieces.map((delta) => ["response.reasoning_summary_text.delta", { ...at, summary_index: 0, delta }]),
      ["response.reasoning_summary_text.done", { ...at, summary_index: 0, text: part.text }],
      ["response.reasoning_summary_part.done", { ...at, summary_index: 0, part }],
    ];
    return [added({ summary: [] }), ...(inner ?? []), done];
  }
  const [part] = item.content;
  const kind = part.type;
  const field = kind === "refusal" ? "refusal" : "text";
  const more = kind === "refusal" ? {} : { logprobs: [] };
  return [
    added({ status: "in_progress", content: [] }),
    ["response.content_part.added", { ...at, content_index: 0, part: { ...part, [field]: "" } }],
    ...pieces.map((delta) => [`response.${kind}.delta`, { ...at, content_index: 0, delta, ...more }]),
    [`response.${kind}.done`, { ...at, content_index: 0, [field]: part[field], ...more }],
    ["response.content_part.done", { ...at, content_index: 0, part }],
    done,
  ];
}

export function streamError() {
  const error = { type: "error", code: "server_error", message: "The server had an error.", param: null, sequence_number: 0 };
  return { event: "error", data: JSON.stringify(error) };
}
