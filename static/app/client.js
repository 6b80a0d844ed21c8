// What a v2 client of a chat has to keep, and what each frame changes: `rev`, `seq`, the tree of messages and its
// visible branch (/docs/websocket, "Keeping up" and "Branches"). It neither draws nor sends; `apply` says what to ask for.

/** @typedef {import("./types.js").Message} Message */

/**
 * What a frame asks for: `sync` to send one, `read` to read messages over HTTP, `files` to read the list of files.
 * @typedef {{sync?: boolean, read?: boolean, files?: boolean, gone?: boolean}} Wish
 */

const ROOT = "";

export class Client {
  rev = 0;
  name = "";
  workspaceId = "";
  /** @type {Map<string, Message>} Every message that was received. */
  known = new Map();
  /** @type {string | null} The message that the active branch ends with. */
  head = null;
  /** @type {{id: string, messageId: string} | null} The reply that is being written. */
  running = null;
  /** @type {Map<string, number>} The highest `seq` of each reply. */
  seqs = new Map();
  /** @type {Map<string, string[]>} Messages with the same parent, in the order in which they were made. */
  siblings = new Map();
  /** @type {Message[]} The active branch, as far up as it is known. */
  branch = [];

  /** The first frame of a socket. @param {any} initial @returns {Wish} */
  start(initial) {
    this.rev = initial.rev;
    this.name = initial.chat_name;
    this.workspaceId = initial.workspace_id;
    // What a lost socket has brought is never newer than this.
    for (const message of initial.conversation) this.#learn(message);
    this.head = initial.head_id;
    this.#runs(initial.generation);
    this.#arrange();
    return { sync: true, read: true, files: true };
  }

  /** Any other frame. @param {any} frame @returns {Wish} */
  apply(frame) {
    switch (frame.action) {
      case "delta":
      case "reasoning_delta":
        return this.#delta(frame);
      case "sync":
        return this.#synced(frame);
      case "chat_deleted":
        return { gone: true };
      case "ack":
      case "error":
        return {};
      default:
        return this.#change(frame);
    }
  }

  /** A page of messages that was read over HTTP; true if it brought something. @param {any} page */
  learnPage(page) {
    for (const message of page.messages) {
      const { siblings, ...rest } = message;
      // What was received before is never older.
      if (!this.known.has(message.id)) this.#learn(rest);
      this.siblings.set(message.parent_id ?? ROOT, this.#ordered(message.parent_id ?? ROOT, siblings));
    }
    this.#arrange();
  }

  /** Whether the visible branch has a message above, or siblings that were never listed. */
  get lacks() {
    return this.branch.some((message) => !this.siblings.has(message.parent_id ?? ROOT));
  }

  get hasOlder() {
    return this.branch.length > 0 && this.branch[0].parent_id !== null;
  }

  /** The messages beside this one, itself included. @param {Message} message */
  siblingsOf(message) {
    return this.siblings.get(message.parent_id ?? ROOT) ?? [message.id];
  }

  /** @param {any} frame @returns {Wish} */
  #delta(frame) {
    const known = this.seqs.get(frame.generation_id) ?? 0;
    if (frame.seq <= known) return {};
    const message = this.known.get(frame.message_id);
    const isNext = frame.seq === known + 1 && this.running?.id === frame.generation_id;
    if (!isNext || !message || typeof frame.content !== "string") return { sync: true };
    this.seqs.set(frame.generation_id, frame.seq);
    const field = frame.action === "delta" ? "content" : "reasoning";
    this.#learn({ ...message, [field]: (message[field] ?? "") + frame.content });
    this.#arrange();
    return {};
  }

  /** An event with a `rev`. @param {any} event @returns {Wish} */
  #change(event) {
    if (typeof event.rev !== "number" || event.rev <= this.rev) return {};
    if (event.rev > this.rev + 1 || event.truncated) return { sync: true };
    this.rev = event.rev;
    /** @type {Wish} */
    const wish = {};
    switch (event.action) {
      case "generation_started":
        this.running = { id: event.generation_id, messageId: event.message_id };
        this.#add({
          id: event.message_id,
          parent_id: event.parent_id,
          role: "assistant",
          type: "text",
          content: "",
          status: "running",
          model: event.model,
        });
        break;
      case "generation_ended":
        this.#add(event.message);
        this.running = null;
        break;
      case "branch_selected":
        for (const message of event.messages) this.#learn(message);
        this.head = event.head_id;
        wish.read = true;
        break;
      case "chat_renamed":
        this.name = event.name;
        break;
      default:
        if (event.action.startsWith("file_") || event.action === "revert_complete") wish.files = true;
        if (event.message?.id) this.#add(event.message);
    }
    this.#arrange();
    return wish;
  }

  /** @param {any} sync @returns {Wish} */
  #synced(sync) {
    if (sync.rev < this.rev) return {};
    const running = sync.generation?.status && sync.generation.status !== "running" ? null : sync.generation;
    if (running && running.seq < (this.seqs.get(running.id) ?? 0)) return {};
    /** @type {Wish} */
    const wish = { files: sync.rev > this.rev, read: true };
    for (const message of sync.messages) this.#learn(message);
    if (sync.head_id !== undefined) this.head = sync.head_id;
    if (typeof sync.chat_name === "string") this.name = sync.chat_name;
    this.rev = sync.rev;
    this.#runs(running);
    const message = running && this.known.get(running.message_id);
    if (message && typeof running.content === "string") {
      this.#learn({ ...message, content: running.content, reasoning: running.reasoning ?? "" });
    }
    wish.sync = sync.has_more === true;
    this.#arrange();
    return wish;
  }

  /** @param {any} generation */
  #runs(generation) {
    this.running = generation ? { id: generation.id, messageId: generation.message_id } : null;
    if (generation) this.seqs.set(generation.id, generation.seq);
  }

  /** Adds a message; a new one is the head, beside its siblings. @param {Message} message */
  #add(message) {
    if (!this.known.has(message.id)) {
      this.head = message.id;
      const parent = message.parent_id ?? ROOT;
      // Below a message that is the newest there are no others.
      this.siblings.set(parent, this.#ordered(parent, [...(this.siblings.get(parent) ?? []), message.id]));
    }
    this.#learn(message);
  }

  /** @param {Message} message */
  #learn(message) {
    this.known.set(message.id, message);
  }

  /** The siblings that were listed, and those that were received since. @param {string} parent @param {string[]} listed */
  #ordered(parent, listed) {
    const others = (this.siblings.get(parent) ?? []).filter((id) => !listed.includes(id));
    return [...listed, ...others];
  }

  /** Makes the branch of the head visible. While the head is unknown, the visible messages stay. */
  #arrange() {
    /** @type {Message[]} */
    const branch = [];
    for (let id = this.head; id !== null; ) {
      const message = this.known.get(id);
      if (!message) break;
      branch.push(message);
      id = message.parent_id;
    }
    if (this.head === null || branch.length > 0) this.branch = branch.reverse();
  }
}
