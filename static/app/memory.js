// What this browser remembers: who was there, the theme, drafts, prompts on their way. Without storage, nothing.

/** @param {string} name @returns {any} */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(`kafka.${name}`) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} name @param {unknown} value */
export function remember(name, value) {
  try {
    const key = `kafka.${name}`;
    if (value === null || value === "") localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Nothing that can't be done without.
  }
}

/** The name of what was written in a chat and not sent. @param {string | null} chatId null: a new chat */
export function draftOf(chatId) {
  return `draft.${chatId ?? "new"}`;
}

/** Forgets everything but the theme. */
export function forget() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith("kafka.") && key !== "kafka.theme") localStorage.removeItem(key);
    }
  } catch {
    // There was nothing.
  }
}
