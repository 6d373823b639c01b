// What OpenAI's embeddings refuse. Theirs is the oldest of its APIs: the words
// are those of a schema's validator. Vectors are in embeddings.mjs.

import { invalid } from "./openai-messages.mjs";

const KNOWN = new Set(["model", "input", "dimensions", "encoding_format", "user"]);
/** Mistral's embeddings are OpenAI's with other names for two things. */
const MISTRALS = new Set(["output_dimension", "output_dtype", "metadata"]);
const MOST_INPUTS = 2048;

export function refuseEmbed(json, { host }) {
  const unknown = Object.keys(json).find((name) => !KNOWN.has(name) && !(host.includes("mistral") && MISTRALS.has(name)));
  if (unknown) return invalid(`Unrecognized request argument supplied: ${unknown}`);
  const { model } = json;
  if (typeof model !== "string" || model === "") return invalid("you must provide a model parameter");
  if (model.startsWith("nope")) {
    return { status: 404, message: `The model \`${model}\` does not exist or you do not have access to it.`, code: "model_not_found" };
  }
  return refuseSize(json.dimensions) ?? refuseEncoding(json.encoding_format) ?? refuseInput(json.input);
}

function refuseSize(size) {
  if (size == null) return null;
  if (!Number.isInteger(size)) return invalid(`${JSON.stringify(size)} is not of type 'integer' - 'dimensions'`);
  return size < 1 ? invalid(`${size} is less than the minimum of 1 - 'dimensions'`) : null;
}

function refuseEncoding(encoding) {
  return encoding == null || ["float", "base64"].includes(encoding) ? null : invalid(`'${encoding}' is not one of ['float', 'base64'] - 'encoding_format'`);
}

const isToken = (value) => Number.isInteger(value) && value >= 0;
const isTokens = (value) => Array.isArray(value) && value.length > 0 && value.every(isToken);

function refuseInput(input) {
  const list = typeof input === "string" || isTokens(input) ? [input] : input;
  const wellFormed = Array.isArray(list) && list.length > 0 && list.length <= MOST_INPUTS;
  const allText = wellFormed && list.every((one) => typeof one === "string");
  if (!allText && !(wellFormed && list.every(isTokens))) {
    return invalid("'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.");
  }
  const empty = list.indexOf("");
  if (empty < 0) return null;
  const at = Array.isArray(input) ? `input[${empty}]` : "input";
  return invalid(`Invalid '${at}': input cannot be an empty string.`, at, "invalid_value");
}
