// What Anthropic refuses among the parameters beside the messages: tools,
// thinking, formats, the system prompt.

import { invalid } from "./anthropic-blocks.mjs";
import { refuseSchema } from "./claude-rules.mjs";

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/;
const EFFORTS = ["low", "medium", "high", "xhigh", "max"];

export const thinksIn = (json) => ["enabled", "adaptive"].includes(json.thinking?.type);

export function refuseTools({ tools, tool_choice: choice }) {
  if (tools !== undefined && !Array.isArray(tools)) return invalid("tools: Input should be a valid list");
  for (const [i, tool] of (tools ?? []).entries()) {
    const reason = refuseTool(tool, `tools.${i}`);
    if (reason) return reason;
  }
  const names = (tools ?? []).map((tool) => tool.name);
  if (new Set(names).size < names.length) return invalid("tools: Tool names must be unique.");
  if (choice === undefined) return null;
  if (!["auto", "any", "tool", "none"].includes(choice?.type)) {
    return invalid(`tool_choice: Input tag '${choice?.type}' found using 'type' does not match any of the expected tags: 'any', 'auto', 'none', 'tool'`);
  }
  if (!tools?.length) return invalid("tool_choice: may only be specified while providing tools");
  return choice.type === "tool" && !names.includes(choice.name) ? invalid(`Tool '${choice.name}' not found in provided tools`) : null;
}

function refuseTool(tool, at) {
  const own = tool?.type === undefined || tool.type === "custom";
  if (!own) return null;
  if (tool?.name === undefined) return invalid(`${at}.custom.name: Field required`);
  if (!TOOL_NAME.test(tool.name)) return invalid(`${at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
  if (tool.input_schema === undefined) return invalid(`${at}.custom.input_schema: Field required`);
  const { type } = tool.input_schema;
  if (type === undefined) return invalid(`${at}.custom.input_schema.type: Field required`);
  if (type !== "object") return invalid(`${at}.custom.input_schema.type: Input should be 'object'`);
  return tool.strict === true ? refuseSchema(tool.input_schema, `${at}.custom.input_schema`) : null;
}

export function refuseThinking(json) {
  const { thinking, max_tokens, temperature, top_k, tool_choice } = json;
  if (thinking === undefined) return null;
  if (!["enabled", "adaptive", "disabled"].includes(thinking?.type)) {
    return invalid(`thinking: Input tag '${thinking?.type}' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'`);
  }
  if (!thinksIn(json)) return null;
  if (thinking.type === "enabled") {
    if (thinking.budget_tokens === undefined) return invalid("thinking.enabled.budget_tokens: Field required");
    if (!(thinking.budget_tokens >= 1024)) return invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
    if (thinking.budget_tokens >= max_tokens) return invalid("`max_tokens` must be greater than `thinking.budget_tokens`.");
  }
  if (temperature !== undefined && temperature !== 1) return invalid("`temperature` may only be set to 1 when thinking is enabled.");
  if (top_k !== undefined) return invalid("`top_k` must be unset when thinking is enabled.");
  return ["any", "tool"].includes(tool_choice?.type) ? invalid("Thinking may not be enabled when tool_choice forces tool use.") : null;
}

export function refuseOutput({ output_config: config }) {
  if (config == null) return null;
  if (config.effort !== undefined && !EFFORTS.includes(config.effort)) {
    return invalid("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'");
  }
  const { format } = config;
  if (format == null) return null;
  if (format.type !== "json_schema") return invalid("output_config.format.type: Input should be 'json_schema'");
  if (format.schema === undefined) return invalid("output_config.format.schema: Field required");
  return refuseSchema(format.schema, "output_config.format.schema");
}

export function refuseSystem({ system, stop_sequences: stops }) {
  const wellFormed = system === undefined || typeof system === "string" || Array.isArray(system);
  if (!wellFormed) return invalid("system: Input should be a valid list");
  const empty = Array.isArray(system) ? system.findIndex((block) => block?.type !== "text" || typeof block.text !== "string") : -1;
  if (empty >= 0) return invalid(`system.${empty}.type: Input should be 'text'`);
  if (Array.isArray(system) && system.some((block) => block.text === "")) return invalid("system: text content blocks must be non-empty");
  if (stops !== undefined && !Array.isArray(stops)) return invalid("stop_sequences: Input should be a valid list");
  return stops?.some((stop) => !/\S/.test(stop)) ? invalid("stop_sequences: each stop sequence must contain non-whitespace") : null;
}
