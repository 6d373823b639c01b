// From one request to one answer, without touching a socket: which provider's
// API it is, whether the provider would refuse it, and if not, what it would say.

import * as anthropic from "./anthropic.mjs";
import * as azure from "./azure.mjs";
import * as bedrock from "./bedrock.mjs";
import { beyond, tooLong, used } from "./beyond.mjs";
import * as cohere from "./cohere.mjs";
import * as completions from "./completions.mjs";
import { embedded } from "./embeddings.mjs";
import * as entra from "./entra-token.mjs";
import { parseFault } from "./faults.mjs";
import * as gemini from "./gemini.mjs";
import * as google from "./google-token.mjs";
import { randomText } from "./ids.mjs";
import * as mistral from "./mistral.mjs";
import * as openai from "./openai.mjs";
import { instructionIn } from "./prompt.mjs";
import { compose } from "./reply.mjs";
import * as responses from "./responses.mjs";
import * as compact from "./responses-compact.mjs";
import { countTokens } from "./responses-kept.mjs";
import * as stored from "./responses-stored.mjs";
import { frames } from "./stream.mjs";

const NAMES = new Map([[anthropic, "anthropic"], [openai, "openai"], [mistral, "openai"], [completions, "openai"], [responses, "responses"], [compact, "responses"]]);

/**
 * request: {host, method, path, pathname, headers, body}; rule: the fault of a rule, or null
 * → {fault, status, headers, body} or {fault, status, headers, frames: [{text | bytes, waitMs, reports}]}
 *   with usage: what the answer is billed as, and where it says so.
 */
export function answer(received, rule) {
  const routed = route(received);
  const { dialect, operation } = routed;
  const request = { ...received, ...routed };
  const json = parseObject(request.body);
  let fault = rule ?? {};
  let badInstruction = null;
  if (operation === "generate" && json) {
    try {
      fault = { ...instructed(dialect, json), ...fault };
    } catch (error) {
      badInstruction = error.message;
    }
  }
  const ctx = context(dialect, request);
  const made = faulted(dialect, fault, ctx) ??
    refused(dialect, request, operation, json, badInstruction, ctx) ??
    performed(operation, dialect, request, json, ctx, fault);
  return { fault, ...made, headers: finalHeaders(made, dialect, ctx, fault) };
}

function performed(operation, dialect, request, json, ctx, fault) {
  switch (operation) {
    case "models":
      return { status: 200, body: dialect.modelList(ctx) };
    case "count":
      return { status: 200, body: dialect.countTokens(json, request) };
    case "embed":
      return { status: 200, body: embedded(dialect, json, request) };
    case "stored":
      return stored.answer(request, dialect.errorBody);
    case "token":
      return { status: 200, body: dialect.token(request, fault) };
    default:
      return generated(dialect, json, request, ctx, fault);
  }
}

/** Which API a path belongs to, and what it says of model and streaming. */
function route({ host, method, pathname }) {
  if (host === google.HOST) return { dialect: google, operation: "token" };
  if (host === entra.HOST) return { dialect: entra, operation: "token" };
  if (host.endsWith(".openai.azure.com")) return azure.route(pathname, method);
  const inPath = bedrock.route(host, pathname) ?? gemini.route(host, pathname) ?? cohere.route(host, pathname);
  if (inPath) return inPath;
  if (pathname.endsWith("/chat/completions")) return { dialect: host.includes("mistral") ? mistral : openai, operation: "generate" };
  if (pathname.endsWith("/completions")) return { dialect: completions, operation: "generate" };
  if (pathname.endsWith("/responses")) return { dialect: responses, operation: "generate" };
  if (pathname.endsWith("/responses/compact")) return { dialect: compact, operation: "generate" };
  const asksStored = stored.route(pathname, method);
  if (asksStored) return { dialect: responses, operation: "stored", ...asksStored };
  if (pathname.endsWith("/responses/input_tokens")) return { dialect: responses, operation: "count" };
  if (pathname.endsWith("/embeddings")) return { dialect: openai, operation: "embed" };
  if (pathname.endsWith("/messages/count_tokens")) return { dialect: anthropic, operation: "count" };
  if (pathname.endsWith("/messages")) return { dialect: anthropic, operation: "generate" };
  const dialect = host.includes("anthropic") || pathname.includes("/anthropic/") ? anthropic : openai;
  return { dialect, operation: method === "GET" && pathname.endsWith("/models") ? "models" : null };
}

