// The shapes of what generateContent answers: one JSON body, or the chunks of
// a stream. Usage is in every chunk, and there is no last event.

import { mintBlob } from "./blobs.mjs";
import { overlay } from "./reply.mjs";

const FINISH = { end: "STOP", length: "MAX_TOKENS", tool: "STOP" };

function usage(reply, fault) {
  if (fault.omit_usage) return undefined;
  const said = reply.outputTokens - reply.thoughtTokens;
  const counted = overlay(
    {
      promptTokenCount: reply.inputTokens,
      candidatesTokenCount: said,
      totalTokenCount: 0,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: reply.inputTokens }],
      ...(reply.thoughtTokens ? { thoughtsTokenCount: reply.thoughtTokens } : {}),
    },
    fault.usage,
  );
  const total = counted.promptTokenCount + counted.candidatesTokenCount + (counted.thoughtsTokenCount ?? 0) + (counted.toolUsePromptTokenCount ?? 0);
  return { ...counted, totalTokenCount: total };
}

/** The parts of a candidate, in the pieces they are streamed in. */
function pieces(choice, json, ctx) {
  const thinks = choice.thoughts.length > 0;
  const shown = thinks && json.generationConfig.thinkingConfig.includeThoughts;
  const list = shown ? choice.thoughts.map((text) => ({ text, thought: true })) : [];
  list.push(...choice.texts.map((text) => ({ text })));
  for (const [nth, tool] of choice.tools.entries()) {
    const proof = thinks && nth === 0 ? { thoughtSignature: mintBlob(ctx.host) } : {};
    list.push({ functionCall: { name: tool.name, args: tool.input }, ...proof });
  }
  // Without a call the proof of what was thought comes on an empty text.
  if (thinks && !choice.tools.length) list.push({ text: "", thoughtSignature: mintBlob(ctx.host) });
  return list;
}

function chunk(reply, ctx, fault, candidates) {
  return { candidates, usageMetadata: usage(reply, fault), modelVersion: reply.model, responseId: ctx.replyId };
}

/** A blocked prompt has no candidate at all. */
const blocked = (reply, ctx) => ({
  promptFeedback: { blockReason: "PROHIBITED_CONTENT" },
  usageMetadata: { promptTokenCount: reply.inputTokens, totalTokenCount: reply.inputTokens },
  modelVersion: reply.model,
  responseId: ctx.replyId,
});

export function body(reply, ctx, fault, json) {
  if (fault.refusal !== undefined) return JSON.stringify(blocked(reply, ctx));
  const candidates = reply.choices.map((choice, index) => ({
    content: { parts: joined(pieces(choice, json, ctx)), role: "model" },
    finishReason: FINISH[choice.stop],
    index,
  }));
  return JSON.stringify(chunk(reply, ctx, fault, candidates), null, 2);
}

/** Neighbouring texts of one kind are one part. */
function joined(parts) {
  return parts.reduce((all, part) => {
    const last = all.at(-1);
    const same = last?.text !== undefined && part.text !== undefined && last.thought === part.thought;
    if (!same) return [...all, { ...part }];
    last.text += part.text;
    if (part.thoughtSignature) last.thoughtSignature = part.thoughtSignature;
    return all;
  }, []);
}

/** → [{data, content?, last?}] */
export function events(reply, json, ctx, fault) {
  if (fault.refusal !== undefined) return [{ data: JSON.stringify(blocked(reply, ctx)), last: true }];
  const [choice] = reply.choices;
  const parts = pieces(choice, json, ctx);
  const sent = parts.map((part) => {
    const candidates = [{ content: { parts: [part], role: "model" }, index: 0 }];
    return { data: JSON.stringify(chunk(reply, ctx, fault, candidates)), content: true };
  });
  const end = [{ content: { parts: [{ text: "" }], role: "model" }, finishReason: FINISH[choice.stop], index: 0 }];
  sent.push({ data: JSON.stringify(chunk(reply, ctx, fault, end)), last: true });
  return sent;
}

