// From one request to one answer, without touching a socket: which dialect it
// is, whether the provider would refuse it, and if not, what it would say.

import * as anthropic from "./anthropic.mjs";
import * as openai from "./openai.mjs";
import { parseFault } from "./faults.mjs";
import { randomText } from "./ids.mjs";
import { instructionIn } from "./prompt.mjs";
import { compose } from "./reply.mjs";
import { frames } from "./stream.mjs";

/**
 * request: {host, method, pathname, headers, body}; rule: the fault of a rule, or null
 * → {fault, status, headers, body} or {fault, status, headers, frames: [{text, waitMs}]}
 */
export function answer(request, rule) {
  const { dialect, operation } = route(request);
  const json = parseObject(request.body);
  let fault = rule ?? {};
  let badInstruction = null;
  if (operation === "generate" && json) {
    try {
      fault = { ...instructed(json), ...fault };
    } catch (error) {
      badInstruction = error.message;
    }
  }
  const ctx = context(dialect);
  const made = faulted(dialect, fault, ctx) ??
    refused(dialect, request, operation, json, badInstruction, ctx) ??
    (operation === "models" ? listed(dialect, ctx) : generated(dialect, json, ctx, fault));
  return { fault, ...made, headers: finalHeaders(made, dialect, ctx, fault) };
}

function route({ host, method, pathname }) {
  if (pathname.endsWith("/chat/completions")) return { dialect: openai, operation: "generate" };
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

function instructed({ messages }) {
  const written = Array.isArray(messages) ? instructionIn(messages) : null;
  return written === null ? {} : parseFault(written);
}

function context(dialect) {
  const prefix = dialect === openai ? "chatcmpl-" : "msg_01";
  return {
    requestId: dialect.requestId(),
    replyId: prefix + randomText(22),
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
    (operation === "generate" ? refusedCall(dialect, request, json, badInstruction) : null);
  return reason && { status: reason.status, body: dialect.errorBody(reason.status, reason, ctx) };
}

function refusedCall(dialect, request, json, badInstruction) {
  if (request.method !== "POST") return dialect.refuseMethod(request);
  if (json === null) return dialect.refuseJson();
  return dialect.refuseBody(json) ?? (badInstruction ? dialect.refuseInstruction(badInstruction) : null);
}

function listed(dialect, ctx) {
  return { status: 200, body: dialect.modelList(ctx) };
}

function generated(dialect, json, ctx, fault) {
  const reply = compose(dialect.ask(json), fault);
  const status = fault.status ?? 200;
  if (json.stream === true) {
    const events = dialect.events(reply, json, ctx, fault);
    return { status, frames: frames(events, fault, dialect.streamError(ctx)) };
  }
  const body = dialect.body(reply, ctx, fault);
  return { status, body: fault.garbage ? body.slice(0, Math.floor(body.length / 2)) : body };
}

function finalHeaders(made, dialect, ctx, fault) {
  const natural = made.frames ? "text/event-stream; charset=utf-8" : "application/json";
  const headers = { "content-type": natural, ...dialect.headers(ctx, made.status) };
  if (made.frames) headers["cache-control"] = "no-cache";
  for (const [name, value] of Object.entries(fault.headers ?? {})) headers[name.toLowerCase()] = value;
  if (fault.content_type !== undefined) headers["content-type"] = fault.content_type;
  return headers;
}
