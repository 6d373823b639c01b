// The ledger's soak in short: two gateways, limits for all teams but one, and each kind
// of kill once. `npm run soak` takes longer and kills more often.
// Alone: it kills processes while calls are under way, and wants enough of them.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { conserved } from "../soak/conserved.mjs";
import { soakLedger } from "../soak/conservation.mjs";
import { printed } from "../soak/table.mjs";

let evidence;
before(async () => {
  evidence = await soakLedger({ seconds: 9, seed: 1, atOnce: 16, kills: 3 });
});

test("nothing is lost, counted twice or over its limit, whoever is killed", () => {
  const { figures, byTeam, wrong } = conserved(evidence);
  console.log(printed({ figures, byTeam, killed: evidence.killed }).replace(/^/gm, "# "));
  assert.deepEqual(wrong, []);
  assert.equal(figures.kills, 5, "two alone, and all three");
  assert.ok(figures.billed > 0 && figures.limited > 0 && figures.served > 60);
  for (const kind of ["remote file", "web search"]) assert.ok(figures.kinds[kind].served > 0 && figures.kinds[kind].byZone > 0, kind);
});

// Each of these once went unseen would make the check above worth nothing.
const isOk = (row) => row.outcome === "ok" && row.cost_nano > 0 && !row.estimated;
const TAMPERED = {
  "a row is missing": [/left no row, and nobody was killed/, ({ rows }) => rows.splice(rows.findIndex((row) => isOk(row) && quiet(row)), 1)],
  "a row is there twice": [/left 2 rows/, ({ rows }) => rows.push({ ...rows.find(isOk), id: "01ARZ3NDEKTSV4RRFFQ69G5FAV" })],
  "a row says a billionth too little": [/was billed \d+, and its row says/, ({ rows }) => rows.find(isOk).cost_nano--],
  "a row forgets its searches": [/was billed \d+, and its row says/, ({ rows }) => rows.find((row) => isOk(row) && /web-search/.test(row.counts)).cost_nano -= 10_000_000],
  "what nobody saw is settled below what it took": [/was billed \d+ in all, and its row says 0/, (all) => Object.assign(unseen(all), { cost_nano: 0, lost_nano: 0 })],
  "a file was fetched where no zone allows it": [/of which nothing of that kind is claimed/, ({ calls, rows }) => calls.find(({ id, hides }) => hides && rows.some((row) => row.id === id && isOk(row))).country = "JP"],
  "an hour says a token too many": [/^output of the hour/, ({ hours }) => hours[0].output++],
  "an hour is missing": [/is not summed up/, ({ hours }) => hours.pop()],
  "nothing is held for calls that were killed": [/and \d+ are held/, (all) => (all.rows = all.rows.filter((row) => row.outcome !== "held"))],
  "what is held is told as spent": [/is held and says that 1 are spent/, ({ rows }) => rows.find((row) => row.outcome === "held").cost_nano = 1],
  "the ledger holds less than the rows": [/are held of \S+ by the ledger/, ({ accounts }) => accounts.find((account) => account.held > 0 && account.whom.startsWith("team") && !account.whom.includes("feature")).held--],
  "a budget is smaller than what was spent of it": [/is exceeded by/, ({ teams }) => teams.small["small-ever"].budget.amount = 1_000],
  "the ledger says that less is spent": [/are spent of ample-ever by the ledger/, ({ accounts }) => accounts.find((account) => account.limit === "ample-ever").spent--],
  "fewer calls a minute are allowed": [/hasty-calls allows 1/, ({ teams }) => teams.hasty["hasty-calls"].requests_per_minute = 1],
  "fewer tokens a minute are allowed": [/wordy-tokens allows 1/, ({ teams }) => teams.wordy["wordy-tokens"].tokens_per_minute = 1],
  "fewer at once are allowed": [/narrow-at-once allows 0.5/, ({ teams }) => teams.narrow["narrow-at-once"].concurrent = 0.5],
  "a call took more than it had reserved": [/took more than it had reserved/, ({ rows }) => rows.find(isOk).over_bound = 1],
};

/** A row of a call that thought, without a final count. */
const unseen = ({ calls, rows }) => rows.find((row) => row.outcome === "ok" && row.estimated && calls.some(({ id, kind }) => id === row.id && kind === "thinking, no count"));

// So far from any kill that none is to blame for what happens to it.
const quiet = ({ id }) => {
  const deaths = Object.values(evidence.deaths).flat();
  return evidence.calls.some((call) => call.id === id && deaths.every(({ at, back }) => call.ended + 2_500 < at || back < call.sent));
};

for (const [what, [said, tamper]] of Object.entries(TAMPERED)) {
  test(`the check sees that ${what}`, () => {
    const tampered = structuredClone(evidence);
    tamper(tampered);
    const { wrong } = conserved(tampered);
    assert.ok(wrong.some((line) => said.test(line)), `not seen; it says: ${wrong.join("; ")}`);
  });
}
