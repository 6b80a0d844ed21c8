// Dark or light: as the system, or as one has chosen. `early.js` applies it before the first paint.

/** @typedef {"system" | "light" | "dark"} Theme */

/** @returns {Theme} */
export function theme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

/** @param {Theme} theme */
export function chooseTheme(theme) {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("kafka.theme");
    else localStorage.setItem("kafka.theme", theme);
  } catch {
    // It lasts as long as the page.
  }
}
