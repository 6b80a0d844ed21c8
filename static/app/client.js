// What a v2 client of a chat keeps (/docs/websocket, "Keeping up" and "Branches"). The rules are in crates/text-web; here is
// what they have made of the frames so far, for the views.

import { give, take, text } from "./text.js";

/** @typedef {import("./types.js").Message} Message */

/**
 * What a frame asks for: `sync` to send one, `read` to read messages over HTTP, `files` to read the list of files, `gone` to
 * close.
 * @typedef {{sync: boolean, read: boolean, files: boolean, gone: boolean}} Asks
 *
 * What a frame or a page has changed.
 * @typedef {object} Update
 * @property {Asks} asks
 * @property {number} rev
 * @property {string} name
 * @property {{id: string, message_id: string} | null} running
 * @property {Message[]} messages new or different ones
 * @property {{id: string, field: "content" | "reasoning", text: string} | null} grown
 * @property {string[] | null} branch the visible ones, if they are others
 * @property {[string, string[]][] | null} siblings of visible messages that are not alone, if they are others
 * @property {boolean} lacks
 * @property {boolean} has_older
 */

export class Client {
  rev = 0;
  name = "";
  /** The message that a reply is written to. @type {string | null} */
  runningId = null;
  /** The visible messages. @type {Message[]} */
  branch = [];
  /** Of visible messages that are not alone: all beside them. @type {Map<string, string[]>} */
  siblings = new Map();
  hasOlder = false;
  /** Whether the visible branch is not complete. */
  lacks = false;
  /** @type {Map<string, Message>} */
  #known = new Map();
  /** @type {string[]} */
  #ids = [];
  /** @type {number | null} */
  #number = null;

  /** A frame, as it came. @param {string} frame @returns {Asks} */
  apply(frame) {
    return this.#learn("client_apply", frame);
  }

  /** A page of messages that was read over HTTP. @param {unknown} page */
  learnPage(page) {
    this.#learn("client_page", JSON.stringify(page));
  }

  end() {
    if (this.#number !== null) text()?.client_end(this.#number);
    this.#number = null;
  }

  /** @param {"client_apply" | "client_page"} way @param {string} input */
  #learn(way, input) {
    const module = text();
    if (!module) throw new Error("Connections wait for the module.");
    this.#number ??= module.client_new();
    give(module, input);
    /** @type {Update} */
    const update = JSON.parse(take(module, module[way](this.#number)));
    const { messages, grown, branch, siblings } = update;
    this.rev = update.rev;
    this.name = update.name;
    this.runningId = update.running?.message_id ?? null;
    this.hasOlder = update.has_older;
    // A piece of a reply says nothing about that.
    if (!grown) this.lacks = update.lacks;
    for (const message of messages) this.#known.set(message.id, message);
    const message = grown && this.#known.get(grown.id);
    if (message) this.#known.set(message.id, { ...message, [grown.field]: (message[grown.field] ?? "") + grown.text });
    if (branch) this.#ids = branch;
    if (siblings) this.siblings = new Map(siblings);
    if (branch || grown || messages.length > 0) {
      this.branch = this.#ids.flatMap((id) => this.#known.get(id) ?? []);
    }
    return update.asks;
  }
}
