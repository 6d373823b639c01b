// The clients, in order of how many people use them: each is one small file that
// says what it does.
import { readFileSync } from "node:fs";

const here = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const npm = (name) => () => JSON.parse(here("package.json")).dependencies[name];
const pip = (name) => () => new RegExp(`^${name}==(.*)$`, "m").exec(here("requirements.txt"))?.[1];

export const CHECKS = ["chat", "stream", "tools", "json", "image", "thinking", "turns", "errors", "cancel", "usage = row"];

/**
 * Name → its file, its version, whether CI runs it, what its keys' records say
 * besides, and what the page says of it.
 */
export const CLIENTS = {
  "openai-python-chat": { file: "openai_chat.py", version: pip("openai") },
  "openai-python-responses": { file: "openai_responses.py", version: pip("openai") },
  "openai-node-chat": { file: "openai-node-chat.mjs", version: npm("openai"), fast: true },
  "openai-node-responses": { file: "openai-node-responses.mjs", version: npm("openai"), fast: true },
  "anthropic-python": { file: "anthropic_python.py", version: pip("anthropic") },
  "anthropic-node": { file: "anthropic-node.mjs", version: npm("@anthropic-ai/sdk"), fast: true },
  "ai-sdk-openai": { file: "ai-sdk-openai.mjs", version: npm("@ai-sdk/openai"), fast: true },
  "ai-sdk-anthropic": { file: "ai-sdk-anthropic.mjs", version: npm("@ai-sdk/anthropic"), fast: true },
  "ai-sdk-openai-compatible": { file: "ai-sdk-compatible.mjs", version: npm("@ai-sdk/openai-compatible"), fast: true },
  "langchain-openai": { file: "langchain_openai_chat.py", version: pip("langchain-openai") },
  "langchain-anthropic": { file: "langchain_anthropic_chat.py", version: pip("langchain-anthropic") },
  litellm: { file: "litellm_client.py", version: pip("litellm") },
  "pydantic-ai": { file: "pydantic_ai_client.py", version: pip("pydantic-ai-slim") },
  "openai-agents": { file: "agents_client.py", version: pip("openai-agents") },
  instructor: { file: "instructor_client.py", version: pip("instructor") },
  "claude-code": { file: "claude-code.mjs", version: npm("@anthropic-ai/claude-code") },
  "codex-stock": { file: "codex-stock.mjs", version: npm("@openai/codex"), key: { unsupported: "drop" }, note: "With a key made with `meridian keys create --unsupported drop`, so that the search of the web, which Codex offers by default and the zone does not allow, is left out." },
  codex: { file: "codex.mjs", version: npm("@openai/codex") },
  opencode: { file: "opencode.mjs", version: npm("opencode-ai") },
};
