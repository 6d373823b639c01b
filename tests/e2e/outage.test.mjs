// A minute in which the databases take nothing: they refuse, or hang, or write
// and do not say so. Every call is served; rows wait in their team's object, and
// when the databases are back each is there once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { random } from "../soak/calls.mjs";
import { DATABASES } from "../soak/cluster.mjs";
import { conserved } from "../soak/conserved.mjs";
import { callOn, settled, startLimited, stored } from "../soak/conservation.mjs";
import { startDoor } from "../soak/door.mjs";

const AWAY_MS = 60_000;
const ever = { budget: { amount: 500e9, per: "ever" } };
const teams = {
  payers: { "payers-ever": ever },
  several: { "several-calls": { requests_per_minute: 100_000 }, "several-at-once": { concurrent: 50 }, "several-ever": ever },
};

let simulator, cluster;
const doors = {};
before(async () => {
  const leadThrough = async (ports) => {
    for (const name of DATABASES) doors[name] = await startDoor(ports[name]);
    return Object.fromEntries(DATABASES.map((name) => [name, doors[name].port]));
  };
  // Nothing is to go wrong here but databases, on however slow a machine.
  const times = { connect: 2_900, first_token: 2_900, between_tokens: 2_900, answer: 2_900 };
  ({ simulator, cluster } = await startLimited(teams, { doors: leadThrough, times }));
});
after(async () => {
  await cluster.close();
  await Promise.all([simulator, ...Object.values(doors)].map((one) => one.close()));
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function restartLedger() {
  await sleep(2_500);
  await cluster.processes.ledger.kill();
  await cluster.processes.ledger.start();
}
const median = (calls) => calls.map(({ sent, ended }) => ended - sent).sort((a, b) => a - b)[calls.length >> 1];
const ids = async () => (await Promise.all(DATABASES.map((name) => cluster.query(name, "SELECT id FROM usage")))).flat().map(({ id }) => id);

test("a minute without databases: every call is served, no row is lost, none is doubled", async () => {
  const calls = [];
  const calling = (ms, seed) => callOn({ cluster, simulator, dice: random(seed), until: Date.now() + ms, atOnce: 3, asks: { teams, well: true }, calls });
  await calling(2_000, 1);
  await sleep(1_000);
  const before = calls.length;
  assert.equal((await ids()).length, before);

  // Each database fails in each way, and none like another at the same time.
  const modes = ["refuses", "hangs", "forgets"];
  for (let turn = 0; turn < 3; turn++) {
    DATABASES.forEach((name, i) => {
      doors[name].state.mode = modes[(turn + i) % 3];
      doors[name].hangUp();
    });
    await calling(AWAY_MS / 3, turn + 2);
    // What waits outlives whoever keeps it.
    if (turn === 0) await restartLedger();
  }
  const meanwhile = new Set(await ids());
  const waiting = calls.filter(({ id }) => !meanwhile.has(id)).length;
  for (const name of DATABASES) {
    doors[name].state.mode = "well";
    doors[name].hangUp();
    for (const mode of modes) assert.ok(doors[name].asked[mode] > 0, `${name} was never asked while it ${mode}`);
  }
  for (const call of calls) assert.equal(call.what, "complete", JSON.stringify(call));
  assert.ok(waiting > calls.length / 10, `${waiting} of ${calls.length} rows were waiting`);

  const standing = await settled(cluster, teams, calls.length);
  await simulator.idle();
  const { figures, wrong } = conserved({ teams, calls, ...standing, deaths: { ledger: [], gateway: [] }, log: simulator.log, ...(await stored(cluster)) });
  assert.deepEqual(wrong, []);
  assert.deepEqual([figures.rows - figures.heldRows, figures.lost, figures.doubled], [calls.length, 0, 0]);
  console.log(`# ${calls.length} calls, ${waiting} rows waited for a database, ${figures.rows} rows in the end, $${(figures.exact / 1e9).toFixed(9)} of $${(figures.billed / 1e9).toFixed(9)} billed`);
  console.log(`# half of the calls took less than ${median(calls.slice(0, before))} ms before, and less than ${median(calls.slice(before))} ms meanwhile`);
});
