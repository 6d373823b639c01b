// Signing and verifying by WebCrypto, each in one step for the caller.

let signer;

// Signs a receipt with an Ed25519 key (a JWK). The key is imported once.
export async function sign(jwk, text) {
  if (signer?.jwk !== jwk) {
    const key = crypto.subtle.importKey("jwk", JSON.parse(jwk), { name: "Ed25519" }, false, ["sign"]);
    signer = { jwk, key };
  }
  const signature = await crypto.subtle.sign("Ed25519", await signer.key, new TextEncoder().encode(text));
  return new Uint8Array(signature);
}

// Verifies an RS256 signature with one key of a team's published set. What the
// key says of itself must fit: nothing but an RSA key of 2048 bits or more.
export async function verifyRs256(jwk, signed, signature) {
  const { kty, n, e } = JSON.parse(jwk);
  if (kty !== "RSA" || typeof n !== "string" || n.length < 342) return false;
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("jwk", { kty, n, e, alg: "RS256" }, algorithm, false, ["verify"]);
  return crypto.subtle.verify(algorithm, key, signature.slice(), new TextEncoder().encode(signed));
}

// Signs text with a service account's key (PKCS 8 in PEM).
export async function signRs256(pem, text) {
  const der = Uint8Array.from(atob(pem.replace(/-----[^-]+-----|\s/g, "")), (c) => c.charCodeAt(0));
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign(algorithm, key, new TextEncoder().encode(text)));
}

// What a token endpoint answers to a form.
export async function fetchToken(url, form) {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const response = await fetch(url, { method: "POST", headers, body: form, redirect: "manual" });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.text();
}

// A team's published keys.
export async function fetchKeys(url) {
  const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(8_000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.text();
}
