// The list of chats, and the one place where the side bar learns that it has changed: from this window, from the others of
// this browser, from the user's feed, and by asking now and then.

import { openChat } from "./account.js";
import { api } from "./api.js";
import { draftOf, remember } from "./memory.js";
import { attempt } from "./notes.js";
import { get, set } from "./store.js";

/** @typedef {import("./types.js").ListedChat} ListedChat */

/** How many chats are listed; more after "Show more". */
let wanted = 50;

export async function readChats() {
  const { workspaceId, showsArchived } = get();
  /** @type {ListedChat[]} */
  const chats = [];
  let after;
  do {
    const choice = { workspace_id: workspaceId ?? undefined, archived: showsArchived || undefined, after };
    const page = await api.chats(choice);
    chats.push(...page.chats);
    after = page.next ?? undefined;
  } while (after && chats.length < wanted);
  const now = get();
  if (now.workspaceId === workspaceId && now.showsArchived === showsArchived) set({ chats, moreChats: after ?? null });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let reading;

/** Reads the list again, soon; in the other windows of this browser, too. @param {boolean} [isOwn] */
export function chatsChanged(isOwn = true) {
  if (isOwn) others?.postMessage("chats");
  clearTimeout(reading);
  reading = setTimeout(() => {
    if (get().user) readChats().catch(() => {});
  }, 150);
}

const others = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("kafka");
if (others) others.onmessage = () => chatsChanged(false);
window.addEventListener("focus", () => chatsChanged(false));
// Where there is no feed, as without a gateway.
setInterval(() => {
  if (document.visibilityState === "visible") chatsChanged(false);
}, 60000);

export function showMoreChats() {
  wanted += 100;
  chatsChanged(false);
}

/** @param {boolean} showsArchived */
export function showArchived(showsArchived) {
  set({ showsArchived, chats: [], moreChats: null });
  chatsChanged(false);
}

/** @param {string} id @param {Record<string, string>} fields */
export async function changeChat(id, fields) {
  await attempt(() => api.changeChat(id, fields));
  chatsChanged();
}

/** @param {string} id */
export async function deleteChat(id) {
  if (!(await attempt(() => api.deleteChat(id)))) return;
  remember(draftOf(id), null);
  if (get().chatId === id) openChat(null);
  chatsChanged();
}

/** @param {string | null} workspaceId */
export function chooseWorkspace(workspaceId) {
  remember("workspace", workspaceId);
  set({ workspaceId, chats: [], moreChats: null });
  chatsChanged(false);
  if (get().chatId) openChat(null);
}

/** @param {string} name */
export async function newWorkspace(name) {
  await attempt(async () => {
    const made = await api.newWorkspace(name);
    await readWorkspaces();
    chooseWorkspace(made.workspace_id ?? made.id ?? get().workspaces.at(-1)?.id ?? null);
  });
}

/** @param {string} id @param {string} name */
export async function renameWorkspace(id, name) {
  await attempt(async () => {
    await api.renameWorkspace(id, name);
    await readWorkspaces();
  });
}

/** @param {string} id */
export async function deleteWorkspace(id) {
  await attempt(async () => {
    await api.deleteWorkspace(id);
    await readWorkspaces();
    if (get().workspaceId === id) chooseWorkspace(get().workspaces[0]?.id ?? null);
  });
}

export async function readWorkspaces() {
  const { workspaces } = await api.workspaces();
  set({ workspaces: workspaces.map((/** @type {any} */ { id, name }) => ({ id, name })) });
}
