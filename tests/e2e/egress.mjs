// Every way that is known of asking a provider for more than an answer, for each
// dialect that clients speak. `body` is laid over a plain request.
import { ALLOWED_HOST } from "./dialects.mjs";

const CHAT = { path: "/v1/chat/completions", model: "gpt-mini", body: { messages: [{ role: "user", content: "Hello" }] } };
const RESPONSES = { path: "/v1/responses", model: "gpt-mini", body: { input: "Hello" } };
const MESSAGES = { path: "/v1/messages", model: "claude-sonnet", body: { max_tokens: 16, messages: [{ role: "user", content: "Hello" }] } };
const COUNT = { path: "/v1/messages/count_tokens", model: "claude-sonnet", body: { messages: [{ role: "user", content: "Hello" }] } };
const COMPLETIONS = { path: "/v1/completions", model: "gpt-mini", body: { prompt: "Hello" } };
const EMBEDDINGS = { path: "/v1/embeddings", model: "text-embedding-3-small", body: { input: "Hello" } };

/** The plain request of each dialect. */
export const PLAIN = { "openai-chat": CHAT, "openai-responses": RESPONSES, "anthropic-messages": MESSAGES, "anthropic-count-tokens": COUNT, "openai-completions": COMPLETIONS, "openai-embeddings": EMBEDDINGS };

const FILE = `https://${ALLOWED_HOST}/a.pdf`;
const ELSEWHERE = "https://evil.example/?q=secret";
const parts = (...content) => ({ messages: [{ role: "user", content: [{ type: "text", text: "Look." }, ...content] }] });
const items = (...content) => ({ input: [{ role: "user", content: [{ type: "input_text", text: "Look." }, ...content] }] });
const tool = (...tools) => ({ tools });
const fn = { type: "function", function: { name: "look", parameters: { type: "object" } } };
const bash = { type: "bash_20250124", name: "bash" };

