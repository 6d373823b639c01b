// The record of every request that ever arrived. Tests use it to prove what was
// not sent, so an entry exists from the moment the head is read, grows with every
// byte of the body, and keeps raw headers: Node's own map drops duplicates.

import { StringDecoder } from "node:string_decoder";

export class RequestLog {
  /** Live: the same array for as long as the simulator runs. */
  entries = [];
  #seq = 0;
  #open = 0;
  #waiting = [];

  /** Starts an entry; `append` and `close` fill it in. */
  open({ host = null, method = null, path = null, rawHeaders = [] }) {
    const entry = {
      seq: ++this.#seq,
      at: new Date().toISOString(),
      host,
      method,
      path,
      headers: joinHeaders(rawHeaders),
      body: "",
      body_bytes: 0,
      fault: null,
      usage: null,
      reported: false,
      status: null,
      finished: null,
      bytes_sent: 0,
      closed_after_ms: null,
    };
    Object.defineProperty(entry, "startedAt", { value: performance.now() });
    Object.defineProperty(entry, "decoder", { value: new StringDecoder("utf8") });
    this.entries.push(entry);
    this.#open += 1;
    return entry;
  }

  append(entry, bytes) {
    entry.body += entry.decoder.write(bytes);
    entry.body_bytes += bytes.length;
  }

  endBody(entry) {
    entry.body += entry.decoder.end();
  }

  /** Ends an entry once; the first to say how it ended is right. */
  close(entry, finished) {
    if (entry.finished !== null) return;
    entry.finished = finished;
    entry.closed_after_ms = Math.round(performance.now() - entry.startedAt);
    this.#open -= 1;
    if (this.#open === 0) this.#waiting.splice(0).forEach((resolve) => resolve());
  }

  /** Bytes that never became a request, such as a TLS greeting on this plain port. */
  unparsed(bytes, status) {
    const entry = this.open({});
    this.append(entry, bytes);
    this.endBody(entry);
    entry.status = status;
    this.close(entry, "cut");
  }

  /** Resolves when no request is being handled. */
  idle() {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  clear() {
    this.entries.length = 0;
  }
}

function joinHeaders(raw) {
  const joined = new Map();
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    joined.set(name, joined.has(name) ? `${joined.get(name)}, ${raw[i + 1]}` : raw[i + 1]);
  }
  return Object.fromEntries(joined);
}
