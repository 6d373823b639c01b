// Two gateways and one ledger with limits in force for all teams but one, calls of which
// some go wrong, and kill -9 in between; in the end, what everybody saw of it.
import http from "node:http";
import { startSimulator } from "../simulator/simulator.mjs";
import { ALLOWED, judge, random } from "./calls.mjs";
import { send } from "./client.mjs";
import { DATABASES, startCluster } from "./cluster.mjs";
import { isOpen, openZones } from "./map.mjs";
import { ADMIN, AUTHORS, gatewayLimits, keyStore, teamCall, teamLimits } from "./teams.mjs";

const SECRETS = ["OPENAI_EU_KEY", "OPENAI_US_KEY", "OPENAI_JP_KEY", "BEDROCK_EU_KEY", "BEDROCK_UK_KEY", "BEDROCK_US_KEY", "BEDROCK_JP_KEY", "ANTHROPIC_US_KEY"];
const TIMES = { connect: 500, first_token: 700, between_tokens: 1000, answer: 800, total: 3000, keep_alive: 3000 };
/** Objects tell each other what was spent every five seconds. */
const QUIET_MS = 6_000;
/** What is killed, and how much more often than the others. */
const KINDS = { gateway: ["gateway"], ledger: ["ledger"], all: ["stores", "ledger", "gateway"] };
const OFTEN = ["gateway", "gateway", "ledger", "ledger", "all"];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The gateways with these limits, and the providers' simulator behind them; `times` are given in place of the usual ones. */
export async function startLimited(teams, { doors, times } = {}) {
  const simulator = await startSimulator({ byHost: true });
  const timeouts = { ...TIMES, ...times };
  const models = { "claude-opus-4-6": { on_disconnect: "finish" } };
  const gateway = { limits: gatewayLimits(teams), timeouts, reasoning: timeouts, models };
  const cluster = await startCluster({ seed: keyStore(teams), vars: { ENVIRONMENT: "soak" }, gateway, secrets: SECRETS, upstream: simulator.port, doors });
  return { simulator, cluster };
}

/** Runs it. Kills come at random moments unless their number is said. → the evidence for `conserved` */
export async function soakLedger({ seconds, seed, atOnce = 24, kills, countries, counting = true, teams = teamLimits(seconds) }) {
  const { simulator, cluster } = await startLimited(teams);
  try {
    await openEverywhere(cluster);
    const calls = [];
    const end = { at: Date.now() + seconds * 1000 };
    const killing = killNowAndThen({ cluster, dice: random(seed + 1), end, times: kills ?? Infinity, seconds });
    const calling = callOn({ cluster, simulator, dice: random(seed), until: () => end.at, atOnce, asks: { teams, countries, counting }, calls });
    const [killed] = await Promise.all([killing, calling]);
    await lastCalls({ cluster, simulator, dice: random(seed + 2), asks: { teams, countries, well: true }, calls });
    const standing = await settled(cluster, teams);
    await simulator.idle();
    const deaths = Object.fromEntries(Object.entries(cluster.processes).map(([name, one]) => [name, [...one.deaths]]));
    return { teams, calls, ...standing, deaths, killed, log: [...simulator.log], ...(await stored(cluster)) };
  } finally {
    await cluster.close();
    await simulator.close();
  }
}

/** Puts the soak's map in force at both gateways, which look for a new one after some seconds. */
async function openEverywhere({ gateways }) {
  const [{ port }] = gateways;
  await openZones({ port, authors: AUTHORS });
  for (const gateway of gateways) while (!(await isOpen({ port: gateway.port, admin: AUTHORS[0] }))) await sleep(500);
}

