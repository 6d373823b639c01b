// The provider of the benchmark: as light as can be, in a process of its own,
// so that its CPU is not counted. The request's `seed` says what to answer.
import http from "node:http";

const head = '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795215610,"model":"gpt-5.4-mini-2026-03-17","service_tier":"default","system_fingerprint":"fp_1",';
const usage = '{"prompt_tokens":20,"completion_tokens":200,"total_tokens":220,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}';
const sse = (data, name) => Buffer.from(`${name ? `event: ${name}\n` : ""}data: ${data}\n\n`);
const words = Array.from({ length: 200 }, (_, i) => `word${i * 7919 % 1000}`);

const openai = (count) => [
  ...words.slice(0, count).map((word) => sse(`${head}"choices":[{"index":0,"delta":{"content":" ${word}"},"finish_reason":null}],"usage":null}`)),
  sse(`${head}"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}`),
  sse(`${head}"choices":[],"usage":${usage}}`),
  sse("[DONE]"),
];
const anthropic = (count) => [
  sse('{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-6","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":20,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}}', "message_start"),
  sse('{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}', "content_block_start"),
  ...words.slice(0, count).map((word) => sse(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" ${word}"}}`, "content_block_delta")),
  sse('{"type":"content_block_stop","index":0}', "content_block_stop"),
  sse('{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":200}}', "message_delta"),
  sse('{"type":"message_stop"}', "message_stop"),
];
const streams = { fast: openai(200), slow: openai(50), anthropic: anthropic(200) };
const whole = `{"id":"chatcmpl-1","object":"chat.completion","created":1795215610,"model":"gpt-5.4-mini-2026-03-17","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"message":{"role":"assistant","content":"${words.slice(0, 60).join(" ")}","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":${usage}}`;

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    if (request.method === "GET") return response.end("ok");
    const body = Buffer.concat(parts).toString();
    const kind = request.url.endsWith("/messages") ? "anthropic" : /"seed":(\d)/.exec(body)?.[1] === "2" ? "slow" : "fast";
    if (!body.includes('"stream":true')) {
      response.writeHead(200, { "content-type": "application/json" });
      return response.end(whole);
    }
    request.socket.setNoDelay(true);
    response.writeHead(200, { "content-type": "text/event-stream" });
    const events = streams[kind];
    if (kind !== "slow") {
      for (const event of events) response.write(event);
      return response.end();
    }
    let next = 0;
    const step = () => {
      response.write(events[next++]);
      if (next < 50) return setTimeout(step, 10);
      for (const event of events.slice(next)) response.write(event);
      response.end();
    };
    step();
  });
});
server.listen(0, "127.0.0.1", () => process.send(server.address().port));
