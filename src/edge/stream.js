// Moves a provider's stream to the client, while `pump` learns from it what was
// used and says how it must end. Two ways, because every chunk that wakes
// JavaScript costs more than all the work on it.

// What the meter reads at once: little at first, because a thousand quiet
// streams hold a thousand of these.
const AT_FIRST = 4096;
const MOST_AT_ONCE = 65536;
// How long the copy for the meter may gather before it is looked at, and how
// often the clock is.
const GLANCE_MS = 1000;
// The platform ends what is done for a client that has left after 30 seconds.
const LONGEST_DRAIN_MS = 25_000;
// What had come when a client left is counted: so long it may take to be seen.
const LAST_LOOK_MS = 20;

// The client gets the bytes as they are: they never leave the platform's own
// code. The meter reads a copy, seldom, in large pieces. (`readAtLeast` would
// be cheaper still, but it starves the client's branch.)
export async function watch(sending, writable, pump, signal, silenceMs, keepAliveMs, until, finishes) {
  try {
    await natively(sending, writable, pump, signal, { silenceMs, keepAliveMs, until, finishes });
  } catch {
    // It had broken before it could be moved.
    await say(writable, pump.finish("broken"));
  } finally {
    pump.free();
  }
}

async function natively(sending, writable, pump, signal, { silenceMs, keepAliveMs, until, finishes }) {
  if (!(await held(writable, pump))) return leave(sending, sending.body.getReader(), writable, pump, finishes);
  const [forClient, forMeter] = sending.body.tee();
  const meter = forMeter.getReader({ mode: "byob" });
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort());
  let piping = true;
  let failed = signal.aborted;
  const piped = forClient
    .pipeTo(writable, { signal: stop.signal, preventClose: true, preventAbort: true })
    .catch(() => {
      failed = true;
    })
    .then(() => {
      piping = false;
    });
  let end = "closed";
  let size = AT_FIRST;
  let heard = Date.now();
  let next;
  try {
    for (;;) {
      if (piping) await Promise.race([piped, scheduler.wait(GLANCE_MS)]);
      if (failed && (await isGone(writable, signal))) {
        return leave(sending, meter, writable, pump, finishes, next);
      }
      // Once all is with the client it is here as well.
      next ??= track(meter.read(new Uint8Array(piping || failed ? size : MOST_AT_ONCE)));
      if (!piping && !failed) await next.read;
      else if (!next.over) await Promise.race(piping ? [next.read, piped, scheduler.wait(GLANCE_MS)] : [next.read, scheduler.wait(GLANCE_MS)]);
      const now = Date.now();
      if (next.over) {
        const { done, value } = await next.read;
        if (done) {
          sending.over = true;
          break;
        }
        next = undefined;
        heard = now;
        pump.push(value);
        // There may be more already.
        if (value.byteLength === size) size = MOST_AT_ONCE;
      }
      if (now - heard > silenceMs || now > until) {
        end = "timed out";
        sending.cancel();
        break;
      }
      if (next && piping && now - heard > keepAliveMs && pump.is_between_events()) {
        // A pipe that was stopped cannot go on, so from here it is done by hand,
        // from the copy: nothing has come for long, so both are at the same place.
        stop.abort();
        await piped;
        await scheduler.wait(1);
        if (!next.over) return byHand(sending, meter, writable, pump, signal, { silenceMs, keepAliveMs, until, finishes, next, asIs: true });
        // It came in that very moment, and may have gone out or not.
        end = "broken";
        sending.cancel();
        break;
      }
    }
  } catch {
    end = "broken";
  }
  await piped;
  await close(writable.getWriter(), pump.finish(end));
}

// What the client gets depends on what the stream says: every chunk is looked
// at, by the pump or a sieve before it.
export async function filter(sending, writable, pump, signal, silenceMs, keepAliveMs, until, finishes) {
  try {
    const reader = sending.body.getReader();
    if (!(await held(writable, pump))) return await leave(sending, reader, writable, pump, finishes);
    await byHand(sending, reader, writable, pump, signal, { silenceMs, keepAliveMs, until, finishes, asIs: false });
  } finally {
    pump.free();
  }
}

