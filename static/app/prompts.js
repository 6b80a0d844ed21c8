// What is done in the open chat: prompts and replies, branches, ratings, copies.

import { checkSession, sessionEnded } from "./account.js";
import { openChat } from "./address.js";
import { api, ApiError } from "./api.js";
import { attempt } from "./attempt.js";
import { chatsChanged } from "./chats.js";
import { readInForce } from "./choice.js";
import { connection, listen } from "./connection.js";
import { newId } from "./ids.js";
import { draftOf, recall, remember } from "./memory.js";
import { note } from "./notes.js";
import { get, set } from "./store.js";
import { chatFile, readFiles, uploadsTo } from "./uploads.js";
import { readWorkspaces } from "./workspaces.js";

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
