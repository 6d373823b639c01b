// What hosts keep of the responses they stored: a later request may name one, or
// one of its items, but only to the host that has it.

const responses = new Map();
const items = new Map();

/** The calls in a kept response are open until their outputs come. */
export function keep(id, host, output) {
  const calls = output.filter((item) => item.type === "function_call").map((item) => item.call_id);
  responses.set(id, { host, calls });
  for (const item of output) items.set(item.id, host);
}

export function keptFor(id, host) {
  const response = responses.get(id);
  return response?.host === host ? response : null;
}

export const keepsItem = (id, host) => items.get(id) === host;
