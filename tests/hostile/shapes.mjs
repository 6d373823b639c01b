// Bodies that try to be more work than their length. A shape is told the route
// it goes and how many bytes it may have; a generator makes further ones.

/** The ways through the gateway: what is called, and in whose dialect it goes on. */
export const ROUTES = {
  "chat, as it is": { path: "/v1/chat/completions", api: "chat", model: "gpt-mini" },
  "chat to messages": { path: "/v1/chat/completions", api: "chat", model: "claude-sonnet" },
  "messages, as they are": { path: "/v1/messages", api: "messages", model: "claude-sonnet" },
  "messages to chat": { path: "/v1/messages", api: "messages", model: "gpt-mini" },
  "responses to messages": { path: "/v1/responses", api: "responses", model: "claude-sonnet" },
};

const TEXT = "The quick brown fox jumps over the lazy dog, and what it finds there it takes home. ";
const hello = { role: "user", content: "Hello" };

/** Pieces until there are so many bytes. */
function many(size, piece) {
  const all = [];
  for (let bytes = 0, at = 0; bytes < size; at++) {
    all.push(piece(at));
    bytes += all[at].length + 1;
  }
  return all.join(",");
}

function around({ api, model }, talk, rest = "") {
  const list = api === "responses" ? "input" : "messages";
  const limit = api === "messages" ? ',"max_tokens":9' : "";
  return `{"model":"${model}"${limit},"${list}":[${talk}]${rest}}`;
}

const HELLO = JSON.stringify(hello);
const said = (route, text) => around(route, `{"role":"user","content":"${text}"}`);
const parts = (route, list) => around(route, `{"role":"user","content":[${list}]}`);
const part = ({ api }, text, more = "") => `{"type":"${api === "responses" ? "input_text" : "text"}","text":"${text}"${more}}`;
const again = (piece, size) => piece.repeat(Math.ceil(size / piece.length));

/** An ordinary conversation: what the others are measured by. */
export const plain = (route, size) => around(route, many(size, (at) => JSON.stringify({ role: at % 2 ? "assistant" : "user", content: TEXT.repeat(1 + (at % 5)) })));

const picture = ({ api }, data) => ({
  chat: `{"type":"image_url","image_url":{"url":"data:image/png;base64,${data}"}}`,
  responses: `{"type":"input_image","image_url":"data:image/png;base64,${data}"}`,
  messages: `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"${data}"}}`,
})[api];
const call = ({ api }, at, input) => ({
  chat: `{"role":"assistant","content":null,"tool_calls":[{"id":"c${at}","type":"function","function":{"name":"f","arguments":${JSON.stringify(input)}}}]},{"role":"tool","tool_call_id":"c${at}","content":"ok"}`,
  responses: `{"type":"function_call","call_id":"c${at}","name":"f","arguments":${JSON.stringify(input)}},{"type":"function_call_output","call_id":"c${at}","output":"ok"}`,
  messages: `{"role":"assistant","content":[{"type":"tool_use","id":"c${at}","name":"f","input":${input}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c${at}","content":"ok"}]}`,
})[api];
const tool = ({ api }, at, schema) => ({
  chat: `{"type":"function","function":{"name":"f${at}","parameters":${schema}}}`,
  responses: `{"type":"function","name":"f${at}","parameters":${schema}}`,
  messages: `{"name":"f${at}","input_schema":${schema}}`,
})[api];
const thought = ({ api }, at) => ({
  chat: `{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"s${at}"}]}`,
  responses: `{"type":"reasoning","id":"r${at}","summary":[],"encrypted_content":"e${at}"}`,
  messages: `{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s${at}"}]}`,
})[api];
const form = ({ api }, schema) => ({
  chat: `,"response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d","schema":${schema}}}`,
  responses: `,"text":{"format":{"type":"json_schema","name":"n","description":"d","schema":${schema}}}`,
  messages: `,"output_config":{"format":{"type":"json_schema","schema":${schema}}}`,
})[api];
const inside = (route, json) => around(route, HELLO, `,"x":${json}`);

