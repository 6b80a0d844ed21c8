// The connection to the chat that is open: a socket that comes back by itself, and prompts that wait for it.

import { api, ApiError, openSocket } from "./api.js";
import { Client } from "./client.js";
import { recall, remember } from "./memory.js";
import { Pause } from "./pause.js";
import { get, set } from "./store.js";
import { text, whenLoaded } from "./text.js";

/** @typedef {import("./types.js").Waiting} Waiting */

/** Milliseconds without a frame, while a reply is written, after which the server is asked what was missed. */
const SILENCE = 3000;
/** Milliseconds without a frame after which the server is asked whether it is still there. */
const HEARTBEAT = 15000;
/** Milliseconds that it may take to answer that; then the socket is given up. A stalled one does not close by itself. */
const ANSWER = 5000;
const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 8000;

/** @type {Connection | null} */
let current = null;

class Connection {
  /** @param {string} chatId */
  constructor(chatId) {
    this.chatId = chatId;
    this.client = new Client();
    /** @type {WebSocket | null} */
    this.socket = null;
    this.isClosed = false;
    this.hasStarted = false;
    this.heard = 0;
    /** When the `sync` was sent that has no answer yet. @type {number | null} */
    this.asked = null;
    this.pause = new Pause(FIRST_PAUSE, LONGEST_PAUSE);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** The page of messages that is being read: where the next one ends. @type {Promise<string | null> | null} */
    this.reading = null;
    /** Whether the visible branch is being completed, and whether that was asked for again meanwhile. */
    this.isCompleting = false;
    this.isAskedAgain = false;
    this.counter = 0;
    /**
     * Who waits for the answers to frames, by their ids.
     * @type {Map<string, {resolve: (answer: any) => void, reject: (error: ApiError) => void}>}
     */
    this.answers = new Map();
    /** @type {Waiting[]} */
    this.waiting = recall(`waiting.${chatId}`) ?? [];
    this.ticking = setInterval(() => this.tick(), 500);
  }

  connect() {
    clearTimeout(this.timer);
    if (this.isClosed) return;
    // The rules of the frames are in there.
    if (!text()) return whenLoaded(() => this.connect());
    this.drop();
    set({ connection: this.hasStarted ? "reconnecting" : "connecting" });
    const socket = openSocket(this.chatId);
    this.socket = socket;
    this.heard = Date.now();
    this.asked = this.heard;
    socket.onmessage = (event) => {
      if (this.socket === socket) this.received(event.data);
    };
    socket.onclose = (event) => {
      if (this.socket === socket) this.lost(event.code);
    };
  }

