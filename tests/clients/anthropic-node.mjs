// Anthropic's SDK for Node.
import Anthropic from "@anthropic-ai/sdk";
import { fails, FULL, must, PERSON, PICTURE, run, SLOWLY, url, WEATHER } from "./check.mjs";

const at = (apiKey) => new Anthropic({ apiKey, baseURL: url, maxRetries: 0 }).messages;
const user = (content) => ({ role: "user", content });
const used = (usage) => ({ input: usage.input_tokens, output: usage.output_tokens });
const said = ({ content }) => content.filter(({ type }) => type === "text").map(({ text }) => text).join("");
const tools = [{ name: "weather", description: "The weather at a place", input_schema: WEATHER }];
const max_tokens = 4096;

/** Asks, answers each call, and asks again with all that came. */
async function loop(key, ask) {
  const messages = [user("What is the weather? Use the tool.")];
  const first = await at(key).create({ ...ask, messages });
  const results = first.content.filter(({ type }) => type === "tool_use").map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: "sunny" }));
  must(results.length > 0, "no call");
  messages.push({ role: "assistant", content: first.content }, user(results));
  const second = await at(key).create({ ...ask, messages });
  must(said(second), "no text");
  return first;
}

run({
  async chat(model, key) {
    const answer = await at(key).create({ model, max_tokens, system: "Be brief.", messages: [user("Hello.")] });
    must(said(answer), "no text");
    return used(answer.usage);
  },
  async stream(model, key) {
    const answer = await at(key).stream({ model, max_tokens, messages: [user("Hello.")] }).finalMessage();
    must(said(answer), "no text");
    return used(answer.usage);
  },
  tools: (model, key) => loop(key, { model, max_tokens, tools }).then(() => undefined),
  async json(model, key) {
    const answer = await at(key).create({ model, max_tokens, messages: [user("Name somebody.")], output_config: { format: { type: "json_schema", schema: PERSON } } });
    must(Number.isInteger(JSON.parse(said(answer)).age), "not as the schema says");
  },
  async image(model, key) {
    must(said(await at(key).create({ model, max_tokens, messages: [user([{ type: "image", source: { type: "base64", media_type: "image/png", data: PICTURE } }, { type: "text", text: "What is it?" }])] })), "no text");
  },
  async thinking(model, key) {
    const first = await loop(key, { model, max_tokens, tools, thinking: { type: "enabled", budget_tokens: 2048 } });
    must(first.content.some(({ type }) => type === "thinking"), "no thoughts");
  },
  async turns(model, key) {
    const messages = [];
    for (const text of ["Hello.", "And?", "So?"]) {
      messages.push(user(text));
      const { content } = await at(key).create({ model, max_tokens, messages });
      messages.push({ role: "assistant", content });
    }
  },
  async errors(model, key) {
    await fails(() => at(key).create({ model: `${model}-none`, max_tokens, messages: [user("Hello.")] }), 404);
    await fails(() => at("mk_none_none").create({ model, max_tokens, messages: [user("Hello.")] }), 401);
    await fails(() => at(key).create({ model, max_tokens, messages: [user(FULL)] }), 429);
  },
  async cancel(model, key) {
    const stream = await at(key).create({ model, max_tokens, messages: [user(SLOWLY)], stream: true });
    for await (const event of stream) if (event.type === "content_block_delta") break;
  },
});
