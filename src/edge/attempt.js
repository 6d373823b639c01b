// One attempt at a provider: the request, its time limits, and the way to hang
// up. Everything that would cost many crossings between wasm and JavaScript is
// made in one.

import { LARGE, PIECE } from "./body.js";

const STREAMS = /^(text\/event-stream|application\/vnd\.amazon\.eventstream)/;
const PREAMBLE = 0;
const BEGUN = 1;

export class Sending {
  #abort = new AbortController();
  #timer;
  // Stops what of a large body is still to be sent.
  #unsent;
  // Why it failed, if it did.
  why = "no connection";
  // The provider's stream, once it has answered with one.
  body;
  // There is nothing left to hang up on; to abort all the same is dear.
  over = false;

  // From here on the relay looks after the client.
  #begun = false;

  // `signal` aborts when the client has left; for so long after that the answer
  // may still begin, if its end is wanted all the same.
  constructor(signal, graceMs = 0) {
    if (signal === undefined) return;
    const leave = () => {
      if (this.#begun) return;
      if (graceMs === 0) this.#stop("client gone");
      else setTimeout(() => this.#begun || this.#stop("client gone"), graceMs);
    };
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { signal: this.#abort.signal });
  }

  // Waits, unless the client leaves.
  wait(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      const stop = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#abort.signal.aborted) stop();
      else this.#abort.signal.addEventListener("abort", stop);
    });
  }

  #stop(why) {
    this.why = why;
    this.#abort.abort();
  }

  #limit(ms) {
    clearTimeout(this.#timer);
    this.#timer = ms === undefined ? undefined : setTimeout(() => this.#stop("timed out"), ms);
  }

  cancel() {
    if (this.over) return;
    this.over = true;
    this.#limit(undefined);
    this.#abort.abort();
  }

  // Sends the request and takes its answer: a stream as far as it has come,
  // anything else whole, errors too. `headMs` is for the answer to begin, `bodyMs`
  // for one in one piece to be there. Redirects are never followed: they could
  // lead out of the zone.
  async send(method, url, headers, body, headMs, bodyMs) {
    this.#limit(headMs);
    try {
      const response = await fetch(url, { method, headers: pairs(headers), body: body.length() > 0 ? this.#outflow(body) : undefined, redirect: "manual", signal: this.#abort.signal });
      const contentType = response.headers.get("content-type") ?? "";
      const isStream = response.ok && STREAMS.test(contentType) && response.body !== null;
      if (isStream) this.body = response.body;
      this.#limit(isStream ? undefined : bodyMs);
      this.why = "broke off";
      const whole = isStream ? undefined : new Uint8Array(await response.arrayBuffer());
      this.over = !isStream;
      return {
        status: response.status,
        contentType,
        errorKind: (response.headers.get("x-amzn-errortype") ?? "").split(":")[0],
        headers: replyHeaders(response),
        whole,
      };
    } finally {
      this.#limit(undefined);
      this.#unsent?.().catch(() => {});
      body.free();
    }
  }

  // What is sent: all of it if it is small; else piece by piece, so that there
  // is no second copy of it on this side.
  #outflow(body) {
    const length = body.length();
    if (length <= LARGE) {
      const bytes = new Uint8Array(length);
      body.fill(0, bytes);
      return bytes;
    }
    const { readable, writable } = new FixedLengthStream(length);
    const writer = writable.getWriter();
    const piece = new Uint8Array(PIECE);
    let over = false;
    const pour = async () => {
      for (let at = 0; at < length && !over; at += PIECE) {
        const next = piece.subarray(0, Math.min(PIECE, length - at));
        body.fill(at, next);
        await writer.write(next);
      }
      over = true;
      await writer.close();
    };
    // What goes wrong here is seen where the answer is waited for.
    pour().catch(() => {});
    this.#unsent = async () => {
      if (over) return;
      over = true;
      await writer.abort();
    };
    return readable;
  }

  // Reads the stream until there is something of the answer in it, which the
  // pump holds. Says how far it has come.
  async begin(pump, ms) {
    const reader = this.body.getReader();
    this.#limit(ms);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        const stage = done ? pump.over() : pump.begin(value);
        if (stage === PREAMBLE) continue;
        this.#begun = stage === BEGUN;
        return stage;
      }
    } finally {
      this.#limit(undefined);
      reader.releaseLock();
      pump.free();
    }
  }
}

// What of a provider's headers means something to its client.
const FOR_CLIENT = ["retry-after", "retry-after-ms", "request-id", "x-request-id", "openai-processing-ms"];

function replyHeaders(response) {
  let flat = "";
  for (const name of FOR_CLIENT) {
    const value = response.headers.get(name);
    if (value !== null) flat += `${flat && "\n"}${name}: ${value}`;
  }
  return flat;
}

function pairs(lines) {
  return lines.split("\n").map((line) => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
}
