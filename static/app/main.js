// Where the page begins.

import { note, start } from "./actions.js";
import { notes } from "./notes.js";
import { watch } from "./store.js";
import { loadText } from "./text.js";
import { welcome } from "./login.js";
import { shell } from "./shell.js";
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

watch(
  ({ isReady, user }) => [isReady, user?.id],
  (isReady, user) => {
    // Until then, what the document has.
    if (!isReady) return;
    root.replaceChildren(...(user ? [shell()] : [welcome(), notes()]));
    /** @type {HTMLElement | null} */ (root.querySelector("[data-first]"))?.focus();
  },
);
