// What is done in the open chat: prompts and replies, branches, ratings, copies, and files.

import { checkSession, openChat, sessionEnded } from "./account.js";
import { api, ApiError, newId, upload } from "./api.js";
import { chatsChanged, readWorkspaces } from "./chats.js";
import { connection, listen } from "./connection.js";
import { draftOf, recall, remember } from "./memory.js";
import { readInForce } from "./models.js";
import { attempt, complain, note } from "./notes.js";
import { get, set } from "./store.js";

/** The chat that is being made. @type {Promise<string> | null} */
let making = null;

/** Makes a chat if none is open. @param {string} name @returns {Promise<string>} */
export function needChat(name) {
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
export function nameFor(prompt) {
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
  refused: () => checkSession(),
  gone: () => {
    note("This chat was deleted.");
    openChat(null);
    chatsChanged();
  },
});

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

/** The file of the chat that is called by this id, its own or that of what was uploaded. @param {string} id */
export function chatFile(id) {
  return get().files.find((file) => file.id === id || file.file_id === id);
}

/** @param {import("./types.js").ChatFile} file */
export async function deleteFile(file) {
  if (!(await attempt(() => connection().ask({ action: "delete_file", file_id: file.id })))) return;
  if (get().fileId === file.id) set({ fileId: null });
  await readFiles();
}
