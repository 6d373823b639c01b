// What OpenAI's chat completions refuse inside `messages`, and in which words:
// parts that a role may not have, pictures that are none, calls nobody answered.

import { dataUrl, isBase64, typeOfBytes } from "./media.mjs";

const ROLES = new Set(["developer", "system", "user", "assistant", "tool", "function"]);
const PARTS_OF = {
  user: ["text", "image_url", "input_audio", "file"],
  assistant: ["text", "refusal"],
  system: ["text"],
  developer: ["text"],
  tool: ["text", "image_url"],
  function: ["text"],
};
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const CALL_ID_LENGTH = 40;
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const PICTURE_URL = "Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=')";

export const invalid = (message, param = null, code = null) => ({ status: 400, message, param, code });
export const missing = (at) => invalid(`Missing required parameter: '${at}'.`, at, "missing_required_parameter");

export function wrongType(at, expected, got) {
  return invalid(`Invalid type for '${at}': expected ${expected}, but got ${kindOf(got)} instead.`, at, "invalid_type");
}

export function wrongValue(at, got, allowed) {
  const supported = allowed ? ` Supported values are: ${listed(allowed)}.` : "";
  return invalid(`Invalid value: '${got}'.${supported}`, at, "invalid_value");
}

function listed(values) {
  const quoted = values.map((value) => `'${value}'`);
  if (quoted.length < 3) return quoted.join(" and ");
  return `${quoted.slice(0, -1).join(", ")}, and ${quoted.at(-1)}`;
}

function kindOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (Number.isInteger(value)) return "an integer";
  return { object: "an object", number: "a decimal", string: "a string", boolean: "a boolean" }[typeof value] ?? "nothing";
}

/** A name as functions have it. */
export function refuseName(name, at) {
  if (name === undefined) return missing(at);
  if (typeof name !== "string") return wrongType(at, "a string", name);
  if (NAME.test(name)) return null;
  const message = `Invalid '${at}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`;
  return invalid(message, at, "invalid_value");
}

/** The first refusal among the values, in their order. */
export function firstOf(values, refuse) {
  for (const [i, value] of values.entries()) {
    const reason = refuse(value, i);
    if (reason) return reason;
  }
  return null;
}

export function refuseMessages(messages) {
  if (!Array.isArray(messages)) return wrongType("messages", "an array of objects", messages);
  if (messages.length === 0) {
    const message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead: expected an array with at least one element.";
    return invalid(message, "messages", "empty_array");
  }
  return firstOf(messages, refuseMessage) ?? unanswered(messages);
}

function refuseMessage(message, i) {
  const at = `messages[${i}]`;
  if (message === null || typeof message !== "object") return wrongType(at, "an object", message);
  const { role, content } = message;
  if (role === undefined) return missing(`${at}.role`);
  if (!ROLES.has(role)) return wrongValue(`${at}.role`, role, ["system", "assistant", "user", "function", "tool", "developer"]);
  return refuseContent(message, at) ?? refuseCalls(message.tool_calls, at) ?? (role === "tool" && message.tool_call_id === undefined ? missing(`${at}.tool_call_id`) : null);
}

function refuseContent({ role, content, tool_calls, function_call, audio, refusal }, at) {
  if (content == null) {
    const saysOtherwise = role === "assistant" && Boolean(tool_calls ?? function_call ?? audio ?? refusal);
    return saysOtherwise ? null : invalid("Invalid value for 'content': expected a string, got null.", `${at}.content`);
  }
  if (typeof content === "string") return null;
  if (!Array.isArray(content)) return wrongType(`${at}.content`, "one of a string or array of objects", content);
  return firstOf(content, (part, j) => refusePart(part, role, at, `${at}.content[${j}]`));
}

function refusePart(part, role, message, at) {
  if (part === null || typeof part !== "object") return wrongType(at, "an object", part);
  if (part.type === undefined) return missing(`${at}.type`);
  if (!PARTS_OF[role].includes(part.type)) return strangePart(part.type, role, message, at);
  switch (part.type) {
    case "text":
      return typeof part.text === "string" ? null : part.text === undefined ? missing(`${at}.text`) : wrongType(`${at}.text`, "a string", part.text);
    case "refusal":
      return typeof part.refusal === "string" ? null : missing(`${at}.refusal`);
    case "image_url":
      return refusePicture(part.image_url?.url, `${at}.image_url.url`) ?? refuseDetail(part.image_url.detail, `${at}.image_url.detail`);
    case "input_audio":
      return refuseAudio(part.input_audio, `${at}.input_audio`);
    default:
      return refuseFile(part.file ?? {}, `${at}.file`);
  }
}

function strangePart(type, role, message, at) {
  if (role === "tool") return invalid(`Invalid '${message}'. Content blocks are expected to be either text or image_url type.`, message, "invalid_value");
  if (type === "image_url") {
    return invalid(`Image URLs are only allowed for messages with role 'user', but this message with role '${role}' contains an image URL.`, message, "invalid_value");
  }
  return wrongValue(at, type, PARTS_OF[role]);
}

