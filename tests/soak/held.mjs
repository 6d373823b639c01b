// Whether a team's limits were kept: budgets by the rows and by what the ledger
// says, minutes by what was sent, calls at once by what providers saw.

/** What hearing of a connection's end may take, so long after a place is free. */
const LAG_MS = 100;
/** Near a minute's end nobody knows to which one a call without a row belongs. */
const EDGE_MS = 1_000;

const sum = (list, of) => list.reduce((all, one) => all + of(one), 0);

/** What a row takes of a budget: where nobody knows, what was reserved; nothing where that is held. */
export function took({ outcome, cost_nano: cost, lost_nano: lost, reserved_nano: reserved }) {
  if (outcome === "held") return 0;
  return cost === null || lost === null ? (reserved ?? 0) : cost + lost;
}

/** own: the team's calls with what was found of them. → {overBudget, mostAtOnce, ledgerSays} */
export function heldLimits({ team, own, evidence, wrong }) {
  const rows = evidence.rows.filter((row) => row.team === team);
  const accounts = evidence.accounts.filter((account) => account.team === team);
  const say = (text) => wrong.push(`team ${team}: ${text}`);
  let overBudget = 0;
  for (const [name, limit] of Object.entries(evidence.teams[team])) {
    if (limit.budget) overBudget = Math.max(overBudget, budget({ name, limit, rows, own, accounts, say }));
    if (limit.requests_per_minute) minutes({ name, own, rows, most: limit.requests_per_minute, of: requests, say });
    if (limit.tokens_per_minute) minutes({ name, own, rows, most: limit.tokens_per_minute, of: tokens, say });
    if (limit.concurrent && atOnce(own) > limit.concurrent) say(`${atOnce(own)} calls at once, and ${name} allows ${limit.concurrent}`);
  }
  return { overBudget, mostAtOnce: atOnce(own) };
}

/** By how much a budget is exceeded. */
function budget({ name, limit, rows, own, accounts, say }) {
  const { amount } = limit.budget;
  const kept = accounts.filter((account) => account.limit === name && account.measure === "budget");
  for (const account of kept) if (account.spent + account.held > amount) say(`the ledger says that ${account.held} are held of ${name} ${account.whom} beside ${account.spent} of ${amount}`);
  for (const account of kept) if (account.spent > amount) say(`the ledger says that ${account.spent} of ${amount} are spent of ${name} ${account.whom}`);
  const sums = limit.feature ? byFeature(rows) : [sum(rows, took)];
  const over = Math.max(0, ...sums) - amount;
  if (over > 0) say(`${name} is exceeded by ${over}`);
  // What is held has no feature, so only a whole team's account can be compared.
  const holds = sum(rows, (row) => row.held_nano);
  if (!limit.feature && sum(kept, (account) => account.held) !== holds) say(`${sum(kept, (account) => account.held)} are held of ${name} by the ledger, ${holds} by the rows`);
  // With what was billed and has no row, or one that holds it.
  const unknown = sum(own, (one) => (one.killedNano ?? 0) + (one.cutNano ?? 0));
  if (!limit.feature && sums[0] + unknown > amount) say(`${name} is exceeded by ${sums[0] + unknown - amount} with the calls of which nobody knows`);
  if (!limit.feature && sum(kept, (account) => account.spent) !== sums[0]) say(`${sum(kept, (account) => account.spent)} are spent of ${name} by the ledger, ${sums[0]} by the rows`);
  return Math.max(0, over);
}

function byFeature(rows) {
  const sums = new Map();
  for (const row of rows.filter((one) => one.feature)) sums.set(row.feature, (sums.get(row.feature) ?? 0) + took(row));
  return [...sums.values()];
}

const requests = { ofRow: (row) => Number(row.attempts > 0), ofKilled: ({ attempts }) => Number(attempts.length > 0) };
const tokens = {
  // Tokens a minute count what the body holds.
  ofRow: (row) => (row.egress !== "" ? 0 : row.input + row.cache_read + row.cache_write_5m + row.cache_write_1h + row.audio_input + row.output + row.audio_output),
  ofKilled: ({ call, attempts }) => (call.hides ? 0 : sum(attempts.slice(-1), ({ usage }) => (usage ? usage.input + usage.output : 0))),
};

/** No minute of the clock has more than it may. */
function minutes({ name, own, rows, most, of, say }) {
  const counted = new Map();
  const add = (at, amount) => counted.set(Math.floor(at / 60_000), (counted.get(Math.floor(at / 60_000)) ?? 0) + amount);
  for (const row of rows) add(row.at, of.ofRow(row));
  for (const one of own.filter(({ row }) => !row)) {
    if (one.call.sent % 60_000 < 60_000 - EDGE_MS) add(one.call.sent, of.ofKilled(one));
  }
  for (const [minute, amount] of counted) if (amount > most) say(`${amount} in the minute ${new Date(minute * 60_000).toISOString()}, and ${name} allows ${most}`);
}

/** The most calls that providers had of a team at once. */
function atOnce(own) {
  const steps = own.flatMap(({ attempts }) => {
    const times = attempts.map(({ at, closed_after_ms: ms }) => [Date.parse(at), Date.parse(at) + (ms ?? 0) - LAG_MS]);
    if (times.length === 0) return [];
    const [from, to] = [Math.min(...times.map(([begin]) => begin)), Math.max(...times.map(([, end]) => end))];
    return to > from ? [[from, 1], [to, -1]] : [];
  });
  steps.sort(([a, up], [b, down]) => a - b || up - down);
  let now = 0;
  return steps.reduce((most, [, step]) => Math.max(most, (now += step)), 0);
}
