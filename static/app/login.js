// The first visit: an e-mail, and in token mode the code that was sent to it.

import { loggedIn } from "./account.js";
import { api, ApiError } from "./api.js";
import { h } from "./dom.js";
import { goToProvider } from "./provider.js";
import { get } from "./store.js";

export function welcome() {
  const { about } = get();
  const isOpen = about?.auth_mode !== "token";
  const provider = about?.identity_provider;
  const hasForm = isOpen || about?.sends_codes || !provider;
  let isCodeSent = false;
  const problem = h("p", { class: "problem", role: "alert" });
  const email = h("input", {
    type: "email", id: "email", name: "email", required: true, autocomplete: "email", placeholder: "you@example.com",
    "data-first": true,
  });
  const code = h("input", {
    type: "text", id: "code", name: "code", inputmode: "numeric", autocomplete: "one-time-code", spellcheck: "false",
  });
  const codeField = h("div", { class: "field", hidden: true }, h("label", { for: "code" }, "Code from the mail"), code);
  const button = h("button", { class: "primary", type: "submit" }, isOpen ? "Start" : "Send me a code");
  const hint = h("p", { class: "soft" }, isOpen
    ? "Any address will do: this server runs on one machine, for the people who use it. Nothing is sent."
    : "We send a code to this address. It is good for ten minutes.");

  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault();
    problem.textContent = "";
    button.disabled = true;
    try {
      const address = email.value.trim();
      if (isOpen) {
        await loggedIn(await api.logIn(address));
      } else if (isCodeSent) {
        await loggedIn(await api.logIn(address, code.value.replaceAll(/\s/g, "")));
      } else {
        await api.sendCode(address);
        isCodeSent = true;
        codeField.hidden = false;
        button.textContent = "Log in";
        hint.textContent = `A mail with a code is on its way to ${address}.`;
        code.focus();
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem.textContent = error.message;
    } finally {
      button.disabled = false;
    }
  }

  const goButton = h("button", {
    type: "button", class: hasForm ? "wide" : "primary wide", "data-first": !hasForm,
    onclick: async () => {
      problem.textContent = "";
      goButton.disabled = true;
      try {
        await goToProvider();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        problem.textContent = error.message;
        goButton.disabled = false;
      }
    },
  }, `Log in with ${provider}`);

  email.addEventListener("input", () => {
    if (!isCodeSent || isOpen) return;
    isCodeSent = false;
    codeField.hidden = true;
    button.textContent = "Send me a code";
  });
  return h("main", { class: "welcome" },
    h("form", { class: "card", onsubmit: submit },
      h("div", { class: "mark", "aria-hidden": "true" }, "K"),
      h("h1", {}, "Welcome to Kafka"),
      h("p", { class: "soft" }, "Chat with any model that you can reach."),
      ...(hasForm ? [h("div", { class: "field" }, h("label", { for: "email" }, "E-mail"), email), codeField, problem, button, hint] : [problem]),
      provider && hasForm && h("p", { class: "or soft", "aria-hidden": "true" }, "or"),
      provider && goButton),
    h("p", { class: "footer soft" },
      `Version ${get().about?.version ?? "unknown"} · `, h("a", { href: "/docs" }, "API"), " · ",
      h("a", { href: "/docs/websocket" }, "WebSocket protocol")));
}
