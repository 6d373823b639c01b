// The key store and the databases of a sidecar, on the disk beside it: what KV
// and D1 are at Cloudflare, behind the same bindings, in a Durable Object each.
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

/** Whoever is bound to a store asks here; which one it is stands in the binding. */
export default class Door extends WorkerEntrypoint {
  fetch(request) {
    const { store } = this.ctx.props;
    const asked = new Request(request);
    asked.headers.set("store", store);
    return this.env.STORES.get(this.env.STORES.idFromName(store)).fetch(asked);
  }
}

export class Store extends DurableObject {
  async fetch(request) {
    const store = request.headers.get("store");
    return store === "KEYS" ? this.#keys(request) : this.#database(store, await request.json());
  }

  async #keys(request) {
    const url = new URL(request.url);
    const name = decodeURIComponent(url.pathname.slice(1));
    const kept = `key ${name}`;
    if (request.method === "GET") {
      const found = (await this.ctx.storage.get(kept)) ?? seed(this.env.SEED, name);
      const fresh = found && !(found.until < Date.now());
      return fresh ? new Response(found.value) : new Response(null, { status: 404 });
    }
    if (request.method === "DELETE") {
      await this.ctx.storage.delete(kept);
    } else {
      const ttl = Number(url.searchParams.get("expiration_ttl"));
      await this.ctx.storage.put(kept, { value: await request.text(), until: ttl > 0 ? Date.now() + ttl * 1000 : undefined });
    }
    return new Response();
  }

  #database(store, queries) {
    const { sql } = this.ctx.storage;
    this.#migrate(store, sql);
    const many = Array.isArray(queries);
    try {
      const results = this.ctx.storage.transactionSync(() => (many ? queries : [queries]).map((query) => one(sql, query)));
      return Response.json(many ? results : results[0]);
    } catch (error) {
      return Response.json({ success: false, error: String(error.message ?? error) }, { status: 500 });
    }
  }

  #migrate(store, sql) {
    if (this.migrated) return;
    sql.exec("CREATE TABLE IF NOT EXISTS migrated (name TEXT PRIMARY KEY)");
    for (const [name, text] of this.env.MIGRATIONS[store === "AUDIT" ? "audit" : "usage"]) {
      if (sql.exec("SELECT 1 FROM migrated WHERE name = ?", name).toArray().length > 0) continue;
      this.ctx.storage.transactionSync(() => {
        sql.exec(text);
        sql.exec("INSERT INTO migrated VALUES (?)", name);
      });
    }
    this.migrated = true;
  }
}

function one(sql, { sql: text, params = [] }) {
  const cursor = sql.exec(text, ...params);
  const rows = [...cursor.raw()];
  return { success: true, meta: { duration: 0, changes: cursor.rowsWritten }, results: { columns: cursor.columnNames, rows } };
}

// What is there from the start: the keys in the sidecar's folder.
function seed(seeds, name) {
  return Object.hasOwn(seeds, name) ? { value: seeds[name] } : undefined;
}
