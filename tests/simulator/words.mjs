// The text the simulator answers with, and how it counts tokens. Text is drawn
// from a seed, so the same request always gets the same answer, while no two
// neighbouring words are equal: some clients take a repeated chunk for a loop
// and end the stream.

const VOCABULARY = (
  "amber anchor apricot autumn bakery balcony barley basket beacon birch bramble bridge " +
  "candle canyon cedar cellar chapel cinder clover cobble copper corner cricket damson delta " +
  "drizzle ember engine façade feather fennel ferry garden ginger glacier granite größe harbour " +
  "hazel heather hollow island ivory jasmine juniper kettle lagoon lantern laurel ledger lemon " +
  "linen magpie maple marble meadow mirror mosaic mustard naïve needle nettle oatmeal orchard " +
  "otter paper parcel pebble pepper piano pigeon plaza prairie quarry quilt rafter raven ribbon " +
  "river rosemary saddle saffron señor shelter signal silver sparrow spruce station 東京 tavern " +
  "thicket thimble thunder timber tulip tunnel umbrella valley velvet violet wagon walnut " +
  "whistle willow window winter woollen yarrow yonder zephyr żółty 🌿"
).split(" ");

/** FNV-1a: only has to be stable and spread well, not to be secure. */
export function hash(text) {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** Small seeded generator of numbers in [0, 1). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` word pieces; joined they read as sentences. Each piece is one output token. */
export function wordPieces(seed, count) {
  const next = random(seed);
  const pieces = [];
  let previous = -1;
  let sentenceLeft = 0;
  for (let i = 0; i < count; i++) {
    let at = Math.floor(next() * VOCABULARY.length);
    if (at === previous) at = (at + 1) % VOCABULARY.length;
    previous = at;
    const starts = sentenceLeft === 0;
    if (starts) sentenceLeft = 5 + Math.floor(next() * 8);
    sentenceLeft -= 1;
    const word = starts ? VOCABULARY[at][0].toUpperCase() + VOCABULARY[at].slice(1) : VOCABULARY[at];
    // The emoji is two code units: upper-casing its first half leaves it whole.
    const stop = sentenceLeft === 0 || i === count - 1 ? "." : "";
    pieces.push((i === 0 ? "" : " ") + word + stop);
  }
  return pieces;
}

/** Cuts given text into word pieces without losing a character. */
export function splitText(text) {
  return text.match(/\s*\S+(?:\s+$)?/g) ?? (text === "" ? [] : [text]);
}

/** Joins pieces into chunks: `chunks` of equal size if given, else `perChunk` pieces each. */
export function groupPieces(pieces, perChunk, chunks) {
  const groups = chunks ? Math.min(chunks, pieces.length) : Math.ceil(pieces.length / perChunk);
  return Array.from({ length: groups }, (_, i) => {
    const from = chunks ? Math.floor((i * pieces.length) / groups) : i * perChunk;
    const to = chunks ? Math.floor(((i + 1) * pieces.length) / groups) : from + perChunk;
    return pieces.slice(from, to).join("");
  });
}

/** Input tokens: a quarter of the characters, rounded up, and never zero. */
export function tokensIn(text) {
  return Math.max(1, Math.ceil(text.length / 4));
}
