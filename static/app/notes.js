// What is said for a few seconds, at the edge of the page.

import { dismiss } from "./actions.js";
import { h, iconButton, keyed } from "./dom.js";
import { watch } from "./store.js";

export function notes() {
  const list = h("div", { class: "notes", role: "status", "aria-live": "polite" });
  watch(({ notes }) => [notes], (notes) => {
    keyed(list, notes, ({ id }) => String(id), ({ id, text, isError }) =>
      h("div", { class: isError ? "note error" : "note" },
        h("span", {}, text), iconButton("close", "Dismiss", () => dismiss(id))));
  });
  return list;
}
