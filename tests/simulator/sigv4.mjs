// Checks AWS's signature, version 4, as AWS does: computed once more from what
// arrived, with the one key pair that exists here.

import { createHash, createHmac } from "node:crypto";

export const ACCESS_KEY = "AKIDSIMULATOR";
export const SECRET_KEY = "simulator-secret-key";

const hex = (text) => createHash("sha256").update(text).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
const encode = (segment) => encodeURIComponent(segment).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** Why a request is not signed as it must be, or null. */
export function refuseSignature({ method, host, path, headers, body }) {
  const given = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(headers.authorization ?? "");
  if (!given) return "The request signature is missing or malformed.";
  const [, id, date, region, service, names, signature] = given;
  if (id !== ACCESS_KEY) return "The security token included in the request is invalid.";
  if (service !== "bedrock" || !host.split(".").includes(region)) return "Credential should be scoped to a valid region and service.";
  const stamp = headers["x-amz-date"] ?? "";
  const at = Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!stamp.startsWith(date) || !(Math.abs(Date.now() - at) < 5 * 60_000)) return "Signature expired.";
  if (!names.split(";").includes("host")) return "'Host' must be a signed header.";
  const [pathname, query = ""] = path.split("?");
  const value = (name) => (name === "host" ? host : (headers[name] ?? "").trim().replace(/\s+/g, " "));
  const canonical = [
    method,
    pathname.split("/").map(encode).join("/"),
    query.split("&").filter(Boolean).sort().join("&"),
    ...names.split(";").map((name) => `${name}:${value(name)}`),
    "",
    names,
    hex(body),
  ].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", stamp, scope, hex(canonical)].join("\n");
  const key = [date, region, service, "aws4_request"].reduce(hmac, `AWS4${SECRET_KEY}`);
  const right = createHmac("sha256", key).update(toSign).digest("hex");
  return right === signature ? null : "The request signature we calculated does not match the signature you provided.";
}