  /** Gives the socket up without waiting for its end. What was asked on it has no answer. @param {ApiError} [error] */
  drop(error = new ApiError("The connection was lost before the server answered. Try again when it is back.", 0)) {
    const { socket, answers } = this;
    this.socket = null;
    this.asked = null;
    this.answers = new Map();
    for (const { reject } of answers.values()) reject(error);
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** @param {number} code */
  lost(code) {
    this.drop();
    if (code === 1000 || code === 1008) {
      set({ connection: "refused", isOpening: false });
      // The error before may have been lost.
      if (code === 1008) listeners.refused();
      return;
    }
    set({ connection: navigator.onLine ? "reconnecting" : "offline" });
    this.timer = setTimeout(() => this.connect(), this.pause.next());
  }

  /** Looks whether the server is silent for too long. */
  tick() {
    if (!this.socket) return;
    const now = Date.now();
    if (this.asked !== null && now - this.asked > ANSWER && now - this.heard > ANSWER) {
      this.lost(0);
      return;
    }
    const limit = this.client.runningId || this.waiting.some((prompt) => !prompt.error) ? SILENCE : HEARTBEAT;
    if (this.asked === null && now - this.heard > limit) this.sync();
  }

  /** @param {object} frame */
  post(frame) {
    if (this.socket?.readyState !== WebSocket.OPEN || !this.hasStarted) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  sync() {
    if (this.post({ action: "sync", rev: this.client.rev })) this.asked = Date.now();
  }

  /** @param {string} data */
  received(data) {
    const frame = JSON.parse(data);
    if (frame.action === "error" && frame.code === "unauthorized") {
      // Not an answer: prompts wait until one has logged in.
      listeners.ended();
      return;
    }
    this.heard = Date.now();
    if (frame.action === "sync") this.asked = null;
    const answer = this.answers.get(frame.in_reply_to);
    this.answers.delete(frame.in_reply_to);
    if (frame.action === "error") answer?.reject(new ApiError(frame.error, 400));
    else answer?.resolve(frame);
    const asks = this.client.apply(data);
    if (frame.action === "initial") {
      this.hasStarted = true;
      this.pause.reset();
      this.asked = null;
      set({ connection: "online" });
      for (const prompt of this.waiting) if (!prompt.error) this.sendPrompt(prompt);
    }
    if (asks.gone) {
      listeners.gone();
      return;
    }
    this.show();
    // One at a time: what comes until its answer is in it.
    if (asks.sync && this.asked === null) this.sync();
    if (asks.read) this.complete();
    if (asks.files) listeners.files();
    if (frame.action === "chat_settings_changed") listeners.settings();
    if (frame.rev !== undefined && frame.action !== "sync") listeners.changed();
  }

  /** Reads what the visible branch lacks. */
  async complete() {
    this.isAskedAgain = true;
    if (this.isCompleting) return;
    this.isCompleting = true;
    while (this.isAskedAgain) {
      this.isAskedAgain = false;
      await this.reading;
      /** @type {string | null} */
      let before = null;
      // Of messages that are visible above the page, too.
      const isAbove = () => this.client.branch.findIndex(({ id }) => id === before) > 0;
      while (this.client.lacks && (before === null || isAbove())) {
        before = await this.readPage(before ?? undefined);
        if (before === null) break;
      }
    }
    this.isCompleting = false;
  }

  /** Reads the messages before the first visible one. */
  async readOlder() {
    await this.reading;
    if (this.client.hasOlder) await this.readPage(this.client.branch[0].id);
  }

  /** Reads messages; where the page before them ends, null if there is none. @param {string | undefined} before */
  readPage(before) {
    const read = async () => {
      try {
        const page = await api.messages(this.chatId, before);
        if (this.isClosed) return null;
        this.client.learnPage(page);
        this.show();
        return /** @type {string | null} */ (page.next ?? null);
      } catch (error) {
        // The next `sync` asks again.
        if (!(error instanceof ApiError)) throw error;
        return null;
      } finally {
        this.reading = null;
      }
    };
    return (this.reading = read());
  }

  /** Puts what is there into the store. */
  show() {
    if (this.isClosed) return;
    const { client } = this;
    set({
      chatName: client.name,
      isOpening: false,
      messages: client.branch,
      siblings: client.siblings,
      hasOlder: client.hasOlder,
      runningId: client.runningId,
      waiting: this.waiting.filter((prompt) => prompt.error || !this.hasArrived(prompt)),
    });
  }

  /** Whether a prompt is a message already, of which only the confirmation is missing. @param {Waiting} prompt */
  hasArrived(prompt) {
    const isIt = (/** @type {import("./types.js").Message} */ message) =>
      message.role === "user" && message.parent_id === prompt.after && message.content === prompt.prompt;
    return this.client.branch.some(isIt);
  }

  /**
   * Sends a frame and tells its answer; rejects without a connection, and when it is lost.
   * @param {object} frame @returns {Promise<any>}
   */
  ask(frame) {
    this.counter += 1;
    const id = `${this.counter}`;
    return new Promise((resolve, reject) => {
      if (this.post({ ...frame, id })) this.answers.set(id, { resolve, reject });
      else reject(new ApiError("There is no connection to the server. Try again when it is back.", 0));
    });
  }

  /** Adds a prompt, or what else begins a reply; it is sent now or when the connection is back. @param {Waiting} prompt */
  add(prompt) {
    this.waiting = [...this.waiting, prompt];
    this.keep();
    this.sendPrompt(prompt);
  }

  /** @param {Waiting} prompt */
  sendPrompt(prompt) {
    const sent = this.ask({ ...prompt.frame, client_id: prompt.clientId });
    sent.then(
      () => this.take(prompt.clientId),
      (error) => {
        // Without a connection it waits: sent again with the same id, it creates nothing twice.
        if (error.status > 0) this.refuse(prompt.clientId, error.message);
      },
    );
  }

  /** @param {string} clientId @param {string} error */
  refuse(clientId, error) {
    this.waiting = this.waiting.map((prompt) => (prompt.clientId === clientId ? { ...prompt, error } : prompt));
    this.keep();
  }

  /** @param {string} clientId */
  retry(clientId) {
    const prompt = this.waiting.find((prompt) => prompt.clientId === clientId);
    if (!prompt) return;
    const again = { ...prompt, error: undefined };
    this.waiting = this.waiting.map((other) => (other === prompt ? again : other));
    this.keep();
    this.sendPrompt(again);
  }

  /** Removes a prompt, and returns it. @param {string} clientId */
  take(clientId) {
    const prompt = this.waiting.find((prompt) => prompt.clientId === clientId);
    this.waiting = this.waiting.filter((other) => other !== prompt);
    this.keep();
    return prompt;
  }

  keep() {
    remember(`waiting.${this.chatId}`, this.waiting.length > 0 ? this.waiting : null);
    this.show();
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    clearInterval(this.ticking);
    this.drop(new ApiError("Another chat was opened.", -1));
    this.client.end();
  }
}

/** What the rest of the page does about a chat's events. */
const listeners = {
  files: () => {},
  settings: () => {},
  changed: () => {},
  ended: () => {},
  refused: () => {},
  gone: () => {},
};

/** @param {typeof listeners} told */
export function listen(told) {
  Object.assign(listeners, told);
}

/** Opens a chat, and closes the one before. @param {string | null} chatId */
export function connectTo(chatId) {
  current?.close();
  current = chatId === null ? null : new Connection(chatId);
  const waiting = current?.waiting ?? [];
  const none = { chatName: "", messages: [], siblings: new Map(), hasOlder: false, runningId: null, files: [] };
  const nothing = { editing: null, target: null, fileId: null, selectedFile: null };
  set({ ...none, ...nothing, waiting, chatId, isOpening: chatId !== null, connection: "none" });
  current?.connect();
}

/** The connection of the open chat. */
export function connection() {
  if (!current) throw new ApiError("No chat is open.", 0);
  return current;
}

for (const event of ["online", "visibilitychange", "focus"]) {
  (event === "visibilitychange" ? document : window).addEventListener(event, () => {
    // Not to wait for the pause, which may be a long one.
    if (current && !current.socket && !current.isClosed && document.visibilityState === "visible") {
      if (get().connection !== "refused") current.connect();
    }
  });
}
window.addEventListener("offline", () => {
  if (current) current.lost(0);
});
