// Reads out of a request what the answer depends on and what both dialects
// share: the text of the messages and the instruction hidden in it.

/** All text in a message's content: a string, or parts with text, or parts with content. */
export function textOf(content) {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) return content.map(textOf).filter(Boolean).join("\n");
  if (content && typeof content === "object") return textOf(content.text ?? content.content);
  return "";
}

export function textOfMessages(messages) {
  return messages.map((message) => textOf(message?.content)).join("\n");
}

/** Text of the last message if a user wrote it: a tool's result there means the turn goes on. */
export function lastUserText(messages) {
  const last = messages[messages.length - 1];
  return last?.role === "user" ? textOf(last.content) : "";
}

/** The JSON of the last `[[sim: {…}]]` in a user's message, or null. */
export function instructionIn(messages) {
  const text = messages
    .filter((message) => message?.role === "user")
    .map((message) => textOf(message.content))
    .join("\n");
  const found = [...text.matchAll(/\[\[sim:\s*(\{.*?\})\s*\]\]/gs)];
  return found.length === 0 ? null : found[found.length - 1][1];
}
