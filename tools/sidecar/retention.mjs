// At Cloudflare a cron trigger deletes what a zone no longer keeps. Plain workerd
// has none, so whoever runs the sidecar asks for it by the admin API, with an
// operator's key that is made at each start: the store has its hash, nobody the key.
import { createHash, randomBytes } from "node:crypto";

const HOUR = 3_600_000;

/** What the key store must have for it, and what asks, at once and then hourly. */
export function retention() {
  const id = randomBytes(5).toString("hex");
  const key = `ma_${id}_${randomBytes(20).toString("hex")}`;
  const hash = createHash("sha256").update(key).digest("hex");
  const record = { id, who: "sidecar", roles: ["operator"], created: new Date().toISOString() };
  const run = async (url) => {
    const response = await fetch(`${url}/admin/v1/retention`, { method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" }, body: "{}" });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return JSON.parse(text);
  };
  return {
    seed: { [`admin:key:${hash}`]: JSON.stringify(record) },
    run,
    hourly(url) {
      const tell = () => run(url).catch((error) => console.error(`Records that are no longer kept were not deleted, the next hour tries again: ${error.message}`));
      // Once workerd listens.
      setTimeout(tell, 10_000).unref();
      setInterval(tell, HOUR).unref();
    },
  };
}
