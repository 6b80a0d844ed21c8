// One message: its text, what the model thought, what went wrong, and what can be done with it.

import { api } from "./api.js";
import { confirmed, written } from "./dialogs.js";
import { h, icon, iconButton } from "./dom.js";
import { MarkdownView } from "./markdown.js";
import { menu } from "./menu.js";
import { chatFile, copyBranch, deleteMessage, edit, rate, regenerate, selectBranch } from "./prompts.js";
import { get, set } from "./store.js";

/** @typedef {import("./types.js").Message} Message */

/**
 * What was drawn of each message, to draw only what has changed.
 * @typedef {{message: Message, stamp: string, update: (message: Message) => void}} Drawn
 * @type {WeakMap<HTMLElement, Drawn>}
 */
const drawn = new WeakMap();

/** @param {Message} message */
export function messageView(message) {
  const article = h("article", { class: `message ${message.role} ${message.type}`, "data-message": message.id });
  draw(article, message);
  return article;
}

/** @param {HTMLElement} article @param {Message} message */
export function updateMessage(article, message) {
  const before = drawn.get(article);
  if (before && before.stamp === stamp(message)) {
    if (before.message !== message) {
      before.message = message;
      before.update(message);
    }
  } else {
    draw(article, message);
  }
}

/** What a message looks like besides its text. @param {Message} message */
function stamp(message) {
  const { siblings, editing, files, runningId } = get();
  const beside = siblings.get(message.id) ?? [];
  const isEdited = editing === message.id;
  // Its arrows wait for the end of a reply.
  const isBusy = beside.length > 0 && !isEdited && runningId !== null;
  // What it names may be files that come later.
  const names = message.type === "file" || message.file_ids?.length || message.content?.includes("![");
  const named = names ? files.length : 0;
  return [message.status, beside.join(), isBusy, isEdited, message.error, named, message.rating, message.note].join("|");
}

/** @param {HTMLElement} article @param {Message} message */
function draw(article, message) {
  const focused = article.contains(document.activeElement) ? document.activeElement?.getAttribute("aria-label") : null;
  let update = (/** @type {Message} */ _message) => {};
  if (message.type === "file") article.replaceChildren(fileEvent(message));
  else if (message.role === "user") article.replaceChildren(...prompt(message));
  else update = reply(article, message);
  drawn.set(article, { message, stamp: stamp(message), update });
  // Who presses keys goes on from where they are.
  const again = [.../** @type {NodeListOf<HTMLElement>} */ (article.querySelectorAll("[aria-label]"))];
  if (focused) again.find((element) => element.getAttribute("aria-label") === focused)?.focus({ preventScroll: true });
}

// --- prompts ---

/** @param {Message} message */
function prompt(message) {
  if (get().editing === message.id) return [editor(message)];
  const text = message.content ?? "";
  return [
    h("div", { class: "bubble", dir: "auto" }, text),
    ...filesOf(message),
    h("div", { class: "actions" },
      arrows(message),
      iconButton("edit", "Edit the prompt", () => set({ editing: message.id })),
      copyButton("Copy the prompt", () => text),
      moreButton("More about this prompt", message)),
  ];
}

/** The files that belong to a prompt. @param {Message} message @returns {Node[]} */
function filesOf(message) {
  const files = (message.file_ids ?? []).flatMap((id) => chatFile(id) ?? []);
  if (files.length === 0) return [];
  return [h("ul", { class: "files-of", "aria-label": "Files of this message" }, ...files.map((file) => h("li", {},
    h("button", { type: "button", class: "quiet", dir: "auto", onclick: () => set({ isPanelOpen: true, fileId: file.id }) },
      file.type === "image" ? h("img", { src: api.contentOf(file.id), alt: "", loading: "lazy" }) : icon("file"),
      file.filename))))];
}

/** What was written of an edited prompt, which leaves the page when one scrolls away from it. */
let draft = { id: "", text: "" };

