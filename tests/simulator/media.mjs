// Pictures and files inside messages: what kind their bytes are, and what they
// cost. Real providers reckon with sizes; here a picture is as dear as any other.

import { tokensIn } from "./words.mjs";

const PICTURE_TOKENS = 85;
const FILE_TOKENS = 250;

const STARTS = [
  ["image/png", "89504e47"],
  ["image/jpeg", "ffd8ff"],
  ["image/gif", "47494638"],
  ["image/webp", "52494646"],
  ["application/pdf", "25504446"],
];

export const isBase64 = (text) => typeof text === "string" && text !== "" && /^[A-Za-z0-9+/]+={0,2}$/.test(text);

/** The media type that the bytes themselves have, or null. */
export function typeOfBytes(base64) {
  const start = Buffer.from(base64.slice(0, 16), "base64").toString("hex");
  return STARTS.find(([, bytes]) => start.startsWith(bytes))?.[0] ?? null;
}

/** "data:image/png;base64,…" → {type, data}, or null. */
export function dataUrl(url) {
  const [, type, data] = /^data:([\w/+.-]+);base64,(.*)$/s.exec(url ?? "") ?? [];
  return type === undefined ? null : { type, data };
}

/** What all pictures and files in these messages count, at any depth of content. */
export function mediaTokens(messages) {
  return messages.reduce((sum, message) => sum + inContent(message?.content ?? message?.output), 0);
}

function inContent(content) {
  return Array.isArray(content) ? content.reduce((sum, part) => sum + ofPart(part ?? {}), 0) : 0;
}

function ofPart(part) {
  switch (part.type) {
    case "image":
    case "image_url":
    case "input_image":
      return PICTURE_TOKENS;
    case "document":
      return part.source?.type === "text" ? tokensIn(part.source.data) : FILE_TOKENS;
    case "file":
    case "input_file":
    case "input_audio":
      return FILE_TOKENS;
    default:
      return atBedrock(part) ?? inContent(part.content);
  }
}

/** Converse's parts have no type but a name. */
function atBedrock({ image, document, toolResult }) {
  if (image) return PICTURE_TOKENS;
  if (document) return document.source?.text === undefined ? FILE_TOKENS : tokensIn(document.source.text);
  return toolResult ? inContent(toolResult.content) : undefined;
}
