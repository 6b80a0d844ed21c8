// The files of the open chat, and those that are on their way to one.

import { api, ApiError, upload } from "./api.js";
import { attempt, complain } from "./attempt.js";
import { chatsChanged } from "./chats.js";
import { connection } from "./connection.js";
import { newId } from "./ids.js";
import { note } from "./notes.js";
import { nameFor, needChat } from "./prompts.js";
import { get, set } from "./store.js";

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
