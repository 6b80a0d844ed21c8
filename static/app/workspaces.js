// The workspaces of the person.

import { openChat } from "./address.js";
import { api } from "./api.js";
import { attempt } from "./attempt.js";
import { chatsChanged } from "./chats.js";
import { remember } from "./memory.js";
import { get, set } from "./store.js";

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
