// What OpenAI's responses refuse among the items of the input, and in which
// words: parts a role may not have, outputs without calls, reasoning of others.

import { isBlobOf } from "./blobs.mjs";
import { firstOf, invalid, missing, refuseDetail, refuseFile, refuseName, refusePicture, tooLong, wrongType, wrongValue } from "./openai-messages.mjs";
import { keepsItem } from "./responses-kept.mjs";

const ROLES = ["assistant", "system", "developer", "user"];
const ASSISTANT_PARTS = ["output_text", "refusal"];
const PARTS = ["input_text", "input_image", "input_file"];
/** Items of tools that run at the provider, and others that are taken as they are. */
const UNREAD = new Set(
  (
    "file_search_call computer_call computer_call_output web_search_call image_generation_call code_interpreter_call " +
    "local_shell_call local_shell_call_output shell_call shell_call_output apply_patch_call apply_patch_call_output mcp_list_tools " +
    "mcp_approval_request mcp_approval_response mcp_call custom_tool_call custom_tool_call_output compaction tool_search_call " +
    "tool_search_output"
  ).split(" "),
);
const PREFIXES = { message: "msg", function_call: "fc", reasoning: "rs" };
const ID_LENGTH = 64;

/** previous: what is kept of the response this one goes on from, or null. */
export function refuseItems(items, previous, host) {
  return firstOf(items, (item, i) => refuseItem(item, `input[${i}]`, host)) ?? unfollowed(items) ?? unanswered(items, previous?.calls ?? []);
}

function refuseItem(item, at, host) {
  if (item === null || typeof item !== "object") return wrongType(at, "an object", item);
  const type = item.type ?? "message";
  if (UNREAD.has(type)) return null;
  const refuse = ITEMS[type];
  if (!refuse) return wrongValue(`${at}.type`, type, [...Object.keys(ITEMS), ...UNREAD]);
  return refuseId(item.id, PREFIXES[type], `${at}.id`) ?? refuse(item, at, host);
}

function refuseId(id, prefix, at) {
  if (id == null) return null;
  if (typeof id !== "string") return wrongType(at, "a string", id);
  if (prefix && !id.startsWith(prefix)) return invalid(`Invalid '${at}': '${id}'. Expected an ID that begins with '${prefix}'.`, at, "invalid_value");
  return tooLong(id, at, ID_LENGTH);
}

const ITEMS = {
  message({ role, content }, at) {
    if (role === undefined) return missing(`${at}.role`);
    if (!ROLES.includes(role)) return wrongValue(`${at}.role`, role, ROLES);
    if (content == null) return missing(`${at}.content`);
    if (typeof content === "string") return null;
    if (!Array.isArray(content)) return wrongType(`${at}.content`, "one of an array of objects or string", content);
    return firstOf(content, (part, j) => refusePart(part, role, `${at}.content[${j}]`));
  },
  function_call({ call_id, name, arguments: given }, at) {
    if (given === undefined) return missing(`${at}.arguments`);
    if (typeof given !== "string") return wrongType(`${at}.arguments`, "a string", given);
    return refuseCallId(call_id, at) ?? refuseName(name, `${at}.name`);
  },
  function_call_output({ call_id, output }, at) {
    if (output === undefined) return missing(`${at}.output`);
    const read = Array.isArray(output) ? firstOf(output, (part, j) => refusePart(part, "user", `${at}.output[${j}]`)) : null;
    if (!Array.isArray(output) && typeof output !== "string") return wrongType(`${at}.output`, "one of an array of objects or string", output);
    return refuseCallId(call_id, at) ?? read;
  },
  reasoning({ id, encrypted_content: sealed, summary }, at, host) {
    if (id === undefined) return missing(`${at}.id`);
    if (!Array.isArray(summary)) return summary === undefined ? missing(`${at}.summary`) : wrongType(`${at}.summary`, "an array of objects", summary);
    if (sealed == null) return keepsItem(id, host) ? null : notKept(id);
    return isBlobOf(sealed, host) ? null : unverified(sealed);
  },
  item_reference: ({ id }, at, host) => (id === undefined ? missing(`${at}.id`) : keepsItem(id, host) ? null : notKept(id)),
};

function refuseCallId(id, at) {
  if (id === undefined) return missing(`${at}.call_id`);
  return tooLong(id, `${at}.call_id`, ID_LENGTH);
}

function notKept(id) {
  const advice = "Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input.";
  return { status: 404, message: `Item with id '${id}' not found. ${advice}`, param: "input", code: null };
}

function unverified(sealed) {
  const shown = `${String(sealed).slice(0, 4)}...${String(sealed).slice(-4)}`;
  return invalid(`The encrypted content ${shown} could not be verified. Reason: Encrypted content could not be decrypted or parsed.`, null, "invalid_encrypted_content");
}

function refusePart(part, role, at) {
  if (part === null || typeof part !== "object") return wrongType(at, "an object", part);
  const allowed = role === "assistant" ? ASSISTANT_PARTS : PARTS;
  if (!allowed.includes(part.type)) return part.type === undefined ? missing(`${at}.type`) : wrongValue(at, part.type, allowed);
  switch (part.type) {
    case "input_image":
      return refuseImage(part, at);
    case "input_file":
      return refuseFile(part, at);
    case "refusal":
      return typeof part.refusal === "string" ? null : missing(`${at}.refusal`);
    default:
      return typeof part.text === "string" ? null : part.text === undefined ? missing(`${at}.text`) : wrongType(`${at}.text`, "a string", part.text);
  }
}

function refuseImage({ image_url: url, file_id, detail }, at) {
  if (url == null) return file_id ? null : missing(`${at}.image_url`);
  // The other API wraps the address in an object; this one does not.
  if (typeof url !== "string") return wrongType(`${at}.image_url`, "an image URL", url);
  return refusePicture(url, `${at}.image_url`) ?? refuseDetail(detail, `${at}.detail`);
}

/** Reasoning comes back together with what it led to. */
function unfollowed(items) {
  const at = items.findIndex((item, i) => item.type === "reasoning" && !ledTo(items[i + 1]));
  return at < 0 ? null : invalid(`Item '${items[at].id}' of type 'reasoning' was provided without its required following item.`, "input");
}

function ledTo(item) {
  return item !== undefined && ((item.type ?? "message") !== "message" || item.role === "assistant") && item.type !== "function_call_output";
}

/** Each call has an output and each output a call, in this input or in the response before. */
function unanswered(items, before) {
  const open = new Set(before);
  for (const item of items) {
    if (item.type === "function_call") open.add(item.call_id);
    if (item.type === "function_call_output" && !open.delete(item.call_id)) {
      return invalid(`No tool call found for function call output with call_id ${item.call_id}.`, "input");
    }
  }
  return open.size > 0 ? invalid(`No tool output found for function call ${[...open][0]}.`, "input") : null;
}
