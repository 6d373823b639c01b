// The shapes of a Converse answer: one JSON body, or the events of its stream.

import { MAKER, mintBlob } from "./blobs.mjs";
import { isClaude } from "./claude-rules.mjs";
import { randomText } from "./ids.mjs";
import { overlay } from "./reply.mjs";

const STOP = { end: "end_turn", length: "max_tokens", tool: "tool_use", refusal: "content_filtered" };

function usage(reply, fault) {
  if (fault.omit_usage) return undefined;
  const counted = overlay({ inputTokens: reply.inputTokens, outputTokens: reply.outputTokens, totalTokens: 0 }, fault.usage);
  const cached = (counted.cacheReadInputTokens ?? 0) + (counted.cacheWriteInputTokens ?? 0);
  return { ...counted, totalTokens: counted.inputTokens + counted.outputTokens + cached };
}

/** Whose proofs a model's are: Claude's are good elsewhere, others are the host's. */
export const makerAt = (host, model) => (isClaude(model) ? MAKER : host);

const callId = () => `tooluse_${randomText(22)}`;

export function body(reply, ctx, fault) {
  const [choice] = reply.choices;
  const content = [];
  if (choice.thoughts.length > 0) content.push({ reasoningContent: { reasoningText: { signature: mintBlob(makerAt(ctx.host, reply.model)), text: choice.thoughts.join("") } } });
  const said = choice.refusal ?? choice.texts;
  if (said.length > 0) content.push({ text: said.join("") });
  for (const tool of choice.tools) content.push({ toolUse: { input: tool.input, name: tool.name, toolUseId: callId() } });
  const message = { content, role: "assistant" };
  return JSON.stringify({ metrics: { latencyMs: 7 }, output: { message }, stopReason: STOP[choice.stop], usage: usage(reply, fault) });
}

/** → [{frame: [type, payload], content?, last?}] */
export function events(reply, _json, ctx, fault) {
  const [choice] = reply.choices;
  const sent = [event("messageStart", { role: "assistant" })];
  let contentBlockIndex = 0;
  const block = (start, deltas) => {
    if (start) sent.push(event("contentBlockStart", { contentBlockIndex, start }));
    for (const delta of deltas) sent.push({ ...event("contentBlockDelta", { contentBlockIndex, delta }), content: true });
    sent.push(event("contentBlockStop", { contentBlockIndex }));
    contentBlockIndex += 1;
  };
  if (choice.thoughts.length > 0) {
    const thoughts = choice.thoughts.map((text) => ({ reasoningContent: { text } }));
    block(null, [...thoughts, { reasoningContent: { signature: mintBlob(makerAt(ctx.host, reply.model)) } }]);
  }
  const said = choice.refusal ?? choice.texts;
  if (said.length > 0) block(null, said.map((text) => ({ text }))); // text has no start
  for (const tool of choice.tools) {
    block({ toolUse: { name: tool.name, toolUseId: callId() } }, tool.pieces.map((input) => ({ toolUse: { input } })));
  }
  sent.push({ ...event("messageStop", { stopReason: STOP[choice.stop] }), last: true });
  sent.push({ ...event("metadata", { metrics: { latencyMs: 7 }, usage: usage(reply, fault) }), last: true });
  return sent;
}

/** Padding hides how long a payload is. */
const event = (type, payload) => ({ frame: [type, { ...payload, p: "abcdefghijkl" }] });
