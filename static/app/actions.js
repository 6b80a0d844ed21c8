// What a person can do. Each of them asks the server and changes the store; what goes wrong is said in words.

import { api, ApiError, upload } from "./api.js";
import { chatsChanged, readChats } from "./chats.js";
import { connection, connectTo, listen } from "./connection.js";
import { newId } from "./ids.js";
import { draftOf, forget, recall, remember } from "./memory.js";
import { comeBack } from "./provider.js";
import { get, set, when } from "./store.js";

let noteCount = 0;

/** Says something for a few seconds. @param {string} text @param {boolean} [isError] */
export function note(text, isError = false) {
  noteCount += 1;
  const id = noteCount;
  set({ notes: [...get().notes, { id, text, isError }] });
  setTimeout(() => dismiss(id), isError ? 9000 : 4000);
}

/** @param {number} id */
export function dismiss(id) {
  set({ notes: get().notes.filter((note) => note.id !== id) });
}

/** Says what went wrong, or asks for a login if the session has ended. @param {unknown} error */
export function complain(error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === -1) return;
  if (error.status === 401 && get().user) return sessionEnded();
  note(error.message, true);
}

/** Runs an action and complains if it fails; true if it did not. @param {() => Promise<unknown>} action */
export async function attempt(action) {
  try {
    await action();
    return true;
  } catch (error) {
    complain(error);
    return false;
  }
}

// --- who is there ---

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

