// The models of the person: which one answers; add one with a trial, change it, delete it.

import { api, ApiError } from "./api.js";
import { confirmed, register } from "./dialogs.js";
import { h, icon, iconButton } from "./dom.js";
import { recall, remember } from "./memory.js";
import { attempt } from "./notes.js";
import { get, set, watch } from "./store.js";

/** @typedef {import("./types.js").Model} Model */

/** Well-known endpoints: the address, a model's name, and what the key is called and where it is from. */
const PRESETS = [
  { name: "OpenAI", url: "https://api.openai.com/v1", model: "gpt-4.1-mini", key: "API key (sk-…), from platform.openai.com" },
  { name: "OpenRouter", url: "https://openrouter.ai/api/v1", model: "openrouter/auto", key: "API key (sk-or-…), from openrouter.ai/keys" },
  { name: "Mistral", url: "https://api.mistral.ai/v1", model: "mistral-small-latest", key: "API key, from console.mistral.ai" },
  { name: "Groq", url: "https://api.groq.com/openai/v1", model: "llama-3.3-70b-versatile", key: "API key (gsk_…), from console.groq.com" },
  { name: "Ollama", url: "http://127.0.0.1:11434/v1", model: "llama3.2", key: "No key is needed" },
  { name: "LM Studio", url: "http://127.0.0.1:1234/v1", model: "local-model", key: "No key is needed" },
  { name: "vLLM", url: "http://127.0.0.1:8000/v1", model: "", key: "What --api-key says, if anything" },
  { name: "llama.cpp", url: "http://127.0.0.1:8080/v1", model: "default", key: "What --api-key says, if anything" },
];

register("models", () => {
  const place = h("div", { class: "settings" });
  /** @type {() => void} */
  let end = () => {};
  const show = (/** @type {Model | "new" | null} */ what) => {
    end();
    end = () => {};
    if (what) place.replaceChildren(form(what === "new" ? null : what, () => show(null)));
    else end = list(place, show);
  };
  show(get().models.length === 0 ? "new" : null);
  return { title: "Models", body: place, end: () => end() };
});

/** @param {HTMLElement} place @param {(what: Model | "new") => void} show */
function list(place, show) {
  const rows = h("ul", { class: "rows" });
  place.replaceChildren(rows, h("div", { class: "row" },
    h("button", { type: "button", class: "primary", "data-begin": true, onclick: () => show("new") }, icon("plus"), "Add a model")));
  return watch(({ models, modelId }) => [models, modelId], (models, chosen) => {
    rows.replaceChildren(...models.map((model) => h("li", {},
      h("div", { class: "grow" },
        h("div", {}, h("b", { dir: "auto" }, model.name), model.id === chosen && h("span", { class: "badge" }, "in use")),
        h("div", { class: "soft small break" }, isDemoModel(model) ? "demo model, answers without meaning" : model.base_url)),
      model.id !== chosen && h("button", { type: "button", onclick: () => chooseModel(model.id) }, "Use"),
      iconButton("edit", `Change ${model.name}`, () => show(model)),
      iconButton("trash", `Delete ${model.name}`, async () => {
        if (!(await confirmed("Delete this model?", `"${model.name}" is deleted with its API key. Replies that it wrote stay.`, "Delete"))) return;
        await attempt(() => api.deleteModel(model.id));
        await attempt(readModels);
      }))));
  });
}

