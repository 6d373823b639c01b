// Turns a dialect's events into the frames of an event stream, with the faults
// that change what a stream says. How its bytes travel is in wire.mjs.

/** events: [{event?, data, content?, last?, reports?}] → [{text, waitMs, reports}], one per socket write. */
export function frames(events, fault, error) {
  const kept = fault.no_done ? events.filter((event) => !event.last) : events;
  const said = fault.garbage ? withGarbage(kept) : kept;
  const ended = fault.error_at_chunk === undefined ? said : cutByError(said, fault.error_at_chunk, error);
  const eol = fault.crlf ? "\r\n" : "\n";
  let contentSeen = false;
  return ended.flatMap((event) => {
    const waitMs = event.content && contentSeen ? (fault.delay_between_ms ?? 0) : 0;
    contentSeen ||= event.content === true;
    const name = event.event ? `event: ${event.event}${eol}` : "";
    const frame = { text: `${name}data: ${event.data}${eol}${eol}`, waitMs, reports: event.reports };
    return fault.comments ? [{ text: `: keepalive${eol}${eol}`, waitMs: 0 }, frame] : [frame];
  });
}

/** The first content chunk's JSON breaks off in the middle; the rest stays intact. */
function withGarbage(events) {
  const at = events.findIndex((event) => event.content);
  return events.map((event, i) =>
    i === at ? { ...event, data: event.data.slice(0, Math.floor(event.data.length / 2)) } : event,
  );
}

/**
 * Ends with the error in place of the nth content chunk; 0 puts it before everything.
 * error: one event, or a function that makes several, told how many came before.
 */
function cutByError(events, nth, error) {
  const errors = (at) => (typeof error === "function" ? error(at) : [error]);
  if (nth === 0) return errors(0);
  const content = events.flatMap((event, i) => (event.content ? [i] : []));
  const at = content[nth - 1] ?? (content.at(-1) ?? 0) + 1;
  return [...events.slice(0, at), ...errors(at)];
}