/** Also for responses, which say it the same way. */
export function refusePicture(url, at) {
  if (url === undefined) return missing(at);
  if (typeof url !== "string") return wrongType(at, "a string", url);
  if (/^https?:\/\//.test(url)) return null;
  if (!url.startsWith("data:")) return invalid(`Invalid '${at}'. ${PICTURE_URL}, but got a value without the 'data:' prefix.`, at, "invalid_value");
  const { type, data } = dataUrl(url) ?? {};
  if (!PICTURES.has(type)) return invalid(`Invalid '${at}'. ${PICTURE_URL}, but got unsupported MIME type '${type ?? ""}'.`, at, "invalid_value");
  if (!isBase64(data)) return invalid(`Invalid '${at}'. ${PICTURE_URL}, but got an invalid base64-encoded value.`, at, "invalid_base64");
  if (PICTURES.has(typeOfBytes(data))) return null;
  return invalid("You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].", null, "invalid_image_format");
}

export function refuseDetail(detail, at) {
  const allowed = ["auto", "low", "high", "original"];
  return detail == null || allowed.includes(detail) ? null : wrongValue(at, detail, allowed);
}

function refuseAudio(audio, at) {
  if (typeof audio?.data !== "string") return missing(`${at}.data`);
  return ["wav", "mp3"].includes(audio.format) ? null : wrongValue(`${at}.format`, audio.format, ["wav", "mp3"]);
}

/** A file by id, by address (responses only), or as a data URL with a name. */
export function refuseFile({ file_id, file_url, file_data, filename }, at) {
  if (typeof file_id === "string" || typeof file_url === "string") return null;
  if (file_data === undefined) return missing(`${at}.file_id`);
  if (filename === undefined) return missing(`${at}.filename`);
  const { type, data } = dataUrl(file_data) ?? {};
  const expected = `Invalid '${at}.file_data'. Expected a base64-encoded data URL with a MIME type (e.g. 'data:application/pdf;base64,JVBERi0xLjQ=')`;
  if (!isBase64(data)) return invalid(`${expected}, but got a value without the 'data:' prefix.`, `${at}.file_data`, "invalid_value");
  if (type === "application/pdf" && typeOfBytes(data) !== type) return invalid("The file you uploaded is not a valid PDF.", null, "invalid_file");
  return null;
}

function refuseCalls(calls, at) {
  if (calls == null) return null;
  if (!Array.isArray(calls)) return wrongType(`${at}.tool_calls`, "an array of objects", calls);
  if (calls.length === 0) {
    return invalid(`Invalid '${at}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.`, `${at}.tool_calls`, "empty_array");
  }
  return firstOf(calls, (call, j) => refuseCall(call, `${at}.tool_calls[${j}]`));
}

export function tooLong(text, at, most) {
  if (typeof text !== "string") return wrongType(at, "a string", text);
  if (text.length <= most) return null;
  const message = `Invalid '${at}': string too long. Expected a string with maximum length ${most}, but got a string with length ${text.length} instead.`;
  return invalid(message, at, "string_above_max_length");
}

function refuseCall(call, at) {
  if (call?.id === undefined) return missing(`${at}.id`);
  const long = tooLong(call.id, `${at}.id`, CALL_ID_LENGTH);
  if (long) return long;
  if (call.type === undefined) return missing(`${at}.type`);
  if (call.type === "custom") return null;
  if (call.type !== "function") return wrongValue(`${at}.type`, call.type, ["function", "custom"]);
  const { arguments: given } = call.function ?? {};
  if (given !== undefined && typeof given !== "string") return wrongType(`${at}.function.arguments`, "a string", given);
  return refuseName(call.function?.name, `${at}.function.name`) ?? (given === undefined ? missing(`${at}.function.arguments`) : null);
}

/** Each call must be answered before anybody else speaks. */
function unanswered(messages) {
  let open = new Set();
  for (const [i, message] of messages.entries()) {
    if (message.role === "tool") {
      if (!open.delete(message.tool_call_id)) return strangeAnswer(messages, i);
    } else if (open.size > 0) {
      return notAnswered(open, `messages[${i}].role`);
    }
    for (const call of message.tool_calls ?? []) open.add(call.id);
  }
  return open.size > 0 ? notAnswered(open, `messages[${messages.length}].role`) : null;
}

const notAnswered = (open, at) =>
  invalid(
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
      `The following tool_call_ids did not have response messages: ${[...open].join(", ")}`,
    at,
  );

function strangeAnswer(messages, i) {
  const asked = messages.slice(0, i).findLast((message) => message.role !== "tool");
  if (asked?.tool_calls?.length) return invalid(`Invalid parameter: 'tool_call_id' of '${messages[i].tool_call_id}' not found in 'tool_calls' of previous message.`, `messages[${i}].tool_call_id`);
  return invalid("Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.", `messages[${i}].role`);
}
