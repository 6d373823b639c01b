// OpenAI's SDK for Node, chat completions.
import OpenAI from "openai";
import { fails, FULL, must, PERSON, PICTURE, run, SLOWLY, url, WEATHER } from "./check.mjs";

const at = (apiKey) => new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 }).chat.completions;
const user = (content) => ({ role: "user", content });
const used = (usage) => ({ input: usage.prompt_tokens, output: usage.completion_tokens });
const tools = [{ type: "function", function: { name: "weather", description: "The weather at a place", parameters: WEATHER } }];

run({
  async chat(model, key) {
    const { choices, usage } = await at(key).create({ model, messages: [{ role: "system", content: "Be brief." }, user("Hello.")] });
    must(choices[0].message.content, "no text");
    return used(usage);
  },
  async stream(model, key) {
    const stream = await at(key).create({ model, messages: [user("Hello.")], stream: true, stream_options: { include_usage: true } });
    let text = "", usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    must(text, "no text");
    return used(usage);
  },
  async tools(model, key) {
    const messages = [user("What is the weather? Use the tool.")];
    const runner = at(key).runTools({ model, messages, tools: [{ type: "function", function: { ...tools[0].function, parse: JSON.parse, function: () => "sunny" } }] });
    must(await runner.finalContent(), "no text");
    must(runner.messages.some(({ role }) => role === "tool"), "no call");
  },
  async json(model, key) {
    const { choices } = await at(key).create({ model, messages: [user("Name somebody.")], response_format: { type: "json_schema", json_schema: { name: "person", strict: true, schema: PERSON } } });
    must(Number.isInteger(JSON.parse(choices[0].message.content).age), "not as the schema says");
  },
  async image(model, key) {
    const { choices } = await at(key).create({ model, messages: [user([{ type: "text", text: "What is it?" }, { type: "image_url", image_url: { url: `data:image/png;base64,${PICTURE}` } }])] });
    must(choices[0].message.content, "no text");
  },
  async thinking(model, key) {
    const messages = [user("Think. Use the tool.")];
    const ask = () => at(key).create({ model, messages, tools, reasoning_effort: "high", max_completion_tokens: 30_000 });
    const { message } = (await ask()).choices[0];
    messages.push(message, ...message.tool_calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "sunny" })));
    must((await ask()).choices[0].message.content, "no text");
  },
  async turns(model, key) {
    const messages = [];
    for (const text of ["Hello.", "And?", "So?"]) {
      messages.push(user(text));
      messages.push((await at(key).create({ model, messages })).choices[0].message);
    }
  },
  async errors(model, key) {
    await fails(() => at(key).create({ model: `${model}-none`, messages: [user("Hello.")] }), 404);
    await fails(() => at("mk_none_none").create({ model, messages: [user("Hello.")] }), 401);
    await fails(() => at(key).create({ model, messages: [user(FULL)] }), 429);
  },
  async cancel(model, key) {
    const stream = await at(key).create({ model, messages: [user(SLOWLY)], stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
  },
});
