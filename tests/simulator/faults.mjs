// What can be made to go wrong, and the rules that say for which requests. A
// misspelt fault would silently test nothing, so unknown fields are refused.

const milliseconds = (value) => Number.isFinite(value) && value >= 0;
const count = (value) => Number.isInteger(value) && value >= 0;
const positive = (value) => Number.isInteger(value) && value > 0;
const flag = (value) => typeof value === "boolean";
const text = (value) => typeof value === "string";
const object = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

const FIELDS = {
  // before or instead of an answer
  refuse_connection: flag,
  hang: flag,
  status: (value) => Number.isInteger(value) && value >= 200 && value <= 599,
  headers: object,
  body: (value) => value !== undefined,
  content_type: text,
  delay_first_ms: milliseconds,
  // what the answer says
  text,
  refusal: text,
  chunks: positive,
  chunk_words: positive,
  usage: object,
  omit_usage: flag,
  garbage: flag,
  // how it is sent
  delay_headers_to_first_chunk_ms: milliseconds,
  delay_between_ms: milliseconds,
  error_at_chunk: count,
  cut_at_byte: count,
  split: (value) => value === "byte" || positive(value),
  crlf: flag,
  no_done: flag,
  comments: flag,
  gzip: flag,
};

const RULE_FIELDS = {
  host: (value) => value === null || text(value),
  path: (value) => value === null || text(value),
  times: count,
  fault: object,
};

function checkFields(value, fields, what) {
  if (!object(value)) throw new TypeError(`${what} must be an object`);
  for (const [name, given] of Object.entries(value)) {
    if (!Object.hasOwn(fields, name)) throw new TypeError(`${what} has no field ${JSON.stringify(name)}`);
    if (!fields[name](given)) {
      throw new TypeError(`${what}: bad value for ${name}: ${JSON.stringify(given)}`);
    }
  }
}

export function checkFault(fault) {
  checkFields(fault, FIELDS, "fault");
  return fault;
}

/** A fault written in a prompt; throws if it is not one. */
export function parseFault(json) {
  return checkFault(JSON.parse(json));
}

export class FaultRules {
  #rules = [];

  /** Adds `{host?, path?, times?, fault}`; times 0 means until reset. */
  add(rule) {
    checkFields(rule, RULE_FIELDS, "rule");
    checkFault(rule.fault);
    const { host = null, path = null, times = 1, fault } = rule;
    this.#rules.push({ host, path, left: times === 0 ? Infinity : times, fault: structuredClone(fault) });
  }

  /** The first rule that matches and has times left; uses one of them up. */
  take(host, pathname) {
    const rule = this.#rules.find(
      (r) =>
        r.left > 0 &&
        (r.host === null || r.host === host) &&
        (r.path === null || pathname.endsWith(r.path)),
    );
    if (!rule) return null;
    rule.left -= 1;
    return rule.fault;
  }

  clear() {
    this.#rules = [];
  }
}
