// Moves a provider's stream to the client, while `pump` learns from it what was
// used and says how it must end. Two ways, because every chunk that wakes
// JavaScript costs more than all the work on it.

const MOST_AT_ONCE = 65536;
// How long the copy for the meter may gather before it is looked at.
const GLANCE_MS = 1000;

// The client gets the bytes as they are: they never leave the platform's own
// code. The meter reads a copy, seldom, in large pieces. (`readAtLeast` would
// be cheaper still, but it starves the client's branch.)
export async function watch(body, writable, pump, signal) {
  const [forClient, forMeter] = body.tee();
  let over = false;
  let failed = false;
  const piped = forClient
    .pipeTo(writable, { signal, preventClose: true, preventAbort: true })
    .catch(() => {
      failed = true;
    })
    .then(() => {
      over = true;
    });
  const meter = forMeter.getReader({ mode: "byob" });
  let end = "closed";
  let buffer = new ArrayBuffer(MOST_AT_ONCE);
  try {
    for (;;) {
      if (!over) await Promise.race([piped, scheduler.wait(GLANCE_MS)]);
      if (failed && (await isGone(writable, signal))) {
        end = "client gone";
        await readGathered(meter, pump);
        // The last branch: this closes the connection to the provider.
        meter.cancel().catch(() => {});
        break;
      }
      const { done, value } = await meter.read(new Uint8Array(buffer));
      if (done) break;
      pump.push(value);
      buffer = value.buffer;
    }
  } catch {
    end = "broken";
  }
  if (end !== "client gone") await piped;
  await close(writable.getWriter(), pump.finish(end), end);
}

// What has gathered for the meter, without waiting for more of it.
async function readGathered(meter, pump) {
  for (;;) {
    const read = meter.read(new Uint8Array(MOST_AT_ONCE));
    const { value } = (await Promise.race([read, scheduler.wait(20)])) ?? {};
    if (value) pump.push(value);
    if (!value || value.byteLength < MOST_AT_ONCE) return;
  }
}

// A pipe fails because of either of its ends. A write of nothing tells which.
async function isGone(writable, signal) {
  if (signal.aborted) return true;
  const writer = writable.getWriter();
  const gone = await writer.write(new Uint8Array()).then(() => false, () => true);
  writer.releaseLock();
  return gone;
}

// What the client gets depends on what the stream says: every chunk goes
// through `pump`.
export async function filter(body, writable, pump, signal) {
  const reader = body.getReader();
  const writer = writable.getWriter();
  let end = "closed";
  const leave = () => {
    end = "client gone";
    reader.cancel().catch(() => {});
  };
  writer.closed.catch(leave);
  signal.addEventListener("abort", leave);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || end !== "closed") break;
      const out = pump.push(value);
      if (out.byteLength > 0) await writer.write(out);
    }
  } catch {
    if (end === "closed") end = "broken";
  }
  await close(writer, pump.finish(end), end);
}

async function close(writer, last, end) {
  try {
    if (end === "client gone") return await writer.abort();
    if (last.byteLength > 0) await writer.write(last);
    await writer.close();
  } catch {
    // The client left at the very end: it has nothing to miss.
  }
}
