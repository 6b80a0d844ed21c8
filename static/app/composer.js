// Where prompts are written: text, files, the model, and whether the reply may write files.

import { open } from "./dialogs.js";
import { h, iconButton, keyed, sizeOf } from "./dom.js";
import { draftOf, recall, remember } from "./memory.js";
import { chooseModel } from "./models.js";
import { addFiles, chatFile, endTransfer, send, stop, uploadsTo } from "./prompts.js";
import { get, set, watch } from "./store.js";

/** @type {HTMLTextAreaElement | null} */
let field = null;

export function focusComposer() {
  field?.focus();
}

/** @param {string} text */
export function fillComposer(text) {
  if (!field || !text) return;
  field.value = field.value ? `${text}\n${field.value}` : text;
  field.dispatchEvent(new Event("input"));
  field.focus();
}

export function composer() {
  const text = h("textarea", {
    rows: 1, class: "prompt", placeholder: "Write a message", "aria-label": "Message", "data-first": true, dir: "auto",
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      const isPhone = matchMedia("(pointer: coarse)").matches;
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || (isPhone && !event.ctrlKey)) return;
      event.preventDefault();
      submit();
    },
    oninput: () => {
      fit();
      remember(draftOf(get().chatId), text.value);
      drawButtons();
    },
    onpaste: (/** @type {ClipboardEvent} */ event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      addFiles(files);
    },
  });
  field = text;
  const fit = () => {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight, innerHeight * 0.4)}px`;
  };
  const picker = h("input", {
    type: "file", multiple: true, hidden: true, tabindex: "-1", "aria-hidden": "true",
    onchange: () => {
      addFiles(picker.files ?? []);
      picker.value = "";
    },
  });
  const model = h("select", {
    class: "model", "aria-label": "Model",
    onchange: () => {
      if (model.value !== "+") return chooseModel(model.value);
      model.value = get().modelId ?? "";
      open("models");
    },
  });
  const compose = h("input", { type: "checkbox", id: "compose", role: "switch", onchange: () => set({ isComposing: compose.checked }) });
  const target = h("select", {
    class: "target", "aria-label": "File that the reply may change", onchange: () => set({ selectedFile: target.value || null }),
  });
  const sendButton = iconButton("send", "Send", () => submit(), { class: "send" });
  const stopButton = iconButton("stop", "Stop the reply", stop, { class: "send stop" });
  const transfers = h("div", { class: "transfers" });
  const box = h("form", { class: "composer", onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
    transfers,
    h("div", { class: "box" },
      text,
      h("div", { class: "tools" },
        h("div", { class: "choices" },
          iconButton("clip", "Add files", () => picker.click()), picker,
          model,
          h("label", { class: "switch", for: "compose", title: "The reply may make and change files of this chat" },
            compose, h("span", { class: "knob", "aria-hidden": "true" }), h("span", {}, "Write files")),
          target),
        stopButton, sendButton)));

  async function submit() {
    const prompt = text.value.trim();
    if (!prompt || sendButton.disabled) return;
    if (get().models.length === 0) {
      open("models");
      return;
    }
    const draft = draftOf(get().chatId);
    text.value = "";
    remember(draft, "");
    fit();
    drawButtons();
    if (!(await send(prompt))) fillComposer(prompt);
    text.focus();
  }

  function drawButtons() {
    const { runningId, waiting, chatId } = get();
    const isUploading = uploadsTo(chatId).length > 0;
    const isBusy = runningId !== null || isUploading || waiting.some(({ error }) => !error);
    stopButton.hidden = runningId === null;
    sendButton.hidden = runningId !== null;
    sendButton.disabled = isBusy || text.value.trim() === "";
    sendButton.title = isUploading ? "Send (a file is still on its way)" : "Send";
  }

  watch(({ runningId, waiting, transfers }) => [runningId, waiting, transfers], () => drawButtons());
  watch(({ chatId }) => [chatId], (chatId) => {
    const draft = recall(draftOf(chatId)) ?? "";
    if (text.value !== draft) text.value = draft;
    queueMicrotask(fit);
    drawButtons();
    if (matchMedia("(pointer: fine)").matches) text.focus();
  });
  watch(({ models, modelId }) => [models, modelId], (models, id) => {
    model.replaceChildren(
      ...models.map((one) => h("option", { value: one.id }, one.name)),
      h("option", { value: "+" }, models.length > 0 ? "Manage models…" : "Add a model…"));
    model.value = id ?? "";
    if (models.length === 0) model.prepend(h("option", { value: "", selected: true }, "No model"));
  });
  watch(({ files, isComposing, selectedFile }) => [files, isComposing, selectedFile], (files, isComposing, selected) => {
    compose.checked = isComposing;
    target.hidden = !isComposing || files.length === 0;
    target.replaceChildren(h("option", { value: "" }, "New file"), ...files.map(({ filename }) => h("option", { value: filename }, filename)));
    target.value = selected ?? "";
  });
  watch(({ transfers, chatId }) => [transfers, chatId], (transfersOfAll, chatId) => {
    const all = transfersOfAll.filter((transfer) => transfer.chatId === chatId);
    const key = (/** @type {import("./types.js").Transfer} */ { id, fileId }) => `${id} ${fileId ?? ""}`;
    keyed(transfers, all, key, ({ id, name, fileId }) => {
      if (fileId) return chip(id, name, fileId);
      const bar = h("progress", { max: 1, "aria-label": `Upload of ${name}` });
      return h("div", { class: "transfer" }, h("span", { class: "name", dir: "auto" }, name), bar,
        h("span", { class: "soft" }), iconButton("close", `Cancel the upload of ${name}`, () => {
          get().transfers.find((transfer) => transfer.id === id)?.cancel();
          endTransfer(id);
        }));
    }, () => {});
    all.forEach(({ sent, size, error, fileId }, at) => {
      if (fileId) return;
      const row = /** @type {HTMLElement} */ (transfers.children[at]);
      const [, bar, words] = row.children;
      /** @type {HTMLProgressElement} */ (bar).value = size > 0 ? sent / size : 1;
      words.textContent = error ?? (sent < size ? `${sizeOf(sent)} of ${sizeOf(size)}` : "Storing…");
      row.classList.toggle("error", Boolean(error));
    });
  });
  return box;
}

/** A file that was just added. @param {string} id @param {string} name @param {string} fileId */
function chip(id, name, fileId) {
  const show = () => {
    set({ isPanelOpen: true, fileId: chatFile(fileId)?.id ?? null });
  };
  return h("div", { class: "transfer stored" },
    h("button", { type: "button", class: "link name", dir: "auto", onclick: show }, name),
    h("span", { class: "soft" }, "goes with your message"),
    iconButton("close", `Hide ${name}`, () => endTransfer(id)));
}
