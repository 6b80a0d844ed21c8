// The one place that talks to the server, by its public API (/docs, /docs/websocket).

import { get } from "./store.js";

/** Something that the server refused, or that it could not be asked; `message` is for people. */
export class ApiError extends Error {
  /** @param {string} message @param {number} status 0: there was no answer; -1: it is not waited for any more */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const NO_ANSWER = "The server can't be reached. Check the connection and try again.";

/** Who asks; in token mode the session says so, too. */
function userId() {
  return get().user?.id ?? "";
}

/** The words of a refusal. @param {any} body @param {number} status */
function words(body, status) {
  const detail = body?.detail;
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail) && detail.length > 0) {
    return detail.map((problem) => `${problem.loc?.at(-1) ?? "input"}: ${problem.msg}`).join(". ");
  }
  return `The server answered with status ${status}.`;
}

/** @param {string} method @param {string} path @param {RequestInit} [more] @returns {Promise<any>} */
async function ask(method, path, more = {}) {
  let response;
  try {
    response = await fetch(path, { method, credentials: "same-origin", ...more });
  } catch {
    throw new ApiError(NO_ANSWER, 0);
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(words(body, response.status), response.status);
  return body;
}

/** @param {string} path @param {Record<string, string | number | boolean | undefined>} [query] @param {AbortSignal} [signal] */
function read(path, query = {}, signal) {
  const parameters = new URLSearchParams({ user_id: userId() });
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") parameters.set(name, String(value));
  }
  return ask("GET", `${path}?${parameters}`, { cache: "no-store", signal });
}

/** @param {string} method @param {string} path @param {Record<string, string>} fields */
function form(method, path, fields) {
  return ask(method, path, { body: new URLSearchParams({ user_id: userId(), ...fields }) });
}

