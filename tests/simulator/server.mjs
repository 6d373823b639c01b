// The HTTP server: takes every request in, whatever it is, logs it, and hands it
// to the control API or to the provider it was meant for.

import { createServer as createHttpServer } from "node:http";
import { answer } from "./answer.mjs";
import { CONTROL_PREFIX, control } from "./control.mjs";
import { send } from "./wire.mjs";

const KEEP_ALIVE_MS = 75_000; // longer than clients keep idle connections, so that reuse never races

/** `byHost`: the Host header says whom a request is for. */
export function createServer({ rules, log, byHost = false }) {
  // Without this Node would answer a request that has no Host itself, unseen by the log.
  const server = createHttpServer({ requireHostHeader: false });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const busy = new WeakSet(); // sockets whose request is logged and not yet over
  server.on("connection", (socket) => socket.setNoDelay(true));

  const handle = (req, res) => {
    const host = req.headers["x-simulated-host"] || (byHost && req.headers.host) || null;
    const pathname = pathOf(req.url);
    if (host === null && pathname.startsWith(CONTROL_PREFIX)) return handleControl(req, res, pathname);
    return handleProvider(req, res, host, pathname);
  };
  server.on("request", handle);
  server.on("checkExpectation", handle); // else Node answers 417, unseen by the log

  async function handleControl(req, res, pathname) {
    const pieces = [];
    await readBody(req, (bytes) => pieces.push(bytes));
    const body = Buffer.concat(pieces).toString();
    const { status, value } = control({ method: req.method, pathname, body }, { rules, log });
    res.writeHead(status, { "content-type": "application/json" });
    res.end(JSON.stringify(value));
  }

  async function handleProvider(req, res, host, pathname) {
    const entry = log.open({ host, method: req.method, path: req.url, rawHeaders: req.rawHeaders });
    const leaving = new AbortController();
    res.on("close", () => {
      if (!res.writableFinished) leaving.abort();
    });
    // Taken now, not when the body is read: rules apply in the order requests arrive.
    const rule = host === null ? null : rules.take(host, pathname);
    entry.fault = rule;
    busy.add(req.socket);
    res.on("close", () => busy.delete(req.socket));
    await readBody(req, (bytes) => log.append(entry, bytes));
    log.endBody(entry);
    if (!req.complete) return log.close(entry, "client_closed");
    if (req.rawTrailers.length > 0) entry.trailers = req.rawTrailers;

    const request = { host, method: req.method, path: req.url, pathname, headers: req.headers, body: entry.body };
    try {
      const { fault, ...made } = host === null ? misdirected() : answer(request, rule);
      if (Object.keys(fault).length > 0) entry.fault = fault;
      entry.usage = made.usage ?? null;
      const accepts = String(req.headers["accept-encoding"] ?? "");
      log.close(entry, await send(res, made, fault, accepts, entry, leaving.signal));
    } catch (error) {
      log.close(entry, "cut");
      res.socket?.destroy();
      process.emitWarning(`simulator: ${error.stack}`);
    }
  }

  server.on("clientError", (error, socket) => {
    // A client that leaves during its request ends up here too; that request has its entry.
    const known = busy.has(socket) || error.code === "ECONNRESET" || error.code === "EPIPE";
    if (!known || error.rawPacket) log.unparsed(error.rawPacket ?? Buffer.alloc(0), 400);
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
  });
  for (const kind of ["connect", "upgrade"]) {
    server.on(kind, (req, socket, head) => {
      const host = req.headers["x-simulated-host"] || null;
      const entry = log.open({ host, method: req.method, path: req.url, rawHeaders: req.rawHeaders });
      log.append(entry, head);
      log.endBody(entry);
      entry.status = 421;
      socket.on("error", () => {});
      socket.end("HTTP/1.1 421 Misdirected Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      log.close(entry, "complete");
    });
  }
  return server;
}

function pathOf(url) {
  const path = url.replace(/^[a-z]+:\/\/[^/]*/i, "");
  return path.split("?", 1)[0] || "/";
}

async function readBody(req, onPiece) {
  try {
    for await (const piece of req) onPiece(piece);
  } catch {
    // The client left in the middle: req.complete says so.
  }
}

function misdirected() {
  const body = JSON.stringify({ error: "no x-simulated-host header: this request names no provider" });
  return { fault: {}, status: 421, headers: { "content-type": "application/json" }, body };
}