/** Dialect, kind, what it is called, body, headers. */
export const ASKS = [
  ["openai-chat", "remote-url", "an image at an address", parts({ type: "image_url", image_url: { url: FILE } })],
  ["openai-chat", "remote-url", "an image at a host that nobody names", parts({ type: "image_url", image_url: { url: ELSEWHERE } })],
  ["openai-chat", "stored-file", "a file by its id", parts({ type: "file", file: { file_id: "file-1" } })],
  ["openai-chat", "stored-response", "`store: true`", { store: true }],
  ["openai-chat", "stored-item", "a spoken answer by its id", { messages: [{ role: "user", content: "a" }, { role: "assistant", audio: { id: "audio_1" } }, { role: "user", content: "b" }] }],
  ["openai-chat", "cache", "a cache of a day", { prompt_cache_retention: "24h" }],
  ["openai-chat", "web-search", "`web_search_options`", { web_search_options: {} }],
  ["openai-chat", "web-search", "xAI's `search_parameters`", { search_parameters: { mode: "auto" } }],
  ["openai-chat", "code-execution", "a code interpreter", tool(fn, { type: "code_interpreter" })],
  ["openai-chat", "file-search", "a document library", tool({ type: "document_library", library_ids: [] })],
  ["openai-chat", "image-generation", "a picture", tool({ type: "image_generation" })],
  ["openai-chat", "mcp", "a connector", tool({ type: "mcp", connector_id: "connector_gmail" })],
  ["openai-chat", "background", "`background`", { background: true }],
  ["openai-chat", "other-model", "models to fall back to", { models: ["a/b"] }],
  ["openai-chat", "tier", "a service tier that nobody knows", { service_tier: "ultrafast" }],
  ["openai-chat", "place", "`inference_geo`", { inference_geo: "global" }],
  ["openai-chat", "unknown", "a type of tool that nobody knows", tool({ type: "shiny" })],
  ["openai-chat", "unknown", "a field that nobody knows", { shiny: { url: ELSEWHERE } }],

  ["openai-responses", "remote-url", "an image at an address", items({ type: "input_image", image_url: FILE })],
  ["openai-responses", "remote-url", "a file at a host that nobody names", items({ type: "input_file", file_url: ELSEWHERE })],
  ["openai-responses", "stored-file", "a file by its id", items({ type: "input_file", file_id: "file-1" })],
  ["openai-responses", "stored-response", "`store: true`", { store: true }],
  ["openai-responses", "stored-response", "an answer of before by its id", { previous_response_id: "resp_of_another_team" }],
  ["openai-responses", "stored-item", "a part of an answer by its id", { input: [{ type: "item_reference", id: "msg_1" }, { role: "user", content: "b" }] }],
  ["openai-responses", "stored-item", "the same without its type", { input: [{ id: "msg_1" }, { role: "user", content: "b" }] }],
  ["openai-responses", "conversation", "a conversation", { conversation: "conv_1" }],
  ["openai-responses", "stored-prompt", "a stored prompt", { prompt: { id: "pmpt_1" } }],
  ["openai-responses", "background", "`background`", { background: true }],
  ["openai-responses", "cache", "a cache of a day", { prompt_cache_retention: "24h" }],
  ["openai-responses", "web-search", "a web search", tool({ type: "web_search" })],
  ["openai-responses", "file-search", "a search in stored files", tool({ type: "file_search", vector_store_ids: ["vs_1"] })],
  ["openai-responses", "code-execution", "a code interpreter", tool({ type: "code_interpreter", container: { type: "auto" } })],
  ["openai-responses", "container", "a container by its id", tool({ type: "shell", environment: { type: "container_reference", container_id: "cntr_1" } })],
  ["openai-responses", "image-generation", "a picture", tool({ type: "image_generation" })],
  ["openai-responses", "mcp", "a server of the caller's", tool({ type: "mcp", server_label: "a", server_url: `https://${ALLOWED_HOST}/mcp` })],
  ["openai-responses", "mcp-server", "a server at a host that nobody names", tool({ type: "mcp", server_label: "a", server_url: ELSEWHERE })],
  ["openai-responses", "mcp", "a connector", tool({ type: "mcp", server_label: "a", connector_id: "connector_gmail" })],
  ["openai-responses", "other-model", "another model that checks", { moderation: { model: "omni-moderation-latest" } }],
  ["openai-responses", "tier", "a service tier that nobody knows", { service_tier: "ultrafast" }],
  ["openai-responses", "unknown", "a type of tool that nobody knows", tool({ type: "shiny" })],
  ["openai-responses", "unknown", "a type of item that nobody knows", { input: [{ type: "shiny", id: "a", url: ELSEWHERE }] }],
  ["openai-responses", "unknown", "a field that nobody knows", { shiny: true }],

  ["anthropic-messages", "remote-url", "an image at an address", parts({ type: "image", source: { type: "url", url: FILE } })],
  ["anthropic-messages", "remote-url", "a document at a host that nobody names", parts({ type: "document", source: { type: "url", url: ELSEWHERE } })],
  ["anthropic-messages", "stored-file", "a file by its id", parts({ type: "document", source: { type: "file", file_id: "file_1" } })],
  ["anthropic-messages", "stored-file", "the beta of stored files", {}, { "anthropic-beta": "files-api-2025-04-14" }],
  ["anthropic-messages", "web-search", "a web search", tool(bash, { type: "web_search_20250305", name: "web_search" })],
  ["anthropic-messages", "web-fetch", "a web fetch", tool({ type: "web_fetch_20250910", name: "web_fetch" })],
  ["anthropic-messages", "code-execution", "code execution", tool({ type: "code_execution_20250825", name: "code_execution" })],
  ["anthropic-messages", "container", "a container", { container: "container_1" }],
  ["anthropic-messages", "mcp", "a server of the caller's", { mcp_servers: [{ type: "url", name: "a", url: `https://${ALLOWED_HOST}/mcp` }] }, { "anthropic-beta": "mcp-client-2025-11-20" }],
  ["anthropic-messages", "remote-url", "a server at a host that nobody names", { mcp_servers: [{ type: "url", name: "a", url: ELSEWHERE }] }, { "anthropic-beta": "mcp-client-2025-11-20" }],
  ["anthropic-messages", "mcp", "the same beta in the body", { anthropic_beta: ["mcp-client-2025-11-20"] }],
  ["anthropic-messages", "conversation", "a thread", { thread: { type: "create" } }],
  ["anthropic-messages", "stored-item", "a message of before by its id", { diagnostics: { previous_message_id: "msg_1" } }],
  ["anthropic-messages", "other-model", "models to fall back to", { fallbacks: [{ model: "claude-opus-4-6" }] }],
  ["anthropic-messages", "other-model", "an advisor", tool({ type: "advisor_20260301", name: "advisor", model: "claude-opus-4-6" })],
  ["anthropic-messages", "tier", "`speed: fast`", { speed: "fast" }],
  ["anthropic-messages", "place", "`inference_geo`", { inference_geo: "global" }],
  ["anthropic-messages", "unknown", "a type of tool that nobody knows", tool({ type: "shiny_20270101", name: "shiny" })],
  ["anthropic-messages", "unknown", "a type of part that nobody knows", parts({ type: "shiny" })],
  ["anthropic-messages", "unknown", "a field that nobody knows", { shiny: 1 }],

  ["anthropic-count-tokens", "remote-url", "an image at an address", parts({ type: "image", source: { type: "url", url: FILE } })],
  ["anthropic-count-tokens", "mcp", "a server of the caller's", { mcp_servers: [{ type: "url", name: "a", url: `https://${ALLOWED_HOST}/mcp` }] }],

  ["openai-completions", "cache", "a cache of a day", { prompt_cache_retention: "24h" }],
  ["openai-completions", "other-model", "models to fall back to", { fallbacks: ["a"] }],
  ["openai-completions", "tier", "a service tier that nobody knows", { service_tier: "ultrafast" }],
  ["openai-completions", "unknown", "a field that nobody knows", { shiny: [1] }],

  ["openai-embeddings", "remote-url", "an image at an address", { input: [{ type: "image_url", image_url: FILE }] }],
  ["openai-embeddings", "other-model", "providers to fall back to", { fallbacks: ["a"] }],
  ["openai-embeddings", "unknown", "a field that nobody knows", { shiny: [1] }],
];

