// The shapes of a response: one JSON body, or the events of a stream in the
// order the real one sends them.

import { isAzure } from "./azure-filters.mjs";
import { mintBlob } from "./blobs.mjs";
import { webActions } from "./hosted.mjs";
import { randomText } from "./ids.mjs";
import { logprobOf } from "./logprobs.mjs";
import { keep } from "./responses-kept.mjs";
import { keepBegun, keepWhole } from "./responses-stored.mjs";
import { response, usage } from "./responses-object.mjs";

/** The items of an answer, each with the pieces it is streamed in. */
function items({ choices: [choice], hosted }, json, ctx) {
  const status = choice.stop === "length" ? "incomplete" : "completed";
  const list = webActions(hosted).map((action) => ({ pieces: [], item: { id: `ws_${randomText(48)}`, type: "web_search_call", status: "completed", action } }));
  if (choice.thoughts.length > 0) list.push(reasoning(choice.thoughts, json, ctx));
  if ((choice.refusal ?? choice.texts).length > 0) list.push(message(choice, json, choice.tools.length ? "completed" : status));
  for (const [i, { name, pieces }] of choice.tools.entries()) {
    const last = i === choice.tools.length - 1;
    const item = {
      id: `fc_${randomText(20)}`,
      type: "function_call",
      status: last ? status : "completed",
      arguments: pieces.join(""),
      call_id: `call_${randomText(24)}`,
      name,
    };
    list.push({ pieces, item });
  }
  return list;
}

function reasoning(thoughts, json, ctx) {
  const shown = json.reasoning?.summary ? thoughts : [];
  const summary = shown.length ? [{ type: "summary_text", text: shown.join("") }] : [];
  const item = {
    id: `rs_${randomText(20)}`,
    type: "reasoning",
    ...(isAzure(ctx.host) ? {} : { content: [] }),
    ...(json.include?.includes("reasoning.encrypted_content") ? { encrypted_content: mintBlob(ctx.host) } : {}),
    summary,
  };
  return { pieces: shown, item };
}

function message({ texts, refusal }, json, status) {
  const top = json.include?.includes("message.output_text.logprobs") || json.top_logprobs > 0 ? (json.top_logprobs ?? 0) : null;
  const pieces = refusal ?? texts;
  const text = pieces.join("");
  const logprobs = top === null ? [] : pieces.map((piece) => logprobOf(piece, top));
  const part = refusal ? { type: "refusal", refusal: text } : { type: "output_text", annotations: [], logprobs, text };
  return { pieces, item: { id: `msg_${randomText(20)}`, type: "message", status, content: [part], role: "assistant" } };
}

const statusOf = ({ choices: [choice] }) => (choice.stop === "length" ? "incomplete" : "completed");

function ended(reply, list, json, ctx, fault, whole) {
  const output = list.map(({ item }) => item);
  if (json.store !== false) keep(ctx.replyId, ctx.host, output, json.input);
  const ended = response(reply, json, ctx, { status: statusOf(reply), output, usage: usage(reply, fault, ctx), whole });
  keepWhole(ctx.replyId, ended);
  return ended;
}

/** It goes on after this: the answer is fetched by its id. */
function queued(reply, ctx, fault, json) {
  const whole = ended(reply, items(reply, json, ctx), json, ctx, fault, true);
  const begun = { ...whole, completed_at: null, incomplete_details: null, output: [], usage: null };
  keepBegun(ctx.replyId, { ...begun, status: "in_progress" });
  return { ...begun, status: "queued" };
}

export function body(reply, ctx, fault, json) {
  if (json.background) return JSON.stringify(queued(reply, ctx, fault, json), null, 2);
  return JSON.stringify(ended(reply, items(reply, json, ctx), json, ctx, fault, true), null, 2);
}

