// How many tokens replies took: this month, and by day, model or chat.

import { openChat } from "./account.js";
import { api } from "./api.js";
import { close, register } from "./dialogs.js";
import { h } from "./dom.js";
import { attempt } from "./notes.js";
import { get } from "./store.js";

/**
 * @typedef {object} Used
 * @property {string | null} day
 * @property {string | null} model
 * @property {string | null} model_id
 * @property {string | null} chat_id
 * @property {string | null} chat_name
 * @property {number} replies
 * @property {number} estimated_replies
 * @property {number} tokens_in
 * @property {number} tokens_out
 */

const WAYS = { day: "By day", model: "By model", chat: "By chat" };

register("usage", () => {
  /** @type {keyof typeof WAYS} */
  let by = "day";
  const month = h("div", { class: "field" });
  const place = h("div", { class: "usage-table", role: "region", "aria-label": "Usage", tabindex: "0" });
  const choice = h("div", { class: "row", role: "radiogroup", "aria-label": "Summed" },
    Object.entries(WAYS).map(([way, label]) => h("label", { class: "choice" },
      h("input", {
        type: "radio", name: "by", value: way, ".checked": way === by, "data-begin": way === by,
        onchange: () => {
          by = /** @type {keyof typeof WAYS} */ (way);
          read();
        },
      }), label)));
  const read = () => attempt(async () => {
    const asked = by;
    /** @type {Used[]} */
    const rows = [];
    let page;
    do {
      page = await api.usage({ by: asked, after: page?.next });
      rows.push(...page.usage);
    } while (page.next && rows.length < 1000);
    if (by !== asked) return;
    month.replaceChildren(...ofMonth(page.month));
    place.replaceChildren(rows.length > 0 ? table(asked, rows) : h("p", { class: "soft" }, "No reply took tokens in the last 30 days."));
  });
  read();
  return {
    title: "Usage",
    body: h("div", { class: "settings" }, month, choice, place,
      h("p", { class: "soft small" }, "The last 30 days, in tokens. Where an endpoint does not count them, they are estimated (≈).")),
  };
});

/** @param {{tokens: number, budget: number | null, ends: string}} month */
function ofMonth({ tokens, budget, ends }) {
  const used = `${tokens.toLocaleString()} tokens this month`;
  if (budget === null) return [h("b", {}, used)];
  const label = `${used}, of ${budget.toLocaleString()}`;
  return [
    h("b", { id: "month" }, label),
    h("progress", { max: budget, value: Math.min(tokens, budget), "aria-labelledby": "month" }),
    h("span", { class: "soft small" }, `The next month begins on ${new Date(ends).toLocaleDateString()}.`),
  ];
}

/** @param {keyof typeof WAYS} by @param {Used[]} rows */
function table(by, rows) {
  const most = Math.max(...rows.map(({ tokens_in: read, tokens_out: wrote }) => read + wrote), 1);
  const sorted = by === "day" ? rows.toReversed() : rows.toSorted((a, b) => sum(b) - sum(a));
  const heads = [{ day: "Day", model: "Model", chat: "Chat" }[by], "Replies", "Read", "Written", "Together"];
  return h("table", { class: "usage" },
    h("thead", {}, h("tr", {}, heads.map((words) => h("th", { scope: "col" }, words)))),
    h("tbody", {}, sorted.map((row) => h("tr", {},
      h("th", { scope: "row", dir: "auto" }, nameOf(by, row)),
      h("td", {}, row.replies.toLocaleString()),
      h("td", {}, row.tokens_in.toLocaleString()),
      h("td", {}, row.tokens_out.toLocaleString()),
      h("td", {}, `${row.estimated_replies > 0 ? "≈ " : ""}${sum(row).toLocaleString()}`, h("progress", {
        max: most, value: sum(row), "aria-hidden": "true",
      }))))));
}

/** @param {Used} row */
function sum({ tokens_in: read, tokens_out: wrote }) {
  return read + wrote;
}

/** @param {keyof typeof WAYS} by @param {Used} row */
function nameOf(by, { day, model, chat_id: chat, chat_name: name }) {
  if (by === "day") return new Date(`${day}T00:00:00Z`).toLocaleDateString([], { timeZone: "UTC", dateStyle: "medium" });
  if (by === "model") return model ?? "A deleted model";
  if (!name) return "A deleted chat";
  const go = () => {
    close();
    openChat(chat);
  };
  return chat === get().chatId ? name : h("button", { type: "button", class: "link", onclick: go }, name);
}
