// The ledger's soak in figures, for people.

const dollars = (nano) => `$${(nano / 1e9).toFixed(9)}`;

/** → lines of text */
export function printed({ figures: f, byTeam, killed }) {
  const kinds = Object.entries(killed).map(([kind, count]) => `${count} ${kind}`).join(", ");
  const lines = [
    ["calls", f.calls],
    ["  answered with 200", `${f.served}, ${f.failedOver} of them by another endpoint than the first`],
    ["  refused by a limit", f.limited],
    ["  refused otherwise", `${f.refused}, ${f.ledgerAway} of them because the ledger was away`],
    ["  nobody there", f.unheard],
    ["  without a row, cut by a kill", f.killed],
    ["kills", `${f.kills} processes (${kinds})`],
    ["rows", `${f.rows}, ${f.heldRows} of them held for instances that died`],
    ["lost", f.lost],
    ["doubled", f.doubled],
    ["billed and reported", dollars(f.billed)],
    ["sum of their rows", dollars(f.exact)],
    ["rows by estimate", dollars(f.guessed)],
    ["billed for attempts that broke", `${dollars(f.broken)}, rows say ${dollars(f.lostNano)} lost`],
    ["billed without a row", dollars(f.killedNano)],
    ["held for it", `at most ${dollars(f.held)} for ${f.heldCalls} calls, in no spend`],
    ["billed for calls cut off", `${dollars(f.cutNano)}, held for them ${dollars(f.cutHeld)}`],
    ["billed for calls left early", `${dollars(f.leftNano)}, their rows say ${dollars(f.leftRows)}`],
    ["spent by the rows", dollars(f.spent)],
    ["over budget by", dollars(f.overBudget)],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const overall = lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  const mix = [
    ["kind", "calls", "served", "left", "by zone", "by budget", "otherwise", "nobody there", "killed", "cost unknown", "counted", "billed", "rows", "no count", "made", "taken", "made, no row"],
    ...Object.entries(f.kinds).map(([name, k]) => [name, k.calls, k.served, k.left, k.byZone, k.byBound, k.otherwise, k.unheard, k.killed, k.unknown, k.counted, dollars(k.billed), dollars(k.exact), k.uncounted, dollars(k.made), dollars(k.taken), dollars(k.noRow)]),
  ];
  const columns = ["team", "calls", "served", "limited", "killed", "rows took", "held", "billed, no row", "most at once"];
  const table = [columns, ...byTeam.map((t) => [t.team, t.calls, t.served, t.limited, t.killed, dollars(t.tookNano), dollars(t.held), dollars(t.killedNano), t.mostAtOnce])];
  return [...overall, "", ...aligned(mix), "", ...aligned(table)].join("\n");
}

/** rows: lists of cells, the first of them names. → lines */
function aligned(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => String(row[i]).length)));
  return rows.map((row) => row.map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i]))).join("  "));
}
