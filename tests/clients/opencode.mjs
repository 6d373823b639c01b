// opencode, with one prompt that makes it call a tool.
import { must, run, url } from "./check.mjs";
import { cli, events } from "./cli.mjs";

function opencode(model, key, prompt) {
  const config = { share: "disabled", autoupdate: false, provider: { gateway: { npm: "@ai-sdk/openai-compatible", name: "Gateway", options: { baseURL: `${url}/v1`, apiKey: key }, models: { [model]: { name: model } } } }, model: `gateway/${model}`, small_model: `gateway/${model}` };
  return cli("opencode", ["run", "--format", "json", "--model", `gateway/${model}`, prompt], { OPENCODE_DISABLE_AUTOUPDATE: "1", OPENCODE_DISABLE_MODELS_FETCH: "1" }, { ".config/opencode/opencode.json": JSON.stringify(config) });
}

async function answered(model, key, prompt) {
  const { out, err, code } = await opencode(model, key, prompt);
  const all = events(out);
  const failed = all.findLast(({ type }) => type === "error");
  must(!failed && all.some(({ type, part }) => type === "text" && part.text), failed?.error?.data?.message ?? failed?.error?.name ?? (err.trim().split("\n").at(-1) || `it ended with ${code}`));
}

run({
  chat: (model, key) => answered(model, key, "Say hello."),
  tools: (model, key) => answered(model, key, "Use the tool."),
  async errors(model, key) {
    const { out, code } = await opencode(`${model}-none`, key, "Say hello.");
    const failed = events(out).findLast(({ type }) => type === "error");
    must(code !== 0 || failed, "no error");
    const said = failed?.error?.data?.message ?? out;
    must(said.includes(`${model}-none`), `an error that does not name the model: ${said}`);
  },
}, { seconds: 70 });
