// Google's generateContent as seen from outside, at the Gemini API and at
// Vertex, and Claude at Vertex. Models stand in the path.

import * as anthropic from "./anthropic.mjs";
import { isBlobOf } from "./blobs.mjs";
import { tokensOf, vectorOf } from "./embeddings.mjs";
import { body, events } from "./gemini-reply.mjs";
import { isToken } from "./google-token.mjs";
import { randomText } from "./ids.mjs";
import * as openai from "./openai.mjs";
import { lastUserText, textOf } from "./prompt.mjs";
import { frames } from "./stream.mjs";
import { tokensIn } from "./words.mjs";

const PATH = /^\/v1(?:beta1?)?\/(?:projects\/[^/]+\/locations\/[^/]+\/publishers\/(google|anthropic)\/)?models\/([^/:]+):(\w+)$/;
const OPERATIONS = { generateContent: "generate", streamGenerateContent: "generate", rawPredict: "generate", streamRawPredict: "generate", countTokens: "count", embedContent: "embed", batchEmbedContents: "embed", predict: "embed" };

export function route(host, pathname) {
  if (!host.endsWith(".googleapis.com")) return null;
  const [, publisher, model, verb] = PATH.exec(pathname) ?? [];
  // Google's own OpenAI-compatible address is chat completions like any other.
  if (!model) return pathname.includes("/openai/") ? null : { dialect: gemini, operation: null };
  const dialect = publisher === "anthropic" ? claude : gemini;
  return { dialect, operation: OPERATIONS[verb] ?? null, model: decodeURIComponent(model), verb, streamed: verb.startsWith("stream") };
}

const KNOWN = new Set("contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent labels".split(" "));
const CONFIG = new Set(
  (
    "temperature topP topK maxOutputTokens stopSequences seed candidateCount presencePenalty frequencyPenalty responseMimeType " +
    "responseSchema responseJsonSchema responseLogprobs logprobs thinkingConfig responseModalities"
  ).split(" "),
);
const STATUS = { 400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE" };

const invalid = (message) => ({ status: 400, message });
const asMessages = (contents) => (contents ?? []).map(({ role, parts }) => ({ role: role === "model" ? "assistant" : "user", content: parts }));

const shared = {
  requestId: () => randomText(16),
  headers: () => ({ "server-timing": "gfet4t7; dur=7" }),
  errorBody: (status, detail = {}) => JSON.stringify({ error: { code: status, message: detail.message ?? "The request could not be handled.", status: STATUS[status] ?? "INTERNAL" } }, null, 2),
  refuseHead({ host, headers }) {
    const right = host === "generativelanguage.googleapis.com" ? headers["x-goog-api-key"] : isToken(headers.authorization);
    return right ? null : { status: 401, message: "Request had invalid authentication credentials." };
  },
  refuseMethod: () => ({ status: 404, message: "Not Found" }),
  refuseUnknownPath: () => ({ status: 404, message: "Not Found" }),
  refuseJson: () => invalid("Invalid JSON payload received."),
  refuseInstruction: (message) => invalid(`Bad [[sim: …]] instruction: ${message}`),
  streams: (_, { streamed }) => streamed,
};

const gemini = {
  ...shared,
  body,
  events,
  messagesOf: (json) => asMessages(json.contents),
  frames: (sent, fault, error, { path }) => frames(sent, { ...fault, crlf: true }, error, path),
  streamError: () => ({ data: JSON.stringify({ error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } }) }),
  refuseBody(json, { operation, host, model, path, streamed }) {
    const asked = operation === "count" ? (json.generateContentRequest ?? json) : json;
    const unknown = Object.keys(asked).find((name) => !KNOWN.has(name) && !(operation === "count" && name === "model"));
    if (unknown) return invalid(`Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`);
    const odd = Object.keys(asked.generationConfig ?? {}).find((name) => !CONFIG.has(name));
    if (odd) return invalid(`Invalid JSON payload received. Unknown name "${odd}" at 'generation_config': Cannot find field.`);
    if (model.startsWith("nope")) return { status: 404, message: `models/${model} is not found for API version v1beta.` };
    if (operation === "generate" && /embed/.test(model)) return { status: 404, message: `models/${model} is not found for API version v1beta, or is not supported for generateContent.` };
    if (streamed && !path.includes("alt=sse")) return invalid("this simulator streams with alt=sse only");
    const heat = asked.generationConfig?.temperature;
    if (heat !== undefined && !(heat >= 0 && heat <= 2)) return invalid("* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].");
    return refuseContents(asked, host);
  },
  ask(json, { model }) {
    const config = json.generationConfig ?? {};
    const mode = json.toolConfig?.functionCallingConfig;
    const messages = asMessages(json.contents);
    const declared = (json.tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []);
    return {
      model,
      text: [textOf(json.systemInstruction?.parts), messages.map((message) => textOf(message.content)).join("\n")].filter(Boolean).join("\n"),
      lastText: lastUserText(messages),
      tools: declared.map(({ name, parametersJsonSchema, parameters }) => ({ name, schema: parametersJsonSchema ?? parameters })),
      toolChoice: mode?.mode === "NONE" ? "none" : mode?.mode === "ANY" ? (mode.allowedFunctionNames ? { name: mode.allowedFunctionNames[0] } : "any") : "auto",
      speaksBeforeTool: false,
      maxTokens: config.maxOutputTokens ?? Infinity,
      count: config.candidateCount ?? 1,
      thinks: Boolean(config.thinkingConfig) && config.thinkingConfig.thinkingBudget !== 0,
      schema: config.responseMimeType === "application/json" ? (config.responseJsonSchema ?? config.responseSchema ?? openai.ANSWER) : undefined,
    };
  },
  countTokens(json, request) {
    const { text, tools } = gemini.ask(json.generateContentRequest ?? json, request);
    return JSON.stringify({ totalTokens: tokensIn(text + (tools.length ? JSON.stringify(tools) : "")) });
  },
  refuseEmbed: () => null,
  embed(json, { verb }) {
    const values = (text, size) => vectorOf(text, size);
    if (verb === "predict") {
      const size = json.parameters?.outputDimensionality;
      const predictions = json.instances.map(({ content }) => ({ embeddings: { statistics: { token_count: tokensOf([content]), truncated: false }, values: values(content, size) } }));
      return JSON.stringify({ predictions });
    }
    const one = ({ content, outputDimensionality }) => ({ values: values(textOf(content.parts), outputDimensionality) });
    return JSON.stringify(verb === "embedContent" ? { embedding: one(json) } : { embeddings: json.requests.map(one) });
  },
};

