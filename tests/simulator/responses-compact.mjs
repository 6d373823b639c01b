// OpenAI's compaction of a conversation: what was said becomes an item that only the
// host can read, which takes the place of it in the next request.

import { mintBlob } from "./blobs.mjs";
import { randomText } from "./ids.mjs";
import { invalid } from "./openai-messages.mjs";
import * as responses from "./responses.mjs";
import { usage } from "./responses-object.mjs";

export * from "./responses.mjs";

const PARAMETERS = ["input", "instructions", "model", "previous_response_id", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "service_tier"];

export const streams = () => false;

export function refuseBody(json, request) {
  const unknown = Object.keys(json).find((name) => !PARAMETERS.includes(name));
  if (unknown) return invalid(`Unknown parameter: '${unknown}'.`, unknown, "unknown_parameter");
  return responses.refuseBody(json, request);
}

export function body(reply, ctx, fault, json) {
  const said = responses.messagesOf(json).filter((item) => item.role === "user");
  const users = said.map(({ content }) => ({ id: `msg_${randomText(20)}`, type: "message", status: "completed", content: typeof content === "string" ? [{ type: "input_text", text: content }] : content, role: "user" }));
  const made = { id: `cmp_${randomText(20)}`, type: "compaction", encrypted_content: mintBlob(ctx.host) };
  return JSON.stringify({ id: ctx.replyId, object: "response.compaction", created_at: ctx.created, output: [...users, made], usage: usage(reply, fault, ctx) }, null, 2);
}
