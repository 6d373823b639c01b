// The check of the ledger's soak: what clients saw, what providers billed, what
// is in the databases and what the ledger says, held against each other. It
// does no I/O, so that a test can hand it evidence that was tampered with.
import { priceList } from "./bill.mjs";
import { byKind } from "./kinds.mjs";
import { OPEN_HOSTS } from "./map.mjs";
import { heldLimits, took } from "./held.mjs";

/** Until a call's row is stored after its end: gathered, sent, perhaps sent again. */
const GRACE_MS = 2_000;
/** So long while the ledger was killed as well: it is asked twice before the row goes elsewhere. */
const LONG_GRACE_MS = 12_000;

/** So long a ledger that did not answer is not asked for calls without limits, and a second it is waited for. */
const SILENT_MS = 6_000;

const sum = (list, of) => list.reduce((all, one) => all + of(one), 0);

/**
 * evidence: {teams, calls, rows, hours, log, accounts, restless, deaths}
 *   calls: what each client asked and saw; rows and hours with their `store`;
 *   log: the simulator's; deaths: when each process was killed, by its name.
 * → {figures, byTeam, wrong}
 */
export function conserved(evidence) {
  const wrong = [];
  const bill = priceList();
  const { calls, rows } = evidence;
  const rowsOf = group(rows.filter((row) => callOf(row) !== undefined), callOf);
  const attemptsOf = group(evidence.log.filter((entry) => entry.body), (entry) => Number(/Call (\d+) from/.exec(entry.body)?.[1] ?? -1));
  const known = new Set(calls.map((call) => call.n));
  for (const [n] of rowsOf) if (!known.has(n)) wrong.push(`a row of call ${n}, which nobody made`);

  const told = calls.map((call) => ({ call, attempts: attemptsOf.get(call.n) ?? [], rows: rowsOf.get(call.n) ?? [] }));
  const state = { wrong, bill, deaths: evidence.deaths };
  for (const one of told) Object.assign(one, found(one, state), paid(one, state));
  // What is held for instances that died. A call that was cut off has a row of its own.
  const held = rows.filter((row) => row.outcome === "held" && callOf(row) === undefined);
  for (const row of rows) if (row.outcome === "held" && row.cost_nano) wrong.push(`${row.id} is held and says that ${row.cost_nano} are spent`);
  for (const row of rows) if (row.over_bound) wrong.push(`${row.id} (${row.dialect}, ${row.outcome}) took more than it had reserved: ${row.cost_nano} and ${row.lost_nano} lost of ${row.reserved_nano}, after ${row.failures}`);
  const strays = rows.length - held.length - sum([...rowsOf.values()], (list) => list.length);
  if (strays !== 0) wrong.push(`${strays} rows say of no call`);

  if (evidence.restless) wrong.push(`something was left to be done after a minute: ${evidence.restless}`);
  checkHours(evidence, wrong);
  const byTeam = Object.keys(evidence.teams).map((team) => {
    const own = told.filter((one) => one.call.team === team);
    const holds = sum(held.filter((row) => row.team === team), (row) => row.held_nano);
    const limits = Object.keys(evidence.teams[team]).length;
    const killed = sum(own, (one) => (limits === 0 && unnoted(one.call, evidence.deaths) ? 0 : (one.killedNano ?? 0)));
    if (holds < killed) wrong.push(`team ${team}: its calls without a row were billed ${killed}, and ${holds} are held`);
    return { team, ...figuresOf(own), held: holds, ...heldLimits({ team, own, evidence, wrong }) };
  });
  const totals = figuresOf(told);
  const figures = {
    ...totals,
    kills: Object.values(evidence.deaths).flat().length,
    rows: rows.length,
    heldRows: held.length,
    held: sum(held, (row) => row.held_nano),
    heldCalls: sum(held, (row) => row.held_calls),
    spent: sum(rows, (row) => (row.cost_nano ?? 0) + (row.lost_nano ?? 0)),
    overBudget: Math.max(...byTeam.map((one) => one.overBudget)),
  };
  return { figures, byTeam, wrong };
}