/** As many clients as are to be there at once, each with a pause between its calls. */
export async function callOn({ until, atOnce, ...how }) {
  const agent = new http.Agent({ keepAlive: true });
  const client = async () => {
    while (Date.now() < (typeof until === "function" ? until() : until)) {
      const { error } = await callOnce({ ...how, agent });
      await sleep(error ? 100 : 20 + how.dice() * 80);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  agent.destroy();
}

/** One of a team's calls, which is written down with what its client saw. */
async function callOnce({ cluster, simulator, dice, asks, calls, agent }) {
  const call = teamCall((calls.next = (calls.next ?? -1) + 1), dice, asks);
  const gateway = cluster.gateways[Math.floor(dice() * 2)];
  if (call.fault) simulator.fault({ fault: call.fault });
  const sent = Date.now();
  const got = await send({ port: gateway.port, agent, headers: call.headers }, call);
  const what = got.left ? "left" : got.error ? `connection: ${got.error}` : judge(call, got.status, got.text);
  const { n, team, feature, path, country, kind, hides, thinks, unpriced } = call;
  calls.push({ n, team, feature, path, country, kind, hides, thinks, unpriced, gateway: gateway.name, sent, ended: Date.now(), id: got.id, status: got.status, what });
  return got;
}

/** When everything is charged that killed processes had: objects that have something to write read what was left for them. */
async function lastCalls(how) {
  await sleep(chargedAt(how.cluster) - Date.now());
  for (const team of Object.keys(how.asks.teams)) {
    for (const country of how.asks.countries ?? Object.keys(ALLOWED)) {
      const asks = { ...how.asks, teams: { [team]: how.asks.teams[team] }, countries: [country] };
      await callOnce({ ...how, asks });
    }
  }
}

function chargedAt({ processes }) {
  const deaths = [...processes.gateway.deaths, ...processes.ledger.deaths];
  return Math.max(Date.now(), ...deaths.map(({ at }) => at + 2 * TIMES.total + 1_000));
}

/** Kills something every few seconds, or `times` at even distances. → which kind, how often */
async function killNowAndThen({ cluster, dice, end, times, seconds }) {
  const killed = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, 0]));
  const pause = () => (times === Infinity ? 2_000 + dice() * 4_000 : (seconds * 1000) / (times + 1) - 500);
  for (let n = 0; n < times; n++) {
    await sleep(pause());
    if (Date.now() > end.at - 1_500) {
      // So many were promised, however slow the machine is.
      if (times === Infinity) break;
      end.at = Date.now() + 2_500;
    }
    const kind = times === Infinity ? OFTEN[Math.floor(dice() * OFTEN.length)] : ["gateway", "ledger", "all"][n % 3];
    killed[kind]++;
    const dying = KINDS[kind].map((name) => cluster.processes[name]);
    await Promise.all(dying.map((one) => one.kill()));
    // Sometimes for longer than what was borrowed is lent.
    await sleep(dice() < 0.08 ? 7_000 : dice() * 1_000);
    for (const one of dying) await one.start();
  }
  return killed;
}

/**
 * Waits until what killed gateways had borrowed is charged, everybody has said
 * everything, and `least` rows are there. → how the teams' accounts stand, and
 * what still keeps changing or waiting after a minute
 */
export async function settled(cluster, teams, least = 0) {
  const charged = chargedAt(cluster);
  let [before, since, changed] = ["", Date.now(), ""];
  for (const began = Date.now(); ; await sleep(500)) {
    const looks = DATABASES.map((name) => cluster.query(name, "SELECT (SELECT count(*) FROM usage) AS rows, (SELECT count(*) FROM spilled) AS spilled"));
    const found = (await Promise.all(looks)).flat();
    const accounts = (await Promise.all(Object.keys(teams).map((team) => accountsOf(cluster, team)))).flat();
    const now = JSON.stringify([found, accounts]);
    if (now !== before) [before, since, changed] = [now, Date.now(), before];
    const whole = found.every(({ spilled }) => spilled === 0) && found.reduce((sum, { rows }) => sum + rows, 0) >= least;
    if (whole && Date.now() > charged && Date.now() - since > QUIET_MS) return { accounts };
    if (Date.now() - began > 60_000) return { accounts, restless: `${JSON.stringify(found)}${Date.now() - since > QUIET_MS ? "" : `, ${now}, before ${changed}`}` };
  }
}

async function accountsOf(cluster, team) {
  const response = await fetch(`http://127.0.0.1:${cluster.gateways[0].port}/admin/v1/budgets?team=${team}`, { headers: { authorization: `Bearer ${ADMIN}` } });
  const told = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(told));
  return told.accounts.map((account) => ({ team, ...account }));
}

export async function stored(cluster) {
  const all = async (sql) => (await Promise.all(DATABASES.map(async (store) => (await cluster.query(store, sql)).map((row) => ({ ...row, store }))))).flat();
  const [rows, hours] = await Promise.all([all("SELECT * FROM usage"), all("SELECT * FROM usage_by_hour")]);
  return { rows, hours };
}
