// At Cloudflare a cron trigger deletes expired records. Plain workerd has none, so the
// sidecar requests it hourly through the admin API, with an
// operator's key that is made at each start. Only its hash is stored.
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
      const tell = () => run(url).catch((error) => console.error(`retention: expired records were not deleted; the next hourly run tries again: ${error.message}`));
      // Once workerd listens.
      setTimeout(tell, 10_000).unref();
      setInterval(tell, HOUR).unref();
    },
  };
}
