// Identifiers of the kinds providers mint. They only have to look right and be unique.

import { randomBytes } from "node:crypto";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

export function randomText(length) {
  return Array.from(randomBytes(length), (byte) => LETTERS[byte % LETTERS.length]).join("");
}

export function randomHex(length) {
  return randomBytes(Math.ceil(length / 2)).toString("hex").slice(0, length);
}
