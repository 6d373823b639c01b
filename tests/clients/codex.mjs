// Codex, without the search of the web that it has by default and no regulated zone
// allows.
import { tryWith } from "./codex-checks.mjs";

tryWith(['web_search = "disabled"']);
