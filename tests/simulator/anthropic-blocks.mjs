// What Anthropic refuses inside `messages`, and in which words: blocks that are
// none or stand in the wrong place, tools without results, thoughts of others.

import { isBlobOf } from "./blobs.mjs";
import { isBase64, typeOfBytes } from "./media.mjs";

const ROLES = new Set(["user", "assistant", "system"]);
const USER_ONLY = new Set(["image", "document", "tool_result"]);
const ASSISTANT_ONLY = new Set(["tool_use", "thinking", "redacted_thinking"]);
/** Blocks of tools that run at the provider, and others that are taken as they are. */
const UNREAD = /^(search_result|server_tool_use|mcp_tool_use|container_upload|compaction|fallback|advisor_\w+|\w+_tool_result)$/;
const TAGS = [
  "document", "image", "mcp_tool_result", "mcp_tool_use", "redacted_thinking", "search_result", "server_tool_use", "text", "thinking",
  "tool_result", "tool_use", "web_search_tool_result",
];
const PICTURES = ["image/jpeg", "image/png", "image/gif", "image/webp"];
const ID = /^[a-zA-Z0-9_-]+$/;

export const invalid = (message) => ({ status: 400, message });
const required = (at) => invalid(`${at}: Field required`);

function wrongTag(at, tag, tags) {
  const expected = tags.map((one) => `'${one}'`).join(", ");
  return invalid(`${at}: Input tag '${tag}' found using 'type' does not match any of the expected tags: ${expected}`);
}

/** maker: whose thoughts may come back; thinks: whether a tool's turn has to begin with one. */
export function refuseMessages(messages, { maker, thinks }) {
  if (!Array.isArray(messages)) return invalid("messages: Input should be a valid list");
  if (messages.length === 0) return invalid("messages: at least one message is required");
  for (const [i, message] of messages.entries()) {
    const reason = refuseMessage(message, `messages.${i}`, i === messages.length - 1) ?? refuseContent(message, `messages.${i}`, maker);
    if (reason) return reason;
  }
  return unanswered(messages) ?? refuseLast(messages) ?? (thinks ? refuseThoughtless(messages) : null);
}

function refuseMessage(message, at, last) {
  if (!ROLES.has(message?.role)) return invalid(`${at}.role: Input should be 'user' or 'assistant'`);
  const { role, content } = message;
  if (content === undefined) return required(`${at}.content`);
  if (typeof content !== "string" && !Array.isArray(content)) return invalid(`${at}.content: Input should be a string or a valid list`);
  if (content.length > 0 || (last && role === "assistant")) return null;
  return invalid(`${at}: all messages must have non-empty content except for the optional final assistant message`);
}

function refuseContent({ role, content }, at, maker) {
  if (typeof content === "string") return null;
  for (const [j, block] of content.entries()) {
    const reason = refuseBlock(block, `${at}.content.${j}`, maker) ?? misplaced(block.type, role, at);
    if (reason) return reason;
  }
  return null;
}

function misplaced(type, role, at) {
  if (USER_ONLY.has(type) && role !== "user") return invalid(`${at}: \`${type}\` blocks can only be in \`user\` messages`);
  return ASSISTANT_ONLY.has(type) && role !== "assistant" ? invalid(`${at}: \`${type}\` blocks can only be in \`assistant\` messages`) : null;
}

function refuseBlock(block, at, maker) {
  if (block === null || typeof block !== "object") return invalid(`${at}: Input should be an object`);
  if (block.type === undefined) return required(`${at}.type`);
  const refuse = BLOCKS[block.type];
  if (refuse) return refuse(block, at, maker);
  return UNREAD.test(block.type) ? null : wrongTag(at, block.type, TAGS);
}

const BLOCKS = {
  text: ({ text }, at) => {
    if (typeof text !== "string") return text === undefined ? required(`${at}.text.text`) : invalid(`${at}.text.text: Input should be a valid string`);
    return text === "" ? invalid("messages: text content blocks must be non-empty") : null;
  },
  image: ({ source }, at) => refusePicture(source, `${at}.image.source`),
  document: ({ source }, at, maker) => refuseDocument(source, `${at}.document.source`, maker),
  tool_use: refuseToolUse,
  tool_result: refuseToolResult,
  thinking({ thinking, signature }, at, maker) {
    if (typeof thinking !== "string") return required(`${at}.thinking.thinking`);
    if (typeof signature !== "string") return required(`${at}.thinking.signature`);
    return isBlobOf(signature, maker) ? null : invalid(`${at}: Invalid \`signature\` in \`thinking\` block`);
  },
  redacted_thinking({ data }, at, maker) {
    if (typeof data !== "string") return required(`${at}.redacted_thinking.data`);
    return isBlobOf(data, maker) ? null : invalid(`${at}: Invalid \`data\` in \`redacted_thinking\` block`);
  },
};

function refusePicture(source, at) {
  if (source == null) return required(at);
  const { type, media_type, data } = source;
  if (type === "url") return refuseUrl(source, at);
  if (type === "file") return source.file_id ? null : required(`${at}.file.file_id`);
  if (type !== "base64") return wrongTag(at, type, ["base64", "file", "url"]);
  if (!PICTURES.includes(media_type)) return invalid(`${at}.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'`);
  if (!isBase64(data)) return invalid(`${at}.base64: invalid base64 data`);
  const real = typeOfBytes(data);
  if (!PICTURES.includes(real)) return invalid("Could not process image");
  if (real === media_type) return null;
  return invalid(`${at}.base64: The image was specified using the ${media_type} media type, but the image appears to be a ${real} image`);
}

