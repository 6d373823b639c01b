// Microsoft Entra's token endpoint: gives an application a token for Azure.

import { randomText } from "./ids.mjs";

export const HOST = "login.microsoftonline.com";
export const APPLICATION = "tenant-1:client-1:s3cret~:+/";
const SCOPE = "https://cognitiveservices.azure.com/.default";

const given = new Set();
export const isToken = (header) => given.has(/^Bearer (.+)$/.exec(header ?? "")?.[1]);

export const requestId = () => randomText(16);
export const headers = () => ({});
export const errorBody = (status, detail = {}) => JSON.stringify({ error: "invalid_client", error_description: detail.message ?? "Bad Request" });
export const refuseUnknownPath = () => ({ status: 404, message: "Not Found" });

export function refuseHead({ method, pathname, body }) {
  const [tenant, client, ...secret] = APPLICATION.split(":");
  if (method !== "POST" || pathname !== `/${tenant}/oauth2/v2.0/token`) return { status: 404, message: "Not Found" };
  const form = new URLSearchParams(body);
  const right = form.get("grant_type") === "client_credentials" && form.get("scope") === SCOPE;
  const known = form.get("client_id") === client && form.get("client_secret") === secret.join(":");
  return right && known ? null : { status: 401, message: "AADSTS7000215: Invalid client secret provided." };
}

export function token() {
  const access_token = `eyJ0.${randomText(40)}`;
  given.add(access_token);
  return JSON.stringify({ token_type: "Bearer", expires_in: 3599, access_token });
}
