// The frame of the page: side bar, conversation, the panel of files, and what lies above them.

import { composer } from "./composer.js";
import { conversation } from "./conversation.js";
import { dialogs, open } from "./dialogs.js";
import { h } from "./dom.js";
import { filesPanel } from "./files.js";
import { header } from "./header.js";
import { notes } from "./notes.js";
import { addFiles } from "./prompts.js";
import { sidebar } from "./sidebar.js";
import { get, set, watch } from "./store.js";

export function shell() {
  const veil = h("div", { class: "veil", onclick: () => set({ isSidebarOpen: false, isPanelOpen: false }) });
  const drop = h("div", { class: "drop", "aria-hidden": "true" }, h("p", {}, "Drop files to add them to this chat"));
  const main = h("main", { class: "main" }, header(), conversation(), composer(), drop);
  const frame = h("div", { class: "shell" }, sidebar(), main, filesPanel(), veil, dialogs(), notes());
  watch(
    ({ isSidebarOpen, isPanelOpen, isPanelWide }) => [isSidebarOpen, isPanelOpen, isPanelWide],
    (isSidebarOpen, isPanelOpen, isPanelWide) => {
      frame.classList.toggle("with-sidebar", isSidebarOpen);
      frame.classList.toggle("with-panel", isPanelOpen);
      frame.classList.toggle("with-wide-panel", isPanelOpen && isPanelWide);
    },
  );
  watch(({ chatName, chatId }) => [chatName, chatId], (name, chatId) => {
    document.title = chatId && name ? `${name} · Kafka` : "Kafka";
  });
  takeDrops(main, drop);
  return frame;
}

/** @param {HTMLElement} main @param {HTMLElement} sign */
function takeDrops(main, sign) {
  const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  const show = (/** @type {boolean} */ is) => sign.classList.toggle("visible", is);
  main.addEventListener("dragenter", (event) => {
    if (hasFiles(event)) show(true);
  });
  main.addEventListener("dragleave", (event) => {
    // Not into something within. What leaves the window, or is given up, does not say what it was.
    if (!main.contains(/** @type {Node | null} */ (event.relatedTarget))) show(false);
  });
  main.addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  main.addEventListener("drop", (event) => {
    show(false);
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    addFiles(event.dataTransfer.files);
  });
}

document.addEventListener("keydown", (event) => {
  if (!get().user) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    open("palette");
  } else if (event.key === "Escape" && !isOfField(event.target) && (get().isSidebarOpen || get().isPanelOpen)) {
    set({ isSidebarOpen: false, isPanelOpen: false });
  }
});

/** Whether Escape has a meaning of its own there, or none. @param {EventTarget | null} place */
function isOfField(place) {
  return get().dialog !== null || (place instanceof Element && place.closest("textarea, input, select, dialog") !== null);
}
