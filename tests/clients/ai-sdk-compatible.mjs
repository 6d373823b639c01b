// The AI SDK with its provider for whatever speaks OpenAI's chat completions.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { tryWith } from "./ai-sdk.mjs";
import { url } from "./check.mjs";

tryWith((apiKey) => createOpenAICompatible({ name: "gateway", apiKey, baseURL: `${url}/v1`, includeUsage: true, supportsStructuredOutputs: true }), { gateway: { reasoningEffort: "high" } });
