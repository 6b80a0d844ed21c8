// Ctrl-K: go to a chat or do something, by its name, or to what a search finds.

import { logOut, openChat } from "./account.js";
import { close, open, register } from "./dialogs.js";
import { h, icon, keyed } from "./dom.js";
import { addDemoModel } from "./models.js";
import { stop } from "./prompts.js";
import { openReplies } from "./replies.js";
import { described, goTo, keyOf, searching } from "./search.js";
import { get, set } from "./store.js";
import { chooseTheme } from "./theme.js";

/** @typedef {{key: string, label: string, icon: string, act: () => void, lines?: HTMLElement[]}} Entry */

/** @returns {Entry[]} */
function commands() {
  const { runningId, about, models } = get();
  const all = [
    { label: "New chat", icon: "plus", act: () => openChat(null) },
    { label: "Models", icon: "model", act: () => open("models") },
    { label: "Settings", icon: "gear", act: () => open("settings") },
    { label: "How replies are made", icon: "sliders", act: () => openReplies(get().chatId ? "chat" : "user") },
    { label: "Usage", icon: "meter", act: () => open("usage") },
    { label: "Workspaces", icon: "archive", act: () => open("workspaces") },
    { label: "Files of this chat", icon: "file", act: () => set({ isPanelOpen: true }) },
    { label: "Dark theme", icon: "gear", act: () => chooseTheme("dark") },
    { label: "Light theme", icon: "gear", act: () => chooseTheme("light") },
    { label: "Theme of the system", icon: "gear", act: () => chooseTheme("system") },
    { label: "Log out", icon: "out", act: logOut },
  ];
  if (runningId) all.unshift({ label: "Stop the reply", icon: "stop", act: stop });
  if (about?.demo_model && models.length === 0) all.push({ label: "Use the demo model", icon: "model", act: addDemoModel });
  return all.map((entry) => ({ key: `do ${entry.label}`, ...entry }));
}

register("palette", () => {
  let chosen = 0;
  /** @type {Entry[]} */
  let shown = [];
  const note = h("p", { class: "soft small palette-note", role: "status" });
  const list = h("div", { class: "results", role: "listbox", id: "results", "aria-label": "Results" });
  const field = h("input", {
    class: "palette-field", placeholder: "Search, go to a chat, or do something", "aria-label": "Search, go to a chat, or do something",
    role: "combobox", "aria-expanded": "true", "aria-controls": "results", "data-begin": true, autocomplete: "off",
    oninput: () => {
      chosen = 0;
      engine.find(field.value);
      find();
    },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "ArrowDown") chosen = Math.min(chosen + 1, shown.length - 1);
      else if (event.key === "ArrowUp") chosen = Math.max(chosen - 1, 0);
      else if (event.key === "Enter" && !event.isComposing) return act(shown[chosen], event);
      else return;
      event.preventDefault();
      draw();
    },
  });
  /** @param {Entry | undefined} entry @param {Event} event */
  const act = (entry, event) => {
    event.preventDefault();
    if (!entry) return;
    close();
    // After the dialog is gone, which gives the focus back.
    setTimeout(entry.act);
  };
  /** @type {import("./search.js").Found} */
  let found = { hits: [], note: "", more: null };
  const engine = searching((now) => {
    found = now;
    find();
  });
  const find = () => {
    const words = field.value.trim().toLowerCase();
    const listed = get().chats;
    const chats = listed.map(({ id, name }) => ({ key: id, label: name, icon: "right", act: () => openChat(id) }));
    shown = [...commands(), ...chats].filter(({ label }) => label.toLowerCase().includes(words)).slice(0, 12);
    if (!words) shown = [...chats.slice(0, 6), ...commands()];
    const isShown = new Set(shown.map(({ key }) => key));
    const hits = words ? found.hits.filter(({ kind, chat_id: id }) => kind !== "chat_name" || !isShown.has(id ?? "")) : [];
    shown.push(...hits.map((hit) => ({
      key: keyOf(hit), label: hit.snippet, icon: hit.message_id ? "message" : hit.file_id ? "file" : "right",
      act: () => goTo(hit), lines: described(hit),
    })));
    note.textContent = words && (found.hits.length > 0 || shown.length === 0) ? found.note : "";
    chosen = Math.max(0, Math.min(chosen, shown.length - 1));
    draw();
  };
  const draw = () => {
    keyed(list, shown, ({ key }) => key, (entry) =>
      h("div", {
        role: "option", class: "result", id: `result ${entry.key}`.replaceAll(/\s/g, "-"),
        onclick: (/** @type {Event} */ event) => act(entry, event),
      }, icon(entry.icon), entry.lines ? h("span", { class: "grow" }, entry.lines) : h("span", { dir: "auto" }, entry.label)));
    [...list.children].forEach((row, at) => {
      row.setAttribute("aria-selected", String(at === chosen));
      if (at === chosen) {
        row.scrollIntoView({ block: "nearest" });
        field.setAttribute("aria-activedescendant", row.id);
      }
    });
  };
  find();
  return { title: "Go to", body: h("div", { class: "palette" }, field, list, note), isPlain: true, end: engine.end };
});
