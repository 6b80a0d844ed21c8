// The side bar: workspaces, and chats by their last activity.

import {
  changeChat, chooseWorkspace, deleteChat, logOut, openChat, showArchived, showMoreChats,
} from "./actions.js";
import { h, icon, iconButton, keyed } from "./dom.js";
import { confirmed, open } from "./dialogs.js";
import { menu } from "./menu.js";
import { get, set, watch } from "./store.js";

/** @typedef {import("./types.js").ListedChat} ListedChat */

let filter = "";

/** The chat whose name is being changed. @type {string | null} */
let renaming = null;

export function sidebar() {
  const workspace = h("select", {
    "aria-label": "Workspace", class: "workspace",
    onchange: () => {
      if (workspace.value !== "+") return chooseWorkspace(workspace.value);
      workspace.value = get().workspaceId ?? "";
      open("workspaces");
    },
  });
  const search = h("input", {
    type: "search", class: "search", placeholder: "Search chats", "aria-label": "Search chats",
    oninput: () => {
      filter = search.value.trim().toLowerCase();
      draw();
    },
  });
  const list = h("nav", { class: "chats", "aria-label": "Chats" });
  const more = h("button", { type: "button", class: "quiet", onclick: showMoreChats }, "Show more");
  const archive = h("button", { type: "button", class: "quiet", onclick: () => showArchived(!get().showsArchived) });
  const account = h("span", { class: "account" });
  const bar = h("aside", { class: "sidebar", "aria-label": "Side bar" },
    h("div", { class: "sidebar-head" },
      workspace,
      iconButton("close", "Close the side bar", () => set({ isSidebarOpen: false }), { class: "only-narrow" })),
    h("button", { type: "button", class: "new-chat", onclick: () => openChat(null) }, icon("plus"), "New chat"),
    search,
    list,
    h("div", { class: "sidebar-foot" },
      archive,
      h("button", { type: "button", class: "quiet with-icon", onclick: () => open("models") }, icon("model"), "Models"),
      h("button", { type: "button", class: "quiet with-icon", onclick: () => open("settings") }, icon("gear"), "Settings"),
      h("div", { class: "who" }, account, iconButton("out", "Log out", logOut))));

  watch(({ workspaces, workspaceId }) => [workspaces, workspaceId], (workspaces, id) => {
    workspace.replaceChildren(
      ...workspaces.map((one) => h("option", { value: one.id }, one.name)),
      h("option", { value: "+" }, "Manage workspaces…"));
    workspace.value = id ?? "";
  });
  watch(({ user }) => [user], (user) => (account.textContent = user?.email ?? ""));
  watch(({ showsArchived }) => [showsArchived], (is) => (archive.textContent = is ? "Back to chats" : "Archived chats"));

  function draw() {
    const { chats, chatId, moreChats, showsArchived } = get();
    const shown = chats.filter((chat) => `${chat.name} ${chat.preview}`.toLowerCase().includes(filter));
    /** @type {{key: string, title?: string, chat?: ListedChat}[]} */
    const rows = [];
    let before = "";
    const pinned = shown.filter((chat) => chat.is_pinned);
    for (const chat of [...pinned, ...shown.filter((chat) => !chat.is_pinned)]) {
      const title = chat.is_pinned ? "Pinned" : dayOf(chat.active_at);
      if (title !== before) rows.push({ key: `title ${title}`, title });
      before = title;
      rows.push({ key: chat.id, chat });
    }
    if (rows.length === 0) {
      const words = filter ? "No chat is called so." : showsArchived ? "Nothing is archived." : "No chats yet.";
      rows.push({ key: `title ${words}`, title: words });
    }
    keyed(list, rows, ({ key }) => key,
      (row) => (row.chat ? chatRow(row.chat, chatId) : h("h2", { class: "day" }, row.title)),
      (element, { chat }) => {
        if (chat && element.dataset.drawn !== stamp(chat, chatId)) drawRow(element, chat, chatId);
      });
    if (moreChats) list.append(more);
    else more.remove();
  }
  redraw = draw;
  watch(({ chats, chatId, moreChats }) => [chats, chatId, moreChats], () => draw());
  return bar;
}

let redraw = () => {};

/** What a row shows, to draw it again only if it is something else. @param {ListedChat} chat @param {string | null} open */
function stamp(chat, open) {
  const { name, is_pinned: pinned, generation, id } = chat;
  return JSON.stringify([name, pinned, generation !== null, id === open, id === renaming]);
}

/** @param {ListedChat} chat @param {string | null} chatId */
function chatRow(chat, chatId) {
  const row = h("div", { class: "chat-row" });
  drawRow(row, chat, chatId);
  return row;
}

/** @param {HTMLElement} row @param {ListedChat} chat @param {string | null} chatId */
function drawRow(row, chat, chatId) {
  row.dataset.drawn = stamp(chat, chatId);
  row.classList.toggle("current", chat.id === chatId);
  if (chat.id === renaming) {
    row.replaceChildren(nameField(chat));
    const field = row.querySelector("input");
    field?.focus();
    field?.select();
    return;
  }
  const link = h("a", {
    href: `/c/${chat.id}`, "aria-current": chat.id === chatId ? "page" : null, dir: "auto", title: chat.name,
    onclick: (/** @type {MouseEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      openChat(chat.id);
    },
  }, chat.name);
  const actions = iconButton("more", `More about ${chat.name}`, () => menu(actions, [
    { label: "Rename", icon: "edit", act: () => rename(chat.id) },
    {
      label: chat.is_pinned ? "Unpin" : "Pin", icon: "pin",
      act: () => changeChat(chat.id, { is_pinned: String(!chat.is_pinned) }),
    },
    {
      label: chat.is_archived ? "Take out of the archive" : "Archive", icon: "archive",
      act: () => changeChat(chat.id, { is_archived: String(!chat.is_archived) }),
    },
    ...get().workspaces.filter(({ id }) => id !== chat.workspace_id).slice(0, 6).map(({ id, name }) => ({
      label: `Move to ${name}`, icon: "right", act: () => changeChat(chat.id, { workspace_id: id }),
    })),
    { label: "Delete…", icon: "trash", isDangerous: true, act: () => askToDelete(chat) },
  ]), { "aria-haspopup": "menu", class: "row-more" });
  row.replaceChildren(link, ...(chat.generation ? [h("span", { class: "running", title: "A reply is being written" })] : []), actions);
}

/** @param {string | null} id */
function rename(id) {
  renaming = id;
  redraw();
}

/** @param {ListedChat} chat */
function nameField(chat) {
  let isOver = false;
  const end = (/** @type {boolean} */ isKept) => {
    if (isOver) return;
    isOver = true;
    rename(null);
    const name = field.value.trim();
    if (isKept && name && name !== chat.name) changeChat(chat.id, { name });
  };
  const field = h("input", {
    class: "rename", ".value": chat.name, maxlength: 255, "aria-label": "Name of the chat",
    onblur: () => end(true),
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter" && !event.isComposing) end(true);
      else if (event.key === "Escape") end(false);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
  });
  return field;
}

/** @param {ListedChat} chat */
async function askToDelete(chat) {
  const text = `"${chat.name}" is deleted with all of its messages. Files of the workspace stay.`;
  if (await confirmed("Delete this chat?", text, "Delete")) deleteChat(chat.id);
}

/** @param {string} time */
function dayOf(time) {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  const days = (midnight.getTime() - new Date(time).getTime()) / 86400000;
  if (days <= 0) return "Today";
  if (days <= 1) return "Yesterday";
  if (days <= 7) return "This week";
  return "Earlier";
}
