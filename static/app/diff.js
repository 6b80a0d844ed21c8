// What two texts of a file differ in: in one column, or side by side.

import { h } from "./dom.js";
import { diffOf } from "./markdown.js";
import { recall, remember } from "./memory.js";

/** Lines around a change that are shown. */
const CONTEXT = 3;

/** @typedef {{sign: string, text: string}} Line */

/** Both ways to look at the changes, and a switch. @param {string} old @param {string} now @param {(isWide: boolean) => void} widen */
export function diffView(old, now, widen) {
  const lines = diffOf(old, now);
  if (!lines) return h("p", { class: "soft" }, "Changes can't be shown in this browser.");
  if (lines.every(({ sign }) => sign === " ")) return h("p", { class: "soft" }, "Nothing was changed.");
  const parts = near(lines);
  const place = h("div", { class: "diff-shown" });
  const show = (/** @type {boolean} */ isBeside) => {
    widen(isBeside);
    place.replaceChildren(isBeside ? beside(parts) : inline(parts));
  };
  let isBeside = recall("diff") === "beside";
  const choice = h("div", { class: "row", role: "radiogroup", "aria-label": "Changes" },
    [["Inline", false], ["Side by side", true]].map(([label, is]) => h("label", { class: "choice" },
      h("input", {
        type: "radio", name: "diff", ".checked": is === isBeside,
        onchange: () => {
          isBeside = Boolean(is);
          remember("diff", isBeside ? "beside" : null);
          show(isBeside);
        },
      }), String(label))));
  show(isBeside);
  return h("div", { class: "diff-box" }, choice, place);
}

/** The changes with some lines around them; null where lines are left out. @param {Line[]} lines @returns {(Line | null)[]} */
function near(lines) {
  /** @type {(Line | null)[]} */
  const parts = [];
  for (const [at, line] of lines.entries()) {
    const around = lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1);
    if (around.some(({ sign }) => sign !== " ")) parts.push(line);
    else if (parts.at(-1) !== null || parts.length === 0) parts.push(null);
  }
  return parts;
}

function gap() {
  return h("div", { class: "gap", "aria-hidden": "true" }, "⋯");
}

const KINDS = /** @type {Record<string, string>} */ ({ "+": "added", "-": "removed", " ": "" });

/** @param {(Line | null)[]} parts */
function inline(parts) {
  const rows = parts.map((line) => (line
    ? h("div", { class: `line ${KINDS[line.sign]}` },
      h("span", { class: "sign" }, line.sign === " " ? "\u00a0" : line.sign), h("span", {}, line.text || "\u00a0"))
    : gap()));
  return h("div", { class: "diff", role: "region", "aria-label": "Changes", tabindex: "0" }, rows);
}

/** Pairs what was removed with what was added there. @param {(Line | null)[]} parts */
function beside(parts) {
  /** @type {HTMLElement[]} */
  const rows = [];
  /** @type {[string[], string[]]} */
  let run = [[], []];
  const cell = (/** @type {string | undefined} */ text, /** @type {string} */ kind) =>
    h("td", { class: text === undefined ? "nothing" : kind }, text === undefined ? "" : text || "\u00a0");
  const end = () => {
    const [removed, added] = run;
    for (let at = 0; at < Math.max(removed.length, added.length); at += 1) {
      rows.push(h("tr", {}, cell(removed[at], "removed"), cell(added[at], "added")));
    }
    run = [[], []];
  };
  for (const line of parts) {
    if (line?.sign === "-") run[0].push(line.text);
    else if (line?.sign === "+") run[1].push(line.text);
    else {
      end();
      rows.push(line ? h("tr", {}, cell(line.text, ""), cell(line.text, "")) : h("tr", {}, h("td", { colspan: 2, class: "gap" }, "⋯")));
    }
  }
  end();
  return h("div", { class: "diff", role: "region", "aria-label": "Changes, side by side", tabindex: "0" },
    h("table", { class: "beside" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Before"), h("th", { scope: "col" }, "After"))),
      h("tbody", {}, rows)));
}
