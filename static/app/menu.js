// A menu below a button: arrow keys move, Escape closes, the focus returns.

import { h, icon } from "./dom.js";

/**
 * @typedef {{label: string, icon: string, act: () => void, isDangerous?: boolean}} Item
 * @param {HTMLElement} button @param {Item[]} items
 */
export function menu(button, items) {
  const close = () => {
    list.remove();
    document.removeEventListener("pointerdown", outside, true);
    window.removeEventListener("resize", close);
    button.setAttribute("aria-expanded", "false");
  };
  const outside = (/** @type {Event} */ event) => {
    if (!list.contains(/** @type {Node} */ (event.target))) close();
  };
  const entries = items.map(({ label, icon: name, act, isDangerous }) =>
    h("button", {
      type: "button", role: "menuitem", class: isDangerous ? "danger" : "",
      onclick: () => {
        close();
        button.focus();
        act();
      },
    }, icon(name), h("span", {}, label)));
  const list = h("div", {
    class: "menu", role: "menu",
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      const at = entries.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
      const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 };
      if (event.key in steps) {
        const next = steps[/** @type {keyof typeof steps} */ (event.key)];
        entries[(next + entries.length) % entries.length].focus();
      } else if (event.key === "Escape" || event.key === "Tab") {
        close();
        button.focus();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    },
  }, entries);
  // Within the part of the page that it belongs to.
  (button.closest("aside, main, dialog") ?? document.body).append(list);
  const place = button.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  list.style.left = `${Math.max(8, Math.min(place.right - width, innerWidth - width - 8))}px`;
  list.style.top = `${place.bottom + height + 12 > innerHeight ? Math.max(8, place.top - height - 4) : place.bottom + 4}px`;
  button.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside, true);
  window.addEventListener("resize", close);
  entries[0]?.focus();
}