/** What was thought of. */
export const SHAPES = {
  "one long text": (route, size) => said(route, again(TEXT, size)),
  "many keys": (route, size) => around(route, HELLO, `,${many(size, (at) => `"k${at}":0`)}`),
  "many keys of an object": (route, size) => around(route, HELLO, `,"metadata":{${many(size, (at) => `"k${at}":"v"`)}}`),
  "long keys that differ at their end": (route, size) => around(route, HELLO, `,${many(size, (at) => `"${"k".repeat(150)}${at}":0`)}`),
  "one key again and again": (route, size) => around(route, HELLO, `,${many(size, () => '"k":0')}`),
  "keys of a message": (route, size) => around(route, `{"role":"user","content":"x",${many(size, (at) => `"k${at}":0`)}}`),
  "zeros": (route, size) => inside(route, `[${many(size, () => "0")}]`),
  "zeros as the conversation": (route, size) => around(route, many(size, () => "0")),
  "numbers": (route, size) => inside(route, `[${many(size, (at) => `-1.${at}e-7`)}]`),
  "one long number": (route, size) => around(route, HELLO, `,"temperature":0.${"1".repeat(size)}`),
  "lists in lists": (route, size) => inside(route, `[${many(size, () => "[".repeat(100) + "]".repeat(100))}]`),
  "objects in objects": (route, size) => inside(route, `[${many(size, () => '{"a":'.repeat(100) + "0" + "}".repeat(100))}]`),
  "deeper than anything": (route, size) => inside(route, "[".repeat(size / 2) + "]".repeat(size / 2)),
  "escapes": (route, size) => said(route, again('\\n\\"\\\\', size)),
  "surrogates": (route, size) => said(route, again("\\ud83d\\ude00\\u00e9", size)),
  "lone surrogates": (route, size) => said(route, again("\\ud800", size)),
  "letters of four bytes": (route, size) => said(route, again("😀", size / 2)),
  "escapes in keys": (route, size) => around(route, HELLO, `,${many(size, (at) => `"\\u006b\\"${at}":0`)}`),
  "base64": (route, size) => parts(route, picture(route, again("QUJD", size))),
  "many pictures": (route, size) => parts(route, many(size, () => picture(route, "AAAA"))),
  "small messages": (route, size) => around(route, many(size, () => '{"role":"user","content":"x"}')),
  "messages in turn": (route, size) => around(route, many(size, (at) => `{"role":"${at % 2 ? "assistant" : "user"}","content":"x"}`)),
  "system messages": (route, size) => around(route, many(size, (at) => `{"role":"${at ? "system" : "user"}","content":"x"}`)),
  "small parts": (route, size) => parts(route, many(size, () => part(route, "x"))),
  "parts nobody knows": (route, size) => parts(route, many(size, (at) => `{"type":"odd${at}"}`)),
  "parts with unknown fields": (route, size) => parts(route, many(size, (at) => part(route, "x", `,"odd${at}":1`))),
  "cache marks": (route, size) => parts(route, many(size, () => part(route, "x", ',"cache_control":{"type":"ephemeral"}'))),
  "calls and results": (route, size) => around(route, many(size, (at) => call(route, at, `{"a":[1,2,${at}]}`))),
  "a call with zeros": (route, size) => around(route, call(route, 1, `{"a":[${many(size, () => "0")}]}`)),
  "small tools": (route, size) => around(route, HELLO, `,"tools":[${many(size, (at) => tool(route, at, '{"type":"object","properties":{"a":{"type":"string"}}}'))}]`),
  "a schema of zeros": (route, size) => around(route, HELLO, `,"tools":[${tool(route, 1, `{"type":"object","enum":[${many(size, () => "0")}]}`)}]`),
  "arguments in arguments": (route, size) => around(route, `{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":[${again('{"input":[', 600)}"${again("x", size)}"${again("]}", 120)}]}]}`),
  "a described form": (route, size) => around(route, HELLO, form(route, `{"enum":[${many(size, () => "0")}]}`)),
  "tools of unknown types": (route, size) => around(route, HELLO, `,"tools":[${many(size, (at) => `{"type":"odd_${at}","name":"n"}`)}]`),
  "types again and again": (route, size) => around(route, HELLO, `,"tools":[{${many(size, () => '"type":"mcp"')}}]`),
  "addresses": (route, size) => parts(route, `{${many(size, (at) => `"url":"https://h${at}.example/"`)}}`),
  "thoughts": (route, size) => around(route, many(size, (at) => thought(route, at))),
  "stop sequences": (route, size) => around(route, HELLO, `,"${route.api === "messages" ? "stop_sequences" : "stop"}":[${many(size, (at) => `"s${at}"`)}]`),
  "tags": (route, size) => around(route, HELLO, `,"metadata":{"feature":"${again("f", size / 2)}",${many(size / 2, (at) => `"t${at}":"v"`)}}`),
  "options of a stream": (route, size) => around(route, HELLO, `,"stream":false,"stream_options":{${many(size, (at) => `"k${at}":0`)}}`),
  "spaces": (route, size) => around(route, HELLO, again(" \n\t", size)),
  "a long path": (route, size) => around(route, HELLO, `,"${again("p", size / 2)}":{${many(size / 2, (at) => `"k${at}":{}`)}}`),
};

/** Numbers that look random, the same ones for the same seed. */
export function dice(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { below: (most) => Math.floor(next() * most), of: (list) => list[Math.floor(next() * list.length)] };
}

const NAMES = ["type", "role", "content", "text", "name", "id", "input", "url", "image_url", "source", "tools", "tool_calls", "function", "arguments", "parameters", "input_schema", "cache_control", "metadata", "signature", "reasoning_details", "thinking", "data", "stop", "k", "é", "\\u006b", "a\\\"b"];
const WORDS = ["user", "assistant", "system", "tool", "text", "input_text", "image", "image_url", "tool_use", "tool_result", "function", "thinking", "message", "reasoning", "ephemeral", "x", "", "\\ud800", "\\n\\n", "https://a.example/", "data:image/png;base64,AA"];

/** A piece of JSON that is repeated, found by throwing dice. Its `@` become numbers. */
function piece(roll, depth) {
  const kind = roll.below(depth > 3 ? 4 : 7);
  const name = () => `"${roll.of(NAMES)}${roll.below(3) ? "" : "@"}"`;
  switch (kind) {
    case 0: return roll.of(["0", "-1.5e-9", "true", "null", "9007199254740993"]);
    case 1: case 2: return `"${roll.of(WORDS)}${roll.below(3) ? "" : "@"}"`;
    case 3: return roll.of(["{}", "[]"]);
    case 4: return `[${Array.from({ length: 1 + roll.below(4) }, () => piece(roll, depth + 1)).join(",")}]`;
    default: return `{${Array.from({ length: 1 + roll.below(4) }, () => `${name()}:${piece(roll, depth + 1)}`).join(",")}}`;
  }
}

/** A shape nobody thought of: a piece again and again, in some place. */
export function found(seed) {
  const roll = dice(seed);
  const one = piece(roll, 0);
  const place = roll.of(["talk", "parts", "tools", "list", "fields"]);
  const body = (route, size) => {
    const all = many(size, (at) => (place === "fields" ? `"f${at}":${one}` : one).replaceAll("@", at));
    switch (place) {
      case "talk": return around(route, all);
      case "parts": return parts(route, all);
      case "tools": return around(route, HELLO, `,"tools":[${all}]`);
      case "list": return inside(route, `[${all}]`);
      default: return around(route, HELLO, `,${all}`);
    }
  };
  return { name: `seed ${seed}: ${place} of ${one.length > 60 ? `${one.slice(0, 60)}…` : one}`, body };
}
