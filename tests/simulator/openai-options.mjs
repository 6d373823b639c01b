// What OpenAI refuses among the parameters beside the messages: numbers out of
// range, tools, formats, log probabilities.

import { firstOf, invalid, missing, refuseName, tooLong, wrongType, wrongValue } from "./openai-messages.mjs";

const RANGES = {
  temperature: [0, 2, false],
  top_p: [0, 1, false],
  frequency_penalty: [-2, 2, false],
  presence_penalty: [-2, 2, false],
  n: [1, 128, true],
  max_tokens: [1, Infinity, true],
  max_completion_tokens: [1, Infinity, true],
  max_output_tokens: [16, Infinity, true],
  top_logprobs: [0, 20, true],
};
export const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh"];

export function refuseRanges(json) {
  return firstOf(Object.entries(RANGES), ([name, [low, high, whole]]) => {
    const value = json[name];
    if (value == null) return null;
    if (typeof value !== "number" || (whole && !Number.isInteger(value))) return wrongType(name, whole ? "an integer" : "a decimal", value);
    const kind = whole ? "integer" : "decimal";
    if (value < low) {
      return invalid(`Invalid '${name}': ${kind} below minimum value. Expected a value >= ${low}, but got ${value} instead.`, name, `${kind}_below_min_value`);
    }
    if (value <= high) return null;
    return invalid(`Invalid '${name}': ${kind} above maximum value. Expected a value <= ${high}, but got ${value} instead.`, name, `${kind}_above_max_value`);
  });
}

/** Ids that name who asks, or what is alike, are short. */
export function refuseNamesOfUsers(json) {
  return firstOf(["user", "safety_identifier", "prompt_cache_key"], (name) => (json[name] == null ? null : tooLong(json[name], name, 64)));
}

export function refuseFlags(json, names) {
  return firstOf(names, (name) => (json[name] == null || typeof json[name] === "boolean" ? null : wrongType(name, "a boolean", json[name])));
}

export function refuseEffort(effort, at) {
  return effort == null || EFFORTS.includes(effort) ? null : wrongValue(at, effort, EFFORTS);
}

/** `inner` says where a tool keeps name and parameters: in chat one level deeper. */
export function refuseTools(tools, inner) {
  if (tools == null) return null;
  if (!Array.isArray(tools)) return wrongType("tools", "an array of objects", tools);
  return firstOf(tools, (tool, i) => {
    if (tool?.type === undefined) return missing(`tools[${i}].type`);
    if (tool.type !== "function") return null;
    const at = inner ? `tools[${i}].${inner}` : `tools[${i}]`;
    const said = inner ? tool[inner] : tool;
    if (said == null) return missing(at);
    return refuseName(said.name, `${at}.name`) ?? refuseParameters(said, at);
  });
}

function refuseParameters({ name, parameters, strict }, at) {
  if (parameters == null) return null;
  const wrong = (why) => invalid(`Invalid schema for function '${name}': ${why}`, `${at}.parameters`, "invalid_function_parameters");
  if (parameters.type !== undefined && parameters.type !== "object") return wrong(`schema must be a JSON Schema of 'type: "object"', got 'type: "${parameters.type}"'.`);
  const loose = strict === true && notStrict(parameters);
  return loose ? wrong(loose) : null;
}

/** Why a schema is not one that can be kept to strictly, or null. */
export function notStrict(schema, context = []) {
  if (schema?.type === "array") return notStrict(schema.items, [...context, "items"]);
  if (schema?.type !== "object") return null;
  const where = `In context=(${context.map((step) => `'${step}'`).join(", ")})`;
  if (schema.additionalProperties !== false) return `${where}, 'additionalProperties' is required to be supplied and to be false.`;
  const properties = Object.entries(schema.properties ?? {});
  const left = properties.find(([key]) => !schema.required?.includes(key));
  if (left) return `${where}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${left[0]}'.`;
  return firstOf(properties, ([key, value]) => notStrict(value, [...context, "properties", key]));
}

export function refuseChoice(choice, tools, name) {
  if (choice == null) return null;
  if (typeof choice === "string" && !["none", "auto", "required"].includes(choice)) return wrongValue("tool_choice", choice, ["none", "auto", "required"]);
  if (!tools?.length) return choice === "none" ? null : invalid("'tool_choice' is only allowed when 'tools' are specified.", "tool_choice");
  const named = (tool) => tool.name ?? tool.function?.name;
  if (name === undefined || tools.some((tool) => named(tool) === name)) return null;
  return invalid("Tool choice 'function' not found in 'tools' parameter.", "tool_choice");
}

/** format: what `response_format` or `text.format` says; `said`: all that the messages say. */
export function refuseFormat(format, at, name, said) {
  if (format == null || format.type === "text") return null;
  if (format.type === "json_object") return refuseWordless(said, at);
  if (format.type !== "json_schema") return wrongValue(`${at}.type`, format.type, ["json_object", "json_schema", "text"]);
  const inner = at === "response_format" ? format.json_schema : format;
  const innerAt = at === "response_format" ? `${at}.json_schema` : at;
  if (inner == null) return missing(innerAt);
  const loose = inner.strict === true && notStrict(inner.schema);
  if (loose) return invalid(`Invalid schema for ${name} '${inner.name}': ${loose}`, at === "response_format" ? at : `${at}.schema`, "invalid_json_schema");
  return refuseName(inner.name, `${innerAt}.name`);
}

function refuseWordless(said, at) {
  if (/json/i.test(said)) return null;
  return at === "response_format"
    ? invalid("'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.", "messages")
    : invalid("Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.", "input");
}
