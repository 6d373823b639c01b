// How the calls went that are no plain ones, kind by kind: served, refused by their zone
// or by a limit, billed by the simulator, and what their rows say.
import { took } from "./held.mjs";

const ZONE = new Set(["egress_not_allowed", "no_endpoint_in_zone"]);
const BOUND = new Set(["budget_exceeded", "call_without_bound", "model_without_price"]);
const EMPTY = { calls: 0, served: 0, left: 0, byZone: 0, byBound: 0, otherwise: 0, unheard: 0, killed: 0, unknown: 0, counted: 0, billed: 0, exact: 0, uncounted: 0, made: 0, taken: 0, noRow: 0 };

/** told: the calls with what was found of each. → {name: figures} */
export function byKind(told) {
  const kinds = {};
  for (const one of told.filter(({ call }) => call.kind)) count((kinds[one.call.kind] ??= { ...EMPTY }), one);
  return kinds;
}

function count(kind, one) {
  const { row, billed, exact, made, cutNano, cutHeld, killedNano } = one;
  kind.calls++;
  kind[wentHow(one)]++;
  if (row?.cost_nano === null) kind.unknown++;
  if (billed !== undefined) kind.counted++;
  kind.billed += billed ?? 0;
  kind.exact += exact ?? 0;
  // What providers made without a count that came, and what the row takes or holds for it.
  if (made > 0 || cutNano > 0) kind.uncounted++;
  kind.made += (made ?? 0) + (cutNano ?? 0);
  kind.taken += made > 0 ? took(row) : (cutHeld ?? 0);
  // What they made for calls of killed instances.
  kind.noRow += killedNano ?? 0;
}

function wentHow({ call, row, unheard, killed }) {
  if (unheard) return "unheard";
  if (killed) return "killed";
  if (call.what === "left") return "left";
  if (call.status === 200) return "served";
  if (ZONE.has(row?.error)) return "byZone";
  return BOUND.has(row?.error) ? "byBound" : "otherwise";
}

/** What a long run must have had of the kinds that hide their input: some served, some refused either way. */
export function missing(kinds, names) {
  const wanted = { served: "served", byZone: "refused by its zone", byBound: "refused by a budget", counted: "billed with a count" };
  return names.flatMap((name) => Object.entries(wanted).filter(([field]) => !(kinds[name]?.[field] > 0)).map(([, words]) => `no call with a ${name} was ${words}`));
}
