// What Codex is asked, with one prompt that makes it call a tool.
import { must, run, url } from "./check.mjs";
import { cli, events } from "./cli.mjs";

/** more: lines of its configuration beside those that name the gateway. */
export function tryWith(more) {
  const codex = (model, key, prompt) => {
    const config = [`model = "${model}"`, 'model_provider = "gateway"', ...more, "[model_providers.gateway]", 'name = "Gateway"', `base_url = "${url}/v1"`, 'env_key = "GATEWAY_KEY"', 'wire_api = "responses"', "request_max_retries = 0", "stream_max_retries = 0", ""];
    return cli("codex", ["exec", "--json", "--skip-git-repo-check", "--sandbox", "read-only", prompt], { GATEWAY_KEY: key }, { ".codex/config.toml": config.join("\n") });
  };
  async function answered(model, key, prompt) {
    const { out, err, code } = await codex(model, key, prompt);
    const all = events(out);
    const failed = all.findLast(({ type }) => type === "turn.failed" || type === "error");
    must(!failed && code === 0, failed?.error?.message ?? failed?.message ?? (err.trim().split("\n").at(-1) || `it ended with ${code}`));
    must(all.some(({ type, item }) => type === "item.completed" && item.type === "agent_message" && item.text), "no text");
  }
  run({
    chat: (model, key) => answered(model, key, "Say hello."),
    tools: (model, key) => answered(model, key, "Use the tool."),
    async errors(model, key) {
      const { code, out } = await codex(`${model}-none`, key, "Say hello.");
      must(code !== 0, "no error");
      const said = events(out).findLast(({ type }) => type === "turn.failed")?.error.message ?? out;
      must(said.includes(`${model}-none`), `an error that does not name the model: ${said}`);
    },
  }, { seconds: 70 });
}
