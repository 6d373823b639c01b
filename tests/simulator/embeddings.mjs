// Embeddings in every provider's shape: vectors drawn from the text, so that
// the same text always has the same one.

import { hash, random, tokensIn } from "./words.mjs";

const USUAL_SIZE = 8;

export function vectorOf(text, size = USUAL_SIZE) {
  const next = random(hash(JSON.stringify(text)));
  return Array.from({ length: size }, () => Math.round((next() * 2 - 1) * 1e6) / 1e6);
}

export const tokensOf = (inputs) => inputs.reduce((sum, input) => sum + (Array.isArray(input) ? input.length : tokensIn(input)), 0);

export function embedded(dialect, json, request) {
  return dialect.embed ? dialect.embed(json, request) : likeOpenAi(json, request);
}

function likeOpenAi(json, request) {
  const tokens = Array.isArray(json.input) && typeof json.input[0] === "number";
  const inputs = Array.isArray(json.input) && !tokens ? json.input : [json.input];
  const data = inputs.map((input, index) => {
    const vector = vectorOf(input, json.dimensions);
    const packed = json.encoding_format === "base64" ? Buffer.from(new Float32Array(vector).buffer).toString("base64") : vector;
    return { object: "embedding", index, embedding: packed };
  });
  const used = tokensOf(inputs);
  return JSON.stringify({ object: "list", data, model: json.model ?? request.model, usage: { prompt_tokens: used, total_tokens: used } });
}
