// docs/clients.md: writes it from what was found, and reads that from it again, so
// that a run of some clients leaves the others as they were.
import { CHECKS, CLIENTS } from "./list.mjs";

const MARK = "<!-- found: ";
const WHY_LENGTH = 320;

export function read(text) {
  const line = text.split("\n").find((one) => one.startsWith(MARK));
  return line ? JSON.parse(Buffer.from(line.slice(MARK.length, -4), "base64").toString()) : {};
}

const row = (cells) => `| ${cells.join(" | ")} |`;

export function page(found) {
  const parts = [
    "# Clients",
    "",
    "Written by `npm run clients`. Real clients at the versions named, with nothing changed but base URL and key, against a local gateway with the shipped map (Vertex switched on) and the simulator behind it, which refuses what providers refuse. Each file in `tests/clients/` says what is asked. `✓` passed, `–` the client does not offer it, a number is a failure that the list below has.",
    "",
    "- **tools**: a loop with one call. **json**: an answer by a schema, with bounds. **thinking**: a tool loop with thoughts, sent back as the client does. **turns**: three turns. **errors**: an unknown model, a wrong key, a full provider, as the client's own errors. **cancel**: a stream that is left is left at the provider. **usage = row**: what the client was told is what the row has.",
  ];
  const names = Object.keys(CLIENTS).filter((one) => found[one]);
  const kinds = [...new Set(names.flatMap((name) => Object.keys(found[name].cells)))];
  parts.push("", "What passed of what each client offers:", "", row(["client", "version", ...kinds]), row(["---", "---", ...kinds.map(() => "---")]));
  for (const name of names) parts.push(row([`[${name}](#${name})`, found[name].version, ...kinds.map((kind) => passed(found[name].cells[kind]))]));
  for (const name of names) parts.push(...section(name, found[name]));
  return `${parts.join("\n")}\n\n${MARK}${Buffer.from(JSON.stringify(found)).toString("base64")} -->\n`;
}

function passed(cells = {}) {
  const all = Object.values(cells).filter((cell) => cell !== "not offered");
  const good = all.filter((cell) => cell === "pass").length;
  return all.length === 0 ? "–" : good === all.length ? `all ${good}` : `${good} of ${all.length}`;
}

function section(name, { version, cells }) {
  const about = [`Version ${version}.`, CLIENTS[name].note].filter(Boolean).join(" ");
  const lines = ["", `## ${name}`, "", about, "", row(["model", ...CHECKS]), row(["---", ...CHECKS.map(() => "---")])];
  const reasons = new Map();
  for (const [kind, checks] of Object.entries(cells)) lines.push(row([kind, ...CHECKS.map((check) => mark(checks[check], reasons))]));
  if (reasons.size > 0) lines.push("", ...[...reasons].map(([why, number]) => `${number}. ${why}`));
  return lines;
}

/** The same reason has the same number. */
function mark(cell, reasons) {
  if (cell === "pass") return "✓";
  if (cell === undefined || cell === "not offered") return "–";
  const said = reason(cell);
  if (!reasons.has(said)) reasons.set(said, reasons.size + 1);
  return String(reasons.get(said));
}

/** In one line, without what is another in each run. */
function reason(text) {
  const line = text.replace(/\s+/g, " ").replace(/127\.0\.0\.1:\d+/g, "127.0.0.1").replace(/\b(req|rs|msg|fc|call|mk)_\w+/g, "$1_…").replaceAll("|", "\\|");
  return line.length > WHY_LENGTH ? `${line.slice(0, WHY_LENGTH)}…` : line;
}
