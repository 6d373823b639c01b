// Ends a program of several processes as a whole: at a signal, and when whoever
// started it is gone. `npm` passes a signal on to its shell only, which does not
// pass it on to us.
const PARENT = process.ppid;
const LOOK_EVERY_MS = 500;

/** Calls `end` once: at SIGINT, SIGTERM or SIGHUP, or when the parent has ended. */
export function atTheEnd(end) {
  let ended = false;
  const once = () => {
    if (ended) return;
    ended = true;
    clearInterval(looking);
    end();
  };
  const looking = setInterval(() => process.ppid !== PARENT && once(), LOOK_EVERY_MS);
  looking.unref();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, once);
}
