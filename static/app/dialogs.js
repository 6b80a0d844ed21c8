// What lies above the page: one dialog at a time, which the store names, and questions.

import { h, iconButton } from "./dom.js";
import { atEnd, get, set, watch } from "./store.js";

/**
 * What a dialog shows; `end` is called when it closes.
 * @typedef {{title: string, body: Node, end?: () => void, isPlain?: boolean}} Content
 * @type {Map<string, () => Content>}
 */
const makers = new Map();

/** @param {string} name @param {() => Content} make */
export function register(name, make) {
  makers.set(name, make);
}

/** @param {string} name */
export function open(name) {
  set({ dialog: name, isSidebarOpen: false });
}

export function close() {
  set({ dialog: null });
}

export function dialogs() {
  const place = h("div", { class: "above" });
  atEnd(() => {
    place.querySelector("dialog")?.close();
    for (const question of document.querySelectorAll("dialog.question")) question.dispatchEvent(new Event("cancel"));
  });
  watch(({ dialog }) => [dialog], (name) => {
    // Closed before it is removed, so that the focus goes back to where it was.
    place.querySelector("dialog")?.close();
    place.replaceChildren();
    const make = name && makers.get(name);
    if (!make) return;
    const { title, body, end, isPlain } = make();
    const dialog = frame(title, body, isPlain ?? false);
    dialog.addEventListener("close", () => {
      end?.();
      // Not if it was closed for another one.
      if (dialog.isConnected && get().dialog === name) close();
    });
    place.append(dialog);
    dialog.showModal();
    /** @type {HTMLElement | null} */ (dialog.querySelector("[data-begin]"))?.focus();
  });
  return place;
}

/** @param {string} title @param {Node} body @param {boolean} isPlain */
function frame(title, body, isPlain) {
  const dialog = h("dialog", {
    class: isPlain ? "dialog plain" : "dialog", "aria-label": title,
    // A click beside it. The box has no padding of its own, so only its backdrop is the dialog itself.
    onpointerdown: (/** @type {Event} */ event) => event.target === dialog && dialog.close(),
  }, h("div", { class: "sheet" },
    !isPlain && h("div", { class: "dialog-head" }, h("h2", {}, title), iconButton("close", "Close", () => dialog.close())),
    body));
  return dialog;
}

/**
 * Asks a question; whether the answer is yes.
 * @param {string} title @param {string} text @param {string} yes @returns {Promise<boolean>}
 */
export function confirmed(title, text, yes) {
  return new Promise((resolve) => {
    const answer = (/** @type {boolean} */ isYes) => {
      dialog.close();
      dialog.remove();
      resolve(isYes);
    };
    const dialog = h("dialog", { class: "dialog question", "aria-label": title },
      h("form", { method: "dialog", class: "sheet" },
        h("h2", {}, title), h("p", {}, text),
        h("div", { class: "row end" },
          h("button", { type: "button", class: "quiet", autofocus: true, onclick: () => answer(false) }, "Cancel"),
          h("button", { type: "button", class: "primary danger", onclick: () => answer(true) }, yes))));
    // Escape.
    dialog.addEventListener("cancel", () => answer(false));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * Asks for a text; null if it is to stay.
 * @param {string} title @param {string} text @param {number} most characters @returns {Promise<string | null>}
 */
export function written(title, text, most) {
  return new Promise((resolve) => {
    const answer = (/** @type {string | null} */ text) => {
      dialog.close();
      dialog.remove();
      resolve(text);
    };
    const field = h("textarea", { class: "editor", rows: 4, ".value": text, maxlength: most, "aria-label": title, dir: "auto", autofocus: true });
    const dialog = h("dialog", { class: "dialog question", "aria-label": title },
      h("form", {
        method: "dialog", class: "sheet",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          answer(field.value.trim());
        },
      },
        h("h2", {}, title), field,
        h("div", { class: "row end" },
          h("button", { type: "button", class: "quiet", onclick: () => answer(null) }, "Cancel"),
          h("button", { type: "submit", class: "primary" }, "Save"))));
    dialog.addEventListener("cancel", () => answer(null));
    document.body.append(dialog);
    dialog.showModal();
  });
}
