// What is said for a few seconds, at the edge of the page, such as what went wrong.

import { sessionEnded } from "./account.js";
import { ApiError } from "./api.js";
import { h, iconButton, keyed } from "./dom.js";
import { get, set, watch } from "./store.js";

let noteCount = 0;

/** Says something for a few seconds. @param {string} text @param {boolean} [isError] */
export function note(text, isError = false) {
  noteCount += 1;
  const id = noteCount;
  set({ notes: [...get().notes, { id, text, isError }] });
  setTimeout(() => dismiss(id), isError ? 9000 : 4000);
}

/** @param {number} id */
export function dismiss(id) {
  set({ notes: get().notes.filter((note) => note.id !== id) });
}

export function notes() {
  const list = h("div", { class: "notes", role: "status", "aria-live": "polite" });
  watch(({ notes }) => [notes], (notes) => {
    keyed(list, notes, ({ id }) => String(id), ({ id, text, isError }) =>
      h("div", { class: isError ? "note error" : "note" },
        h("span", {}, text), iconButton("close", "Dismiss", () => dismiss(id))));
  });
  return list;
}

/** Says what went wrong, or asks for a login if the session has ended. @param {unknown} error */
export function complain(error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === -1) return;
  if (error.status === 401 && get().user) return sessionEnded();
  note(error.message, true);
}

/** Runs an action and complains if it fails; true if it did not. @param {() => Promise<unknown>} action */
export async function attempt(action) {
  try {
    await action();
    return true;
  } catch (error) {
    complain(error);
    return false;
  }
}
