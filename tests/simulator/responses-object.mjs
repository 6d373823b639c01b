// The `response` object as a whole: in a body that comes at once, and in the
// first and last events of a stream. Azure's has some keys more and some fewer.

import { isAzure, responseFilters } from "./azure-filters.mjs";
import { searchesIn, webActions } from "./hosted.mjs";
import { overlay } from "./reply.mjs";

const NO_PICTURES = {
  image_gen: {
    input_tokens: 0,
    input_tokens_details: { image_tokens: 0, text_tokens: 0 },
    output_tokens: 0,
    output_tokens_details: { image_tokens: 0, text_tokens: 0 },
    total_tokens: 0,
  },
};

export function usage(reply, fault, { host }) {
  if (fault.omit_usage) return null;
  const counted = overlay(
    {
      input_tokens: reply.inputTokens,
      input_tokens_details: isAzure(host) ? { cached_tokens: 0 } : { cache_write_tokens: 0, cached_tokens: 0 },
      output_tokens: reply.outputTokens,
      output_tokens_details: { reasoning_tokens: reply.thoughtTokens },
      total_tokens: 0,
    },
    fault.usage,
  );
  const total = counted.input_tokens + counted.output_tokens;
  return { ...counted, total_tokens: fault.usage?.total_tokens ?? total };
}

/** status: of the response; whole: it comes at once, not in a stream. */
export function response(reply, json, ctx, { status, output, usage = null, error = null, whole = false }) {
  const azure = isAzure(ctx.host);
  const ended = status === "completed";
  return {
    id: ctx.replyId,
    object: "response",
    created_at: ctx.created,
    status,
    background: json.background ?? false,
    ...(azure || !whole ? {} : { billing: { payer: "developer" } }),
    completed_at: ended ? ctx.created : null,
    ...(azure ? { content_filters: usage ? responseFilters(reply) : null } : {}),
    error,
    frequency_penalty: 0,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    instructions: json.instructions ?? null,
    max_output_tokens: json.max_output_tokens ?? null,
    max_tool_calls: json.max_tool_calls ?? null,
    model: reply.model,
    moderation: null,
    output,
    parallel_tool_calls: json.parallel_tool_calls ?? true,
    presence_penalty: 0,
    previous_response_id: json.previous_response_id ?? null,
    prompt_cache_key: json.prompt_cache_key ?? null,
    prompt_cache_retention: json.prompt_cache_retention ?? "in_memory",
    reasoning: reasoning(json.reasoning ?? {}, azure),
    safety_identifier: json.safety_identifier ?? null,
    service_tier: status === "in_progress" ? "auto" : "default",
    store: json.store ?? true,
    temperature: json.temperature ?? 1,
    text: { format: format(json.text?.format), verbosity: json.text?.verbosity ?? "medium" },
    tool_choice: json.tool_choice ?? "auto",
    ...(azure ? {} : { tool_usage: { ...NO_PICTURES, web_search: { num_requests: usage ? searchesIn(webActions(reply.hosted)) : 0 } } }),
    tools: (json.tools ?? []).map(tool),
    top_logprobs: json.top_logprobs ?? 0,
    top_p: json.top_p ?? 1,
    truncation: json.truncation ?? "disabled",
    usage,
    user: json.user ?? null,
    metadata: json.metadata ?? {},
  };
}

function reasoning({ effort = null, summary = null }, azure) {
  const thinks = effort !== null && effort !== "none";
  const said = { effort, summary: summary === "auto" ? "detailed" : summary };
  if (azure) return { context: null, ...said };
  return { context: thinks ? "current_turn" : null, effort, ...(thinks ? { mode: "standard" } : {}), summary: said.summary };
}

/** As the provider repeats it: with what was left out. */
function format(given) {
  if (given?.type !== "json_schema") return given ?? { type: "text" };
  const { type, description = null, name, schema, strict = true } = given;
  return { type, description, name, schema, strict };
}

function tool(given) {
  if (given.type !== "function") return given;
  const { type, description = null, name, parameters = null, strict = true } = given;
  return { type, description, name, parameters, strict };
}
