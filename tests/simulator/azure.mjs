// Azure OpenAI: OpenAI's APIs under two kinds of address. The older names the
// deployment in the path and wants a version of the API. What they answer has
// more in it: see azure-reply.mjs.

import { body, events } from "./azure-reply.mjs";
import * as completions from "./completions.mjs";
import { isToken } from "./entra-token.mjs";
import { randomHex } from "./ids.mjs";
import * as openai from "./openai.mjs";
import * as responses from "./responses.mjs";

const DEPLOYMENT = /^\/openai\/deployments\/([^/]+)\/(chat\/completions|completions|embeddings)$/;
const VERSION = /^\d{4}-\d{2}-\d{2}(-preview)?$/;

export function route(pathname) {
  const [, model, operation] = DEPLOYMENT.exec(pathname) ?? [];
  if (model) return { dialect: operation === "completions" ? prompts : classic, operation: operation === "embeddings" ? "embed" : "generate", model: decodeURIComponent(model) };
  if (pathname === "/openai/v1/chat/completions") return { dialect: chat, operation: "generate" };
  if (pathname === "/openai/v1/embeddings") return { dialect: chat, operation: "embed" };
  if (pathname === "/openai/v1/responses") return { dialect: azureResponses, operation: "generate" };
  return { dialect: chat, operation: null };
}

const NOT_FOUND = { status: 404, code: "404", message: "Resource not found" };

/** Its own refusals have only these keys; those of the API behind it are OpenAI's. */
const GATES = new Set(["401", "403", "404", "429"]);

const shared = {
  requestId: () => `${randomHex(8)}-${randomHex(4)}-4${randomHex(3)}-9${randomHex(3)}-${randomHex(12)}`,
  headers: (ctx) => ({
    "apim-request-id": ctx.requestId,
    "x-request-id": ctx.requestId,
    "x-ms-region": "East US 2",
    "x-ratelimit-limit-requests": "120",
    "x-ratelimit-remaining-requests": "119",
  }),
  refuseHead: refuseStranger,
  refuseUnknownPath: () => NOT_FOUND,
  refuseMethod: () => NOT_FOUND,
  errorBody(status, detail = {}) {
    const { code, type, message } = detail;
    if (code === "DeploymentNotFound") return JSON.stringify({ error: { type, code, message } }, null, 2);
    const byGate = code === undefined ? String(status) : code;
    if (!GATES.has(byGate)) return openai.errorBody(status, detail);
    return JSON.stringify({ error: { code: byGate, message: message ?? MESSAGES[byGate] } });
  },
};

const MESSAGES = {
  401: "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.",
  403: "Access denied due to Virtual Network/Firewall rules.",
  404: "Resource not found",
  429: "Requests to the API have exceeded the rate limit of your current tier. Please retry after 10 seconds.",
};

/** A key in its own header, or a token of Entra's. */
function refuseStranger({ headers }) {
  return headers["api-key"] || isToken(headers.authorization) ? null : { status: 401, message: MESSAGES[401], code: "401" };
}

function refuseDeployment(model) {
  if (typeof model !== "string" || !model.startsWith("nope")) return null;
  return {
    status: 404,
    type: "invalid_request_error",
    code: "DeploymentNotFound",
    message: "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.",
  };
}

const chat = {
  ...openai,
  ...shared,
  body,
  events,
  refuseBody: (json) => refuseDeployment(json.model) ?? openai.refuseBody(json),
  refuseEmbed: (json, request) => refuseDeployment(json.model) ?? openai.refuseEmbed(json, request),
};

/** The deployment in the path is the model, whatever the body says. */
const classic = {
  ...chat,
  refuseHead(request) {
    const version = new URLSearchParams(request.path.split("?")[1]).get("api-version");
    return VERSION.test(version ?? "") ? refuseStranger(request) : NOT_FOUND;
  },
  refuseBody: (json, { model }) => chat.refuseBody({ ...json, model }),
  refuseEmbed: (json, request) => chat.refuseEmbed({ ...json, model: request.model }, request),
  ask: (json, { model }) => openai.ask({ ...json, model }),
  body: (reply, ctx, fault, json) => body(reply, ctx, fault, json, { older: true }),
  events: (reply, json, ctx, fault) => events(reply, json, ctx, fault, { older: true }),
};

/** Completions of a prompt, whose deployment is in the path too. */
const prompts = {
  ...completions,
  ...shared,
  refuseHead: classic.refuseHead,
  refuseBody: (json, { model }) => refuseDeployment(model) ?? completions.refuseBody({ ...json, model }),
  ask: (json, { model }) => completions.ask({ ...json, model }),
};

const azureResponses = {
  ...responses,
  ...shared,
  refuseBody: (json, request) => refuseDeployment(json.model) ?? responses.refuseBody(json, request),
};
