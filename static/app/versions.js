// One file of a chat: what is in it, an editor, its versions, and what is different in them.

import { attempt, readFiles } from "./actions.js";
import { api } from "./api.js";
import { h, icon, timeOf } from "./dom.js";
import { diffOf } from "./markdown.js";
import { set } from "./store.js";

/** @typedef {import("./types.js").ChatFile} ChatFile */
/** @typedef {import("./types.js").Version} Version */

/** The longest text that can be saved, in bytes, and so shown. */
const MOST = 256 * 1024;

/** Lines around a change that are shown. */
const CONTEXT = 3;

/** @param {ChatFile} file @returns {{element: HTMLElement, end: () => void}} */
export function fileView(file) {
  const content = h("div", { class: "file-content" }, h("p", { class: "soft" }, "Reading…"));
  const versions = h("div", { class: "versions" });
  const tools = h("div", { class: "row" },
    h("a", { class: "button", href: api.contentOf(file.id), download: file.filename }, icon("download"), "Download"),
    h("button", {
      type: "button",
      onclick: () => set({ isComposing: true, selectedFile: file.filename, isPanelOpen: innerWidth > 1100 }),
    }, icon("pen"), "Let the model change it"));
  const element = h("div", { class: "file-view" }, tools, content, versions);
  let isOver = false;

  async function show() {
    if (file.type === "image") {
      content.replaceChildren(h("img", { class: "preview", src: api.contentOf(file.id), alt: file.filename }));
      return;
    }
    if (!mayBeText(file)) {
      const words = { pending: "Its text is being read.", ready: "Models read its text.", failed: file.text_error ?? "It has no text." };
      content.replaceChildren(h("p", { class: "soft" }, words[file.text_state]));
      return;
    }
    const text = await api.textOf(file.id, MOST);
    if (isOver) return;
    if (text.includes("\0")) {
      content.replaceChildren(h("p", { class: "soft" }, "This is no text that could be shown."));
      return;
    }
    const save = h("button", { type: "button", class: "primary", disabled: true }, "Save a version");
    const editor = h("textarea", {
      class: "editor file-editor", ".value": text, "aria-label": `Text of ${file.filename}`, spellcheck: "false", dir: "auto",
      oninput: () => (save.disabled = editor.value === text),
    });
    const isWhole = file.size <= MOST;
    if (!isWhole) editor.readOnly = true;
    save.addEventListener("click", async () => {
      save.disabled = true;
      if (await attempt(() => api.saveVersion(file.id, editor.value))) await readFiles();
      else save.disabled = false;
    });
    content.replaceChildren(editor, isWhole
      ? h("div", { class: "row end" }, save)
      : h("p", { class: "soft small" }, "Only the beginning of this file is shown, since it is too long."));
  }

  async function showVersions() {
    if (file.num_versions === 0) return;
    /** @type {Version[]} */
    const all = [];
    let after;
    do {
      const page = await api.versions(file.id, after);
      all.push(...page.versions);
      after = page.next ?? undefined;
    } while (after && all.length < 1000);
    if (isOver) return;
    const newest = all.at(-1);
    const diff = h("div", { class: "diff-place" });
    const rows = all.toReversed().map((version) => h("li", {},
      h("div", { class: "grow" },
        h("div", {}, `Version ${version.number}`, version === newest && h("span", { class: "badge" }, "now")),
        h("div", { class: "soft small" }, timeOf(version.timestamp))),
      h("button", { type: "button", onclick: () => attempt(() => compare(version)) }, "Changes"),
      version !== newest && h("button", {
        type: "button",
        onclick: async () => {
          if (await attempt(() => api.restore(file.id, version.id))) await readFiles();
        },
      }, "Restore")));

    /** What a version has changed. @param {Version} version */
    async function compare(version) {
      const before = all[all.indexOf(version) - 1];
      const [old, now] = await Promise.all([
        before ? api.version(file.id, before.id) : { content: "" },
        api.version(file.id, version.id),
      ]);
      const title = before ? `From version ${before.number} to ${version.number}` : `Version ${version.number}`;
      diff.replaceChildren(h("h4", {}, title), diffView(old.content, now.content));
      diff.scrollIntoView({ block: "nearest" });
    }

    versions.replaceChildren(h("h3", {}, "Versions"), h("ul", { class: "rows" }, rows), diff);
  }

  attempt(show);
  attempt(showVersions);
  return { element, end: () => (isOver = true) };
}

/** What else is none is seen by its bytes. @param {ChatFile} file */
function mayBeText(file) {
  return file.num_versions > 0 || file.type !== "pdf";
}

/** The changes with some lines around them. @param {string} old @param {string} now */
function diffView(old, now) {
  const lines = diffOf(old, now);
  if (!lines) return h("p", { class: "soft" }, "Changes can't be shown in this browser.");
  if (lines.every(({ sign }) => sign === " ")) return h("p", { class: "soft" }, "Nothing was changed.");
  const isNear = (/** @type {number} */ at) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ sign }) => sign !== " ");
  const rows = [];
  let isGap = false;
  for (const [at, { sign, text }] of lines.entries()) {
    if (!isNear(at)) {
      if (!isGap) rows.push(h("div", { class: "gap", "aria-hidden": "true" }, "⋯"));
      isGap = true;
      continue;
    }
    isGap = false;
    const kind = sign === "+" ? "added" : sign === "-" ? "removed" : "";
    rows.push(h("div", { class: `line ${kind}` }, h("span", { class: "sign" }, sign === " " ? "\u00a0" : sign), h("span", {}, text || "\u00a0")));
  }
  return h("div", { class: "diff", role: "region", "aria-label": "Changes", tabindex: "0" }, rows);
}
