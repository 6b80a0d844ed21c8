// Who is there: logins, logouts, and sessions that end.

import { openAddress } from "./address.js";
import { api, ApiError } from "./api.js";
import { readChats } from "./chats.js";
import { chooseModel, mendDemoModel } from "./choice.js";
import { connectTo } from "./connection.js";
import { forget, recall, remember } from "./memory.js";
import { attempt, complain, note } from "./notes.js";
import { comeBack } from "./provider.js";
import { get, set } from "./store.js";

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
