// The one place that writes answers to a socket, and so the one place for the
// faults of transport: delays, odd splits, cuts, compression.

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { constants, createGzip } from "node:zlib";

/**
 * Sends `made` ({status, headers, body | frames}) and returns how it ended.
 * `gone` aborts when the other side has left; `entry` counts what was sent.
 */
export async function send(res, made, fault, accepts, entry, gone) {
  if (fault.refuse_connection) {
    res.socket?.destroy();
    return "cut";
  }
  if (fault.hang) {
    if (!gone.aborted) await once(gone, "abort");
    return "client_closed";
  }
  try {
    return await sendAnswer(res, made, fault, accepts, entry, gone);
  } catch (error) {
    if (gone.aborted || res.destroyed || !res.socket || res.socket.destroyed) return "client_closed";
    throw error;
  }
}

async function sendAnswer(res, made, fault, accepts, entry, gone) {
  await pause(fault.delay_first_ms, gone);
  const encoder = fault.gzip && /\bgzip\b/.test(accepts) ? new Gzip() : new Plain();
  const parts = made.frames ?? [{ text: made.body, waitMs: 0, reports: made.reports }];
  const headers = { ...made.headers, ...encoder.headers };
  if (!made.frames && encoder instanceof Plain) headers["content-length"] = Buffer.byteLength(made.body);

  entry.status = made.status;
  res.writeHead(made.status, headers);
  if (made.frames || fault.delay_headers_to_first_chunk_ms || fault.cut_at_byte === 0) res.flushHeaders();
  if (fault.cut_at_byte === 0) return cut(res);
  await pause(fault.delay_headers_to_first_chunk_ms, gone);

  let left = fault.cut_at_byte ?? Infinity;
  for (const part of parts) {
    await pause(part.waitMs, gone);
    const bytes = await encoder.encode(part.bytes ?? part.text);
    // Now, because who has read it may leave before it is known to be taken.
    if (part.reports && bytes.length <= left) entry.reported = true;
    for (const piece of split(bytes, fault.split)) {
      await write(res, piece.subarray(0, left), entry, gone);
      left -= piece.length;
      if (left <= 0) return cut(res);
    }
  }
  const tail = await encoder.end();
  if (tail.length > 0) await write(res, tail, entry, gone);
  res.end();
  if (!res.writableFinished) await once(res, "finish", { signal: gone });
  return "complete";
}

async function pause(ms, gone) {
  if (ms > 0) await sleep(ms, undefined, { signal: gone });
  gone.throwIfAborted();
}

/** Waits for the system to have taken the bytes: then the count is true and a cut is exact. */
async function write(res, bytes, entry, gone) {
  let left;
  const aborted = new Promise((_, reject) => {
    left = () => reject(gone.reason);
    gone.addEventListener("abort", left, { once: true });
  });
  const taken = new Promise((resolve, reject) => {
    res.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
  try {
    await Promise.race([taken, aborted]);
  } finally {
    gone.removeEventListener("abort", left);
    taken.catch(() => {});
  }
  if (entry.method !== "HEAD") entry.bytes_sent += bytes.length;
}

async function cut(res) {
  const { socket } = res;
  while (socket && !socket.destroyed && socket.writableLength > 0) await sleep(1);
  socket?.destroy();
  return "cut";
}

function* split(bytes, size) {
  const step = size === "byte" ? 1 : (size ?? bytes.length);
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

class Plain {
  headers = {};
  async encode(text) {
    return Buffer.from(text);
  }
  async end() {
    return Buffer.alloc(0);
  }
}

/** Flushes after every frame, as providers do: a stream stays a stream when compressed. */
class Gzip {
  headers = { "content-encoding": "gzip" };
  #gzip = createGzip();
  #out = [];

  constructor() {
    this.#gzip.on("data", (bytes) => this.#out.push(bytes));
  }

  async encode(text) {
    this.#gzip.write(text);
    await new Promise((resolve) => this.#gzip.flush(constants.Z_SYNC_FLUSH, resolve));
    return Buffer.concat(this.#out.splice(0));
  }

  async end() {
    this.#gzip.end();
    await once(this.#gzip, "end");
    return Buffer.concat(this.#out.splice(0));
  }
}