/** @param {string} path @param {object} body @param {string} [method] */
function json(path, body, method = "POST") {
  return ask(method, path, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

/** @param {string} path */
function remove(path) {
  return ask("DELETE", `${path}?${new URLSearchParams({ user_id: userId() })}`);
}

export const api = {
  about: () => ask("GET", "/about"),

  /** @param {string} email */
  sendCode: (email) => json("/auth/code", { email }),
  /** @param {string} email @param {string} [code] */
  logIn: (email, code) => json("/auth/login", code ? { email, code } : { email }),
  /** Where the identity provider logs a person in, who then comes back to this address. @param {string} redirect */
  startProvider: (redirect) => ask("POST", `/auth/oidc/start?${new URLSearchParams({ redirect_uri: redirect })}`),
  /** @param {string} token */
  logInWith: (token) => json("/auth/login", { id_token: token }),
  /** Who is there. @param {string | undefined} id in open mode */
  hydrate: (id) => json("/auth/hydrate", id ? { user_id: id } : {}),
  logOut: () => json("/auth/logout", {}),
  sessions: () => ask("GET", "/auth/sessions", { cache: "no-store" }),
  /** @param {string} id */
  endSession: (id) => ask("DELETE", `/auth/sessions/${id}`),
  leave: () => ask("DELETE", `/user/${userId()}`),

  /** @param {string} name */
  newWorkspace: (name) => form("POST", "/workspace/new", { owner_id: userId(), name }),
  /** @param {string} id @param {string} name */
  renameWorkspace: (id, name) => form("PATCH", "/workspace/rename", { workspace_id: id, new_name: name }),
  /** @param {string} id */
  deleteWorkspace: (id) => remove(`/workspace/delete/${id}`),
  workspaces: () => read("/workspace", { limit: 200 }),

  /** @param {{workspace_id?: string, archived?: boolean, after?: string}} choice */
  chats: (choice) => read("/chats", { limit: 50, ...choice }),
  /** @param {string} workspaceId @param {string} name */
  newChat: (workspaceId, name) => form("POST", "/chat/new", { workspace_id: workspaceId, chat_name: name, auto_title: "true" }),
  /** @param {string} id */
  chat: (id) => read(`/chat/${id}`),
  /** @param {string} id @param {Record<string, string>} fields */
  changeChat: (id, fields) => form("PATCH", `/chat/${id}`, fields),
  /** @param {string} id */
  deleteChat: (id) => remove(`/chat/${id}`),
  /** @param {string} id @param {string} [before] */
  messages: (id, before) => read(`/chat/${id}/messages`, { limit: 200, before }),
  /** @param {string} chat @param {string} message */
  selectBranch: (chat, message) => json(`/chat/${chat}/branch`, { message_id: message, user_id: userId() }),
  /** @param {string} chat @param {string} message @param {{rating?: string | null, note?: string | null}} fields */
  rate: (chat, message, fields) => json(`/chat/${chat}/messages/${message}`, { ...fields, user_id: userId() }, "PATCH"),
  /** @param {string} chat @param {string} message */
  deleteMessage: (chat, message) => remove(`/chat/${chat}/messages/${message}`),
  /** @param {string} chat @param {string} message */
  copyBranch: (chat, message) => json(`/chat/${chat}/copy`, { message_id: message, user_id: userId() }),

  /** @param {string} q @param {string} [after] @param {AbortSignal} [signal] */
  search: (q, after, signal) => read("/search", { q, limit: 20, after }, signal),
  /** @param {{by: string, from?: string, to?: string, after?: string}} choice */
  usage: (choice) => read("/usage", { limit: 200, ...choice }),

  /** What is set for replies: of the user, of a workspace, of a chat. @param {import("./types.js").Level} level @param {string} id */
  async settings(level, id) {
    if (level === "user") return read(`/user/${id}/settings`);
    return (await read(level === "chat" ? `/chat/${id}` : `/workspace/${id}`)).settings;
  },
  /** @param {import("./types.js").Level} level @param {string} id @param {Partial<import("./types.js").ReplySettings>} fields */
  changeSettings: (level, id, fields) =>
    json(level === "user" ? `/user/${id}/settings` : `/${level}/${id}`, fields, "PATCH"),

  /** @param {string} id @param {string} [after] */
  files: (id, after) => read(`/chat/${id}/files`, { limit: 200, after }),
  /** @param {string} id */
  deleteFile: (id) => remove(`/file/delete/${id}`),
  /** The address of a file's content. @param {string} id */
  contentOf: (id) => `/file/${id}/content?${new URLSearchParams({ user_id: userId() })}`,
  /** The first bytes of a file, as text; null if it is none in UTF-8. @param {string} id @param {number} most */
  async textOf(id, most) {
    const response = await fetch(api.contentOf(id), { cache: "no-store", headers: { Range: `bytes=0-${most - 1}` } }).catch(() => {
      throw new ApiError(NO_ANSWER, 0);
    });
    if (response.status === 416) return "";
    if (!response.ok) throw new ApiError(words(await response.json().catch(() => null), response.status), response.status);
    const bytes = await response.arrayBuffer();
    try {
      // What follows the first bytes may be the rest of a character.
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: bytes.byteLength === most });
    } catch {
      return null;
    }
  },
  /** A file with the text that models read of it. @param {string} id */
  fileWithText: (id) => read(`/file/${id}`, { with_text: true }),
  /** @param {string} id @param {string} [after] */
  versions: (id, after) => read(`/chat-file/${id}/versions`, { limit: 200, after }),
  /** @param {string} id @param {string} version */
  version: (id, version) => read(`/chat-file/${id}/versions/${version}`),
  /** @param {string} id @param {string} content */
  saveVersion: (id, content) => form("POST", `/chat-file/${id}/versions`, { content }),
  /** @param {string} id @param {string} version */
  restore: (id, version) => form("POST", `/chat-file/${id}/revert`, { version_id: version }),

  models: () => read("/models"),
  /** @param {Record<string, string>} fields */
  newModel: (fields) => form("POST", "/models/new", fields),
  /** @param {string} id @param {Record<string, string>} fields */
  changeModel: (id, fields) => form("PATCH", `/models/${id}`, fields),
  /** @param {string} id */
  deleteModel: (id) => remove(`/models/delete/${id}`),
  /** @param {string} id */
  testModel: (id) => ask("POST", `/models/${id}/test?${new URLSearchParams({ user_id: userId() })}`),
};

/**
 * Uploads a file to a chat. `progress` gets the bytes that are sent; the second part of what is returned cancels.
 * @param {string} chatId @param {File} file @param {(sent: number) => void} progress
 * @returns {{done: Promise<any>, cancel: () => void}}
 */
export function upload(chatId, file, progress) {
  const request = new XMLHttpRequest();
  /** @type {Promise<any>} */
  const done = new Promise((resolve, reject) => {
    request.open("POST", "/file/upload");
    request.responseType = "json";
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response);
      else reject(new ApiError(words(request.response, request.status), request.status));
    };
    request.onerror = () => reject(new ApiError(NO_ANSWER, 0));
    request.onabort = () => reject(new ApiError("Cancelled.", -1));
    const body = new FormData();
    body.append("user_id", userId());
    body.append("target_id", chatId);
    body.append("is_chat", "true");
    body.append("files", file, file.name);
    request.send(body);
  });
  return { done, cancel: () => request.abort() };
}

/** Opens a socket of a chat. @param {string} chatId */
export function openSocket(chatId) {
  return socketAt(`/ws/${chatId}`);
}

/** Opens a socket of the feed of a user. @param {string} userId */
export function openFeed(userId) {
  return socketAt(`/ws/user/${userId}`);
}

/** @param {string} path */
function socketAt(path) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return new WebSocket(`${scheme}://${location.host}${path}`, "kafka.v2");
}

/** 128 random bits in hex. Not `crypto.randomUUID`, which only pages with TLS and those of this machine have. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
