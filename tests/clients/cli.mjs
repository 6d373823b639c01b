// Runs a command line client in an empty folder with a home of its own, so that it
// finds nothing of whoever runs this and changes nothing of theirs.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const BIN = new URL("node_modules/.bin/", import.meta.url).pathname;
const PATIENCE_MS = 60_000;

/** files: what lies in its home, by path. → {code, out, err} */
export function cli(program, args, env = {}, files = {}) {
  const folder = mkdtempSync(join(tmpdir(), "cli-"));
  const home = join(folder, "home");
  const work = join(folder, "work");
  for (const one of [home, work]) mkdirSync(one);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }
  const own = { PATH: `${BIN}:${process.env.PATH}`, HOME: home, TMPDIR: folder, XDG_CONFIG_HOME: join(home, ".config"), XDG_DATA_HOME: join(home, ".data"), XDG_CACHE_HOME: join(home, ".cache"), XDG_STATE_HOME: join(home, ".state") };
  return new Promise((resolve) => {
    const child = spawn(join(BIN, program), args, { cwd: work, env: { ...own, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const timer = setTimeout(() => process.kill(-child.pid, "SIGKILL"), PATIENCE_MS);
    let out = "", err = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
    child.on("close", (code) => {
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true });
      resolve({ code, out, err });
    });
  });
}

/** The lines of an output that are JSON. */
export function events(out) {
  return out.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}
