// Above the conversation: which chat it is, how the connection is, and the way to the files.

import { h, iconButton } from "./dom.js";
import { openReplies } from "./replies.js";
import { get, set, watch } from "./store.js";

/** @type {Record<string, string>} */
const WORDS = {
  none: "",
  connecting: "Connecting…",
  online: "",
  reconnecting: "Reconnecting…",
  offline: "You are offline",
  refused: "This chat can't be opened",
};

export function header() {
  const title = h("h1", { class: "title", dir: "auto" });
  const state = h("span", { class: "connection", role: "status" });
  const count = h("span", { class: "count" });
  const files = iconButton("file", "Files", () => set({ isPanelOpen: !get().isPanelOpen }), { class: "labelled" });
  files.append(count);
  const replies = iconButton("sliders", "How replies are made", () => openReplies(get().chatId ? "chat" : "user"));
  const bar = h("header", { class: "header" },
    iconButton("menu", "Chats", () => set({ isSidebarOpen: true }), { class: "only-narrow" }),
    title, state, replies, files);
  watch(({ chatName, chatId }) => [chatName, chatId], (name, chatId) => {
    title.textContent = chatId ? name : "New chat";
  });
  watch(({ connection, chatId }) => [connection, chatId], (connection, chatId) => {
    state.textContent = chatId ? WORDS[connection] : "";
    state.dataset.state = connection;
  });
  watch(({ files, isPanelOpen }) => [files, isPanelOpen], (all, isOpen) => {
    count.textContent = all.length > 0 ? String(all.length) : "";
    files.setAttribute("aria-expanded", String(isOpen));
  });
  return bar;
}
