// A client of openapi-fetch, with the types that openapi-typescript has made: logs in, uploads, chats, lists, deletes.
// Arguments: the address of the server, and the base URL of a model.

import createClient from "openapi-fetch";
import type { paths } from "./generated/api.js";

const TEXT = "Someone must have slandered Josef K.\n";

const [address, base_url] = process.argv.slice(2) as [string, string];
const client = createClient<paths>({ baseUrl: address });

// What a call answers, or the error that it does.
async function of<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (data === undefined) {
    throw new Error(`${response.url}: ${response.status} ${JSON.stringify(error)}`);
  }
  return data;
}

function equal(found: unknown, wanted: unknown): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (left !== right) {
    throw new Error(`${left}, not ${right}`);
  }
}

const person = await of(client.POST("/auth/login", { body: { email: "typescript@example.com" } }));
const { user_id } = person;
const workspace_id = person.workspaces[0]!.id;

const uploaded = await of(
  client.POST("/file/upload", {
    body: { user_id, target_id: workspace_id, is_chat: false, files: [TEXT] },
    // A file is a text to the types.
    bodySerializer(body) {
      const form = new FormData();
      form.set("user_id", user_id);
      form.set("target_id", body.target_id);
      form.set("is_chat", String(body.is_chat));
      body.files.forEach((text) => form.append("files", new Blob([text]), "trial.txt"));
      return form;
    },
  }),
);
const file_id = uploaded.details[0]!.id;
equal(uploaded.details[0]!.name, "trial.txt");
const content = client.GET("/file/{file_id}/content", { params: { path: { file_id } }, parseAs: "text" });
equal(await of(content), TEXT);

const headers = { "content-type": "application/x-www-form-urlencoded" };
const model = await of(
  client.POST("/models/new", {
    headers,
    body: { user_id, name: "fake-words-3-rate-0", ak: "key", base_url },
  }),
);
const { chat_id } = await of(
  client.POST("/chat/new", {
    headers,
    body: { user_id, workspace_id, chat_name: "The trial", selected_file_ids: [file_id] },
  }),
);
const chat = { params: { path: { chat_id } } };
const begun = await of(
  client.POST("/chat/{chat_id}/messages", { ...chat, body: { prompt: "Who accuses me?", model_id: model.id } }),
);
// It ends with the reply.
const path = { chat_id, generation_id: begun.generation_id! };
const joined = client.GET("/chat/{chat_id}/generations/{generation_id}/events", { params: { path }, parseAs: "text" });
equal((await of(joined)).includes("generation_ended"), true);
const streamed = client.POST("/chat/{chat_id}/messages/stream", {
  ...chat,
  body: { prompt: "Of what?", model_id: model.id },
  parseAs: "text",
});
equal((await of(streamed)).includes("generation_ended"), true);

const { messages } = await of(client.GET("/chat/{chat_id}/messages", chat));
equal(messages.map((message) => message.role), ["user", "assistant", "user", "assistant"]);
equal(messages[1]!.status, "complete");
const { files } = await of(client.GET("/chat/{chat_id}/files", chat));
equal(files.map((file) => file.filename), ["trial.txt"]);
const workspace = { params: { path: { workspace_id } } };
equal((await of(client.GET("/workspace/{workspace_id}/chats", workspace))).chats.map((it) => it.id), [chat_id]);

await of(client.DELETE("/chat/{chat_id}", chat));
await of(client.DELETE("/file/delete/{file_id}", { params: { path: { file_id } } }));
equal((await of(client.GET("/workspace/{workspace_id}/chats", workspace))).chats, []);
equal((await of(client.GET("/workspace/{workspace_id}/files", workspace))).files, []);
console.log("openapi-typescript: logged in, uploaded, chatted, listed, deleted");