/** @param {Model | null} model @param {() => void} done */
function form(model, done) {
  const url = field("base-url", "Base URL", { type: "url", required: true, placeholder: "https://api.openai.com/v1", ".value": model?.base_url ?? "" });
  const name = field("model-name", "Name of the model, as the endpoint calls it", { required: true, maxlength: 255, ".value": model?.name ?? "" });
  const key = field("model-key", "API key", {
    type: "password", autocomplete: "off", placeholder: model ? "Unchanged" : "Empty if the endpoint asks for none",
  });
  const verdict = h("p", { class: "verdict", role: "status" });
  /** Saved by a trial, to be changed by the next one. @type {Model | null} */
  let saved = model;
  const save = h("button", { type: "submit", class: "primary" }, model ? "Save and try" : "Add and try");
  const presets = h("div", { class: "presets" }, PRESETS.map((preset) =>
    h("button", {
      type: "button", class: "preset",
      onclick: () => {
        url.input.value = preset.url;
        name.input.value = preset.model;
        key.hint.textContent = preset.key;
        (preset.key.startsWith("No key") ? name.input : key.input).focus();
      },
    }, preset.name)));
  const demo = get().about?.demo_model;
  const hasDemo = get().models.some(isDemoModel);

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    save.disabled = true;
    verdict.className = "verdict";
    verdict.textContent = "Asking the model for one word…";
    try {
      const fields = { name: name.input.value.trim(), base_url: url.input.value.trim(), ak: key.input.value.trim() };
      saved = saved ? await api.changeModel(saved.id, changes(saved, fields)) : await api.newModel(fields);
      await readModels();
      const isFirst = !model;
      const { ok, error } = await api.testModel(/** @type {Model} */ (saved).id);
      verdict.classList.add(ok ? "good" : "bad");
      verdict.textContent = ok ? "It answers." : `It is saved, but does not answer: ${error}`;
      if (ok && isFirst) chooseModel(/** @type {Model} */ (saved).id);
      if (ok) setTimeout(done, 700);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      verdict.classList.add("bad");
      verdict.textContent = error.message;
    } finally {
      save.disabled = false;
    }
  }

  return h("form", { class: "model-form", onsubmit: submit },
    !model && demo && !hasDemo && h("div", { class: "card slim" },
      h("div", { class: "grow" }, h("b", {}, "Demo model"), h("div", { class: "soft small" }, "Needs no account, answers without meaning.")),
      h("button", { type: "button", onclick: async () => { await addDemoModel(); done(); } }, "Use it")),
    !model && h("div", { class: "field" }, h("span", { class: "label" }, "Endpoint"), presets),
    url.element, name.element, key.element, verdict,
    h("div", { class: "row end" },
      h("button", { type: "button", class: "quiet", onclick: done }, "Back"), save));
}

/** What is sent of a changed model: an address needs its key again, and an empty key means the old one. */
function changes(/** @type {Model} */ before, /** @type {{name: string, base_url: string, ak: string}} */ now) {
  /** @type {Record<string, string>} */
  const fields = { name: now.name };
  if (now.ak) fields.ak = now.ak;
  if (now.base_url !== before.base_url) fields.base_url = now.base_url;
  return fields;
}

/** @param {string} id @param {string} label @param {Record<string, any>} attributes */
function field(id, label, attributes) {
  const hint = h("span", { class: "soft small" });
  const input = h("input", { id, spellcheck: "false", autocapitalize: "off", ...attributes });
  return { input, hint, element: h("div", { class: "field" }, h("label", { for: id }, label), input, hint) };
}

/** @param {string | null} id */
export function chooseModel(id) {
  const { models } = get();
  const modelId = models.some((model) => model.id === id) ? id : (models.at(-1)?.id ?? null);
  remember("model", modelId);
  set({ modelId });
}

/** Takes the model that is set for the open chat, if there is one, else the one that was chosen last. */
export async function readInForce() {
  const { chatId, workspaceId, user } = get();
  if (!user || (!chatId && !workspaceId)) return;
  let modelId;
  try {
    if (chatId) {
      modelId = (await api.chat(chatId)).in_force.model_id?.value;
    } else {
      const levels = [await api.settings("workspace", workspaceId ?? ""), await api.settings("user", user.id)];
      modelId = levels.find(({ model_id: id }) => id)?.model_id;
    }
  } catch (error) {
    // What is opened says itself what is wrong with it.
    if (error instanceof ApiError) return;
    throw error;
  }
  const { models } = get();
  if (get().chatId !== chatId) return;
  const isThere = models.some(({ id }) => id === modelId);
  set({ modelId: isThere ? modelId : (models.find(({ id }) => id === recall("model"))?.id ?? models.at(-1)?.id ?? null) });
}

export async function readModels() {
  const { models } = await api.models();
  set({ models });
  chooseModel(get().modelId);
}

/** Saves the model that the server offers to newcomers. */
export async function addDemoModel() {
  const demo = get().about?.demo_model;
  if (!demo) return;
  await attempt(async () => {
    const made = await api.newModel({ name: demo.name, base_url: demo.base_url, ak: demo.ak });
    await readModels();
    chooseModel(made.id);
  });
}

/** Whether this is the demo model of this server, or was when it was added. @param {import("./types.js").Model} model */
export function isDemoModel(model) {
  return model.name === "demo" && new URL(model.base_url).pathname === "/demo-model/v1";
}

/** The server may listen at another address than when its demo model was added. */
export async function mendDemoModel() {
  const { about, models } = get();
  const demo = about?.demo_model;
  const old = models.find((model) => isDemoModel(model) && model.base_url !== demo?.base_url);
  if (!demo || !old) return;
  await api.changeModel(old.id, { base_url: demo.base_url, ak: demo.ak });
  await readModels();
}
