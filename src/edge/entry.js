// What Cloudflare calls. The work is in wasm; this names its entry points.
import { DurableObject } from "cloudflare:workers";
import * as wasm from "meridian";

const state = wasm.__worker_init_state();

export default {
  fetch(request, env, ctx) {
    const answer = wasm.fetch(request, env, ctx);
    // A client that hangs up does not stop the accounting.
    ctx.waitUntil(answer);
    return answer;
  },
  // Each hour, by the triggers in wrangler.toml.
  scheduled(event, env, ctx) {
    return wasm.scheduled(event, env, ctx);
  },
};

export class Ledger extends DurableObject {
  #inner;
  #instance;

  // After an abort wasm starts anew, and objects of the old memory with it.
  get #current() {
    if (this.#instance !== state.instanceId) {
      this.#inner = new wasm.Ledger(this.ctx, this.env);
      this.#instance = state.instanceId;
    }
    return this.#inner;
  }

  fetch(request) {
    return this.#current.fetch(request);
  }

  alarm() {
    return this.#current.alarm();
  }
}
