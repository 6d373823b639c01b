// Reading a request's body: in one piece if it is small, else piece by piece, and
// never for longer than a body may take.

// Above this a body goes over piece by piece: to have it whole on this side
// first would be two more copies of it.
export const LARGE = 1024 * 1024;
export const PIECE = 65536;

// What becomes of a body, as `body.rs` has it. What `inflow` says is of these too.
const COMING = 0;
const TOO_LONG = 1;
const FULL = 2;
const LATE = 3;

// How often a reader that waits looks whether its body has ended. A promise would
// tell it at once, but would be resolved by another request, which the platform
// keeps apart.
const LOOKS_EVERY_MS = 500;

// What is still read of a body that is refused, so that its sender comes to hear
// why, and for how long.
const DRAINED = 64 * 1024 * 1024;
const DRAINS_FOR_MS = 10_000;

// Hands the body to `inflow`. One that is compressed goes piece by piece: what comes
// out of a piece is bounded then.
export async function readBody(request, limit, pauseMs, wholeMs, inflow) {
  try {
    if (request.body === null) return inflow.end();
    const length = Number(request.headers.get("content-length") ?? Infinity);
    const isPlain = request.headers.get("content-encoding") === null;
    if (length <= LARGE && isPlain) return await readSmall(request, pauseMs, inflow);
    return await readPieces(request.body.getReader({ mode: "byob" }), limit, pauseMs, wholeMs, inflow);
  } finally {
    inflow.free();
  }
}

// A small body has the time of one pause for all of it.
async function readSmall(request, pauseMs, inflow) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, pauseMs)));
  try {
    const bytes = await Promise.race([request.arrayBuffer(), late]);
    if (bytes === undefined) return LATE;
    return inflow.push(new Uint8Array(bytes)) || inflow.end();
  } finally {
    clearTimeout(timer);
  }
}

// Without a length the sender could go on for ever. One buffer for all pieces:
// each of its own would be another copy of the body.
async function readPieces(reader, limit, pauseMs, wholeMs, inflow) {
  const until = Date.now() + wholeMs;
  let [buffer, sum, stopped, timer] = [new ArrayBuffer(PIECE), 0, undefined, undefined];
  const stop = (why) => {
    stopped ??= why;
    reader.cancel().catch(() => {});
  };
  const arm = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop(LATE), Math.min(pauseMs, Math.max(until - Date.now(), 0)));
  };
  const look = setInterval(() => inflow.ended() && stop(FULL), LOOKS_EVERY_MS);
  try {
    for (;;) {
      arm();
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (stopped !== undefined) return stopped;
      if (done) return sum <= limit ? inflow.end() : TOO_LONG;
      sum += value.byteLength;
      if (sum > 2 * limit) return TOO_LONG;
      const became = sum <= limit ? inflow.push(value) : COMING;
      if (became !== COMING) return became;
      buffer = value.buffer;
    }
  } catch (broken) {
    if (stopped !== undefined) return stopped;
    throw broken;
  } finally {
    clearTimeout(timer);
    clearInterval(look);
    reader.releaseLock();
  }
}

// Reads what the client still sends, within reason, and forgets it.
export async function drain(request) {
  if (request.body === null || request.body.locked) return;
  const reader = request.body.getReader();
  const timer = setTimeout(() => reader.cancel().catch(() => {}), DRAINS_FOR_MS);
  let left = DRAINED;
  try {
    while (left > 0) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.byteLength;
    }
  } catch {
    // The client has left.
  } finally {
    clearTimeout(timer);
  }
}
