// Keeps the event that carries usage alone from a client who did not ask for
// it. Nearly all events are plainly not that one, and go on without a step into
// wasm: the relay gets to read them later, many at once. What may be it is
// decided there, and the end of the stream, so that a good one never follows
// what was no event. A sieve stands before a pump and is used like one.

const LF = 10;
const CR = 13;
// `"usage"` as bytes.
const USAGE = [34, 117, 115, 97, 103, 101, 34];
const [QUOTE, SMALL_U] = USAGE;
// `[D` of `[DONE]`.
const BRACKET = 91;
const LARGE_D = 68;
// `n` of `null`, which many providers say in every event.
const SMALL_N = 110;
// So much may gather before the relay reads it.
const MOST_OWED = 65536;
// An event that grows longer than this is left to the relay and its limit.
const LONGEST_HELD = 1024 * 1024;

export class Sieve {
  #pump;
  // Whether the next byte begins an event.
  #aligned;
  // The beginning of an event that is not complete.
  #held = NOTHING;
  // What the client has and the relay has not read.
  #owed = [];
  #size = 0;

  constructor(pump) {
    this.#pump = pump;
    this.#aligned = pump.is_between_events();
  }

  // Takes the provider's next bytes, gives what the client gets.
  push(bytes) {
    if (!this.#aligned) {
      const first = firstEnd(bytes);
      if (first === 0) return this.#pump.push(bytes);
      this.#aligned = true;
      return joined(this.#pump.push(bytes.subarray(0, first)), this.push(bytes.subarray(first)));
    }
    const all = joined(this.#held, bytes);
    const end = lastEnd(all);
    const whole = all.subarray(0, end);
    this.#held = all.subarray(end);
    if (isOfInterest(whole)) {
      this.settle();
      return this.#pump.push(whole);
    }
    this.#owe(whole);
    if (this.#held.byteLength <= LONGEST_HELD) return whole;
    return joined(whole, this.rest());
  }

  #owe(bytes) {
    if (bytes.byteLength === 0) return;
    this.#owed.push(bytes);
    this.#size += bytes.byteLength;
    if (this.#size > MOST_OWED) this.settle();
  }

  // Lets the relay read what has gone out without it.
  settle() {
    if (this.#size === 0) return;
    const all = new Uint8Array(this.#size);
    let at = 0;
    for (const bytes of this.#owed) {
      all.set(bytes, at);
      at += bytes.byteLength;
    }
    this.#owed = [];
    this.#size = 0;
    this.#pump.push(all);
  }

  // Gives up an event that is not complete to the relay, from here on.
  rest() {
    this.settle();
    const held = this.#held;
    this.#held = NOTHING;
    this.#aligned = false;
    return held.byteLength === 0 ? NOTHING : this.#pump.push(held);
  }

  // Ends the stream, gives what the client still gets.
  finish(how) {
    return joined(this.rest(), this.#pump.finish(how));
  }

  held() {
    return this.#pump.held();
  }

  keep_alive() {
    return this.#pump.keep_alive();
  }

  free() {
    this.#pump.free();
  }
}

const NOTHING = new Uint8Array();

function joined(a, b) {
  if (a.byteLength === 0) return b;
  if (b.byteLength === 0) return a;
  const both = new Uint8Array(a.byteLength + b.byteLength);
  both.set(a);
  both.set(b, a.byteLength);
  return both;
}

// An event ends with an empty line: two line ends, which a CR and its LF are
// not. The LF that may follow a last CR goes with the next event, as in
// `frame/sse.rs`.
function endsAt(bytes, at) {
  const [before, last] = [bytes[at - 1], bytes[at]];
  return last === LF ? before === LF : last === CR && (before === LF || before === CR);
}

// Behind the first event's end, 0 where there is none.
function firstEnd(bytes) {
  for (let at = 1; at < bytes.byteLength; at++) if (endsAt(bytes, at)) return at + 1;
  return 0;
}

function lastEnd(bytes) {
  for (let at = bytes.byteLength - 1; at > 0; at--) if (endsAt(bytes, at)) return at + 1;
  return 0;
}

// Whether there is a `"usage"` with something else than `null`, or the end. In
// a text the quotes would be escaped.
function isOfInterest(bytes) {
  const last = bytes.byteLength - 1;
  for (let at = 0; at < last; at++) {
    const byte = bytes[at];
    if (byte === BRACKET && bytes[at + 1] === LARGE_D) return true;
    if (byte !== QUOTE || bytes[at + 1] !== SMALL_U) continue;
    if (!USAGE.every((byte, i) => bytes[at + i] === byte)) continue;
    let next = at + USAGE.length;
    // Colon and blanks.
    while (bytes[next] === 58 || bytes[next] <= 32) next++;
    if (bytes[next] !== SMALL_N) return true;
  }
  return false;
}