async function byHand(sending, reader, writable, pump, signal, { silenceMs, keepAliveMs, until, finishes, next, asIs }) {
  const writer = writable.getWriter();
  let end = "closed";
  let heard = Date.now();
  let spoke = heard;
  // From then on what comes is counted, and the read that waits ends soon.
  const gone = () => {
    if (end === "client gone") return;
    end = "client gone";
    setTimeout(() => sending.cancel(), finishes ? LONGEST_DRAIN_MS : LAST_LOOK_MS);
  };
  writer.closed.catch(gone);
  if (signal.aborted) gone();
  signal.addEventListener("abort", gone);
  if (asIs) writer.write(pump.keep_alive()).catch(gone);
  const clock = setInterval(() => {
    if (end === "client gone") return;
    const now = Date.now();
    if (now - heard > silenceMs || now > until) {
      end = "timed out";
      sending.cancel();
    } else if (now - spoke > keepAliveMs && (!asIs || pump.is_between_events())) {
      spoke = now;
      writer.write(pump.keep_alive()).catch(gone);
    }
  }, GLANCE_MS);
  let reading = next?.read;
  try {
    for (;;) {
      const { done, value } = await (reading ?? (asIs ? reader.read(new Uint8Array(MOST_AT_ONCE)) : reader.read()));
      reading = undefined;
      if (done) {
        sending.over = true;
        break;
      }
      const out = pump.push(value);
      if (end === "client gone") {
        if (finishes || value.byteLength === MOST_AT_ONCE) continue;
        break;
      }
      heard = Date.now();
      const bytes = asIs ? value : out;
      if (bytes.byteLength === 0) continue;
      spoke = heard;
      try {
        await writer.write(bytes);
      } catch {
        gone();
      }
    }
  } catch {
    if (end === "closed") end = "broken";
  }
  clearInterval(clock);
  if (end !== "client gone") return close(writer, pump.finish(end));
  sending.cancel();
  pump.finish(end);
  await writer.abort().catch(() => {});
}

// A read, and whether it is over.
function track(read) {
  const tracked = { read, over: false };
  const settle = () => {
    tracked.over = true;
  };
  read.then(settle, settle);
  return tracked;
}

// Gives the client what came before it was certain that there is an answer.
async function held(writable, pump) {
  const bytes = pump.held();
  return bytes.byteLength === 0 || write(writable, bytes);
}

// Writes to a client's stream; whether it took it.
export async function write(writable, bytes) {
  const writer = writable.getWriter();
  try {
    await writer.write(bytes);
    return true;
  } catch {
    return false;
  } finally {
    writer.releaseLock();
  }
}

// Ends a client's stream with a last word.
export async function say(writable, last) {
  await close(writable.getWriter(), last);
}

// The client has left. What has come is counted, and what is still to come if
// it is to be finished; else the connection to the provider is closed.
async function leave(sending, reader, writable, pump, finishes, next) {
  const byob = reader.constructor.name === "ReadableStreamBYOBReader";
  const until = Date.now() + (finishes ? LONGEST_DRAIN_MS : LAST_LOOK_MS);
  try {
    for (;;) {
      next ??= track(byob ? reader.read(new Uint8Array(MOST_AT_ONCE)) : reader.read());
      const rest = until - Date.now();
      if (!next.over) await Promise.race([next.read, scheduler.wait(Math.max(rest, 0))]);
      if (!next.over) break;
      const { done, value } = await next.read;
      next = undefined;
      if (done) break;
      pump.push(value);
      if (!finishes && value.byteLength < MOST_AT_ONCE) break;
    }
  } catch {
    // It broke off as well.
  }
  sending.cancel();
  pump.finish("client gone");
  await writable.abort().catch(() => {});
}

// A pipe fails because of either of its ends. An empty write shows which.
async function isGone(writable, signal) {
  return signal.aborted || !(await write(writable, new Uint8Array()));
}

async function close(writer, last) {
  try {
    if (last.byteLength > 0) await writer.write(last);
    await writer.close();
  } catch {
    // The client left at the very end: it has nothing to miss.
  }
}
