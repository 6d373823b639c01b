// What a provider bills for an answer, worked out from prices.toml and
// regions/endpoints/ alone: nothing here is the gateway's arithmetic.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../bench/rig.mjs";

/**
 * Reads the files. → what one request costs that the simulator has logged, in billionths
 * of a dollar: tokens at the place's price, tools at their own. What was served faster
 * than usual costs more than that.
 */
export function priceList() {
  const prices = new Map();
  for (const { name, fields } of tables(readFileSync(join(ROOT, "prices.toml"), "utf8"))) {
    const [model, part] = name;
    if (part === undefined) prices.set(model, { input: nano(fields.input), output: nano(fields.output), uses: {} });
    if (part === "long_input") prices.get(model).long = { above: Number(fields.above), input: nano(fields.input), output: nano(fields.output) };
    if (part === "per_use") for (const [tool, price] of Object.entries(fields)) prices.get(model).uses[tool] = nano(price);
  }
  // A provider knows its models by its own ids; a premium goes with the place,
  // or with the account where two endpoints share a host.
  const sold = new Map();
  for (const file of readdirSync(join(ROOT, "regions/endpoints")).filter((name) => name.endsWith(".toml"))) {
    const all = tables(readFileSync(join(ROOT, "regions/endpoints", file), "utf8"));
    const endpoints = new Map(all.filter(({ name }) => name.length === 1).map(({ name, fields }) => [name[0], fields]));
    for (const { name: [endpoint, what, model], fields } of all) {
      if (what !== "models") continue;
      const { host, auth } = endpoints.get(endpoint);
      sold.set(`${host} ${auth.split(":")[1]} ${fields.id}`, { model, percent: BigInt(100 + Number(fields.uplift_percent ?? 0)) });
    }
  }
  return ({ host, headers, usage: { model: id, input, output, uses = {} } }) => {
    const account = (headers.authorization ?? headers["x-api-key"]).replace(/^(Bearer )?secret-of-/, "").toUpperCase();
    const { model, percent } = sold.get(`${host} ${account} ${id}`) ?? {};
    const price = prices.get(model);
    if (!price) throw new Error(`${id} at ${host} for ${account} has no price`);
    const step = input > (price.long?.above ?? Infinity) ? price.long : price;
    // Prices are for a million tokens; rounded once, to the nearest, at the end.
    const scaled = (BigInt(input) * step.input + BigInt(output) * step.output) * percent;
    const tools = Object.entries(uses).reduce((sum, [tool, times]) => sum + price.uses[tool] * BigInt(times), 0n);
    return Number((scaled + 50_000_000n) / 100_000_000n + tools);
  };
}

/** `"0.15"` dollars in billionths. */
function nano(dollars) {
  const [whole, part = ""] = dollars.split(".");
  return BigInt(whole + part.padEnd(9, "0"));
}

/** The tables of a TOML file as these files are written: a key and a plain value a line. */
function tables(toml) {
  const found = [];
  for (const line of toml.split("\n")) {
    const head = /^\[([^[\]]+)\]/.exec(line)?.[1];
    if (head) found.push({ name: [...head.matchAll(/"([^"]*)"|([^."]+)/g)].map(([, quoted, bare]) => quoted ?? bare), fields: {} });
    const [, key, quoted, bare] = /^([\w-]+) = (?:"([^"]*)"|(\S+))/.exec(line) ?? [];
    if (key && found.length > 0) found.at(-1).fields[key] = quoted ?? bare;
  }
  return found;
}
