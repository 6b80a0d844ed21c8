// Settings: theme, sessions, account; and the workspaces.

import { deleteAccount, logOut } from "./account.js";
import { api } from "./api.js";
import { chooseWorkspace, deleteWorkspace, newWorkspace, renameWorkspace } from "./chats.js";
import { close, confirmed, open, register } from "./dialogs.js";
import { h, iconButton, timeOf } from "./dom.js";
import { attempt } from "./notes.js";
import { openReplies } from "./replies.js";
import { get, watch } from "./store.js";
import { chooseTheme, theme } from "./theme.js";

register("settings", () => {
  const { user, about } = get();
  const body = h("div", { class: "settings" },
    h("section", {}, h("h3", {}, "Theme"), themes()),
    h("section", {}, h("h3", {}, "Replies"),
      h("div", { class: "row" },
        h("button", { type: "button", onclick: () => openReplies(get().chatId ? "chat" : "user") }, "How replies are made"),
        h("button", { type: "button", onclick: () => open("usage") }, "Usage"))),
    about?.auth_mode === "token" && sessions(),
    h("section", {}, h("h3", {}, "Account"),
      h("p", {}, "You are ", h("b", {}, user?.email ?? ""), "."),
      h("div", { class: "row" },
        h("button", { type: "button", onclick: () => { close(); logOut(); } }, "Log out"),
        user && h("a", { class: "button", href: `/user/${user.id}/export`, download: "kafka-export.zip" }, "Export everything"),
        h("button", { type: "button", class: "danger", onclick: leave }, "Delete the account…"))),
    h("section", {}, h("h3", {}, "About"),
      h("p", { class: "soft" }, `Kafka ${about?.version ?? ""}. This page uses nothing but the public API: `,
        h("a", { href: "/docs" }, "HTTP"), ", ", h("a", { href: "/docs/websocket" }, "WebSocket"), ".")));
  return { title: "Settings", body };
});

function themes() {
  const labels = { system: "As the system", light: "Light", dark: "Dark" };
  const choice = Object.entries(labels).map(([value, label]) =>
    h("label", { class: "choice" },
      h("input", {
        type: "radio", name: "theme", value, ".checked": theme() === value,
        onchange: () => chooseTheme(/** @type {import("./theme.js").Theme} */ (value)),
      }), label));
  return h("div", { class: "row", role: "radiogroup", "aria-label": "Theme" }, choice);
}

function sessions() {
  const list = h("ul", { class: "rows" });
  const read = () => attempt(async () => {
    const { sessions } = await api.sessions();
    list.replaceChildren(...sessions.map((/** @type {any} */ session) => h("li", {},
      h("div", { class: "grow" },
        h("div", {}, browserOf(session.user_agent), session.current && h("span", { class: "badge" }, "this one")),
        h("div", { class: "soft small" }, `since ${timeOf(session.created_at)}`)),
      !session.current && h("button", {
        type: "button",
        onclick: async () => {
          await attempt(() => api.endSession(session.id));
          read();
        },
      }, "End"))));
  });
  read();
  return h("section", {}, h("h3", {}, "Where you are logged in"), list);
}

/** What a browser calls itself, in a word or two. @param {string | null} agent */
function browserOf(agent) {
  const known = /(Firefox|Edg|Chrome|Safari|curl)\/[\d.]+/.exec(agent ?? "")?.[1];
  const system = /(Windows|Mac OS X|Android|iPhone|Linux)/.exec(agent ?? "")?.[1];
  return [known === "Edg" ? "Edge" : known, system && `on ${system}`].filter(Boolean).join(" ") || "A program";
}

async function leave() {
  const text = "All of your workspaces, chats, files and models are deleted now. This can't be undone.";
  if (await confirmed("Delete the account?", text, "Delete everything")) {
    close();
    await deleteAccount();
  }
}

register("workspaces", () => {
  const list = h("ul", { class: "rows" });
  const name = h("input", { "aria-label": "Name of a new workspace", placeholder: "New workspace", maxlength: 255, required: true, "data-begin": true });
  const form = h("form", {
    class: "row",
    onsubmit: async (/** @type {Event} */ event) => {
      event.preventDefault();
      const wanted = name.value.trim();
      if (!wanted) return;
      name.value = "";
      await newWorkspace(wanted);
    },
  }, name, h("button", { type: "submit", class: "primary" }, "Add"));
  const end = watch(({ workspaces, workspaceId }) => [workspaces, workspaceId], (workspaces, current) => {
    list.replaceChildren(...workspaces.map(({ id, name }) => {
      const field = h("input", { ".value": name, "aria-label": `Name of the workspace ${name}`, maxlength: 255, class: "grow",
        onchange: () => field.value.trim() && renameWorkspace(id, field.value.trim()) });
      return h("li", {}, field,
        id === current ? h("span", { class: "badge" }, "open")
          : h("button", { type: "button", onclick: () => { chooseWorkspace(id); close(); } }, "Open"),
        workspaces.length > 1 && iconButton("trash", `Delete ${name}`, async () => {
          const text = `"${name}" is deleted with all of its chats and files.`;
          if (await confirmed("Delete this workspace?", text, "Delete")) await deleteWorkspace(id);
        }));
    }));
  });
  return { title: "Workspaces", body: h("div", { class: "settings" }, list, form), end };
});
