// Which model answers: the one that was chosen, or that is set for what is open; and the demo model.

import { api, ApiError } from "./api.js";
import { recall, remember } from "./memory.js";
import { attempt } from "./notes.js";
import { get, set } from "./store.js";

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
