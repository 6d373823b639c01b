// A gateway that says it is production, or does not say where it is, wants to
// be told twice that a drill is meant.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway } from "./gateway.mjs";

for (const vars of [{ ENVIRONMENT: "production" }, { ENVIRONMENT: "" }]) {
  test(`no drill by accident: ${JSON.stringify(vars)}`, async () => {
    const gateway = await startGateway({ vars });
    try {
      const who = await gateway.admin("otto@example.com", "operator");
      const begin = (more) => gateway.worker.fetch("https://gateway/admin/v1/drills", {
        method: "POST",
        headers: { authorization: `Bearer ${who}`, "content-type": "application/json" },
        body: JSON.stringify({ endpoint: "bedrock-frankfurt", kind: "529", seconds: 60, ...more }),
      });
      const refused = await begin();
      assert.equal(refused.status, 409);
      assert.match((await refused.json()).error.message, /This gateway is production.*--production/);
      assert.equal((await begin({ production: true })).status, 200);
    } finally {
      await gateway.close();
    }
  });
}
