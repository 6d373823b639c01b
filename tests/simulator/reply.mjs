// Decides what a model "says", before any dialect gives it a shape: the pieces
// of text or of a tool call's arguments, why it stopped, and the token counts.

import { groupPieces, hash, random, splitText, tokensIn, wordPieces } from "./words.mjs";

const ARGUMENT_PIECE = 7; // characters; small, so that arguments come in several pieces

/**
 * ask: {model, text, lastText, tools: [{name, schema}], toolChoice: "auto" | "none" | "any" |
 *       {name}, speaksBeforeTool, maxTokens, count, thinks?, schema?, media?, oneToolOnly?}
 *   with media: what pictures and files count.
 * → {model, choices: [{thoughts, texts, refusal, tools, stop, tokens, thoughtTokens}],
 *    inputTokens, outputTokens, thoughtTokens}
 *   with tools: [{name, input, pieces}], and stop: "end" | "length" | "tool" | "refusal".
 */
export function compose(ask, fault) {
  const seed = hash(`${ask.model}\n${ask.text}`);
  const tools = chosenTools(ask);
  const choices = Array.from({ length: ask.count }, (_, index) => {
    const thoughts = (ask.thinks ? wordPieces(seed + index + 1, 6) : []).slice(0, ask.maxTokens);
    const left = { ...ask, maxTokens: ask.maxTokens - thoughts.length };
    const said = left.maxTokens > 0 ? answered(left, tools, seed + index, fault) : SILENCE;
    return { ...said, thoughts, thoughtTokens: thoughts.length, tokens: said.tokens + thoughts.length };
  });
  return {
    model: ask.model,
    choices,
    inputTokens: inputTokens(ask),
    outputTokens: choices.reduce((sum, choice) => sum + choice.tokens, 0),
    thoughtTokens: choices.reduce((sum, choice) => sum + choice.thoughtTokens, 0),
  };
}

/** All tokens went into thoughts. */
const SILENCE = { texts: [], tools: [], stop: "length", tokens: 0 };

export function inputTokens({ text, tools, media = 0 }) {
  return tokensIn(text + (tools.length ? JSON.stringify(tools) : "")) + media;
}

function answered(ask, tools, seed, fault) {
  return tools.length ? toolChoice(ask, tools, seed, fault) : textChoice(ask, seed, fault);
}

function chosenTools({ tools, toolChoice: choice, lastText, oneToolOnly }) {
  if (tools.length === 0 || choice === "none") return [];
  if (typeof choice === "object") return tools.filter((tool) => tool.name === choice.name);
  if (/use both tools/i.test(lastText)) return tools.slice(0, oneToolOnly ? 1 : 2);
  return choice === "any" || /use the tool/i.test(lastText) ? tools.slice(0, 1) : [];
}

function textChoice(ask, seed, fault) {
  if (fault.refusal !== undefined) {
    const pieces = splitText(fault.refusal);
    return { texts: [], refusal: pieces, tools: [], stop: "refusal", tokens: pieces.length };
  }
  if (ask.schema) {
    const pieces = JSON.stringify(example(ask.schema, random(seed))).match(/.{1,12}/gsu);
    const said = pieces.slice(0, ask.maxTokens);
    return { texts: said, tools: [], stop: said.length < pieces.length ? "length" : "end", tokens: said.length };
  }
  const perChunk = fault.chunk_words ?? 1;
  const wanted = fault.chunks ? fault.chunks * perChunk : 12 + (seed % 24);
  // An error at chunk N is only "at N" if the answer has that many chunks.
  const enough = Math.max(wanted, fault.chunks ? 0 : (fault.error_at_chunk ?? 0) * perChunk);
  const all = fault.text === undefined ? wordPieces(seed, enough) : splitText(fault.text);
  const said = all.slice(0, ask.maxTokens);
  return {
    texts: groupPieces(said, perChunk, fault.text === undefined ? undefined : fault.chunks),
    tools: [],
    stop: said.length < all.length ? "length" : "end",
    tokens: said.length,
  };
}

function toolChoice(ask, chosen, seed, fault) {
  const before = ask.speaksBeforeTool ? textChoice(ask, seed, fault) : { texts: [], tokens: 0 };
  if (before.stop === "length") return before;
  let tokens = before.tokens;
  let cut = false;
  const tools = chosen.map(({ name, schema }, nth) => {
    const input = example(schema, random(seed + nth));
    const all = JSON.stringify(input).match(new RegExp(`.{1,${ARGUMENT_PIECE}}`, "gsu"));
    const pieces = all.slice(0, Math.max(0, ask.maxTokens - tokens));
    tokens += pieces.length;
    const whole = pieces.length === all.length;
    cut ||= !whole;
    return { name, input: whole ? input : {}, pieces };
  });
  return { texts: before.texts, tools, stop: cut ? "length" : "tool", tokens };
}

/** A value that fits a JSON schema well enough for a tool to be called with it. */
function example(schema, next) {
  if (!schema || typeof schema !== "object") return {};
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const variant = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (variant) return example(variant, next);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case "string":
      return wordPieces(Math.floor(next() * 2 ** 32), 2).join("");
    case "integer":
      return Math.floor(next() * 100);
    case "number":
      return Math.round(next() * 1000) / 10;
    case "boolean":
      return next() < 0.5;
    case "null":
      return null;
    case "array":
      return [example(schema.items ?? { type: "string" }, next)];
    default:
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, value]) => [key, example(value, next)]),
      );
  }
}

/** Lays `over` over `base`, object by object: how a fault changes the reported usage. */
export function overlay(base, over = {}) {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const both = isObject(value) && isObject(base[key]);
    result[key] = both ? overlay(base[key], value) : value;
  }
  return result;
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
