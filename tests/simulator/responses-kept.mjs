// What hosts keep of the responses they stored: a later request may name one, or
// one of its items, but only to the host that has it.

const responses = new Map();
const items = new Map();
const counted = new Map();

/** The calls in a kept response are open until their outputs come. */
export function keep(id, host, output, input) {
  const calls = output.filter((item) => item.type === "function_call").map((item) => item.call_id);
  responses.set(id, { host, calls, output, input });
  for (const item of output) items.set(item.id, host);
}

export function keptFor(id, host) {
  const response = responses.get(id);
  return response?.host === host ? response : null;
}

/** Whether there was one to delete. */
export const deleted = (id) => responses.delete(id);

export const keepsItem = (id, host) => items.get(id) === host;

/** What a later request reads that goes on from a response. */
export const countTokens = (id, tokens) => counted.set(id, tokens);
export const tokensKept = (id) => counted.get(id) ?? 0;
