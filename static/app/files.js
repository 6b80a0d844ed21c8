// The panel of files: the list, and one file with its versions.

import { api } from "./api.js";
import { confirmed } from "./dialogs.js";
import { h, icon, iconButton, sizeOf } from "./dom.js";
import { addFiles, deleteFile } from "./prompts.js";
import { atEnd, set, watch } from "./store.js";
import { fileView } from "./versions.js";

/** @typedef {import("./types.js").ChatFile} ChatFile */

export function filesPanel() {
  const body = h("div", { class: "panel-body" });
  const title = h("h2", { dir: "auto" });
  const back = iconButton("left", "All files", () => set({ fileId: null }));
  const picker = h("input", {
    type: "file", multiple: true, hidden: true, tabindex: "-1", "aria-hidden": "true",
    onchange: () => {
      addFiles(picker.files ?? []);
      picker.value = "";
    },
  });
  const panel = h("aside", { class: "panel", "aria-label": "Files" },
    h("div", { class: "panel-head" }, back, title,
      iconButton("plus", "Add files", () => picker.click()), picker,
      iconButton("close", "Close the files", () => set({ isPanelOpen: false, fileId: null }))),
    body);
  /** The file whose view is shown. @type {{id: string, versions: number, end: () => void} | null} */
  let shown = null;
  atEnd(() => shown?.end());
  watch(({ files, fileId, isPanelOpen }) => [files, fileId, isPanelOpen], (files, fileId, isOpen) => {
    const file = files.find(({ id }) => id === fileId);
    back.hidden = !file;
    title.textContent = file?.filename ?? "Files";
    if (!isOpen || !file) {
      shown?.end();
      shown = null;
      body.replaceChildren(isOpen ? list(files) : "");
    } else if (shown?.id !== file.id || shown.versions !== file.num_versions) {
      shown?.end();
      const { element, end } = fileView(file);
      shown = { id: file.id, versions: file.num_versions, end };
      body.replaceChildren(element);
    }
  });
  return panel;
}

/** @param {ChatFile[]} files */
function list(files) {
  if (files.length === 0) {
    return h("p", { class: "soft center" }, "This chat has no files. Drop some into the conversation, paste them, or add them above.");
  }
  return h("ul", { class: "rows files" }, files.map((file) => h("li", {},
    h("button", { type: "button", class: "file", onclick: () => set({ fileId: file.id }) },
      icon("file"),
      h("span", { class: "grow" },
        h("span", { class: "name", dir: "auto" }, file.filename),
        h("span", { class: "soft small" }, about(file)))),
    h("a", { class: "icon-button", href: api.contentOf(file.id), download: file.filename, "aria-label": `Download ${file.filename}`, title: "Download" }, icon("download")),
    iconButton("trash", `Delete ${file.filename}`, async () => {
      if (await confirmed("Delete this file?", `"${file.filename}" is deleted with its versions.`, "Delete")) deleteFile(file);
    }))));
}

/** Size, versions, and how far the text is that models read. @param {ChatFile} file */
function about(file) {
  const versions = file.num_versions > 1 ? `${file.num_versions} versions` : "";
  const words = { pending: "being read…", ready: "", failed: file.text_error ?? "no text for models" };
  return [sizeOf(file.size), versions, words[file.text_state]].filter(Boolean).join(" · ");
}
