// Where the page begins.

import { start } from "./account.js";
import { welcome } from "./login.js";
import { note, notes } from "./notes.js";
import { shell } from "./shell.js";
import { scoped, watch } from "./store.js";
import { loadText } from "./text.js";
import "./feed.js";
import "./models.js";
import "./palette.js";
import "./replies.js";
import "./settings.js";
import "./usage.js";

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
loadText().then((isLoaded) => {
  if (!isLoaded) note("This page needs WebAssembly, which this browser does not have or does not allow. Chats can't be opened.", true);
});
start();

/** Ends what is there. */
let end = () => {};
watch(
  ({ isReady, user }) => [isReady, user?.id],
  (isReady, user) => {
    // Until then, what the document has.
    if (!isReady) return;
    end();
    const [parts, endParts] = scoped(() => (user ? [shell()] : [welcome(), notes()]));
    end = endParts;
    root.replaceChildren(...parts);
    /** @type {HTMLElement | null} */ (root.querySelector("[data-first]"))?.focus();
  },
);
