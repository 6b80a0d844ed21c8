// One file of a chat: what is in it, an editor, its versions, and what is different in them.

import { api } from "./api.js";
import { diffView } from "./diff.js";
import { h, icon, timeOf } from "./dom.js";
import { attempt } from "./notes.js";
import { readFiles } from "./prompts.js";
import { set } from "./store.js";

/** @typedef {import("./types.js").ChatFile} ChatFile */
/** @typedef {import("./types.js").Version} Version */

/** The longest text that can be saved, in bytes, and so shown. */
const MOST = 256 * 1024;

/** Milliseconds until it is asked again whether a text has been read. */
const AGAIN = 700;

/** What was written and not saved, by the ids of files, and how many versions there were. @type {Map<string, {text: string, versions: number}>} */
const drafts = new Map();

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
    if (!mayBeText(file)) return showRead();
    const text = await api.textOf(file.id, MOST);
    if (isOver) return;
    // What else is none is seen by its bytes. In another encoding, it can't be saved as it was.
    if (text === null || text.includes("\0")) return showRead();
    const isWhole = file.size <= MOST;
    const draft = isWhole ? drafts.get(file.id) : undefined;
    const save = h("button", { type: "button", class: "primary" }, "Save a version");
    const discard = h("button", { type: "button", class: "quiet", onclick: () => write(unchanged) }, "Discard changes");
    const state = h("span", { class: "soft small", role: "status" }, draft && draft.versions !== file.num_versions
      ? "This is what you wrote. There is a newer version meanwhile." : "");
    const editor = h("textarea", {
      class: "editor file-editor", ".value": text, "aria-label": `Text of ${file.filename}`, spellcheck: "false",
      dir: "auto", oninput: () => write(editor.value),
    });
    // Its line ends are those of the field.
    const unchanged = editor.value;
    const write = (/** @type {string} */ now) => {
      const isChanged = now !== unchanged;
      if (editor.value !== now) editor.value = now;
      if (isChanged) drafts.set(file.id, { text: now, versions: draft?.versions ?? file.num_versions });
      else drafts.delete(file.id);
      save.disabled = discard.hidden = !isChanged;
      if (!isChanged) state.textContent = "";
    };
    if (isWhole) write(draft?.text ?? unchanged);
    else editor.readOnly = true;
    save.addEventListener("click", async () => {
      const written = editor.value;
      save.disabled = true;
      if (await attempt(() => api.saveVersion(file.id, written))) {
        if (drafts.get(file.id)?.text === written) drafts.delete(file.id);
        await readFiles();
      } else save.disabled = false;
    });
    content.replaceChildren(editor, isWhole
      ? h("div", { class: "row end" }, state, discard, save)
      : h("p", { class: "soft small" }, "Only the beginning of this file is shown, since it is too long."));
  }

  /** Shows the text that was read of a file which is none itself. */
  async function showRead() {
    const { text_state: state, text_error: reason, text } = await api.fileWithText(file.id);
    if (isOver) return;
    if (state === "ready" && text) {
      content.replaceChildren(
        h("p", { class: "soft small", id: "read-of" }, "This is the text that models read of it."),
        h("pre", { class: "read-text", tabindex: "0", role: "region", "aria-labelledby": "read-of", dir: "auto" }, text));
      return;
    }
    const words = { pending: "Its text is being read…", ready: "There is no text in it.", failed: reason ?? "It has no text." };
    content.replaceChildren(h("p", { class: "soft", role: "status" }, words[/** @type {keyof typeof words} */ (state)]));
    if (state === "pending") setTimeout(() => isOver || attempt(showRead), AGAIN);
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
      diff.replaceChildren(h("h4", {}, title), diffView(old.content, now.content, widen));
      diff.scrollIntoView({ block: "nearest" });
    }

    versions.replaceChildren(h("h3", {}, "Versions"), h("ul", { class: "rows" }, rows), diff);
  }

  attempt(show);
  attempt(showVersions);
  const end = () => {
    isOver = true;
    widen(false);
  };
  return { element, end };
}

/** @param {ChatFile} file */
function mayBeText(file) {
  return file.num_versions > 0 || file.type !== "pdf";
}

/** @param {boolean} isPanelWide */
function widen(isPanelWide) {
  set({ isPanelWide });
}
