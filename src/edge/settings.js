// The configuration that lies beside the wasm: the build writes config.json.
// As bytes: a text would cross to wasm letter by letter.
import bytes from "./config.json";

export function configuration() {
  return new Uint8Array(bytes);
}
