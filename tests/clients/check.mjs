// What the files of Node clients share: what they are to ask, and how they report.
// A check is a function of a model's name that throws if something is wrong; of a
// check that is left out the client has no such feature. What it returns as
// `{input, output}` is what the client was told that it used.
const given = JSON.parse(process.env.CLIENT ?? "null");

export const { url } = given;
export const WEATHER = { type: "object", properties: { place: { type: "string" } }, required: ["place"], additionalProperties: false };
/** As people write it, with bounds. */
export const PERSON = { type: "object", properties: { name: { type: "string" }, age: { type: "integer", minimum: 0, maximum: 150 } }, required: ["name", "age"], additionalProperties: false };
export const PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/** The simulator takes a second between words, so that there is something to leave. */
export const SLOWLY = 'Say it. [[sim: {"chunks": 60, "delay_between_ms": 200}]]';
export const FULL = 'Say it. [[sim: {"status": 429}]]';

export function must(right, what) {
  if (!right) throw new Error(what);
}

/** Runs `call`, which has to fail with a status. */
export async function fails(call, status) {
  const error = await Promise.resolve().then(call).then(() => null, (error) => error);
  must(error, "no error");
  const got = error.status ?? error.statusCode ?? error.lastError?.statusCode;
  must(got === status, `error ${got ?? error} where ${status} was due`);
}

/** checks: {name: async (model, key) => …} */
export async function run(checks, { seconds = 30 } = {}) {
  for (const [kind, { model, key }] of Object.entries(given.models)) {
    for (const [check, work] of Object.entries(checks)) {
      const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`no end within ${seconds} s`)), seconds * 1000).unref());
      const line = await Promise.race([work(model, key), late]).then((used) => ({ ok: true, used }), (error) => ({ ok: false, why: String(error?.message ?? error) }));
      console.log(`\n${JSON.stringify({ kind, check, at: Date.now(), ...line })}`);
    }
  }
  process.exit(0);
}
