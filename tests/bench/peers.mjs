// Other gateways that a package registry has, started as their own pages say.
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { ROOT, freePort } from "./rig.mjs";

const FOLDER = join(ROOT, "build/peers");

/** Portkey on Node; `undefined` where it cannot be installed. */
export async function startPortkey(upstream) {
  const program = join(FOLDER, "node_modules/@portkey-ai/gateway/build/start-server.js");
  if (!existsSync(program)) {
    mkdirSync(FOLDER, { recursive: true });
    copyFileSync(join(import.meta.dirname, "peers/package.json"), join(FOLDER, "package.json"));
    const done = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--silent"], { cwd: FOLDER, stdio: ["ignore", "ignore", "inherit"] });
    if (done.status !== 0) return undefined;
  }
  const port = await freePort();
  const child = spawn("node", [program, `--port=${port}`, "--headless"], { stdio: "ignore" });
  for (let tries = 0; tries < 200; tries++) {
    const up = await new Promise((resolve) => {
      http.get({ host: "127.0.0.1", port }, (response) => response.resume().on("end", () => resolve(true))).on("error", () => resolve(false));
    });
    if (up) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    port,
    headers: { "x-portkey-provider": "openai", "x-portkey-custom-host": `http://127.0.0.1:${upstream}/v1` },
    pid: () => child.pid,
    close: () => child.kill("SIGKILL"),
  };
}
