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
    ["rows", `${f.rows}, ${f.unsettledRows} of them unsettled`],
    ["lost", f.lost],
    ["doubled", f.doubled],
    ["billed and reported", dollars(f.billed)],
    ["sum of their rows", dollars(f.exact)],
    ["rows by estimate", dollars(f.guessed)],
    ["billed for attempts that broke", `${dollars(f.broken)}, rows say ${dollars(f.lostNano)} lost`],
    ["billed without a row", dollars(f.killedNano)],
    ["charged as unsettled", dollars(f.unsettled)],
    ["over budget by", dollars(f.overBudget)],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const overall = lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  const columns = ["team", "calls", "served", "limited", "killed", "rows took", "unsettled", "billed, no row", "most at once"];
  const table = [columns, ...byTeam.map((t) => [t.team, t.calls, t.served, t.limited, t.killed, dollars(t.tookNano), dollars(t.unsettled), dollars(t.killedNano), t.mostAtOnce])];
  const widths = columns.map((_, i) => Math.max(...table.map((row) => String(row[i]).length)));
  return [...overall, "", ...table.map((row) => row.map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i]))).join("  "))].join("\n");
}
