// What a provider hands out and wants back unchanged: signatures of thoughts,
// encrypted reasoning. Each names the host that made it, in base64, so that a
// host knows its own and refuses every other's.

import { randomText } from "./ids.mjs";

export function mintBlob(host) {
  return Buffer.from(`made by ${host} ${randomText(24)}`).toString("base64");
}

export function isBlobOf(blob, host) {
  return Buffer.from(String(blob), "base64").toString().startsWith(`made by ${host} `);
}
