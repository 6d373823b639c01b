// Bedrock's runtime as seen from outside: Converse, its stream, the counting of
// tokens, and InvokeModel for Anthropic's models. Models stand in the path.

import * as anthropic from "./anthropic.mjs";
import { isBlobOf } from "./blobs.mjs";
import { eventFrame, exceptionFrame } from "./eventstream.mjs";
import { randomHex } from "./ids.mjs";
import { lastUserText, textOf } from "./prompt.mjs";
import { body, events, makerAt } from "./bedrock-reply.mjs";
import { isClaude, refuseSampling, refuseSchema } from "./claude-rules.mjs";
import { mediaTokens } from "./media.mjs";
import { inputTokens } from "./reply.mjs";
import { refuseSignature } from "./sigv4.mjs";

const PATH = /^\/model\/([^/]+)\/(converse|converse-stream|count-tokens|invoke|invoke-with-response-stream)$/;
const AWS_FRAMES = "application/vnd.amazon.eventstream";

export function route(host, pathname) {
  const [, model, operation] = PATH.exec(pathname) ?? [];
  if (!model || !host.startsWith("bedrock-runtime.")) return null;
  const named = { model: decodeURIComponent(model), streamed: operation.endsWith("stream") };
  if (operation.startsWith("invoke")) return { dialect: invoke, operation: "generate", ...named };
  return { dialect: converse, operation: operation === "count-tokens" ? "count" : "generate", ...named };
}

const KNOWN = new Set(
  "messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig".split(" "),
);
const KINDS = { 400: "ValidationException", 401: "UnrecognizedClientException", 403: "AccessDeniedException", 404: "ResourceNotFoundException", 429: "ThrottlingException", 503: "ServiceUnavailableException" };

const invalid = (message) => ({ status: 400, message });

const shared = {
  requestId: () => `${randomHex(8)}-${randomHex(4)}-${randomHex(4)}-${randomHex(4)}-${randomHex(12)}`,
  headers: (ctx, status) => ({
    "x-amzn-requestid": ctx.requestId,
    ...(status >= 400 ? { "x-amzn-errortype": `${KINDS[status] ?? "InternalServerException"}:http://internal.amazon.com/coral/` } : {}),
  }),
  errorBody: (status, detail = {}) => JSON.stringify({ message: detail.message ?? "The request could not be handled." }),
  refuseHead(request) {
    if (/^Bearer \S/.test(request.headers.authorization ?? "")) return null;
    const wrong = refuseSignature(request);
    return wrong && { status: 403, message: wrong };
  },
  refuseMethod: () => ({ status: 404, message: "UnknownOperationException" }),
  refuseUnknownPath: () => ({ status: 404, message: "UnknownOperationException" }),
  refuseJson: () => invalid("The request is not valid JSON."),
  refuseInstruction: (message) => invalid(`Bad [[sim: …]] instruction: ${message}`),
  streams: (_, { streamed }) => streamed,
  streamType: () => AWS_FRAMES,
};

const converse = {
  ...shared,
  body,
  events,
  messagesOf: (json) => json.messages,
  streamError: () => ({ exception: "modelStreamErrorException", payload: { message: "The system encountered an unexpected error." } }),
  frames: framed,
  refuseBody(json, { operation, host, model }) {
    const asked = operation === "count" ? json.input?.converse : json;
    if (!asked) return invalid("input: Field required");
    const unknown = Object.keys(asked).find((name) => !KNOWN.has(name));
    if (unknown) return invalid(`The model returned the following errors: ${unknown}: Extra inputs are not permitted`);
    if (model.startsWith("nope")) return { status: 404, message: "Could not resolve the foundation model from the provided model identifier." };
    const { temperature, maxTokens } = asked.inferenceConfig ?? {};
    if (temperature !== undefined && !(temperature >= 0 && temperature <= 1)) return invalid("Value at 'inferenceConfig.temperature' failed to satisfy constraint: Member must have value less than or equal to 1");
    if (maxTokens !== undefined && !(maxTokens >= 1)) return invalid("Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1");
    return (isClaude(model) ? refuseAtClaude(asked, model) : null) ?? refuseMessages(asked, makerAt(host, model));
  },
  ask(json, { model }) {
    const format = json.outputConfig?.textFormat?.structure?.jsonSchema?.schema;
    const choice = json.toolConfig?.toolChoice ?? {};
    const tools = (json.toolConfig?.tools ?? []).filter((tool) => tool.toolSpec);
    return {
      model,
      text: [textOf(json.system), json.messages.map((message) => textOf(message.content)).join("\n")].filter(Boolean).join("\n"),
      lastText: lastUserText(json.messages),
      tools: tools.map(({ toolSpec }) => ({ name: toolSpec.name, schema: toolSpec.inputSchema?.json })),
      toolChoice: choice.any ? "any" : choice.tool ? { name: choice.tool.name } : "auto",
      speaksBeforeTool: false,
      maxTokens: json.inferenceConfig?.maxTokens ?? Infinity,
      count: 1,
      media: mediaTokens(json.messages),
      thinks: Boolean(json.additionalModelRequestFields?.thinking),
      schema: format && JSON.parse(format),
    };
  },
  countTokens(json) {
    return JSON.stringify({ inputTokens: inputTokens(converse.ask(json.input.converse, { model: "" })) });
  },
};

