// Codex as it comes.
import { tryWith } from "./codex-checks.mjs";

tryWith([]);
