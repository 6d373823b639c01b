// Starts a simulator inside a test. It stands in for every provider: a request
// says in `x-simulated-host` whom it was meant for.

import { once } from "node:events";
import { FaultRules } from "./faults.mjs";
import { RequestLog } from "./log.mjs";
import { createServer } from "./server.mjs";

/** `byHost`: whom a request is for stands in its Host header. → {url, port, log, fault(rule), reset(), idle(), close()} */
export async function startSimulator({ port = 0, byHost = false } = {}) {
  const rules = new FaultRules();
  const log = new RequestLog();
  const server = createServer({ rules, log, byHost });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address().port;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    /** Live array of every request received. */
    log: log.entries,
    /** Adds `{host?, path?, times?, fault}`. */
    fault: (rule) => rules.add(rule),
    reset() {
      rules.clear();
      log.clear();
    },
    /** Resolves when no request is being handled, so that log entries are complete. */
    idle: () => log.idle(),
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