const ID = /^[a-zA-Z0-9_-]{1,64}$/;
const isBytes = (source) => /^[A-Za-z0-9+/=]+$/.test(source?.bytes ?? "");
const BLOCKS = {
  text: (text) => typeof text === "string" && text !== "",
  image: (image) => ["png", "jpeg", "gif", "webp"].includes(image.format) && isBytes(image.source),
  document: (document) => /^[A-Za-z0-9 ()[\]-]+$/.test(document.name) && (isBytes(document.source) || typeof document.source?.text === "string"),
  toolUse: (call) => ID.test(call.toolUseId) && Boolean(call.name) && typeof call.input === "object",
  toolResult: (result) => ID.test(result.toolUseId) && Array.isArray(result.content) && ["success", "error", undefined].includes(result.status),
  reasoningContent: (thought) => Boolean(thought.reasoningText?.text || thought.redactedContent),
  cachePoint: (point) => point.type === "default",
};

const said = (reason) => reason && invalid(`The model returned the following errors: ${reason.message}`);

function refuseAtClaude({ inferenceConfig: { temperature, topP } = {}, additionalModelRequestFields: more, outputConfig }, model) {
  const schema = outputConfig?.textFormat?.structure?.jsonSchema?.schema;
  return said(
    refuseSampling({ temperature, top_p: topP, top_k: more?.top_k }, model) ??
      (schema === undefined ? null : refuseSchema(JSON.parse(schema), "output_config.format.schema")),
  );
}

function refuseMessages({ messages, toolConfig }, maker) {
  if (!Array.isArray(messages) || messages.length === 0) return invalid("The messages field is required.");
  let open = new Set();
  for (const [i, { role, content }] of messages.entries()) {
    if (role !== (i % 2 ? "assistant" : "user")) return invalid("A conversation must alternate between user and assistant roles.");
    if (!Array.isArray(content) || content.length === 0) return invalid(`The content field in the Message object at messages.${i} is empty.`);
    for (const [j, block] of content.entries()) {
      const [[kind, inner], ...others] = Object.entries(block);
      if (others.length || !BLOCKS[kind]?.(inner)) return invalid(`The value at messages.${i}.content.${j} is not valid: ${JSON.stringify(block).slice(0, 80)}`);
      const blob = inner.reasoningText?.signature ?? inner.redactedContent;
      if (kind === "reasoningContent" && !isBlobOf(blob, maker)) return invalid(`messages.${i}.content.${j}: Invalid \`signature\` in \`thinking\` block`);
    }
    const results = content.filter((block) => block.toolResult).map((block) => block.toolResult.toolUseId);
    if (results.some((id) => !open.delete(id)) || open.size > 0) return invalid(`Expected toolResult blocks at messages.${i}.content for the following Ids: ${[...open].join(", ")}`);
    if (role === "assistant") open = new Set(content.filter((block) => block.toolUse).map((block) => block.toolUse.toolUseId));
    if ((open.size > 0 || results.length > 0) && !toolConfig) return invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.");
  }
  return open.size > 0 ? invalid("toolUse blocks without toolResult") : null;
}

/** Anthropic's own messages, wrapped: the model is in the path, the version in the body. */
const invoke = {
  ...anthropic,
  ...shared,
  refuseBody({ anthropic_version, ...json }, request) {
    if (anthropic_version !== "bedrock-2023-05-31") return invalid("anthropic_version: Field required");
    if (json.model !== undefined || json.stream !== undefined) return invalid("model: Extra inputs are not permitted");
    return anthropic.refuseBody({ ...json, model: request.model }, request);
  },
  ask: (json, { model }) => anthropic.ask({ ...json, model }),
  frames(sent, fault, error, request) {
    const chunks = sent.map((event) => ({ ...event, frame: ["chunk", { bytes: Buffer.from(event.data).toString("base64"), p: "abcdefg" }] }));
    return framed(chunks, fault, converse.streamError(), request);
  },
};

function framed(sent, fault, error) {
  const kept = fault.no_done ? sent.filter((event) => !event.last) : sent;
  let ended = kept;
  if (fault.error_at_chunk !== undefined) {
    const content = kept.flatMap((event, i) => (event.content ? [i] : []));
    const at = fault.error_at_chunk === 0 ? 0 : (content[fault.error_at_chunk - 1] ?? kept.length);
    ended = [...kept.slice(0, at), error];
  }
  let contentSeen = false;
  return ended.map((event) => {
    const waitMs = event.content && contentSeen ? (fault.delay_between_ms ?? 0) : 0;
    const garbled = fault.garbage && event.content && !contentSeen;
    contentSeen ||= event.content === true;
    const bytes = event.exception ? exceptionFrame(event.exception, event.payload) : eventFrame(...event.frame);
    if (garbled) bytes[bytes.length - 6] ^= 0xff; // the checksum no longer fits
    return { bytes, waitMs, reports: event.reports };
  });
}
