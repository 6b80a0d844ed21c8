// The feed of the user (docs/websocket.md#the-feed-of-a-user): what other windows and machines do. This page shows lists
// and reads them again when an event names them, so of the feed it keeps nothing but its number.

import { checkSession, sessionEnded } from "./account.js";
import { openFeed } from "./api.js";
import { chatsChanged, readWorkspaces } from "./chats.js";
import { readModels } from "./models.js";
import { Pause } from "./pause.js";
import { readFilesOf } from "./prompts.js";
import { get, watch } from "./store.js";

/** Milliseconds without an event after which the server is asked what is new: it may have been killed before it told. */
const QUIET = 60000;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;

/** @type {WebSocket | null} */
let socket = null;
/** The number of the newest change that is known; null before the first socket of this user. @type {number | null} */
let rev = null;
let heard = 0;
const pause = new Pause(FIRST_PAUSE, LONGEST_PAUSE);
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

watch(({ user }) => [user?.id], () => {
  rev = null;
  pause.reset();
  follow();
});

setInterval(() => {
  if (socket?.readyState !== WebSocket.OPEN || Date.now() - heard < QUIET || rev === null) return;
  heard = Date.now();
  socket.send(JSON.stringify({ action: "sync", rev }));
}, 5000);

function follow() {
  clearTimeout(timer);
  const user = get().user;
  if (socket) socket.onmessage = socket.onclose = null;
  socket?.close();
  socket = null;
  if (!user) return;
  const opened = openFeed(user.id);
  socket = opened;
  opened.onmessage = (event) => received(JSON.parse(event.data));
  opened.onclose = ({ code }) => {
    socket = null;
    // The user is gone, or may not.
    if (code === 1008) checkSession();
    if (code === 1000 || code === 1008) return;
    timer = setTimeout(follow, pause.next());
  };
}

/** @param {{action: string, code?: string, rev?: number, has_forgotten?: boolean, file_id?: string, events?: object[]}} event */
function received(event) {
  if (event.action === "error" && event.code === "unauthorized") return sessionEnded();
  heard = Date.now();
  pause.reset();
  if (event.rev === undefined) return;
  const before = rev;
  // What begins anew says where, which is lower if the server has an older backup of its database.
  const isAnew = event.has_forgotten === true || (event.action === "initial" && event.rev !== before);
  if (before !== null && event.rev <= before && !isAnew) return;
  rev = event.rev;
  // What has happened since the list was read.
  if (before === null) return chatsChanged(false);
  // Of what was missed, only that it was something matters.
  const hasMissed = isAnew || event.action === "sync" || event.rev > before + 1;
  const is = (/** @type {string} */ kind) => hasMissed || event.action.startsWith(kind);
  if (is("chat_") || is("generation_")) chatsChanged(false);
  if (is("model_")) readModels().catch(() => {});
  if (is("workspace_")) readWorkspaces().catch(() => {});
  // That a text was read, or could not be. The chat's own socket tells the rest.
  if (hasMissed || (event.action === "file_changed" && isOpen(event.file_id))) readFilesOf(get().chatId).catch(() => {});
}

/** Whether it is a file of the open chat. @param {string | undefined} id */
function isOpen(id) {
  return get().files.some((file) => file.id === id || file.file_id === id);
}
