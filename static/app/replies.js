// How replies are made: instructions, model and parameters, for all chats, for a workspace or for one chat. The nearest
// one that sets something holds, so beside each field is what holds, and from where.

import { api } from "./api.js";
import { register } from "./dialogs.js";
import { h } from "./dom.js";
import { readInForce } from "./models.js";
import { attempt } from "./notes.js";
import { get, set } from "./store.js";

/** @typedef {import("./types.js").Level} Level */
/** @typedef {import("./types.js").ReplySettings} ReplySettings */

/** From the farthest to the nearest. @type {Level[]} */
const LEVELS = ["user", "workspace", "chat"];
const EFFORTS = ["none", "minimal", "low", "medium", "high"];

/** @param {Level} level whose settings are shown first */
export function openReplies(level) {
  set({ level, dialog: "replies", isSidebarOpen: false });
}

/** Whose settings a level has now; null: there is none. @param {Level} level */
function ownerOf(level) {
  const { user, workspaceId, chatId } = get();
  return { user: user?.id ?? null, workspace: workspaceId, chat: chatId }[level];
}

/** @param {Level} level */
function nameOf(level) {
  const { workspaces, workspaceId } = get();
  const workspace = workspaces.find(({ id }) => id === workspaceId)?.name ?? "this workspace";
  return { user: "all chats", workspace: `the workspace ${workspace}`, chat: "this chat" }[level];
}

register("replies", () => {
  const levels = LEVELS.filter((level) => ownerOf(level));
  let level = levels.includes(get().level) ? get().level : levels[0];
  /** What is set at each level. @type {Partial<Record<Level, ReplySettings>>} */
  let all = {};
  const place = h("div", { class: "reply-settings" }, h("p", { class: "soft", role: "status" }, "Reading…"));
  const labels = { user: "All chats", workspace: "This workspace", chat: "This chat" };
  const choice = h("div", { class: "row", role: "radiogroup", "aria-label": "For" }, levels.map((one) =>
    h("label", { class: "choice" },
      h("input", {
        type: "radio", name: "level", value: one, ".checked": one === level, "data-begin": one === level,
        onchange: () => {
          level = one;
          draw();
        },
      }), labels[one])));
  const draw = (saved = "") => place.replaceChildren(form(level, all, saved, read));
  const read = (saved = "") => attempt(async () => {
    const read = await Promise.all(levels.map((one) => api.settings(one, ownerOf(one) ?? "")));
    all = Object.fromEntries(levels.map((one, at) => [one, read[at]]));
    draw(saved);
  });
  read();
  return { title: "How replies are made", body: h("div", { class: "settings" }, choice, place) };
});

/**
 * @param {Level} level @param {Partial<Record<Level, ReplySettings>>} all @param {string} saved what was just saved, in words
 * @param {(saved: string) => void} done
 */
function form(level, all, saved, done) {
  const own = /** @type {ReplySettings} */ (all[level]);
  const modelName = (/** @type {unknown} */ id) => get().models.find((model) => model.id === id)?.name ?? "a deleted model";

  /** What holds here, and from where. @param {keyof ReplySettings} name @param {(value: any) => string} [words] @param {string} [otherwise] */
  const inForce = (name, words = String, otherwise = "the model's own default holds") => {
    const near = LEVELS.slice(0, LEVELS.indexOf(level) + 1).reverse();
    const from = near.find((one) => all[one]?.[name] !== null && all[one]?.[name] !== undefined);
    if (!from) return `Nothing is set; ${otherwise}.`;
    return `In force: ${words(all[from]?.[name])}, from ${nameOf(from)}.`;
  };
  /** @param {keyof ReplySettings} name @param {string} label @param {HTMLElement} input @param {string} about */
  const field = (name, label, input, about) => {
    input.id = `set-${name}`;
    input.setAttribute("aria-describedby", `about-${name}`);
    return h("div", { class: "field" }, h("label", { for: input.id }, label), input,
      h("span", { class: "soft small in-force", id: `about-${name}` }, about));
  };
  /** @param {keyof ReplySettings} name @param {Record<string, any>} range */
  const numeric = (name, range) =>
    h("input", { type: "number", inputmode: "decimal", placeholder: "Not set", ".value": own[name] ?? "", ...range });

  const instructions = h("textarea", {
    class: "editor", rows: 4, ".value": own.instructions ?? "", maxlength: 16384, dir: "auto",
    placeholder: "What models read before the conversation",
  });
  const model = h("select", {}, h("option", { value: "" }, "Not set"),
    ...get().models.map(({ id, name }) => h("option", { value: id }, name)));
  model.value = own.model_id ?? "";
  const effort = h("select", {}, h("option", { value: "" }, "Not set"), ...EFFORTS.map((word) => h("option", { value: word }, word)));
  effort.value = own.reasoning_effort ?? "";
  const temperature = numeric("temperature", { min: 0, max: 2, step: "any" });
  const topP = numeric("top_p", { min: 0, max: 1, step: "any" });
  const tokens = numeric("max_tokens", { min: 1, max: 10000000, step: 1 });
  const extra = h("textarea", {
    class: "editor code-field", rows: 2, spellcheck: "false", ".value": own.extra ? JSON.stringify(own.extra, null, 2) : "",
    placeholder: '{"seed": 7}',
    oninput: () => extra.setCustomValidity(""),
  });
  const texts = LEVELS.slice(0, LEVELS.indexOf(level) + 1).filter((one) => all[one]?.instructions);
  const read = texts.length > 0 ? `Models read those of ${texts.map(nameOf).join(", then of ")}.` : "Nothing is set.";

  /** @param {Event} event */
  async function save(event) {
    event.preventDefault();
    const number = (/** @type {HTMLInputElement} */ input) => (input.value === "" ? null : Number(input.value));
    let more = null;
    try {
      more = extra.value.trim() ? JSON.parse(extra.value) : null;
      if (more !== null && (typeof more !== "object" || Array.isArray(more))) throw new SyntaxError();
    } catch {
      extra.setCustomValidity('A JSON object is expected, such as {"seed": 7}.');
      extra.reportValidity();
      return;
    }
    const fields = {
      instructions: instructions.value.trim() ? instructions.value : null,
      model_id: model.value || null,
      temperature: number(temperature),
      top_p: number(topP),
      max_tokens: number(tokens),
      reasoning_effort: /** @type {ReplySettings["reasoning_effort"]} */ (effort.value || null),
      extra: more,
    };
    if (!(await attempt(() => api.changeSettings(level, ownerOf(level) ?? "", fields)))) return;
    done(`Saved for ${nameOf(level)}.`);
    readInForce();
  }

  return h("form", { class: "model-form", onsubmit: save },
    field("instructions", "Instructions", instructions, read),
    field("model_id", "Model", model, inForce("model_id", modelName, "prompts ask the one that is chosen beside them")),
    h("div", { class: "pair" },
      field("temperature", "Temperature", temperature, inForce("temperature")),
      field("top_p", "Top p", topP, inForce("top_p")),
      field("max_tokens", "Most tokens of a reply", tokens, inForce("max_tokens")),
      field("reasoning_effort", "Reasoning effort", effort, inForce("reasoning_effort"))),
    field("extra", "Further fields of the request, as JSON", extra, inForce("extra", JSON.stringify)),
    h("div", { class: "row end" },
      h("span", { class: "verdict good", role: "status" }, saved), h("button", { type: "submit", class: "primary" }, "Save")));
}
