// Who calls in the ledger's soak, under which limits, and what is asked: the
// soak's own calls, with an end to what comes out and time to be killed in.
import { createHash } from "node:crypto";
import { makeCall } from "./calls.mjs";
import { fromMix } from "./mix.mjs";

export const FEATURES = ["chat", "search", "batch"];
const KEYS = ["one", "two"];
const ever = (dollars) => ({ budget: { amount: Math.round(dollars * 1e9), per: "ever" } });
const month = (dollars) => ({ budget: { amount: Math.round(dollars * 1e9), per: "month" } });

/** So much that it is never spent, nor held for calls that may read a model's whole context some times. */
const PLENTY = 50_000;
/** Who asks for most of what may read so much: with room for some of it, or no limit at all. */
const ROOMY = ["ample", "modest", "narrow", "lenient", "free"];

/**
 * Each team's limits, by name: what is said of one is held against the bill.
 * Small budgets are spent in the middle of so many seconds, large ones never. A
 * modest one has room for plain calls and some of those that hide their input.
 */
export function teamLimits(seconds) {
  const small = seconds * 0.0012;
  return {
    ample: { "ample-ever": ever(PLENTY) },
    modest: { "modest-ever": ever(60) },
    small: { "small-ever": ever(small) },
    smaller: { "smaller-month": month(small / 4) },
    hasty: { "hasty-calls": { requests_per_minute: Math.round(seconds * 1.5) }, "hasty-ever": ever(PLENTY) },
    wordy: { "wordy-tokens": { tokens_per_minute: Math.round(seconds * 150) }, "wordy-ever": ever(PLENTY) },
    narrow: { "narrow-at-once": { concurrent: 3 }, "narrow-ever": ever(PLENTY) },
    parted: { "parted-features": { feature: "*", ...ever(small / 6) }, "parted-ever": ever(PLENTY) },
    // Nothing is limited, and yet nothing is lost.
    free: {},
    // Served while the ledger is away, and counted later.
    lenient: { "lenient-ever": ever(PLENTY), "lenient-calls": { requests_per_minute: 100_000 } },
  };
}

/** The same as the gateway reads it. */
export function gatewayLimits(teams) {
  const all = {};
  for (const [team, limits] of Object.entries(teams)) {
    for (const [name, { feature, ...limit }] of Object.entries(limits)) all[name] = { scope: { team, ...(feature && { feature }) }, ...limit };
  }
  return { all, teams: { lenient: { unreachable: "allow" } } };
}

const hash = (key) => createHash("sha256").update(key).digest("hex");
/** A team's key. */
export const key = (team, which) => `mk_${`${which}${team}`.padEnd(10, "0").slice(0, 10)}_0123456789abcdef0123456789abcdef01234567`;
const adminKey = (id) => `ma_${id}_0123456789abcdef0123456789abcdef01234567`;
export const ADMIN = adminKey("conserved0");
/** Who writes a map, and who approves it. */
export const AUTHORS = [adminKey("conserved1"), adminKey("conserved2")];

/** What the key store has from the start: two keys a team, an operator's, and two of compliance. */
export function keyStore(teams) {
  const created = "2026-11-20T00:00:00Z";
  const keys = Object.keys(teams).flatMap((team) => KEYS.map((which) => [`key:${hash(key(team, which))}`, JSON.stringify({ id: `${team}-${which}`, team, created })]));
  const admin = (key, id, role) => [`admin:key:${hash(key)}`, JSON.stringify({ id, who: `${id}@example.com`, roles: [role], created })];
  const authors = AUTHORS.map((key, n) => admin(key, `author-${n}`, "compliance"));
  return Object.fromEntries([...keys, admin(ADMIN, "operator", "operator"), ...authors]);
}

/**
 * The nth call: who asks for it, how, and what. `countries` are those they come
 * from, `counting` says if tokens are counted as well, `well` if nothing goes wrong.
 */
export function teamCall(n, dice, { teams, countries, counting, well }) {
  const pick = (list) => list[Math.floor(dice() * list.length)];
  let call = makeCall(n, dice, countries, well ? undefined : fromMix(dice, n));
  while (!counting && call.path.endsWith("count_tokens")) call = makeCall(n, dice, countries);
  const roomy = ROOMY.filter((team) => teams[team]);
  const asking = call.hides && roomy.length > 0 && dice() < 0.7 ? roomy : Object.keys(teams);
  const [team, which, feature] = [pick(asking), pick(KEYS), pick(FEATURES)];
  const { body } = call;
  if (call.path === "/v1/chat/completions") body.max_completion_tokens = 60;
  if (call.path === "/v1/responses") body.max_output_tokens = 60;
  // Some last as long as kills need to find them under way.
  const slow = dice() < 0.5 && (body.stream ? { chunks: 15, delay_between_ms: 20 + Math.floor(dice() * 60) } : { delay_first_ms: 100 + Math.floor(dice() * 300) });
  if ((slow || call.sim) && !call.path.endsWith("count_tokens")) {
    const instruct = (text) => `${text} [[sim: ${JSON.stringify({ ...slow, ...call.sim })}]]`;
    const instructed = (content) => (Array.isArray(content) ? [{ ...content[0], text: instruct(content[0].text) }, ...content.slice(1)] : instruct(content));
    if (typeof body.input === "string") body.input = instruct(body.input);
    else for (const message of body.input ?? body.messages) message.content = instructed(message.content);
  }
  const headers = { ...call.headers, authorization: `Bearer ${key(team, which)}`, "meridian-tags": `feature=${feature}, call=${n}` };
  return { ...call, ...(well && { fault: undefined, leaves: false }), team, feature, headers };
}
