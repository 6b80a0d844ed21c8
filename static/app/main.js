// Where the page begins.

import { start } from "./actions.js";
import { h } from "./dom.js";
import { loadText } from "./markdown.js";
import { watch } from "./store.js";
import { welcome } from "./login.js";
import { shell } from "./shell.js";
import "./models.js";
import "./palette.js";
import "./settings.js";

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
loadText();
start();

watch(
  ({ isReady, user }) => [isReady, user?.id],
  (isReady, user) => {
    if (!isReady) root.replaceChildren(h("p", { class: "loading", role: "status" }, "Loading…"));
    else root.replaceChildren(user ? shell() : welcome());
    /** @type {HTMLElement | null} */ (root.querySelector("[data-first]"))?.focus();
  },
);