function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function instructed(dialect, json) {
  const messages = dialect.messagesOf(json);
  const written = Array.isArray(messages) ? instructionIn(messages) : null;
  return written === null ? {} : parseFault(written);
}

function context(dialect, { host }) {
  return {
    host,
    requestId: dialect.requestId(),
    replyId: (dialect.replyPrefix ?? "") + randomText(22),
    created: Math.floor(Date.now() / 1000),
  };
}

function faulted(dialect, fault, ctx) {
  const failing = fault.status !== undefined && fault.status >= 400;
  if (!failing && fault.body === undefined) return null;
  const { status = 200, body = dialect.errorBody(status, {}, ctx) } = fault;
  return { status, body: typeof body === "string" ? body : JSON.stringify(body) };
}

function refused(dialect, request, operation, json, badInstruction, ctx) {
  const reason =
    (operation === null ? dialect.refuseUnknownPath(request) : dialect.refuseHead(request)) ??
    (["generate", "count", "embed"].includes(operation) ? refusedCall(dialect, request, json, badInstruction) : null);
  return reason && { status: reason.status, body: dialect.errorBody(reason.status, reason, ctx) };
}

function refusedCall(dialect, request, json, badInstruction) {
  if (request.method !== "POST") return dialect.refuseMethod(request);
  if (json === null) return dialect.refuseJson();
  if (request.operation === "embed") return dialect.refuseEmbed?.(json, request) ?? null;
  return dialect.refuseBody(json, request) ?? (badInstruction ? dialect.refuseInstruction(badInstruction) : null);
}

function generated(dialect, json, request, ctx, fault) {
  const ask = dialect.ask(json, request);
  const reply = compose(ask, fault);
  const more = beyond(json, ask, reply.inputTokens);
  if (more.first > more.window) {
    return { status: 400, body: dialect.errorBody(400, tooLong(wordsOf(dialect, request, json), more), ctx) };
  }
  Object.assign(reply, { inputTokens: more.input, firstTokens: more.begins, hosted: more.tools, compaction: more.compaction });
  countTokens(ctx.replyId, more.first + reply.outputTokens);
  const status = fault.status ?? 200;
  const begins = !fault.refuse_connection && !(fault.error_at_chunk === 0 && dialect.streams(json, request));
  const usage = begins ? billed(reply, json, NAMES.get(dialect)) : null;
  if (dialect.streams(json, request)) {
    const events = dialect.events(reply, json, ctx, fault);
    const last = events.findLastIndex(reportsUsage);
    if (last >= 0) events[last].reports = true;
    const framed = (dialect.frames ?? frames)(events, fault, dialect.streamError(ctx, reply, json), request);
    return { status, usage, frames: framed, streamType: dialect.streamType?.(request) };
  }
  const body = dialect.body(reply, ctx, fault, json);
  if (fault.garbage) return { status, usage, body: body.slice(0, Math.floor(body.length / 2)) };
  return { status, usage, body, reports: !fault.omit_usage };
}

/** What is billed of an answer that begins: all passes together, the tools that ran, and what has another price. */
function billed({ model, inputTokens, outputTokens, compaction, hosted }, { speed }, dialect) {
  const uses = used(hosted, dialect);
  return {
    model,
    input: inputTokens + (compaction?.input ?? 0),
    output: outputTokens + (compaction?.output ?? 0),
    ...(Object.keys(uses).length > 0 ? { uses } : {}),
    ...(speed === "fast" ? { speed } : {}),
  };
}

/** Whose words a refusal is in: Azure's are OpenAI's. */
function wordsOf(dialect, { host }, json) {
  if (host.endsWith(".openai.azure.com")) return json.messages ? "openai" : "responses";
  return NAMES.get(dialect);
}

/** Whether an event of any dialect has token counts in it. */
function reportsUsage({ data, frame }) {
  return /"usage(Metadata)?":\s*\{/.test(data ?? JSON.stringify(frame));
}

function finalHeaders(made, dialect, ctx, fault) {
  const natural = made.frames ? (made.streamType ?? "text/event-stream; charset=utf-8") : "application/json";
  const headers = { "content-type": natural, ...dialect.headers(ctx, made.status) };
  if (made.frames) headers["cache-control"] = "no-cache";
  for (const [name, value] of Object.entries(fault.headers ?? {})) headers[name.toLowerCase()] = value;
  if (fault.content_type !== undefined) headers["content-type"] = fault.content_type;
  return headers;
}
