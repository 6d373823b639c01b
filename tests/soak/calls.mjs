// The calls of the soak: what is asked, what may go wrong, and what a client
// must see in the end. A seeded generator makes a run repeatable.
import { contentOf } from "./mix.mjs";

/** Countries and the hosts that their zones allow. */
export const ALLOWED = {
  DE: /^(eu\.api\.openai\.com|api\.eu\.mistral\.ai|bedrock-runtime\.eu-(central|west)-1\.amazonaws\.com|bedrock-mantle\.eu-west-1\.api\.aws)$/,
  GB: /^(eu\.api\.openai\.com|bedrock-mantle\.eu-west-1\.api\.aws|bedrock-runtime\.eu-(central-1|west-1|west-2)\.amazonaws\.com)$/,
  US: /^(us\.api\.openai\.com|api\.us\.mistral\.ai|api\.anthropic\.com|bedrock-runtime\.us-east-1\.amazonaws\.com)$/,
  JP: /^(jp\.api\.openai\.com|bedrock-runtime\.ap-northeast-1\.amazonaws\.com)$/,
};

const FAULTS = [
  { status: 500 }, { status: 503 }, { status: 529 }, { status: 408 }, { status: 400 }, { status: 401 },
  { status: 429 }, { status: 429, headers: { "retry-after": "1" } },
  { status: 502, body: "<html>", content_type: "text/html" },
  { refuse_connection: true }, { hang: true }, { garbage: true },
  { error_at_chunk: 0 }, { error_at_chunk: 3 }, { cut_at_byte: 60 }, { cut_at_byte: 900 }, { no_done: true },
  { delay_first_ms: 700 }, { delay_headers_to_first_chunk_ms: 700 },
];

const chat = (model, more) => ({ path: "/v1/chat/completions", body: { model, ...more } });
const messages = (model, more) => ({ path: "/v1/messages", body: { model, max_tokens: 50, ...more } });
const responses = (model, more) => ({ path: "/v1/responses", body: { model, ...more } });
const KINDS = [
  chat("gpt-mini"), chat("gpt-mini", { stream: true }), chat("gpt-mini", { stream: true, stream_options: { include_usage: true } }),
  messages("claude-sonnet"), messages("claude-sonnet", { stream: true }), messages("claude-haiku", { stream: true }),
  responses("gpt-mini"), responses("gpt-mini", { stream: true }),
  chat("claude-sonnet"), chat("claude-sonnet", { stream: true }), responses("claude-sonnet", { stream: true }),
  messages("gpt-mini"), messages("gpt-mini", { stream: true }),
  { path: "/v1/messages/count_tokens", body: { model: "claude-sonnet" } },
];

/** A generator of numbers from 0 to 1 that are the same in each run. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The nth call: a plain one, or of a given kind, see mix.mjs. */
export function makeCall(n, dice, countries = Object.keys(ALLOWED), given = undefined) {
  const pick = (list) => list[Math.floor(dice() * list.length)];
  const kind = given ?? pick(KINDS);
  const { path, body } = kind;
  const usual = (kind.from ?? []).filter((one) => countries.includes(one));
  const country = pick(usual.length > 0 ? usual : countries);
  const faulty = dice() < 0.2;
  const text = `Call ${n} from ${country}: say something about it, please.`;
  const content = contentOf(kind, text);
  const message = { role: "user", content };
  const asked = path !== "/v1/responses" ? { messages: [message] } : { input: kind.parts ? [message] : text };
  return {
    n, path, country, kind: kind.name, hides: kind.hides, thinks: kind.thinks, unpriced: kind.unpriced, headers: kind.headers, sim: kind.sim,
    body: { ...body, ...asked },
    fault: faulty ? pick(FAULTS) : undefined,
    // Some do not wait for the end.
    leaves: body.stream === true && dice() < (kind.leaves ?? 0.03),
  };
}

const STATUSES = new Set([400, 402, 403, 408, 429, 500, 502, 503, 504, 529]);

/** What a client saw: `complete`, `refused`, `broken`, or what is wrong with it. */
export function judge(call, status, text) {
  if (status !== 200) {
    if (!STATUSES.has(status)) return `status ${status}: ${text.slice(0, 300)}`;
    try {
      const { error } = JSON.parse(text);
      if (error.code === "internal_error") return `internal error: ${text}`;
      return typeof error.message === "string" ? "refused" : `no error body: ${text.slice(0, 300)}`;
    } catch {
      // A provider's page, which no SDK minds.
      return text.startsWith("<html>") ? "refused" : `no error body: ${text.slice(0, 300)}`;
    }
  }
  if (!call.body.stream) {
    try {
      JSON.parse(text);
      return "complete";
    } catch {
      return `half a body: ${text.slice(-200)}`;
    }
  }
  const events = text.split("\n\n").filter((event) => event.includes("data:"));
  const last = events.at(-1) ?? "";
  if (/^event: error|"error":\s*\{|"type":"response\.failed"/m.test(last)) return "broken";
  if (/data: \[DONE\]|"type":\s*"(message_stop|response\.completed)"/.test(last)) return "complete";
  // Some providers leave out the last marker; the answer is complete all the same.
  if (/finish_reason":"|message_delta/.test(text)) return "complete";
  return `no end: ${text.slice(-300)}`;
}
