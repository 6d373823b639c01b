// Before the gateway in local runs. Cloudflare says where a caller is; on a laptop
// nobody does, so here the header `meridian-local-country` may, and without it a
// caller is taken to be where its key's zone is. No deployment has this module.
import gateway from "./index.js";
import config from "./config.json";
export * from "./index.js";

const { zones } = JSON.parse(new TextDecoder().decode(config)).regions;

export default {
  ...gateway,
  async fetch(request, env, ctx) {
    const country = request.headers.get("meridian-local-country") ?? (await ofItsKey(request, env));
    return gateway.fetch(new Request(request, { cf: { ...request.cf, country } }), env, ctx);
  },
};

async function ofItsKey({ headers }, env) {
  const [key] = /\bmk_\w+/.exec([...headers.values()].join(" ")) ?? [];
  if (key === undefined) return "";
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  const record = await env.KEYS.get(`key:${digest.toHex()}`, "json");
  return zones[record?.zone]?.countries[0] ?? "";
}
