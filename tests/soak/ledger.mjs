// `npm run soak -- --only ledger`: the conservation test. Nothing is lost, nothing
// counted twice and no limit overrun, whoever is killed meanwhile.
import { parseArgs } from "node:util";
import { conserved } from "./conserved.mjs";
import { soakLedger } from "./conservation.mjs";
import { missing } from "./kinds.mjs";
import { printed } from "./table.mjs";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "75" },
    seed: { type: "string", default: "1" },
    "at-once": { type: "string", default: "24" },
    countries: { type: "string" },
    "no-counting": { type: "boolean", default: false },
  },
});
/** So long a run has some of everything. */
const LONG_S = 60;
const began = Date.now();
const evidence = await soakLedger({
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  atOnce: Number(values["at-once"]),
  countries: values.countries?.split(","),
  counting: !values["no-counting"],
});
const { figures, byTeam, wrong } = conserved(evidence);
if (Number(values.seconds) >= LONG_S && !values.countries) wrong.push(...missing(figures.kinds, ["remote file", "web search", "compaction"]));
console.log(`Seed ${values.seed}, ${((Date.now() - began) / 1000).toFixed(0)} s\n`);
console.log(printed({ figures, byTeam, killed: evidence.killed }));
for (const line of wrong.slice(0, 20)) console.error(`✗ ${line}`);
if (wrong.length > 0) {
  console.error(`\n✗ ${wrong.length} things are off (seed ${values.seed})`);
  process.exit(1);
}
console.log("\n✓ one row each or held, every row what was billed, nothing held is spent, no limit overrun");