/** Of these, what is offered to the model and may be left out: dialect and what it is called. */
export const OFFERED = [
  ["openai-chat", "a code interpreter"], ["openai-chat", "a document library"], ["openai-chat", "a picture"],
  ["openai-responses", "a web search"], ["openai-responses", "a search in stored files"], ["openai-responses", "a code interpreter"], ["openai-responses", "a picture"],
  ["anthropic-messages", "a web search"], ["anthropic-messages", "a web fetch"], ["anthropic-messages", "code execution"],
];

/** What clients run themselves: no egress, passed on untouched. */
export const CLIENT_RUN = [
  ["openai-chat", "functions", tool(fn)],
  ["openai-responses", "functions, custom tools, a local shell, patches", { store: false, ...tool({ type: "function", name: "look", parameters: { type: "object" } }, { type: "custom", name: "patch", format: { type: "grammar", syntax: "lark", definition: "start: A" } }, { type: "local_shell" }, { type: "apply_patch" }) }],
  ["anthropic-messages", "bash, text editor, memory, computer, custom tools", tool(bash, { type: "text_editor_20250728", name: "str_replace_based_edit_tool" }, { type: "memory_20250818", name: "memory" }, { type: "computer_20250124", name: "computer", display_width_px: 10, display_height_px: 10 }, { name: "look", input_schema: { type: "object", properties: { url: { type: "string" }, type: { const: "mcp" } } } })],
];
