// Cohere's embeddings.

import { randomText } from "./ids.mjs";
import { tokensOf, vectorOf } from "./embeddings.mjs";
import * as openai from "./openai.mjs";

const KNOWN = new Set(["model", "texts", "images", "inputs", "input_type", "embedding_types", "output_dimension", "max_tokens", "truncate"]);

export function route(host, pathname) {
  if (!host.endsWith("cohere.com")) return null;
  return { dialect: cohere, operation: pathname === "/v2/embed" ? "embed" : null };
}

const invalid = (message) => ({ status: 400, message });

const cohere = {
  ...openai,
  headers: () => ({ "x-api-warning": "simulated" }),
  errorBody: (status, detail = {}) => JSON.stringify({ id: randomText(12), message: detail.message ?? "invalid request" }),
  refuseEmbed(json) {
    const unknown = Object.keys(json).find((name) => !KNOWN.has(name));
    if (unknown) return invalid(`unknown field: parameter '${unknown}' is not a valid field`);
    if (!json.input_type) return invalid("valid input_type must be provided with the provided model");
    return Array.isArray(json.texts) && json.texts.length ? null : invalid("valid texts or images must be provided");
  },
  embed(json) {
    const float = json.texts.map((text) => vectorOf(text, json.output_dimension));
    const meta = { api_version: { version: "2" }, billed_units: { input_tokens: tokensOf(json.texts) } };
    return JSON.stringify({ id: randomText(12), embeddings: { float }, texts: json.texts, meta, response_type: "embeddings_by_type" });
  },
};