const callOf = (row) => {
  const { call } = JSON.parse(row.tags || "{}");
  return call === undefined ? undefined : Number(call);
};

function group(list, by) {
  const groups = new Map();
  for (const one of list) groups.set(by(one), [...(groups.get(by(one)) ?? []), one]);
  return groups;
}

/** Whether a call has its one row, and if not, whether a kill is to blame. */
function found({ call, attempts, rows }, { wrong, deaths }) {
  if (call.hides && call.status === 403 && attempts.length > 0) wrong.push(`call ${call.n} (${call.kind}) was refused by its zone, and ${attempts.length} requests were sent`);
  const open = OPEN_HOSTS[call.country] ?? [];
  for (const { host } of call.hides ? attempts : []) if (!open.includes(host)) wrong.push(`call ${call.n} (${call.kind}) from ${call.country} was sent to ${host}, of which nothing of that kind is claimed`);
  if (rows.length > 1) wrong.push(`call ${call.n} left ${rows.length} rows`);
  const [row] = rows;
  if (row && call.id && row.id !== call.id) wrong.push(`call ${call.n} is ${call.id} for its client and ${row.id} in its row`);
  if (row) return { row, doubled: rows.length - 1 };
  const excused = wasKilled(call, deaths);
  const reached = Boolean(call.id) || attempts.length > 0;
  if (!excused) wrong.push(`call ${call.n} of ${call.team} (${call.what}) left no row, and nobody was killed`);
  return { lost: !excused, killed: excused && reached, unheard: excused && !reached };
}

// While the ledger is away, calls without limits go on, and nobody knows of them but their gateway.
const unnoted = ({ sent }, { ledger }) => ledger.some(({ at, back }) => sent >= at - SILENT_MS && sent <= back + SILENT_MS);

function wasKilled({ gateway, sent, ended }, deaths) {
  const within = (list, ms) => list.some(({ at, back }) => sent <= back && at <= ended + ms);
  return within(deaths[gateway], within(deaths.ledger, GRACE_MS) ? LONG_GRACE_MS : GRACE_MS);
}

/** What a call was billed, and whether its row says the same. */
function paid({ call, attempts, rows: [row] }, { wrong, bill }) {
  // What was made is billed, told or not.
  const made = sum(attempts.filter((entry) => entry.usage), bill);
  // Of a call that was cut off nobody knows more than that it took no more than is held.
  if (row?.outcome === "held") {
    if (made > row.held_nano) wrong.push(`call ${call.n} was cut off and billed ${made}, and its row holds ${row.held_nano}`);
    return { cutNano: made, cutHeld: row.held_nano };
  }
  if (!row) return { killedNano: made };
  const reported = attempts.filter((entry) => entry.reported);
  const last = attempts.at(-1);
  // Thinking cannot be seen by its words, nor what was read elsewhere: without a final
  // count it is settled at what was reserved.
  const unseen = call.thinks || call.hides;
  if (unseen && !call.unpriced && made > took(row)) wrong.push(`call ${call.n} (${call.kind}, ${row.outcome}) was billed ${made} in all, and its row says ${took(row)}`);
  // What an attempt that broke was thinking or reading is an estimate; what the next one says is none.
  const lostUnseen = attempts.length > 1 && row.outcome === "ok" && row.lost_nano > 0;
  const isTold = last?.reported && row.status === 200 && (!row.estimated || lostUnseen) && row.cost_nano !== null && row.outcome !== "refused";
  const broken = sum(reported.filter((entry) => entry !== last || !isTold), bill);
  const earlier = reported.some((entry) => entry !== last);
  if (earlier && row.lost_nano === 0) wrong.push(`call ${call.n} was billed an attempt that broke, and its row says nothing was lost`);
  if (isTold) {
    const billed = bill(last);
    if (billed !== row.cost_nano) wrong.push(`call ${call.n} of ${call.team} was billed ${billed}, and its row says ${row.cost_nano}`);
    return { billed, exact: row.cost_nano, broken, lostNano: row.lost_nano };
  }
  if (call.unpriced && row.outcome === "ok" && row.cost_nano !== null) wrong.push(`call ${call.n} (${call.kind}) has no price, and its row says ${row.cost_nano}`);
  const counts = call.path.endsWith("count_tokens");
  if (row.outcome === "ok" && !counts && Boolean(row.estimated) === Boolean(last?.reported)) {
    wrong.push(`call ${call.n} is ${row.estimated ? "estimated though its usage was reported" : "counted though nothing was reported"}`);
  }
  // Whoever leaves does not see the count, but the provider bills what it made.
  const left = call.what === "left" && last?.usage ? { leftNano: bill(last), leftRows: row.cost_nano } : {};
  return { broken, lostNano: row.lost_nano, guessed: row.cost_nano, made, ...left };
}