/** @param {Message} message */
function editor(message) {
  if (draft.id !== message.id) draft = { id: message.id, text: message.content ?? "" };
  const field = h("textarea", {
    class: "editor", rows: 3, ".value": draft.text, "aria-label": "The edited prompt", dir: "auto",
    oninput: () => (draft.text = field.value),
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") cancel();
      else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) save();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
  });
  const save = () => {
    const text = field.value.trim();
    if (!text) return;
    draft.id = "";
    edit(message, text);
  };
  const cancel = () => {
    draft.id = "";
    set({ editing: null });
  };
  queueMicrotask(() => field.focus());
  return h("div", { class: "edit-box" }, field,
    h("div", { class: "row end" },
      h("button", { type: "button", class: "quiet", onclick: cancel }, "Cancel"),
      h("button", { type: "button", class: "primary", onclick: save }, "Send")));
}

// --- replies ---

/** @param {HTMLElement} article @param {Message} first @returns {(message: Message) => void} */
function reply(article, first) {
  const body = h("div", { class: "body", dir: "auto" });
  const view = new MarkdownView(body);
  const thoughts = h("div", { class: "thoughts-text", dir: "auto" });
  const summary = h("summary", {});
  const reasoning = h("details", { class: "thoughts", hidden: true }, summary, thoughts);
  const wait = h("p", { class: "thinking", role: "status" }, h("span", { class: "only-heard" }, "Waiting for the model"));
  article.replaceChildren(reasoning, body, wait, ...ending(first));
  const isRunning = first.status === "running";
  article.classList.toggle("is-running", isRunning);
  const update = (/** @type {Message} */ message) => {
    const text = message.content ?? "";
    reasoning.hidden = !message.reasoning;
    if (message.reasoning && thoughts.textContent !== message.reasoning) thoughts.textContent = message.reasoning;
    summary.textContent = isRunning && !text ? "Thinking…" : "Thoughts";
    wait.hidden = !isRunning || text !== "" || Boolean(message.reasoning);
    view.show(text, !isRunning);
    showPictures(body);
  };
  update(first);
  return update;
}

/** What is below a reply. @param {Message} message @returns {Node[]} */
function ending(message) {
  if (message.status === "running") return [];
  const parts = [];
  const again = () => regenerate(message.id);
  if (message.status === "error" || message.status === "interrupted") {
    const words = message.error ?? (message.status === "interrupted"
      ? "The server stopped in the middle of this reply."
      : "The model did not answer.");
    parts.push(h("div", { class: "problem-box", role: "alert" },
      h("p", {}, words), h("div", { class: "row" }, h("button", { type: "button", onclick: again }, "Try again"))));
  } else if (message.status === "stopped") {
    parts.push(h("p", { class: "soft small" }, "You stopped this reply."));
  } else if (message.error) {
    // A reply that is complete all the same, such as one of a model that did not see the images.
    parts.push(h("p", { class: "soft small not-seen" }, message.error));
  } else if (message.finish_reason === "length") {
    parts.push(h("p", { class: "soft small" }, "The reply reached the model's limit of length."));
  }
  if (message.truncated) parts.push(h("p", { class: "soft small" }, "This message is too long to be shown whole."));
  const total = message.usage?.total_tokens;
  const about = [message.model, total !== undefined && `${total.toLocaleString()} tokens`].filter(Boolean).join(" · ");
  const usage = message.usage;
  const title = usage ? `${usage.prompt_tokens ?? "?"} in, ${usage.completion_tokens ?? "?"} out` : null;
  parts.push(h("div", { class: "actions" },
    arrows(message),
    copyButton("Copy the reply", () => message.content ?? ""),
    iconButton("again", "Another reply", again),
    rateButton(message, "good", "up", "Good reply"),
    rateButton(message, "bad", "bad", "Bad reply"),
    moreButton("More about this reply", message),
    h("span", { class: "about", title }, about)));
  if (message.note) parts.push(h("p", { class: "soft small note-of", dir: "auto" }, h("b", {}, "Your note: "), message.note));
  return parts;
}

