// What Claude refuses wherever it is served: ways of sampling that a generation no
// longer takes, and keywords of schemas that answers cannot be held to.

const FAMILY = /claude-(?:opus|sonnet|haiku)-(\d+)(?:-(\d{1,2}))?(?!\d)/;
const SAMPLING = ["temperature", "top_p", "top_k"];
const UNSUPPORTED = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems", "uniqueItems"];

const invalid = (message) => ({ status: 400, message });

/** The generation of a model as a number, 4.6 as 406; 0 for others. */
function generation(model) {
  const [, major, minor = "0"] = FAMILY.exec(model) ?? [];
  return major === undefined ? 0 : Number(major) * 100 + Number(minor);
}

export const isClaude = (model) => /claude/.test(model);

/** given: the three settings, by Anthropic's names. */
export function refuseSampling(given, model) {
  const set = SAMPLING.filter((name) => given[name] !== undefined);
  const now = generation(model);
  if (now >= 407 && set.length > 0) return invalid(`\`${set[0]}\` is deprecated for this model.`);
  if (now < 401 || given.temperature === undefined || given.top_p === undefined) return null;
  return invalid("`temperature` and `top_p` cannot both be specified for this model. Please use only one.");
}

/** at: where the schema stands, in the provider's words. */
export function refuseSchema(schema, at) {
  if (schema === null || typeof schema !== "object") return null;
  if (schema.type === "object" && schema.additionalProperties !== false) {
    return invalid(`${at}: For 'object' type, 'additionalProperties' must be explicitly set to false`);
  }
  if (schema.type === "array" && schema.minItems > 1) return invalid(`${at}: For 'array' type, 'minItems' values other than 0 or 1 are not supported`);
  const odd = UNSUPPORTED.filter((name) => schema[name] !== undefined);
  if (odd.length > 0) {
    const which = odd.length > 1 ? `properties ${odd.sort().join(", ")} are` : `property '${odd[0]}' is`;
    return invalid(`${at}: For '${schema.type}' type, ${which} not supported`);
  }
  const inside = [...Object.values(schema.properties ?? {}), ...Object.values(schema.$defs ?? {}), schema.items, ...(schema.anyOf ?? []), ...(schema.allOf ?? [])];
  return inside.reduce((found, one) => found ?? refuseSchema(one, at), null);
}
