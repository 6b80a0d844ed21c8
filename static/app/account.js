// Who is there, and where: logins, logouts, sessions that end, and the addresses of chats.

import { api, ApiError } from "./api.js";
import { readChats } from "./chats.js";
import { connection, connectTo } from "./connection.js";
import { forget, recall, remember } from "./memory.js";
import { chooseModel, mendDemoModel, readInForce } from "./models.js";
import { attempt, complain, note } from "./notes.js";
import { readFiles, readOlder } from "./prompts.js";
import { comeBack } from "./provider.js";
import { get, set, when } from "./store.js";

/** Finds out who is there, and opens what the address names. */
export async function start() {
  try {
    const about = await api.about();
    set({ about });
    const before = recall("user");
    const login = await comeBack();
    if (login) await loggedIn(login);
    else if (about.auth_mode === "token" || before) await loggedIn(await api.hydrate(before?.id));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 401 && error.status !== 404 && error.status !== 422) note(error.message, true);
  }
  set({ isReady: true });
}

/** @param {any} login */
export async function loggedIn(login) {
  const user = { id: login.user_id, email: login.email };
  const owner = recall("owner");
  if (owner && owner !== user.id) {
    // What the one before has left is nobody else's.
    forget();
    history.replaceState(null, "", "/");
  }
  remember("owner", user.id);
  remember("user", get().about?.auth_mode === "open" ? user : null);
  const workspaces = login.workspaces.map((/** @type {any} */ { id, name }) => ({ id, name }));
  const chosen = recall("workspace");
  const workspaceId = workspaces.some((/** @type {any} */ { id }) => id === chosen) ? chosen : (workspaces.at(-1)?.id ?? null);
  set({ user, workspaces, workspaceId, models: login.models });
  chooseModel(recall("model"));
  await attempt(mendDemoModel);
  await attempt(readChats);
  openAddress();
}

function loggedOut() {
  forget();
  showNobody();
  history.replaceState(null, "", "/");
}

/** Asks for a login. What was written waits for it, and the address stays, for who comes back. */
export function sessionEnded() {
  if (!get().user) return;
  showNobody();
  note("Your session has ended. Log in again.", true);
}

/** Looks whether the session has ended, after a socket was refused without a reason. */
export function checkSession() {
  api.workspaces().catch((error) => {
    if (error.status === 401) sessionEnded();
  });
}

/** Shows nothing of the person any more. */
function showNobody() {
  for (const { cancel } of get().transfers) cancel();
  connectTo(null);
  set({
    user: null, chats: [], moreChats: null, showsArchived: false, models: [], workspaces: [], transfers: [], dialog: null,
    isSidebarOpen: false, isPanelOpen: false, isComposing: false,
  });
}

export async function logOut() {
  try {
    if (get().about?.auth_mode === "token") await api.logOut();
  } catch (error) {
    // The session goes on then, so nothing may look as if it had ended.
    if (!(error instanceof ApiError) || error.status !== 401) return complain(error);
  }
  loggedOut();
}

export async function deleteAccount() {
  if (await attempt(api.leave)) loggedOut();
}

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
