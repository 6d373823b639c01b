// The AI SDK with its provider for Anthropic.
import { createAnthropic } from "@ai-sdk/anthropic";
import { tryWith } from "./ai-sdk.mjs";
import { url } from "./check.mjs";

tryWith((apiKey) => createAnthropic({ apiKey, baseURL: `${url}/v1` }), { anthropic: { thinking: { type: "enabled", budgetTokens: 2048 } } });