/** → [{event, data, content?, last?}]: `content` marks what faults count as content chunks. */
export function events(reply, json, ctx, fault) {
  const begun = { response: response(reply, json, ctx, { status: "in_progress", output: [] }) };
  const all = [["response.created", begun], ["response.in_progress", begun]];
  const list = items(reply, json, ctx);
  for (const [output_index, { item, pieces }] of list.entries()) all.push(...told(item, pieces, output_index));
  all.push([`response.${statusOf(reply)}`, { response: ended(reply, list, json, ctx, fault, false) }]);
  const blurred = json.stream_options?.include_obfuscation !== false;
  return all.map(([type, fields], sequence_number) => event(type, blurred && fields.delta !== undefined ? blur(fields) : fields, sequence_number));
}

function event(type, fields, sequence_number) {
  return {
    event: type,
    data: JSON.stringify({ type, ...fields, sequence_number }),
    content: /delta$/.test(type),
    last: /^response\.(completed|incomplete|failed)$/.test(type),
  };
}

/** Noise that hides how long a delta is. */
function blur(fields) {
  return { ...fields, obfuscation: randomText(16 - (fields.delta.length % 16)) };
}

const TELL = { function_call: tellCall, reasoning: tellReasoning, message: tellMessage, web_search_call: tellSearch };

function told(item, pieces, output_index) {
  const at = { item_id: item.id, output_index };
  const added = (fields) => ["response.output_item.added", { item: { ...item, ...fields }, output_index }];
  return [...TELL[item.type](item, pieces, at, added), ["response.output_item.done", { item, output_index }]];
}

function tellCall(item, pieces, at, added) {
  return [
    added({ status: "in_progress", arguments: "" }),
    ...pieces.map((delta) => ["response.function_call_arguments.delta", { ...at, delta }]),
    ["response.function_call_arguments.done", { ...at, arguments: item.arguments }],
  ];
}

/** What is searched for is told when it is done. */
function tellSearch({ id, type }, _pieces, at) {
  const item = { id, type, status: "in_progress" };
  const steps = ["in_progress", "searching", "completed"].map((step) => [`response.${type}.${step}`, at]);
  return [["response.output_item.added", { item, output_index: at.output_index }], ...steps];
}

function tellReasoning({ summary: [part] }, pieces, at, added) {
  if (!part) return [added({})];
  const inside = { ...at, summary_index: 0 };
  return [
    added({ summary: [] }),
    ["response.reasoning_summary_part.added", { ...inside, part: { ...part, text: "" } }],
    ...pieces.map((delta) => ["response.reasoning_summary_text.delta", { ...inside, delta }]),
    ["response.reasoning_summary_text.done", { ...inside, text: part.text }],
    ["response.reasoning_summary_part.done", { ...inside, part }],
  ];
}

function tellMessage({ content: [part] }, pieces, at, added) {
  const inside = { ...at, content_index: 0 };
  const isText = part.type === "output_text";
  const field = isText ? "text" : "refusal";
  const empty = { ...part, [field]: "", ...(isText ? { logprobs: [] } : {}) };
  const logprobs = (of) => (isText ? { logprobs: of } : {});
  return [
    added({ status: "in_progress", content: [] }),
    ["response.content_part.added", { ...inside, part: empty }],
    ...pieces.map((delta, i) => [`response.${part.type}.delta`, { ...inside, delta, ...logprobs(part.logprobs?.slice(i, i + 1)) }]),
    [`response.${part.type}.done`, { ...inside, [field]: part[field], ...logprobs(part.logprobs) }],
    ["response.content_part.done", { ...inside, part }],
  ];
}

/** The real one says what went wrong, and if the response had begun, that it failed. */
export function streamError(ctx, reply, json) {
  const [code, message] = ["server_error", "The server had an error while processing your request. Sorry about that!"];
  return (at) => {
    const error = event("error", { code, message, param: null }, at);
    if (at === 0) return [error];
    const failed = response(reply, json, ctx, { status: "failed", output: [], error: { code, message } });
    return [error, event("response.failed", { response: failed }, at + 1)];
  };
}
