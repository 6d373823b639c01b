// `npm run clients`: the clients that people use, at their pinned versions, against
// a local gateway with the simulator behind it. Writes docs/clients.md; with names
// only these are run, and the rest of the table stays as it was. `-- --fast` is for
// CI: it runs what is quick, writes nothing, and fails where the table says passed.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MODELS, startForClients } from "../tests/clients/gateway.mjs";
import { CHECKS, CLIENTS } from "../tests/clients/list.mjs";
import { page, read } from "../tests/clients/table.mjs";
import { ensureBuilt } from "./build.mjs";
import { fail, ROOT, run } from "./run.mjs";
import { setUp } from "./setup.mjs";

const FOLDER = join(ROOT, "tests/clients");
const VENV = join(FOLDER, ".venv");
const PAGE = join(ROOT, "docs/clients.md");
const WHOLE_MS = 600_000;
/** How the result of a call is told, in any dialect. */
const RESULT = /"type": ?"(tool_result|function_call_output)"|"role": ?"tool"|"toolResult":|"functionResponse":/;

const wanted = process.argv.slice(2).filter((one) => one !== "--fast");
for (const name of wanted) if (!CLIENTS[name]) fail(`there is no client \`${name}\`; there are: ${Object.keys(CLIENTS).join(", ")}`);
const fast = process.argv.includes("--fast");
const names = wanted.length > 0 ? wanted : Object.keys(CLIENTS).filter((name) => !fast || CLIENTS[name].fast);

setUp();
ensureBuilt({ fast: true });
install();
const kindsOf = (name) => CLIENTS[name].only ?? Object.keys(MODELS);
const team = (name, kind) => `${Object.keys(CLIENTS).indexOf(name)}-${kind}`.toLowerCase();
const records = names.flatMap((name) => kindsOf(name).map((kind) => [team(name, kind), CLIENTS[name].key ?? {}]));
const gateway = await startForClients(Object.fromEntries(records));
const found = existsSync(PAGE) ? read(readFileSync(PAGE, "utf8")) : {};
const before = structuredClone(found);
for (const name of names) {
  found[name] = await tried(name);
  const cells = Object.values(found[name].cells).flatMap((row) => Object.values(row)).filter((cell) => cell !== "not offered");
  const good = cells.filter((cell) => cell === "pass").length;
  console.log(`${good === cells.length ? "✓" : "✗"} ${name} ${found[name].version}: ${good} of ${cells.length} pass`);
}
await gateway.close();
if (!fast) {
  writeFileSync(PAGE, page(found));
  process.exit(0);
}
const broken = names.flatMap((name) => worse(name, before[name], found[name]));
if (broken.length > 0) fail(`what docs/clients.md has as passed has failed:\n${broken.join("\n")}`);
process.exit(0);

/** What passed before and does not now. */
function worse(name, was, is) {
  return Object.entries(was?.cells ?? {}).flatMap(([kind, checks]) =>
    Object.entries(checks).filter(([check, cell]) => cell === "pass" && is.cells[kind]?.[check] !== "pass").map(([check]) => `  ${name}, ${kind}, ${check}: ${is.cells[kind]?.[check]}`),
  );
}

function install() {
  const newer = (made, from) => !existsSync(made) || statSync(made).mtimeMs < statSync(from).mtimeMs;
  if (newer(join(FOLDER, "node_modules/.package-lock.json"), join(FOLDER, "package-lock.json"))) {
    console.log("· installing the clients from npm");
    run("npm", ["install", "--no-save", "--no-fund", "--no-audit", "--loglevel=error"], { cwd: FOLDER });
  }
  if (!names.some((name) => CLIENTS[name].file.endsWith(".py"))) return;
  const mark = join(VENV, "pyvenv.cfg");
  if (newer(mark, join(FOLDER, "requirements.txt"))) {
    console.log("· installing the clients from PyPI");
    run("python3", ["-m", "venv", VENV]);
    run(join(VENV, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", "-r", join(FOLDER, "requirements.txt")]);
    run("touch", [mark]);
  }
}

/** → {version, cells: {kind: {check: "pass" | "not offered" | why}}} */
async function tried(name) {
  const { file, version } = CLIENTS[name];
  const models = Object.fromEntries(kindsOf(name).map((kind) => [kind, { model: MODELS[kind], key: gateway.keys[team(name, kind)] }]));
  gateway.simulator.reset();
  const lines = await output(file, { url: gateway.url, models });
  const cells = {};
  for (const kind of kindsOf(name)) {
    cells[kind] = {};
    for (const check of CHECKS) cells[kind][check] = "not offered";
    for (const line of lines.filter((one) => one.kind === kind)) cells[kind][line.check] = line.ok ? "pass" : line.why;
    const uses = lines.filter((one) => one.kind === kind && one.ok && one.used);
    if (uses.length > 0) cells[kind]["usage = row"] = await sameAsRows(team(name, kind), uses);
  }
  return { version: version(), cells };
}

function output(file, client) {
  return new Promise((resolve) => {
    const program = file.endsWith(".py") ? join(VENV, "bin/python") : process.execPath;
    const child = spawn(program, [join(FOLDER, file)], { cwd: FOLDER, env: { ...process.env, CLIENT: JSON.stringify(client), PYTHONWARNINGS: "ignore" }, stdio: ["ignore", "pipe", "pipe"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), WHOLE_MS);
    const lines = [];
    let rest = "", errors = "", since = 0;
    child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
    child.stdout.setEncoding("utf8").on("data", (text) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop();
      for (const line of parts.filter((one) => one.startsWith('{"kind"'))) {
        const told = JSON.parse(line);
        const [from, to] = [since, told.at];
        const within = ({ at }) => from <= Date.parse(at) && Date.parse(at) <= to;
        lines.push(followed(told, gateway.simulator.log.filter(within)));
        since = told.at;
      }
    });
    child.on("close", async () => {
      clearTimeout(timer);
      if (lines.length === 0) console.error(errors.split("\n").slice(-15).join("\n"));
      resolve(await Promise.all(lines));
    });
  });
}

/** What only the provider knows: that the result of a call came back to it, and that a stream was left. */
async function followed(line, sent) {
  if (!line.ok) return line;
  const failed = (why) => ({ ...line, ok: false, why });
  if (["tools", "thinking"].includes(line.check)) return sent.some(({ body, status }) => status === 200 && RESULT.test(body)) ? line : failed("the provider saw no result of a call");
  if (line.check !== "cancel") return line;
  const left = sent.findLast(({ body }) => body.includes("delay_between_ms"));
  for (let tries = 0; tries < 150 && left?.finished === null; tries++) await new Promise((resolve) => setTimeout(resolve, 100));
  return left?.finished === "client_closed" ? line : failed(`the provider was not left: ${left?.finished ?? (left ? "still sending" : "nothing was sent")}`);
}

/** Whether the gateway's rows say what the client was told. */
async function sameAsRows(team, uses) {
  const want = uses.map(({ used }) => `${used.input}/${used.output}`);
  for (let tries = 0; tries < 40; tries++) {
    const rows = gateway.rows(team).filter(({ outcome }) => outcome === "ok").map((row) => `${row.input + row.cache_read}/${row.output}`);
    if (want.every((one) => rows.includes(one))) return "pass";
    if (tries === 39) return `told ${want.join(", ")}; rows ${rows.slice(0, 6).join(", ")}`;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
