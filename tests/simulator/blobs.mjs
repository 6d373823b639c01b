// What a provider hands out and wants back unchanged: signatures of thoughts,
// encrypted reasoning. Each names who made it, in base64, so that a host knows its
// own and refuses every other's. Claude's are good at all hosts that serve Claude.

import { randomText } from "./ids.mjs";

/** Whose the thoughts of Claude are, at whichever host. */
export const MAKER = "anthropic";

export function mintBlob(maker) {
  return Buffer.from(`made by ${maker} ${randomText(24)}`).toString("base64");
}

export function isBlobOf(blob, maker) {
  return Buffer.from(String(blob), "base64").toString().startsWith(`made by ${maker} `);
}
