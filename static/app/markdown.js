// Markdown, by the module of crates/text-web. The only place where text becomes markup: what goes through the policy `md`
// was made by that module, which escapes whatever it did not write itself. Without the module, replies are plain text.

import { give, take, text as loaded, whenLoaded } from "./text.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @type {{createHTML: (html: string) => any}} */
const policy = /** @type {any} */ (window).trustedTypes?.createPolicy("md", { createHTML: (/** @type {string} */ html) => html })
  ?? { createHTML: (html) => html };

/** @param {import("./text.js").TextModule} module @param {Uint8Array} bytes */
function rendered(module, bytes) {
  give(module, bytes);
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(take(module, module.markdown()));
  return template.content;
}

/**
 * A text that grows. Blocks that are complete stay as they are; only the last one is rendered again.
 */
export class MarkdownView {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.text = "";
    /** How much of the text, in code units, is in complete blocks, and how many nodes these are. */
    this.done = 0;
    this.nodes = 0;
    element.classList.add("markdown");
  }

  /** Shows a text; `isWhole` if it does not grow any more. @param {string} text @param {boolean} isWhole */
  show(text, isWhole) {
    if (text === this.text && !(isWhole && this.done > 0 && this.text.includes("]:"))) return;
    const module = loaded();
    this.element.classList.toggle("plain-text", !module);
    if (!module) {
      this.element.textContent = text;
      this.text = text;
      whenLoaded(() => {
        const { text } = this;
        this.text = "";
        this.element.replaceChildren();
        this.show(text, true);
      });
      return;
    }
    // Another text, or one whose end may define links of its beginning.
    const isOther = !text.startsWith(this.text) || (isWhole && text.includes("]:"));
    if (isOther) this.done = this.nodes = 0;
    this.text = text;
    const rest = text.slice(this.done);
    const bytes = encoder.encode(rest);
    while (this.element.childNodes.length > this.nodes) this.element.lastChild?.remove();
    give(module, bytes);
    const open = isWhole ? 0 : module.open_block();
    if (open > 0) {
      this.element.append(rendered(module, bytes.subarray(0, open)));
      this.nodes = this.element.childNodes.length;
      this.done += decoder.decode(bytes.subarray(0, open)).length;
    }
    this.element.append(rendered(module, bytes.subarray(open)));
  }
}

/**
 * The lines of two texts: `-` was removed, `+` was added, ` ` is in both. Null while there is no module.
 * @param {string} before @param {string} after @returns {{sign: string, text: string}[] | null}
 */
export function diffOf(before, after) {
  const module = loaded();
  if (!module) return null;
  const old = give(module, before, after);
  const lines = take(module, module.diff(old)).split("\n");
  return lines.slice(0, -1).map((line) => ({ sign: line[0], text: line.slice(1) }));
}
