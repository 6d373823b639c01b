// Log probabilities of what was said, one per piece. OpenAI's two APIs tell them
// alike; what they are called in a request differs.

import { hash } from "./words.mjs";

/** How sure the model was of a piece: always the same for the same piece. */
const sureness = (piece) => -(hash(piece) % 1000) / 1000;

const told = (token, logprob) => ({ token, logprob, bytes: [...Buffer.from(token)] });

/** → the piece's entry, with `top` alternatives of which the first is the piece itself. */
export function logprobOf(piece, top = 0) {
  const own = sureness(piece);
  const top_logprobs = Array.from({ length: top }, (_, i) => told(i === 0 ? piece : `${piece}${"~".repeat(i)}`, own - i));
  return { ...told(piece, own), top_logprobs };
}
