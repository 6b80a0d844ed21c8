// What goes wrong in something that a person does is said in words.

import { sessionEnded } from "./account.js";
import { ApiError } from "./api.js";
import { note } from "./notes.js";
import { get } from "./store.js";

/** Says what went wrong, or asks for a login if the session has ended. @param {unknown} error */
export function complain(error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === -1) return;
  if (error.status === 401 && get().user) return sessionEnded();
  note(error.message, true);
}

/** Runs an action and complains if it fails; true if it did not. @param {() => Promise<unknown>} action */
export async function attempt(action) {
  try {
    await action();
    return true;
  } catch (error) {
    complain(error);
    return false;
  }
}
