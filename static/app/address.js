// What the address names, and ways to go somewhere else: to a chat, a message, a file.

import { api, ApiError } from "./api.js";
import { readInForce } from "./choice.js";
import { connection, connectTo } from "./connection.js";
import { attempt } from "./notes.js";
import { readFiles, readOlder } from "./prompts.js";
import { get, set, when } from "./store.js";

/** Opens the chat of the address, or a new one. @param {boolean} [isJustMade] with the model that is chosen already */
export function openAddress(isJustMade = false) {
  const chat = /^\/c\/([^/]+)$/.exec(location.pathname)?.[1] ?? null;
  if (chat !== get().chatId || chat === null) {
    connectTo(chat);
    // What is still on its way goes on. What was added stays a file of its chat, but of no prompt.
    set({ transfers: get().transfers.filter(({ fileId, error }) => !fileId && !error) });
    if (!isJustMade) readInForce();
    if (chat) readFiles();
  }
}

/** @param {string | null} chatId null: a new chat, which is made with the first prompt @param {boolean} [isJustMade] */
export function openChat(chatId, isJustMade = false) {
  set({ isSidebarOpen: false });
  const path = chatId === null ? "/" : `/c/${chatId}`;
  if (location.pathname !== path) history.pushState(null, "", path);
  openAddress(isJustMade);
}

window.addEventListener("popstate", () => {
  if (get().user) openAddress();
});

/** Opens the chat, the branch and the place of a message. @param {string} chatId @param {string} messageId */
export async function showMessage(chatId, messageId) {
  openChat(chatId);
  const isElsewhere = () => get().chatId !== chatId || get().connection === "refused";
  await when(({ isOpening }) => isElsewhere() || !isOpening);
  if (isElsewhere()) return;
  const has = () => get().messages.some(({ id }) => id === messageId);
  await attempt(async () => {
    if (!has()) {
      const { head_id: head } = await api.selectBranch(chatId, messageId);
      await when(({ messages }) => isElsewhere() || messages.at(-1)?.id === head);
    }
    while (!isElsewhere() && !has() && get().hasOlder) {
      const first = get().messages[0]?.id;
      await readOlder();
      if (get().messages[0]?.id === first) throw new ApiError("The message could not be read. Try again.", 0);
    }
    if (!isElsewhere()) set({ target: messageId });
  });
}

/** Shows a file in a chat that has it; one that no chat has is opened by itself. @param {string | null} chatId @param {string} fileId */
export async function showFile(chatId, fileId) {
  if (!chatId) {
    window.open(api.contentOf(fileId), "_blank", "noopener");
    return;
  }
  openChat(chatId);
  const find = () => get().files.find((file) => file.id === fileId || file.file_id === fileId);
  await when(({ chatId: now, connection }) => now !== chatId || connection === "refused" || find() !== undefined);
  const file = find();
  if (get().chatId === chatId && file) set({ isPanelOpen: true, fileId: file.id });
}
