// Claude Code, with one prompt that makes it call a tool.
import { must, run, url } from "./check.mjs";
import { cli, events } from "./cli.mjs";

function claude(model, key, prompt) {
  const env = { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key, ANTHROPIC_SMALL_FAST_MODEL: model, ANTHROPIC_DEFAULT_HAIKU_MODEL: model, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1", DISABLE_AUTOUPDATER: "1", CLAUDE_CODE_MAX_RETRIES: "0" };
  return cli("claude", ["-p", prompt, "--model", model, "--output-format", "stream-json", "--verbose", "--tools", "Read"], env);
}

async function answered(model, key, prompt) {
  const { out, err, code } = await claude(model, key, prompt);
  const end = events(out).findLast(({ type }) => type === "result");
  must(end && !end.is_error && end.result, end?.result || err.trim() || out.slice(-300) || `it ended with ${code}`);
}

run({
  chat: (model, key) => answered(model, key, "Say hello."),
  tools: (model, key) => answered(model, key, "Use the tool."),
  async errors(model, key) {
    const { out } = await claude(`${model}-none`, key, "Say hello.");
    const end = events(out).findLast(({ type }) => type === "result");
    must(end?.is_error, "no error");
    must(end.result.includes(`${model}-none`), `an error that does not name the model: ${end.result}`);
  },
}, { seconds: 70 });
