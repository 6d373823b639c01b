// Cloudflare says where a caller is; beside a service nobody does, so its
// operator says it once, for all its calls.
export default {
  fetch(request, env) {
    return env.GATEWAY.fetch(request, { cf: { country: env.COUNTRY, colo: "" } });
  },
};
