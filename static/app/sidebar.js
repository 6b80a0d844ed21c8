// The side bar: workspaces, and chats by their last activity.

import { logOut, openChat } from "./account.js";
import { changeChat, chooseWorkspace, deleteChat, showArchived, showMoreChats } from "./chats.js";
import { confirmed, open } from "./dialogs.js";
import { h, icon, iconButton, keyed } from "./dom.js";
import { menu } from "./menu.js";
import { addressOf, described, goTo, keyOf, searching } from "./search.js";
import { atEnd, get, set, watch } from "./store.js";

/** @typedef {import("./types.js").ListedChat} ListedChat */

let filter = "";

/** The chat whose name is being changed. @type {string | null} */
let renaming = null;

export function sidebar() {
  filter = "";
  renaming = null;
  const workspace = h("select", {
    "aria-label": "Workspace", class: "workspace",
    onchange: () => {
      if (workspace.value !== "+") return chooseWorkspace(workspace.value);
      workspace.value = get().workspaceId ?? "";
      open("workspaces");
    },
  });
  const search = h("input", {
    type: "search", class: "search", placeholder: "Search", "aria-label": "Search chats, messages and files",
    oninput: () => {
      filter = search.value.trim().toLowerCase();
      engine.find(search.value);
      draw();
    },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.isComposing) return;
      if (event.key === "ArrowDown") step(search, 1);
      else if (event.key === "Enter") links()[0]?.click();
      else if (event.key === "Escape" && search.value) clear();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
  });
  const clear = () => {
    search.value = filter = "";
    engine.find("");
    draw();
  };
  /** @type {import("./search.js").Found} */
  let found = { hits: [], note: "", more: null };
  const engine = searching((now) => {
    found = now;
    draw();
  });
  atEnd(engine.end);
  const links = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll("a, button.quiet")]);
  /** Moves the focus among the field and the links. @param {Element} from @param {number} by */
  const step = (from, by) => {
    const all = [search, ...links()];
    all[all.indexOf(/** @type {HTMLInputElement} */ (from)) + by]?.focus();
  };
  const list = h("nav", {
    class: "chats", "aria-label": "Chats",
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      const link = /** @type {Element} */ (event.target).closest("a, button.quiet");
      if (!link || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
      event.preventDefault();
      step(link, event.key === "ArrowDown" ? 1 : -1);
    },
  });
  const moreHits = h("button", { type: "button", class: "quiet", onclick: () => found.more?.() }, "Show more results");
  const status = h("p", { class: "only-heard", role: "status" });
  const more = h("button", { type: "button", class: "quiet", onclick: showMoreChats }, "Show more");
  const archive = h("button", { type: "button", class: "quiet", onclick: () => showArchived(!get().showsArchived) });
  const account = h("span", { class: "account" });
  const bar = h("aside", { class: "sidebar", "aria-label": "Side bar" },
    h("div", { class: "sidebar-head" },
      workspace,
      iconButton("close", "Close the side bar", () => set({ isSidebarOpen: false }), { class: "only-narrow" })),
    h("button", { type: "button", class: "new-chat", onclick: () => openChat(null) }, icon("plus"), "New chat"),
    search,
    status,
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
    /** @type {{key: string, title?: string, chat?: ListedChat, hit?: import("./types.js").Hit}[]} */
    const rows = [];
    let before = "";
    const pinned = shown.filter((chat) => chat.is_pinned);
    for (const chat of [...pinned, ...shown.filter((chat) => !chat.is_pinned)]) {
      const title = chat.is_pinned ? "Pinned" : dayOf(chat.active_at);
      if (title !== before) rows.push({ key: `title ${title}`, title });
      before = title;
      rows.push({ key: chat.id, chat });
    }
    if (filter) {
      // The names of listed chats are there at once; what the server has found of them is not to be there twice.
      const isListed = new Set(shown.map(({ id }) => id));
      const hits = found.hits.filter(({ kind, chat_id: id }) => kind !== "chat_name" || !isListed.has(id ?? ""));
      if (hits.length > 0) rows.push({ key: "title found", title: "Found" });
      rows.push(...hits.map((hit) => ({ key: keyOf(hit), hit })));
      const note = found.note === "Nothing was found." && rows.length > 0 ? "" : found.note;
      if (note) rows.push({ key: `title ${note}`, title: note });
    } else if (rows.length === 0) {
      const words = showsArchived ? "Nothing is archived." : "No chats yet.";
      rows.push({ key: `title ${words}`, title: words });
    }
    moreHits.remove();
    keyed(list, rows, ({ key }) => key,
      (row) => (row.chat ? chatRow(row.chat, chatId) : row.hit ? hitRow(row.hit) : h("h2", { class: "day" }, row.title)),
      (element, { chat }) => {
        if (chat && element.dataset.drawn !== stamp(chat, chatId)) drawRow(element, chat, chatId);
      });
    if (moreChats && !filter) list.append(more);
    else more.remove();
    if (found.more && filter) list.append(moreHits);
    status.textContent = filter ? found.note || `${rows.filter(({ title }) => !title).length} results` : "";
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

/** @param {import("./types.js").Hit} hit */
function hitRow(hit) {
  return h("div", { class: "chat-row" }, h("a", {
    href: addressOf(hit), class: "hit",
    onclick: (/** @type {MouseEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      goTo(hit);
    },
  }, described(hit)));
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