function refuseUrl({ url }, at) {
  if (typeof url !== "string") return required(`${at}.url.url`);
  return url.startsWith("https://") ? null : invalid(`${at}.url: Only HTTPS URLs are supported.`);
}

function refuseDocument(source, at, maker) {
  if (source == null) return required(at);
  switch (source.type) {
    case "base64":
      if (source.media_type !== "application/pdf") return invalid(`${at}.base64.media_type: Input should be 'application/pdf'`);
      if (!isBase64(source.data)) return invalid(`${at}.base64: invalid base64 data`);
      return typeOfBytes(source.data) === "application/pdf" ? null : invalid(`${at}.base64.data: The PDF specified was not valid.`);
    case "text":
      if (source.media_type !== "text/plain") return invalid(`${at}.text.media_type: Input should be 'text/plain'`);
      return typeof source.data === "string" ? null : required(`${at}.text.data`);
    case "content":
      return Array.isArray(source.content) ? refuseContent({ role: "user", content: source.content }, at, maker) : null;
    case "url":
      return refuseUrl(source, at);
    case "file":
      return source.file_id ? null : required(`${at}.file.file_id`);
    default:
      return wrongTag(at, source.type, ["base64", "content", "file", "text", "url"]);
  }
}

function refuseToolUse({ id, name, input }, at) {
  if (id === undefined || name === undefined || input === undefined) {
    return required(`${at}.tool_use.${id === undefined ? "id" : name === undefined ? "name" : "input"}`);
  }
  if (!ID.test(id)) return invalid(`${at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
  const object = input !== null && typeof input === "object" && !Array.isArray(input);
  return object ? null : invalid(`${at}.tool_use.input: Input should be a valid dictionary`);
}

function refuseToolResult({ tool_use_id, content, is_error }, at, maker) {
  if (tool_use_id === undefined) return required(`${at}.tool_result.tool_use_id`);
  if (!ID.test(tool_use_id)) return invalid(`${at}.tool_result.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
  if (is_error != null && typeof is_error !== "boolean") return invalid(`${at}.tool_result.is_error: Input should be a valid boolean`);
  if (content == null || typeof content === "string") return null;
  if (!Array.isArray(content)) return invalid(`${at}.tool_result.content: Input should be a valid list`);
  const inside = `${at}.tool_result`;
  const tags = ["document", "image", "search_result", "text", "tool_reference"];
  for (const [k, block] of content.entries()) {
    if (!tags.includes(block?.type)) return wrongTag(`${inside}.content.${k}`, block?.type, tags);
    const reason = block.type === "tool_reference" ? null : refuseBlock(block, `${inside}.content.${k}`, maker);
    if (reason) return reason;
  }
  return null;
}

/** Each use of a tool is followed at once by its result, and a result by nothing but its use. */
function unanswered(messages) {
  let open = new Set();
  for (const [i, { role, content }] of messages.entries()) {
    const blocks = typeof content === "string" ? [] : content;
    const results = leading(blocks);
    for (const [j, block] of blocks.entries()) {
      if (block.type !== "tool_result" || open.has(block.tool_use_id)) continue;
      return invalid(
        `messages.${i}.content.${j}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${block.tool_use_id}. ` +
          "Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
      );
    }
    const left = [...open].filter((id) => !results.has(id));
    if (left.length > 0) return noResult(i - 1, left);
    const used = role === "assistant" ? blocks.filter((block) => block.type === "tool_use").map((block) => block.id) : [];
    if (new Set(used).size < used.length) return invalid("messages: `tool_use` ids must be unique");
    open = new Set(used);
  }
  return open.size > 0 ? noResult(messages.length - 1, [...open]) : null;
}

/** Results have to come first: those behind something else are not seen. */
function leading(blocks) {
  const end = blocks.findIndex((block) => block.type !== "tool_result");
  return new Set((end < 0 ? blocks : blocks.slice(0, end)).map((block) => block.tool_use_id));
}

function noResult(i, ids) {
  return invalid(
    `messages.${i}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${ids.join(", ")}. ` +
      "Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
  );
}

function refuseLast(messages) {
  const { role, content } = messages.at(-1);
  const said = typeof content === "string" ? content : content.at(-1)?.type === "text" ? content.at(-1).text : "";
  return role === "assistant" && /\s$/.test(said) ? invalid("messages: final assistant content cannot end with trailing whitespace") : null;
}

/** With a budget for thinking, the turn a tool's result answers must show the thought. */
function refuseThoughtless(messages) {
  const at = messages.findLastIndex(({ role }) => role === "assistant");
  const isResult = messages.at(-1).role === "user" && Array.isArray(messages.at(-1).content) && messages.at(-1).content[0]?.type === "tool_result";
  if (!isResult || at < 0) return null;
  const found = messages[at].content[0]?.type;
  if (found === "thinking" || found === "redacted_thinking") return null;
  return invalid(
    `messages.${at}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${found}\`. ` +
      "When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks).",
  );
}
