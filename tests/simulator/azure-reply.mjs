// Azure's shapes for a chat completion: OpenAI's, with the findings of content
// filters, a first chunk that is nearly empty, and all keys in the alphabet's
// order. Behind the older address there is no service tier.

import { choiceFilters, promptFilters } from "./azure-filters.mjs";
import * as openai from "./openai-reply.mjs";

const LATENCY = {
  engine_tbt_ms: 12,
  engine_ttft_ms: 36,
  engine_ttlt_ms: 1525,
  pre_inference_ms: 212,
  service_tbt_ms: 12,
  service_ttft_ms: 664,
  service_ttlt_ms: 2158,
  total_duration_ms: 1952,
  user_visible_ttft_ms: 453,
};

export function body(reply, ctx, fault, json, { older = false } = {}) {
  const answer = JSON.parse(openai.body(reply, ctx, fault, json));
  const choices = answer.choices.map((choice) => {
    const { annotations, ...message } = choice.message;
    const kept = older ? message : { ...message, annotations };
    return sorted({ logprobs: null, ...choice, message: sorted(kept), content_filter_results: choiceFilters(Boolean(message.content)) });
  });
  const usage = older || !answer.usage ? answer.usage : sorted({ ...answer.usage, latency_checkpoint: LATENCY });
  return JSON.stringify(aged({ ...answer, choices, usage, prompt_filter_results: promptFilters() }, older));
}

export function events(reply, json, ctx, fault, { older = false } = {}) {
  const empty = { choices: [], created: 0, id: "", model: "", object: "", prompt_filter_results: promptFilters() };
  const sent = openai.events(reply, json, ctx, fault).map((event) => (event.last ? event : { ...event, data: chunk(event.data, older) }));
  return [{ data: JSON.stringify(empty) }, ...sent];
}

function chunk(data, older) {
  const { choices, ...rest } = JSON.parse(data);
  const filtered = choices.map((choice) => sorted({ logprobs: null, ...choice, content_filter_results: choiceFilters(Boolean(choice.delta.content)) }));
  const timed = choices.length === 0 && !older ? { latency_checkpoint: LATENCY } : {};
  return JSON.stringify(aged({ choices: filtered, ...rest, ...timed }, older));
}

function aged({ service_tier, ...value }, older) {
  return sorted(older ? value : { ...value, service_tier });
}

const sorted = (value) => Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
