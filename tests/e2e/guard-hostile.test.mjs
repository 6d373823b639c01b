// Shapes of bodies that once cost others seconds or hundreds of megabytes. All of
// them, and what a generator finds, are in `npm run hostile`.
// Alone: it measures memory and time.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BUILT } from "../../tools/worker.mjs";
import { start, surroundings } from "../hostile/rig.mjs";
import { plain, ROUTES, SHAPES } from "../hostile/shapes.mjs";

const MIB = 1024 * 1024;
const route = ROUTES["chat to messages"];
let around, gateway;
before(async () => {
  around = await surroundings();
  gateway = await start(around, BUILT);
  for (let i = 0; i < 10; i++) await gateway.post(route.path, plain(route, MIB / 2));
});
after(async () => {
  gateway.close();
  await around.close();
});

for (const name of ["many keys of an object", "small parts", "parts with unknown fields", "calls and results"]) {
  test(`guard_hostile ${name}: a body that is four times as long costs no more than that`, async () => {
    const [short, long] = [MIB / 8, MIB / 2].map((size) => SHAPES[name](route, size));
    let growth = Infinity;
    const least = { short: Infinity, long: Infinity };
    for (let round = 0; round < 10 && growth > 6; round++) {
      least.short = Math.min(least.short, (await gateway.cost(route.path, short)).cpu);
      least.long = Math.min(least.long, (await gateway.cost(route.path, long)).cpu);
      growth = least.long / least.short;
    }
    console.log(`# ${name}: ${growth.toFixed(1)} times the CPU`);
    assert.ok(growth <= 8, `${growth.toFixed(1)} times the CPU`);
  });
}

for (const name of ["zeros", "zeros as the conversation", "small messages", "lists in lists"]) {
  test(`guard_hostile ${name}: the memory of wasm grows by at most four times a body`, async () => {
    const body = SHAPES[name](route, 4 * MIB);
    const fresh = await start(around, BUILT);
    try {
      await fresh.post(route.path, plain(route, 1024));
      const before = await fresh.memory();
      const { status } = await fresh.post(route.path, body);
      const times = ((await fresh.memory()) - before) / body.length;
      console.log(`# ${name}: ${times.toFixed(1)} times the body, answered with ${status}`);
      assert.ok(times <= 4, `${times.toFixed(1)} times the body`);
    } finally {
      fresh.close();
    }
  });
}
