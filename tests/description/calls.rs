//! One valid request for each described operation.

use serde_json::json;

use crate::support::{FakeModel, Multipart, Request, Server, User, login};

/// A request, what it is an example of, and how it is answered.
pub struct Call {
    pub operation: &'static str,
    pub status: u16,
    pub request: Request,
}

/// What the requests are about. Each has things of its own, so that they can be sent in any order.
pub struct World<'a> {
    server: &'a Server,
    user: User,
    model: FakeModel,
}

impl<'a> World<'a> {
    pub async fn new(server: &'a Server) -> Self {
        Self {
            server,
            user: login(server, "described@example.com").await,
            model: FakeModel::start(),
        }
    }

    /// An entry for each operation.
    pub async fn calls(&self) -> Vec<Call> {
        let server = self.server;
        let (user, workspace) = (self.user.id.as_str(), self.user.workspace.as_str());
        let chat = || server.chat(&self.user, "Described");
        let file = || server.file(&self.user, "a.md", "# Described");
        let model = self.base_url();
        let model_form = [
            ("user_id", user),
            ("name", "fake"),
            ("ak", "key"),
            ("base_url", &model),
        ];
        let saved = self.saved_model().await;
        let (replied, edited, again) = (self.reply().await, self.reply().await, self.reply().await);
        let versioned = self.versioned().await;
        let upload = self
            .user
            .upload_to(&chat().await, "true")
            .file("files", "b.csv", "a,b");
        let table = [
            (
                "auth_login",
                200,
                server
                    .post("/auth/login")
                    .json(r#"{"email":"described@example.com"}"#),
            ),
            // Token mode's; its tests (tests/token) show them there.
            (
                "auth_code",
                404,
                server
                    .post("/auth/code")
                    .json(r#"{"email":"described@example.com"}"#),
            ),
            ("auth_logout", 404, server.post("/auth/logout")),
            ("auth_sessions", 404, server.get("/auth/sessions")),
            ("auth_revoke_all", 404, server.delete("/auth/sessions")),
            ("auth_revoke", 404, server.delete("/auth/sessions/some-id")),
            ("auth_ticket", 404, server.post("/ws/ticket")),
            (
                "auth_delete_user",
                200,
                server.delete(&format!(
                    "/user/{}",
                    login(server, "leaving@example.com").await.id
                )),
            ),
            (
                "workspace_new",
                200,
                server.post("/workspace/new").multipart(
                    Multipart::new()
                        .text("owner_id", user)
                        .text("name", "W")
                        .file("files", "c.txt", "c"),
                ),
            ),
            (
                "workspace_list",
                200,
                server.get(&format!("/workspace?user_id={user}")),
            ),
            (
                "workspace_show",
                200,
                server.get(&format!("/workspace/{workspace}")),
            ),
            (
                "workspace_files",
                200,
                server.get(&format!("/workspace/{workspace}/files")),
            ),
            (
                "workspace_chats",
                200,
                server.get(&format!("/workspace/{workspace}/chats?limit=1")),
            ),
            (
                "workspace_rename",
                200,
                server.patch("/workspace/rename").form(&[
                    ("workspace_id", &server.workspace(&self.user, "W").await),
                    ("new_name", "X"),
                ]),
            ),
            (
                "workspace_delete",
                200,
                server.delete(&format!(
                    "/workspace/delete/{}",
                    server.workspace(&self.user, "W").await
                )),
            ),
            (
                "file_show",
                200,
                server.get(&format!("/file/{}", file().await)),
            ),
            (
                "file_rename",
                200,
                server
                    .patch("/file/rename")
                    .form(&[("file_id", &file().await), ("new_name", "b.py")]),
            ),
            (
                "file_delete",
                200,
                server.delete(&format!("/file/delete/{}", file().await)),
            ),
            (
                "chat_show",
                200,
                server.get(&format!("/chat/{}", replied.0)),
            ),
            (
                "chat_files",
                200,
                server.get(&format!("/chat/{}/files", versioned.chat)),
            ),
            (
                "versions_list",
                200,
                server.get(&format!("{}/versions", versioned.path)),
            ),
            (
                "versions_show",
                200,
                server.get(&format!(
                    "{}/versions/{}",
                    versioned.path, versioned.version
                )),
            ),
            (
                "versions_diff",
                200,
                server.get(&format!(
                    "{}/diff?from={}",
                    versioned.path, versioned.version
                )),
            ),
            (
                "versions_save",
                200,
                server
                    .post(&format!("{}/versions", versioned.path))
                    .form(&[("content", "# Saved again")]),
            ),
            (
                "versions_revert",
                200,
                server
                    .post(&format!("{}/revert", versioned.path))
                    .form(&[("version_id", &versioned.version)]),
            ),
            (
                "file_upload",
                200,
                server.post("/file/upload").multipart(upload),
            ),
            (
                "file_content",
                200,
                server.get(&format!("/file/{}/content", file().await)),
            ),
            (
                "chat_new",
                200,
                server.post("/chat/new").form(&[
                    ("user_id", user),
                    ("workspace_id", workspace),
                    ("chat_name", "C"),
                    ("selected_file_ids", &file().await),
                ]),
            ),
            (
                "chat_rename",
                200,
                server
                    .patch("/chat/rename")
                    .form(&[("chat_id", &chat().await), ("new_name", "D")]),
            ),
            (
                "chat_delete",
                200,
                server.delete(&format!("/chat/{}", chat().await)),
            ),
            // Ids are never these.
            ("chat_delete_new", 404, server.delete("/chat/new")),
            ("chat_delete_rename", 404, server.delete("/chat/rename")),
            (
                "conversation_send",
                202,
                server
                    .post(&format!("/chat/{}/messages", chat().await))
                    .json(r#"{"prompt":"Hello"}"#),
            ),
            (
                "conversation_history",
                200,
                server.get(&format!("/chat/{}/messages", replied.0)),
            ),
            (
                "conversation_edit",
                202,
                server
                    .post(&format!("/chat/{}/messages/{}/edit", edited.0, edited.2))
                    .json(r#"{"prompt":"Hello again"}"#),
            ),
            (
                "conversation_regenerate",
                202,
                server
                    .post(&format!(
                        "/chat/{}/messages/{}/regenerate",
                        again.0, again.2
                    ))
                    .json("{}"),
            ),
            (
                "conversation_select_branch",
                200,
                server
                    .post(&format!("/chat/{}/branch", replied.0))
                    .json(json!({ "message_id": replied.2 }).to_string()),
            ),
            (
                "conversation_stop",
                200,
                server.post(&format!("/chat/{}/stop", chat().await)),
            ),
            (
                "conversation_events_of_reply",
                200,
                server.get(&format!(
                    "/chat/{}/generations/{}/events",
                    replied.0, replied.1
                )),
            ),
            // Only the gateway gets further, and its own test shows it (tests/realtime, tests/gateway).
            (
                "conversation_socket",
                426,
                server.get(&format!("/ws/{}", chat().await)),
            ),
            (
                "conversation_socket_events",
                426,
                server.post(&format!("/ws/{}", chat().await)),
            ),
            (
                "models_list",
                200,
                server.get(&format!("/models?user_id={user}")),
            ),
            (
                "models_new",
                200,
                server.post("/models/new").form(&model_form),
            ),
            (
                "models_change",
                200,
                server
                    .patch(&format!("/models/{saved}"))
                    .form(&[("user_id", user), ("name", "other")]),
            ),
            (
                "models_delete",
                200,
                server.delete(&format!("/models/delete/{}", self.saved_model().await)),
            ),
            (
                "models_test",
                200,
                server.post(&format!("/models/{}/test", self.saved_model().await)),
            ),
            ("web_home", 200, server.get("/")),
            ("web_openapi", 200, server.get("/openapi.json")),
            ("web_docs", 200, server.get("/docs")),
            ("web_websocket", 200, server.get("/docs/websocket")),
            ("web_docs_file", 200, server.get("/docs/page.js")),
            ("web_style", 200, server.get("/style.css")),
            ("web_health", 200, server.get("/healthz")),
        ];
        let calls = table.into_iter().map(|(operation, status, request)| Call {
            operation,
            status,
            request,
        });
        calls.collect()
    }

    fn base_url(&self) -> String {
        self.model.base_url()
    }

    /// The id of a new model.
    async fn saved_model(&self) -> String {
        let fields = [
            ("user_id", self.user.id.as_str()),
            ("name", "fake"),
            ("ak", ""),
            ("base_url", &self.base_url()),
        ];
        let saved = self.server.post("/models/new").form(&fields).send().await;
        saved.has_status(200);
        saved.string("/id")
    }

    /// The ids of a chat, of a reply in it that has ended, and of the message that it answers.
    async fn reply(&self) -> (String, String, String) {
        let chat = self.server.chat(&self.user, "Replied").await;
        let said = self
            .server
            .post(&format!("/chat/{chat}/messages"))
            .json(json!({ "prompt": "Hello" }).to_string())
            .send()
            .await;
        said.has_status(202);
        let reply = said.string("/generation_id");
        // The events end with the reply.
        let events = format!("/chat/{chat}/generations/{reply}/events");
        self.server.get(&events).send().await.has_status(200);
        (chat, reply, said.string("/message_id"))
    }

    /// A chat's file that has versions.
    async fn versioned(&self) -> Versioned {
        let chat = self.server.chat(&self.user, "Versions").await;
        let file = self
            .server
            .chat_file(&self.user, &chat, "a.md", "# Once")
            .await;
        let path = format!("/chat-file/{file}");
        let request = self.server.post(&format!("{path}/versions"));
        let saved = request.form(&[("content", "# Saved")]).send().await;
        saved.has_status(200);
        Versioned {
            chat,
            path,
            version: saved.string("/version_id"),
        }
    }
}

struct Versioned {
    chat: String,
    /// Of the file.
    path: String,
    version: String,
}