/** Shows nothing of the person any more. */
function showNobody() {
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

// --- addresses ---

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

// --- workspaces and chats ---

/** @param {string | null} workspaceId */
export function chooseWorkspace(workspaceId) {
  remember("workspace", workspaceId);
  set({ workspaceId, chats: [], moreChats: null });
  chatsChanged(false);
  if (get().chatId) openChat(null);
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

// --- the conversation ---

/** The chat that is being made. @type {Promise<string> | null} */
let making = null;

/** Makes a chat if none is open. @param {string} name @returns {Promise<string>} */
function needChat(name) {
  const open = get().chatId;
  if (open) return Promise.resolve(open);
  making ??= makeChat(name).finally(() => (making = null));
  return making;
}

/** @param {string} name @returns {Promise<string>} */
async function makeChat(name) {
  let { workspaceId } = get();
  if (!workspaceId) {
    await api.newWorkspace("Default Workspace");
    await readWorkspaces();
    workspaceId = get().workspaces[0]?.id ?? "";
    set({ workspaceId });
  }
  const made = await api.newChat(workspaceId, name);
  // What was written meanwhile, or before a file was added, goes along.
  remember(draftOf(made.chat_id), recall(draftOf(null)));
  remember(draftOf(null), null);
  openChat(made.chat_id, true);
  chatsChanged();
  return made.chat_id;
}

/** What a prompt's first line makes of a name. @param {string} prompt */
function nameFor(prompt) {
  const line = prompt.trim().split("\n", 1)[0].trim();
  return line.length > 60 ? `${line.slice(0, 57).trimEnd()}…` : line || "New chat";
}

/** The fields that every request for a reply has. */
function choices() {
  const { modelId, models, isComposing, selectedFile } = get();
  const model = models.find(({ id }) => id === modelId);
  return {
    ...(model && { model_id: model.id }),
    ...(isComposing && { is_chat_or_composer: true }),
    ...(isComposing && selectedFile && { selected_filename: selectedFile }),
  };
}

/** Sends a prompt; true if it is on its way. @param {string} prompt */
export async function send(prompt) {
  return attempt(async () => {
    const chatId = await needChat(nameFor(prompt));
    const { messages, waiting } = get();
    if (uploadsTo(chatId).length > 0) throw new ApiError("A file is still on its way. Send the prompt when it is there.", 400);
    const after = messages.at(-1)?.id ?? null;
    if (waiting.length > 0) throw new ApiError("One prompt is waiting already.", 400);
    const added = get().transfers.flatMap(({ fileId }) => fileId ? [fileId] : []);
    // A message has ten at most; the others are files of the chat.
    const ids = added.slice(0, 10).map((id) => chatFile(id)?.id ?? id);
    const frame = { action: "new_message", prompt, ...(ids.length > 0 && { file_ids: ids }), ...choices() };
    connection().add({ clientId: newId(), prompt, after, frame });
    set({ transfers: get().transfers.filter(({ fileId }) => !fileId) });
  });
}

/** The file of the chat that is called by this id, its own or that of what was uploaded. @param {string} id */
export function chatFile(id) {
  return get().files.find((file) => file.id === id || file.file_id === id);
}

/** @param {import("./types.js").Message} message @param {string} prompt */
export function edit(message, prompt) {
  set({ editing: null });
  const frame = { action: "edit_message", message_id: message.id, prompt, ...choices() };
  connection().add({ clientId: newId(), prompt, after: message.parent_id, frame });
}

/** @param {string} messageId */
export function regenerate(messageId) {
  const frame = { action: "regenerate", message_id: messageId, ...choices() };
  connection().add({ clientId: newId(), prompt: "", after: null, frame });
}

/** @param {string} messageId */
export function selectBranch(messageId) {
  attempt(() => connection().ask({ action: "select_branch", message_id: messageId }));
}

export function stop() {
  attempt(() => connection().ask({ action: "stop" }));
}

/** @param {string} clientId */
export function retry(clientId) {
  connection().retry(clientId);
}

/** Takes a prompt back that was not sent yet: its files go with the next one. Returns its text. @param {string} clientId */
export function takeBack(clientId) {
  const open = connection();
  const taken = open.take(clientId);
  const ids = /** @type {string[]} */ (taken?.frame.file_ids ?? []);
  const transfers = ids.flatMap((id) => chatFile(id) ?? []).map(({ id, filename: name, size }) => ({
    id: newId(), chatId: open.chatId, name, sent: size, size, fileId: id, cancel: () => {},
  }));
  set({ transfers: [...get().transfers, ...transfers] });
  return taken?.prompt ?? "";
}

export async function readOlder() {
  await connection().readOlder();
}

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

/** @param {import("./types.js").Message} message @param {{rating?: string | null, note?: string | null}} fields */
export async function rate(message, fields) {
  const { chatId } = get();
  if (chatId) await attempt(() => api.rate(chatId, message.id, fields));
}

/** Deletes a message with all that follow it. @param {string} messageId */
export async function deleteMessage(messageId) {
  const { chatId } = get();
  if (chatId) await attempt(() => api.deleteMessage(chatId, messageId));
}

/** Makes a chat of the branch that ends at a message, and opens it. @param {string} messageId */
export async function copyBranch(messageId) {
  const { chatId } = get();
  if (!chatId) return;
  await attempt(async () => {
    const copy = await api.copyBranch(chatId, messageId);
    openChat(copy.chat_id);
    note("This is a new chat with the messages up to there.");
    chatsChanged();
  });
}

listen({
  files: () => readFiles(),
  settings: () => readInForce(),
  changed: () => chatsChanged(),
  ended: () => sessionEnded(),
  gone: () => {
    note("This chat was deleted.");
    openChat(null);
    chatsChanged();
  },
});

// --- files ---

export async function readFiles() {
  await attempt(() => readFilesOf(get().chatId));
}

/** Reads the files of a chat, and shows them if it is still open. @param {string | null} chatId */
export async function readFilesOf(chatId) {
  if (!chatId) return;
  const files = [];
  let after;
  do {
    const page = await api.files(chatId, after);
    files.push(...page.files);
    after = page.next ?? undefined;
  } while (after && files.length < 1000);
  if (get().chatId === chatId) set({ files });
}

/** Uploads files to the chat that is open, or to a new one. @param {Iterable<File>} files */
export async function addFiles(files) {
  const all = [...files];
  if (all.length === 0) return;
  await attempt(async () => {
    const chatId = await needChat(nameFor(all[0].name));
    await Promise.all(all.map((file) => addFile(chatId, file)));
  });
}

/** @param {string} chatId @param {File} file */
async function addFile(chatId, file) {
  const most = get().about?.max_upload_bytes ?? Infinity;
  if (file.size > most) return note(`${file.name} is larger than this server takes.`, true);
  const id = newId();
  const change = (/** @type {Partial<import("./types.js").Transfer>} */ fields) =>
    set({ transfers: get().transfers.map((other) => (other.id === id ? { ...other, ...fields } : other)) });
  const { done, cancel } = upload(chatId, file, (sent) => change({ sent: Math.min(sent, file.size) }));
  set({ transfers: [...get().transfers, { id, chatId, name: file.name, sent: 0, size: file.size, cancel }] });
  try {
    const { details } = await done;
    await readFiles();
    // It stays in sight until the next prompt of its chat: the model reads it from now on.
    if (get().chatId === chatId) change({ fileId: details[0].id, sent: file.size });
    else endTransfer(id);
    chatsChanged();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const isCancelled = error.status === -1;
    if (get().chatId === chatId && !isCancelled && error.status !== 401) return change({ error: error.message });
    endTransfer(id);
    complain(new ApiError(`${file.name}: ${error.message}`, error.status));
  }
}

/** What is on its way to a chat. @param {string | null} chatId */
export function uploadsTo(chatId) {
  return get().transfers.filter((transfer) => transfer.chatId === chatId && !transfer.fileId && !transfer.error);
}

/** @param {string} id */
export function endTransfer(id) {
  set({ transfers: get().transfers.filter((transfer) => transfer.id !== id) });
}

/** @param {import("./types.js").ChatFile} file */
export async function deleteFile(file) {
  if (!(await attempt(() => connection().ask({ action: "delete_file", file_id: file.id })))) return;
  if (get().fileId === file.id) set({ fileId: null });
  await readFiles();
}

// --- models ---

/** @param {string | null} id */
export function chooseModel(id) {
  const { models } = get();
  const modelId = models.some((model) => model.id === id) ? id : (models.at(-1)?.id ?? null);
  remember("model", modelId);
  set({ modelId });
}

/** Takes the model that is set for the open chat, if there is one, else the one that was chosen last. */
export async function readInForce() {
  const { chatId, workspaceId, user } = get();
  if (!user || (!chatId && !workspaceId)) return;
  let modelId;
  try {
    if (chatId) {
      modelId = (await api.chat(chatId)).in_force.model_id?.value;
    } else {
      const levels = [await api.settings("workspace", workspaceId ?? ""), await api.settings("user", user.id)];
      modelId = levels.find(({ model_id: id }) => id)?.model_id;
    }
  } catch (error) {
    // What is opened says itself what is wrong with it.
    if (error instanceof ApiError) return;
    throw error;
  }
  const { models } = get();
  if (get().chatId !== chatId) return;
  const isThere = models.some(({ id }) => id === modelId);
  set({ modelId: isThere ? modelId : (models.find(({ id }) => id === recall("model"))?.id ?? models.at(-1)?.id ?? null) });
}

export async function readModels() {
  const { models } = await api.models();
  set({ models });
  chooseModel(get().modelId);
}

/** Saves the model that the server offers to newcomers. */
export async function addDemoModel() {
  const demo = get().about?.demo_model;
  if (!demo) return;
  await attempt(async () => {
    const made = await api.newModel({ name: demo.name, base_url: demo.base_url, ak: demo.ak });
    await readModels();
    chooseModel(made.id);
  });
}

/** Whether this is the demo model of this server, or was when it was added. @param {import("./types.js").Model} model */
export function isDemoModel(model) {
  return model.name === "demo" && new URL(model.base_url).pathname === "/demo-model/v1";
}

/** The server may listen at another address than when its demo model was added. */
async function mendDemoModel() {
  const { about, models } = get();
  const demo = about?.demo_model;
  const old = models.find((model) => isDemoModel(model) && model.base_url !== demo?.base_url);
  if (!demo || !old) return;
  await api.changeModel(old.id, { base_url: demo.base_url, ak: demo.ak });
  await readModels();
}
