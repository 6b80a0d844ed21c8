// Searching all that the person has, for the side bar and the palette: the server finds, and what was found says where it is.

import { openChat, showFile, showMessage } from "./account.js";
import { api, ApiError } from "./api.js";
import { h, timeOf } from "./dom.js";
import { get } from "./store.js";

/** @typedef {import("./types.js").Hit} Hit */

/** Milliseconds without a key until the server is asked. */
const PAUSE = 180;
/** Milliseconds until it is asked again, while it is still indexing. */
const AGAIN = 1000;

/**
 * What is known about a query; `note` is for people.
 * @typedef {{hits: Hit[], note: string, more: (() => void) | null}} Found
 */

/**
 * Asks for what the person types, one query at a time. `show` gets what was found, at first nothing.
 * @param {(found: Found) => void} show
 */
export function searching(show) {
  let query = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {AbortController | null} */
  let asked = null;

  /** @param {Hit[]} before @param {string} [after] */
  async function ask(before, after) {
    asked?.abort();
    const own = (asked = new AbortController());
    try {
      const { results, next, is_complete: isComplete } = await api.search(query, after, own.signal);
      if (own.signal.aborted) return;
      const hits = [...before, ...results];
      const note = isComplete ? (hits.length > 0 ? "" : "Nothing was found.") : "What you have is still being indexed; more may be found.";
      show({ hits, note, more: next ? () => ask(hits, next) : null });
      if (!isComplete && !after) timer = setTimeout(() => ask([]), AGAIN);
    } catch (error) {
      if (own.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      show({ hits: before, note: error.message, more: null });
    }
  }

  return {
    /** @param {string} text */
    find(text) {
      clearTimeout(timer);
      if (text.trim() === query.trim() && text.endsWith(" ") === query.endsWith(" ")) return;
      query = text;
      asked?.abort();
      show({ hits: [], note: query.trim() ? "Searching…" : "", more: null });
      if (query.trim()) timer = setTimeout(() => ask([]), PAUSE);
    },
    end() {
      clearTimeout(timer);
      asked?.abort();
      query = "";
    },
  };
}

/** A text with what was found in it marked. @param {Pick<Hit, "snippet" | "marks">} hit @returns {(Node | string)[]} */
function marked({ snippet, marks }) {
  const parts = [];
  let at = 0;
  for (const { start, end } of marks) {
    parts.push(snippet.slice(at, start), h("mark", {}, snippet.slice(start, end)));
    at = end;
  }
  return [...parts, snippet.slice(at)];
}

/** Which one of all hits it is. @param {Hit} hit */
export function keyOf(hit) {
  return `hit ${hit.kind} ${hit.message_id ?? hit.file_id ?? hit.chat_id} ${hit.snippet.slice(0, 40)}`;
}

/** Goes to where it is. @param {Hit} hit */
export function goTo(hit) {
  if (hit.message_id && hit.chat_id) showMessage(hit.chat_id, hit.message_id);
  else if (hit.file_id) showFile(hit.chat_ids[0] ?? null, hit.file_id);
  else openChat(hit.chat_id);
}

/** The address of where it is. @param {Hit} hit */
export function addressOf(hit) {
  const chat = hit.chat_id ?? hit.chat_ids[0];
  return chat ? `/c/${chat}` : api.contentOf(hit.file_id ?? "");
}

/** What was found, in two lines: where it is, and what is there. @param {Hit} hit @returns {HTMLElement[]} */
export function described(hit) {
  const workspace = get().workspaces.find(({ id }) => id === hit.workspace_id);
  const isElsewhere = workspace && workspace.id !== get().workspaceId;
  const writer = { user: "You", assistant: "Reply", system: "Note" }[hit.role ?? "system"];
  const place = {
    message: () => [hit.chat_name, hit.role && writer, hit.created_at && timeOf(hit.created_at)],
    file_text: () => ["File", hit.filename],
    file_name: () => ["File", hit.chat_ids.length === 0 && "in no chat"],
    chat_name: () => ["Chat"],
  }[hit.kind]();
  const words = [...place, isElsewhere && workspace.name].filter(Boolean).join(" · ");
  return [
    h("span", { class: "hit-text", dir: "auto" }, marked(hit)),
    h("span", { class: "hit-place soft small", dir: "auto" }, words),
  ];
}