function figuresOf(told) {
  const count = (test) => told.filter(test).length;
  const nano = (name) => sum(told, (one) => one[name] ?? 0);
  return {
    calls: told.length,
    served: count(({ call }) => call.status === 200),
    limited: count(({ row }) => row?.outcome === "refused" && /_exceeded$/.test(row.error)),
    refused: count(({ row }) => row?.outcome === "refused" && !/_exceeded$/.test(row.error)),
    ledgerAway: count(({ row }) => row?.error === "ledger_unavailable"),
    failedOver: count(({ row }) => row?.outcome === "ok" && row.attempts > 1),
    kinds: byKind(told),
    unheard: count((one) => one.unheard),
    killed: count((one) => one.killed),
    lost: count((one) => one.lost),
    doubled: sum(told, (one) => one.doubled ?? 0),
    billed: nano("billed"),
    exact: nano("exact"),
    guessed: nano("guessed"),
    broken: nano("broken"),
    lostNano: nano("lostNano"),
    killedNano: nano("killedNano"),
    cutNano: nano("cutNano"),
    cutHeld: nano("cutHeld"),
    leftNano: nano("leftNano"),
    leftRows: nano("leftRows"),
    tookNano: sum(told, ({ row }) => (row ? took(row) : 0)),
  };
}

const SUMMED = ["calls", "not_ok", "estimated", "unpriced", "input", "cache_read", "cache_write", "output", "reasoning", "cost_nano", "lost_nano", "held_nano", "held_calls"];

/** The hours' sums are the rows', column by column. */
function checkHours({ rows, hours }, wrong) {
  const expected = new Map();
  for (const row of rows) {
    const hour = Math.floor(row.at / 3_600_000) * 3_600_000;
    const name = hourName({ ...row, hour });
    const before = expected.get(name) ?? SUMMED.map(() => 0);
    // What is held for an instance, or no longer, is no call.
    const isCall = row.outcome !== "held" || row.zone !== "";
    const own = [Number(isCall), Number(isCall && row.outcome !== "ok"), row.estimated, Number(row.cost_nano === null), row.input + row.audio_input, row.cache_read, row.cache_write_5m + row.cache_write_1h, row.output + row.audio_output, row.reasoning, row.cost_nano ?? 0, row.lost_nano ?? 0, row.held_nano, row.held_calls];
    expected.set(name, before.map((value, i) => value + own[i]));
  }
  for (const hour of hours) {
    const name = hourName(hour);
    const said = SUMMED.map((column) => hour[column]);
    const made = expected.get(name) ?? SUMMED.map(() => 0);
    SUMMED.forEach((column, i) => {
      if (said[i] !== made[i]) wrong.push(`${column} of the hour ${name} is ${said[i]}, and its rows make ${made[i]}`);
    });
    expected.delete(name);
  }
  for (const [name] of expected) wrong.push(`the hour ${name} is not summed up`);
}

const hourName = ({ store, hour, zone, team, feature, environment, model, endpoint }) => JSON.stringify([store, hour, zone, team, feature ?? "", environment ?? "", model ?? "", endpoint ?? ""]);
