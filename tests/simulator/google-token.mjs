// Google's token endpoint: gives a token for a service account's signed wish.
// The account's key is made anew in each process.

import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { randomText } from "./ids.mjs";

export const HOST = "oauth2.googleapis.com";
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const EMAIL = "gateway@simulated.iam.gserviceaccount.com";

let account;

/** A service account's key file, as Google gives it out. */
export function serviceAccount() {
  if (!account) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" });
    account = { type: "service_account", project_id: "simulated", private_key_id: "key1", private_key: pem, client_email: EMAIL };
  }
  return account;
}

const given = new Set();
export const isToken = (header) => given.has(/^Bearer (.+)$/.exec(header ?? "")?.[1]);

export const requestId = () => randomText(16);
export const headers = () => ({});
export const errorBody = (status, detail = {}) => JSON.stringify({ error: "invalid_grant", error_description: detail.message ?? "Bad Request" });
export const refuseUnknownPath = () => ({ status: 404, message: "Not Found" });

export function refuseHead({ method, pathname, body }) {
  if (method !== "POST" || pathname !== "/token") return { status: 404, message: "Not Found" };
  const form = new URLSearchParams(body);
  if (form.get("grant_type") !== GRANT) return { status: 400, message: "Invalid grant_type" };
  const [head, claims, signature] = (form.get("assertion") ?? "").split(".");
  const read = (part) => JSON.parse(Buffer.from(part ?? "", "base64url").toString() || "{}");
  const { iss, scope, aud, iat, exp } = read(claims);
  const now = Date.now() / 1000;
  const right = read(head).alg === "RS256" && iss === EMAIL && scope.includes("cloud-platform") && aud === `https://${HOST}/token`;
  if (!right || exp - iat > 3600 || exp < now || iat > now + 60) return { status: 400, message: "Invalid JWT: claims" };
  const key = createPublicKey(serviceAccount().private_key);
  const genuine = verify("RSA-SHA256", Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, "base64url"));
  return genuine ? null : { status: 400, message: "Invalid JWT Signature." };
}

export function token() {
  const access_token = `ya29.${randomText(40)}`;
  given.add(access_token);
  return JSON.stringify({ access_token, expires_in: 3599, token_type: "Bearer" });
}