/** @param {Message} message @param {"good" | "bad"} rating @param {string} name @param {string} label */
function rateButton(message, rating, name, label) {
  const isChosen = message.rating === rating;
  const act = () => rate(message, { rating: isChosen ? null : rating });
  return iconButton(name, label, act, { "aria-pressed": String(isChosen), class: isChosen ? "chosen" : "" });
}

/** @param {Message} message */
async function writeNote(message) {
  const note = await written("A note about this reply", message.note ?? "", 2000);
  if (note !== null) rate(message, { note: note || null });
}

/** Pictures of a reply are files of its chat, or nothing but their words. @param {HTMLElement} body */
function showPictures(body) {
  for (const place of body.querySelectorAll("span.picture[data-file]")) {
    const name = /** @type {HTMLElement} */ (place).dataset.file;
    const file = get().files.find((file) => file.filename === name && file.type === "image");
    if (file) place.replaceWith(h("img", { src: api.contentOf(file.id), alt: place.textContent ?? "", loading: "lazy" }));
  }
}

// --- what both have ---

/** Arrows to the messages beside this one. @param {Message} message */
function arrows(message) {
  const beside = get().siblings.get(message.id);
  if (!beside) return null;
  const at = beside.indexOf(message.id);
  const isBusy = get().runningId !== null;
  return h("span", { class: "arrows" },
    iconButton("left", "The one before", () => selectBranch(beside[at - 1]), { disabled: at <= 0 || isBusy }),
    h("span", { class: "place" }, `${at + 1}/${beside.length}`),
    iconButton("right", "The next one", () => selectBranch(beside[at + 1]), { disabled: at + 1 >= beside.length || isBusy }));
}

/** What is rarely done with a message. @param {string} label @param {Message} message */
function moreButton(label, message) {
  const button = iconButton("more", label, () => menu(button, [
    ...(message.role === "assistant"
      ? [{ label: message.note ? "Change the note" : "Add a note", icon: "pen", act: () => writeNote(message) }] : []),
    { label: "Copy up to here into a new chat", icon: "branch", act: () => copyBranch(message.id) },
    { label: "Delete from here on…", icon: "trash", isDangerous: true, act: () => askToDelete(message) },
  ]), { "aria-haspopup": "menu", class: "row-more" });
  return button;
}

/** @param {Message} message */
async function askToDelete(message) {
  const text = "This message is deleted, and all that follow it, on all branches. Files stay as they are.";
  if (await confirmed("Delete from here on?", text, "Delete")) deleteMessage(message.id);
}

/** @param {string} label @param {() => string} text */
function copyButton(label, text) {
  const button = iconButton("copy", label, () => copy(button, text()));
  return button;
}

/** Copies a text, and says so for a moment. @param {HTMLElement} button @param {string} text */
async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page without TLS has no clipboard but this one.
    const field = h("textarea", { ".value": text, class: "only-heard" });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  const before = [...button.childNodes];
  button.replaceChildren(icon("check"));
  button.classList.add("done");
  setTimeout(() => {
    button.replaceChildren(...before);
    button.classList.remove("done");
  }, 1200);
}

// Code of replies is markup of the module, so its button is found here.
document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest?.("button.copy-code");
  const code = button?.closest(".code")?.querySelector("code");
  if (button && code) copy(/** @type {HTMLElement} */ (button), code.textContent ?? "");
});

/** A line about a file. @param {Message} message */
function fileEvent(message) {
  let [words, name] = [message.content ?? "", ""];
  if (message.role !== "system") {
    try {
      const about = JSON.parse(words);
      name = about.filename ?? about.based_filename ?? "";
      words = about.message ?? (message.role === "user" ? "was added" : "was written by the model");
      if (about.message) name = "";
    } catch {
      words = "A file";
    }
  }
  const file = name ? get().files.find(({ filename }) => filename === name) : undefined;
  const label = file
    ? h("button", { type: "button", class: "link", dir: "auto", onclick: () => set({ isPanelOpen: true, fileId: file.id }) }, name)
    : name && h("b", { dir: "auto" }, name);
  return h("p", { class: "event" }, icon("file"), h("span", {}, label, label ? ` ${words}` : words));
}