const PARTS = {
  text: (text) => typeof text === "string",
  inlineData: (data) => /^[\w-]+\/[\w.+-]+$/.test(data.mimeType) && /^[A-Za-z0-9+/=]+$/.test(data.data),
  fileData: (file) => Boolean(file.fileUri),
  functionCall: (call) => typeof call.name === "string" && typeof (call.args ?? {}) === "object",
  functionResponse: (result) => typeof result.name === "string" && typeof result.response === "object",
};
const BESIDE = new Set(["thought", "thoughtSignature"]);

function refuseContents({ contents }, host) {
  if (!Array.isArray(contents) || contents.length === 0) return invalid("* GenerateContentRequest.contents: contents is not specified");
  let open = [];
  for (const [i, { role, parts }] of contents.entries()) {
    if (!["user", "model"].includes(role)) return invalid("Please use a valid role: user, model.");
    if (!Array.isArray(parts) || parts.length === 0) return invalid(`* GenerateContentRequest.contents[${i}].parts: must not be empty.`);
    for (const [j, part] of parts.entries()) {
      const [[kind, inner], ...others] = Object.entries(part).filter(([name]) => !BESIDE.has(name));
      if (others.length || !PARTS[kind]?.(inner)) return invalid(`Invalid value at 'contents[${i}].parts[${j}]': ${JSON.stringify(part).slice(0, 80)}`);
      const proof = part.thoughtSignature;
      if (proof && proof !== "skip_thought_signature_validator" && !isBlobOf(proof, host)) return invalid("Unable to process input: corrupted thought signature.");
    }
    const answered = parts.filter((part) => part.functionResponse).map((part) => part.functionResponse.name);
    if (answered.join() !== open.join()) return invalid("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.");
    open = role === "model" ? parts.filter((part) => part.functionCall).map((part) => part.functionCall.name) : [];
  }
  return open.length ? invalid("Please ensure that function call turn comes immediately before a function response turn.") : null;
}

/** Anthropic's own messages: the model is in the path, the version in the body. */
const claude = {
  ...anthropic,
  refuseHead: shared.refuseHead,
  refuseBody({ anthropic_version, ...json }, request) {
    if (anthropic_version !== "vertex-2023-10-16") return invalid("anthropic_version: Field required");
    if (json.model !== undefined) return invalid("model: Extra inputs are not permitted");
    return anthropic.refuseBody({ ...json, model: request.model }, request);
  },
  ask: (json, { model }) => anthropic.ask({ ...json, model }),
  streams: shared.streams,
};
