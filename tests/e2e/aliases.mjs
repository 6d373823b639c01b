// The models that the deployment's aliases stand for. Every alias must lead to
// a model of the map, also where a test brings a map of its own.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../bench/rig.mjs";

export function aliased() {
  const [, aliases] = readFileSync(join(ROOT, "gateway.toml"), "utf8").split(/^\[aliases\]$/m);
  return [...new Set([...aliases.matchAll(/^\S+ = "(.+)"$/gm)].map(([, model]) => model))];
}
