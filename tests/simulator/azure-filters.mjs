// What Azure's content filters report beside every answer: here always that
// nothing was found.

const SAFE = { filtered: false, severity: "safe" };
const harms = () => ({ hate: SAFE, self_harm: SAFE, sexual: SAFE, violence: SAFE });
const unseen = { detected: false, filtered: false };
const material = () => ({ protected_material_code: unseen, protected_material_text: unseen });

export const isAzure = (host) => host?.endsWith(".openai.azure.com") === true;

export const promptFilters = () => [{ prompt_index: 0, content_filter_results: { ...harms(), jailbreak: unseen } }];

/** Of one choice of a chat completion: calls of tools are not looked at. */
export const choiceFilters = (hasText) => (hasText ? { ...harms(), ...material() } : {});

/** Of a response: one of the prompt, one of the answer. */
export function responseFilters({ inputTokens, outputTokens }) {
  return [
    filter("prompt", { ...harms(), jailbreak: unseen }, inputTokens * 4),
    filter("completion", { ...material(), ...harms() }, outputTokens * 4),
  ];
}

function filter(source_type, content_filter_results, end_offset) {
  const content_filter_offsets = { start_offset: 0, end_offset, check_offset: 0 };
  return { blocked: false, source_type, content_filter_raw: [], content_filter_results, content_filter_offsets };
}
