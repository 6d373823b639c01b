// How a gateway in one process asks ledger objects that live in another: its
// own `Ledger` is a line to the door of that process, which asks the real one.

/** In the gateway's process. */
export class Ledger {
  constructor(_, env) {
    this.env = env;
  }

  fetch(request) {
    return this.env.DOOR.fetch(request);
  }
}

/** In the ledger's process. A letter says to whom it goes, see src/edge/ledger/address.rs. */
export default {
  async fetch(request, env) {
    const letter = await request.text();
    const { to } = JSON.parse(letter);
    const name = to.team ? `team ${to.team.store} ${to.team.team}` : "company";
    return env.LEDGER.get(env.LEDGER.idFromName(name)).fetch("https://ledger/", { method: "POST", body: letter });
  },
};
