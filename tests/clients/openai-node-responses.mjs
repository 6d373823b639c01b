// OpenAI's SDK for Node, responses.
import OpenAI from "openai";
import { fails, FULL, must, PERSON, PICTURE, run, SLOWLY, url, WEATHER } from "./check.mjs";

const at = (apiKey) => new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 }).responses;
const user = (content) => ({ role: "user", content });
const used = (usage) => ({ input: usage.input_tokens, output: usage.output_tokens });
const tools = [{ type: "function", name: "weather", description: "The weather at a place", parameters: WEATHER, strict: true }];

/** Asks, answers each call, and asks again with all that came. */
async function loop(key, ask, text) {
  const input = [user(text)];
  const first = await at(key).create({ ...ask, tools, store: false, input });
  const calls = first.output.filter(({ type }) => type === "function_call");
  must(calls.length > 0, "no call");
  input.push(...first.output, ...calls.map(({ call_id }) => ({ type: "function_call_output", call_id, output: "sunny" })));
  const second = await at(key).create({ ...ask, tools, store: false, input });
  must(second.output_text, "no text");
  return first;
}

run({
  async chat(model, key) {
    const answer = await at(key).create({ model, instructions: "Be brief.", input: "Hello." });
    must(answer.output_text, "no text");
    return used(answer.usage);
  },
  async stream(model, key) {
    const answer = await at(key).stream({ model, input: "Hello." }).finalResponse();
    must(answer.output_text, "no text");
    return used(answer.usage);
  },
  tools: (model, key) => loop(key, { model }, "What is the weather? Use the tool.").then(() => undefined),
  async json(model, key) {
    const answer = await at(key).create({ model, input: "Name somebody.", text: { format: { type: "json_schema", name: "person", strict: true, schema: PERSON } } });
    must(Number.isInteger(JSON.parse(answer.output_text).age), "not as the schema says");
  },
  async image(model, key) {
    must((await at(key).create({ model, input: [user([{ type: "input_text", text: "What is it?" }, { type: "input_image", detail: "auto", image_url: `data:image/png;base64,${PICTURE}` }])] })).output_text, "no text");
  },
  async thinking(model, key) {
    const first = await loop(key, { model, reasoning: { effort: "high", summary: "auto" }, include: ["reasoning.encrypted_content"] }, "Think. Use the tool.");
    must(first.output.some(({ type }) => type === "reasoning"), "no thoughts");
  },
  async turns(model, key) {
    const input = [];
    for (const text of ["Hello.", "And?", "So?"]) {
      input.push(user(text));
      input.push(...(await at(key).create({ model, input, store: false })).output);
    }
  },
  async errors(model, key) {
    await fails(() => at(key).create({ model: `${model}-none`, input: "Hello." }), 404);
    await fails(() => at("mk_none_none").create({ model, input: "Hello." }), 401);
    await fails(() => at(key).create({ model, input: FULL }), 429);
  },
  async cancel(model, key) {
    const stream = await at(key).create({ model, input: SLOWLY, stream: true });
    for await (const event of stream) if (event.type === "response.output_text.delta") break;
  },
});
