// Codex as it comes. Its key has the search of the web left out (`list.mjs`).
import { tryWith } from "./codex-checks.mjs";

tryWith([]);
