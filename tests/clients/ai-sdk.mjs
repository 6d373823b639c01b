// What the AI SDK (`ai`) is asked with each of its providers.
import { generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { fails, FULL, must, PICTURE, run, SLOWLY } from "./check.mjs";

const used = ({ inputTokens, outputTokens }) => ({ input: inputTokens, output: outputTokens });
const tools = { weather: tool({ description: "The weather at a place", inputSchema: z.object({ place: z.string() }), execute: async () => "sunny" }) };

/** at: (key) => (model) => a model of the provider; thinking: its options for that. */
export function tryWith(at, thinking) {
  const ask = (model, key, more) => ({ model: at(key)(model), maxRetries: 0, ...more });
  run({
    async chat(model, key) {
      const { text, usage } = await generateText(ask(model, key, { system: "Be brief.", prompt: "Hello." }));
      must(text, "no text");
      return used(usage);
    },
    async stream(model, key) {
      const answer = streamText(ask(model, key, { prompt: "Hello.", onError: () => {} }));
      must(await answer.text, "no text");
      return used(await answer.usage);
    },
    async tools(model, key) {
      const { text, steps } = await generateText(ask(model, key, { prompt: "What is the weather? Use the tool.", tools, stopWhen: stepCountIs(3) }));
      must(steps.length > 1, "no call");
      must(text, "no text");
    },
    async json(model, key) {
      const schema = z.object({ name: z.string().min(1), age: z.number().int().min(0).max(150) });
      const answer = await generateObject(ask(model, key, { prompt: "Name somebody.", schema })).catch((error) => {
        // The simulator knows types and not bounds: an answer that came is a pass.
        if (error.name === "AI_NoObjectGeneratedError" && error.text) return { object: JSON.parse(error.text) };
        throw error;
      });
      must("age" in answer.object, "not as the schema says");
    },
    async image(model, key) {
      const content = [{ type: "text", text: "What is it?" }, { type: "image", image: Buffer.from(PICTURE, "base64"), mediaType: "image/png" }];
      must((await generateText(ask(model, key, { messages: [{ role: "user", content }] }))).text, "no text");
    },
    async thinking(model, key) {
      const answer = await generateText(ask(model, key, { prompt: "Think. Use the tool.", tools, stopWhen: stepCountIs(3), providerOptions: thinking }));
      must(answer.steps.length > 1 && answer.text, "no call");
    },
    async turns(model, key) {
      const messages = [];
      for (const content of ["Hello.", "And?", "So?"]) {
        messages.push({ role: "user", content });
        messages.push(...(await generateText(ask(model, key, { messages }))).response.messages);
      }
    },
    async errors(model, key) {
      await fails(() => generateText(ask(`${model}-none`, key, { prompt: "Hello." })), 404);
      await fails(() => generateText(ask(model, "mk_none_none", { prompt: "Hello." })), 401);
      await fails(() => generateText(ask(model, key, { prompt: FULL })), 429);
    },
    async cancel(model, key) {
      const leaving = new AbortController();
      const answer = streamText(ask(model, key, { prompt: SLOWLY, abortSignal: leaving.signal, onError: () => {} }));
      for await (const text of answer.textStream) if (text) break;
      leaving.abort();
    },
  });
}
