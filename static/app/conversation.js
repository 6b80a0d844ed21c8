// The messages of the open chat. It stays at the end while a reply grows, unless one scrolls up.

import { fillComposer, focusComposer } from "./composer.js";
import { open } from "./dialogs.js";
import { h, iconButton } from "./dom.js";
import { messageView, updateMessage } from "./message.js";
import { addDemoModel } from "./models.js";
import { readOlder, retry, takeBack } from "./prompts.js";
import { get, set, watch } from "./store.js";
import { ListWindow } from "./window.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Waiting} Waiting */

/** Pixels from the beginning at which older messages are read. */
const AHEAD = 2000;

/** A message, or a prompt that is on its way. @typedef {{key: string, message?: Message, prompt?: Waiting}} Item */

export function conversation() {
  const older = h("p", { class: "soft older", hidden: true }, "Loading older messages…");
  const empty = h("div", { class: "empty" });
  const scroller = h("div", { class: "scroller", tabindex: "-1", "data-scroller": true });
  /** @type {ListWindow<Item>} */
  const messages = new ListWindow(scroller, ({ key }) => key,
    ({ message, prompt }) => (message ? messageView(message) : waitingView(/** @type {Waiting} */ (prompt))),
    (element, { message }) => {
      if (message) updateMessage(element, message);
    });
  scroller.append(h("div", { class: "column" }, older, messages.above, messages.list, messages.below, empty));
  const toEnd = iconButton("down", "To the end", () => {
    messages.isAtEnd = true;
    draw();
  }, { class: "to-end" });
  // Says that a reply has come, and not each word of it.
  const live = h("p", { class: "only-heard", "aria-live": "polite" });
  const place = h("section", { class: "conversation", "aria-label": "Conversation" }, scroller, toEnd, live);

  scroller.addEventListener("scroll", () => {
    messages.scrolled();
    toEnd.classList.toggle("visible", !messages.isAtEnd);
    readMore();
  }, { passive: true });

  let isReading = false;
  async function readMore() {
    if (isReading || scroller.scrollTop > AHEAD || !get().hasOlder) return;
    isReading = true;
    await readOlder();
    isReading = false;
  }

  /** @type {Item[]} */
  let items = [];
  const draw = () => {
    messages.show(items);
    toEnd.classList.toggle("visible", !messages.isAtEnd);
  };
  let chat = get().chatId;
  let sent = 0;
  watch(
    ({ messages, siblings, waiting, connection, editing, chatId, files, runningId }) =>
      [messages, waiting, connection, chatId, siblings, editing, files, runningId],
    (all, waiting, connection, chatId, ..._looks) => {
      // Another chat begins at its end, and who sends a prompt wants to see the reply.
      if (chatId !== chat || waiting.length > sent) messages.isAtEnd = true;
      chat = chatId;
      sent = waiting.length;
      items = all.map((message) => ({ key: message.id, message }));
      const shown = waiting.filter((prompt) => prompt.prompt || prompt.error);
      items.push(...shown.map((prompt) => ({ key: `waiting ${prompt.clientId} ${connection} ${prompt.error ?? ""}`, prompt })));
      draw();
    },
  );
  watch(({ hasOlder }) => [hasOlder], (hasOlder) => (older.hidden = !hasOlder));
  watch(({ target }) => [target], (target) => {
    const element = target && messages.reveal(target);
    if (!element) return;
    set({ target: null });
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
    element.classList.add("found");
    element.addEventListener("blur", () => element.classList.remove("found"), { once: true });
  });
  watch(({ chatId, isOpening, messages: all, waiting, models, connection }) =>
    [chatId, isOpening, all.length + waiting.length, models, connection], (chatId, isOpening, count, models, state) => {
    empty.hidden = count > 0;
    if (count > 0) return;
    if (state === "refused") empty.replaceChildren(refused());
    else if (isOpening) empty.replaceChildren(h("p", { class: "soft", role: "status" }, "Opening the chat…"));
    else empty.replaceChildren(...greeting(chatId, models.length > 0));
  });
  let wasRunning = false;
  watch(({ runningId }) => [runningId], (runningId) => {
    if (wasRunning && !runningId) {
      const last = get().messages.at(-1);
      live.textContent = last?.role === "assistant" ? `Reply: ${(last.content ?? "").slice(0, 400)}` : "";
    } else if (runningId) live.textContent = "A reply is being written.";
    wasRunning = runningId !== null;
  });
  return place;
}

function refused() {
  return h("div", { class: "greeting" },
    h("h2", {}, "There is no such chat"),
    h("p", { class: "soft" }, "It was deleted, or it belongs to somebody else."));
}

/** @param {string | null} chatId @param {boolean} hasModel */
function greeting(chatId, hasModel) {
  const parts = [h("div", { class: "greeting" },
    h("h2", {}, chatId ? "This chat is empty" : "What is on your mind?"),
    hasModel && h("p", { class: "soft" }, "Write below. Files can be dropped anywhere here."))];
  if (!hasModel) {
    const demo = get().about?.demo_model;
    parts.push(h("div", { class: "card first-model" },
      h("h3", {}, "Choose who answers"),
      demo && h("button", {
        type: "button", class: "primary wide", "data-demo": true,
        onclick: async () => {
          await addDemoModel();
          focusComposer();
        },
      }, "Use the demo model"),
      demo && h("p", { class: "soft" }, "It needs no account, and answers without meaning. Good for a look around."),
      h("button", { type: "button", class: demo ? "wide" : "primary wide", onclick: () => open("models") }, "Add a model of your own"),
      h("p", { class: "soft" }, "OpenAI, OpenRouter, Mistral, Groq, Ollama, or any endpoint that is compatible with OpenAI's API.")));
  }
  return parts;
}

/** A prompt that the server has not confirmed yet. @param {import("./types.js").Waiting} prompt */
function waitingView(prompt) {
  const { clientId, error } = prompt;
  const actions = error
    ? h("div", { class: "problem-box", role: "alert" },
      h("p", {}, error),
      h("div", { class: "row" },
        h("button", { type: "button", onclick: () => retry(clientId) }, "Try again"),
        h("button", { type: "button", class: "quiet", onclick: () => fillComposer(takeBack(clientId)) },
          prompt.prompt ? "Back to the composer" : "Dismiss")))
    : h("p", { class: "soft waits" }, "Sending…");
  const article = h("article", { class: "message user waiting" },
    prompt.prompt && h("div", { class: "bubble", dir: "auto" }, prompt.prompt), actions);
  if (!error) {
    // A moment is no reason to say anything.
    actions.hidden = get().connection === "online";
    actions.textContent = actions.hidden ? "Sending…" : "Waits for the connection; it is sent when that is back.";
    setTimeout(() => (actions.hidden = false), 1000);
  }
  return article;
}
