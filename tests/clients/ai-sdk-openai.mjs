// The AI SDK with its provider for OpenAI, which asks for responses.
import { createOpenAI } from "@ai-sdk/openai";
import { tryWith } from "./ai-sdk.mjs";
import { url } from "./check.mjs";

tryWith((apiKey) => createOpenAI({ apiKey, baseURL: `${url}/v1` }), { openai: { reasoningEffort: "high", reasoningSummary: "auto" } });
