// Azure OpenAI: OpenAI's APIs under two kinds of address. The older names the
// deployment in the path and wants a version of the API; its streams begin with
// a chunk that is nearly empty.

import { isToken } from "./entra-token.mjs";
import * as openai from "./openai.mjs";
import * as responses from "./responses.mjs";

const DEPLOYMENT = /^\/openai\/deployments\/([^/]+)\/(chat\/completions|embeddings)$/;

export function route(pathname) {
  const [, model, operation] = DEPLOYMENT.exec(pathname) ?? [];
  if (model) return { dialect: chat, operation: operation === "embeddings" ? "embed" : "generate", model: decodeURIComponent(model), classic: true };
  if (pathname === "/openai/v1/chat/completions") return { dialect: chat, operation: "generate" };
  if (pathname === "/openai/v1/embeddings") return { dialect: chat, operation: "embed" };
  if (pathname === "/openai/v1/responses") return { dialect: { ...responses, refuseHead: refuseStranger }, operation: "generate" };
  return { dialect: chat, operation: null };
}

/** A key in its own header, or a token of Entra's. */
function refuseStranger({ headers }) {
  return headers["api-key"] || isToken(headers.authorization) ? null : { status: 401, message: "Access denied due to invalid subscription key or wrong API endpoint.", code: "401" };
}

const chat = {
  ...openai,
  refuseHead(request) {
    const version = new URLSearchParams(request.path.split("?")[1]).get("api-version");
    if (request.classic && !version) return { status: 404, message: "Resource not found", code: "404" };
    return refuseStranger(request);
  },
  refuseBody: (json, { model }) => openai.refuseBody(model ? { model, ...json } : json),
  ask: (json, { model }) => openai.ask(model ? { model, ...json } : json),
  events(reply, json, ctx, fault) {
    const empty = { choices: [], created: 0, id: "", model: "", object: "", prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }] };
    return [{ data: JSON.stringify(empty) }, ...openai.events(reply, json, ctx, fault)];
  },
};
