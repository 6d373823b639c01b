// Command line: runs the simulator until interrupted.

import { parseArgs } from "node:util";
import { startSimulator } from "./simulator.mjs";

const HELP = `Simulates LLM providers on 127.0.0.1.

  node tests/simulator/main.mjs [--port 9400]

Every request names the provider it is meant for in the header
x-simulated-host; the path decides the dialect (…/chat/completions,
…/messages, GET …/models). Control, without that header:

  POST   /__sim/faults   {"host", "path", "times", "fault": {…}}
  DELETE /__sim/faults
  GET    /__sim/log      every request received
  DELETE /__sim/log
  POST   /__sim/reset

A user message may ask for faults itself: [[sim: {"delay_between_ms": 50}]]
The fields of a fault are described in README.md.
`;

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

let options;
try {
  options = parseArgs({
    options: { port: { type: "string", default: "9400" }, help: { type: "boolean", short: "h" } },
  }).values;
} catch (error) {
  fail(`${error.message}\n\n${HELP}`);
}

if (options.help) {
  process.stdout.write(HELP);
} else {
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) fail(`not a port: ${options.port}`);
  const simulator = await startSimulator({ port }).catch((error) => fail(error.message));
  process.stdout.write(`${simulator.url}\n`);
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => simulator.close());
  }
}
