// Ctrl-K: go to a chat or do something, by its name.

import { addDemoModel, logOut, openChat, stop } from "./actions.js";
import { close, open, register } from "./dialogs.js";
import { h, icon, keyed } from "./dom.js";
import { get, set } from "./store.js";
import { chooseTheme } from "./theme.js";

/** @typedef {{key: string, label: string, icon: string, act: () => void}} Entry */

/** @returns {Entry[]} */
function commands() {
  const { runningId, about, models } = get();
  const all = [
    { label: "New chat", icon: "plus", act: () => openChat(null) },
    { label: "Models", icon: "model", act: () => open("models") },
    { label: "Settings", icon: "gear", act: () => open("settings") },
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
  const list = h("div", { class: "results", role: "listbox", id: "results", "aria-label": "Results" });
  const field = h("input", {
    class: "palette-field", placeholder: "Go to a chat, or do something", "aria-label": "Go to a chat, or do something",
    role: "combobox", "aria-expanded": "true", "aria-controls": "results", "data-begin": true, autocomplete: "off",
    oninput: () => {
      chosen = 0;
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
  const find = () => {
    const words = field.value.trim().toLowerCase();
    const chats = get().chats.map(({ id, name }) => ({ key: id, label: name, icon: "right", act: () => openChat(id) }));
    shown = [...commands(), ...chats].filter(({ label }) => label.toLowerCase().includes(words)).slice(0, 30);
    if (!words) shown = [...shown.filter(({ icon: name }) => name === "right").slice(0, 6), ...commands()];
    draw();
  };
  const draw = () => {
    keyed(list, shown, ({ key }) => key, (entry) =>
      h("div", {
        role: "option", class: "result", id: `result ${entry.key}`.replaceAll(" ", "-"),
        onclick: (/** @type {Event} */ event) => act(entry, event),
      }, icon(entry.icon), h("span", { dir: "auto" }, entry.label)));
    [...list.children].forEach((row, at) => {
      row.setAttribute("aria-selected", String(at === chosen));
      if (at === chosen) {
        row.scrollIntoView({ block: "nearest" });
        field.setAttribute("aria-activedescendant", row.id);
      }
    });
  };
  find();
  return { title: "Go to", body: h("div", { class: "palette" }, field, list), isPlain: true };
});
