// Logging in with an identity provider: the person goes to its page and comes back with an ID token behind the `#` of the
// address. What begins a login stays in this tab until then, so that nobody can log a person in as somebody else.

import { api, ApiError, newId } from "./api.js";

const PLACE = "kafka.provider";

/** Goes to the page of the provider. */
export async function goToProvider() {
  const { authorization_url: address, nonce } = await api.startProvider(`${location.origin}/`);
  const state = newId();
  sessionStorage.setItem(PLACE, JSON.stringify({ state, nonce, path: location.pathname }));
  location.assign(`${address}&state=${state}`);
}

/** Logs in with what the provider has sent along, if it has; the answer of the login. @returns {Promise<any>} */
export async function comeBack() {
  const sent = new URLSearchParams(location.hash.slice(1));
  const [token, problem] = [sent.get("id_token"), sent.get("error")];
  if (!token && !problem) return null;
  const begun = JSON.parse(sessionStorage.getItem(PLACE) ?? "null");
  sessionStorage.removeItem(PLACE);
  // Neither the history nor who looks over the shoulder is to have the token.
  history.replaceState(null, "", begun?.path ?? "/");
  if (problem) throw new ApiError("The identity provider has not logged you in.", 403);
  if (!token || !begun || sent.get("state") !== begun.state || nonceOf(token) !== begun.nonce) {
    throw new ApiError("This login was not begun here. Try again.", 403);
  }
  try {
    return await api.logInWith(token);
  } catch (error) {
    // No session is one thing, a login that is refused is another.
    throw error instanceof ApiError ? new ApiError(error.message, 403) : error;
  }
}

/** @param {string} token */
function nonceOf(token) {
  try {
    const claims = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(claims).nonce;
  } catch {
    return undefined;
  }
}
