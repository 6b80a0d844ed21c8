//! People who use the application: the first steps that most tests begin with.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Multipart, PATIENCE, Response, Server};

/// A user who has logged in.
#[derive(Clone, Debug)]
pub struct User {
    pub id: String,
    pub email: String,
    /// The workspace that came with the first login.
    pub workspace: String,
}

impl User {
    /// The fields of an upload to the user's first workspace, without files.
    pub fn to_workspace(&self) -> Multipart {
        self.upload_to(&self.workspace, "false")
    }

    /// The fields of an upload, without files.
    pub fn upload_to(&self, target: &str, is_chat: &str) -> Multipart {
        Multipart::new()
            .text("user_id", &self.id)
            .text("target_id", target)
            .text("is_chat", is_chat)
    }
}

/// Logs in, which makes the user at the first time.
pub async fn login(server: &Server, email: &str) -> User {
    let response = server.login(email).await;
    response.has_status(200);
    User {
        id: response.string("/user_id"),
        email: response.string("/email"),
        workspace: response.string("/workspaces/0/id"),
    }
}

impl Server {
    /// `POST /auth/login` with this e-mail.
    pub async fn login(&self, email: &str) -> Response {
        let body = serde_json::json!({ "email": email });
        self.post("/auth/login").json(body.to_string()).send().await
    }

    /// `POST /chat/new` in the user's first workspace.
    pub async fn chat_new(&self, user: &User, name: &str) -> Response {
        self.post("/chat/new")
            .form(&[
                ("user_id", &user.id),
                ("workspace_id", &user.workspace),
                ("chat_name", name),
            ])
            .send()
            .await
    }

    /// A chat of that user; its id.
    pub async fn chat(&self, user: &User, name: &str) -> String {
        let response = self.chat_new(user, name).await;
        response.has_status(200);
        response.string("/chat_id")
    }

    /// `POST /file/upload` with this form.
    pub async fn upload(&self, form: Multipart) -> Response {
        self.post("/file/upload").multipart(form).send().await
    }

    /// Uploads one file to the user's first workspace; its id.
    pub async fn file(&self, user: &User, name: &str, content: impl AsRef<[u8]>) -> String {
        let response = self
            .upload(user.to_workspace().file("files", name, content))
            .await;
        response.has_status(200);
        response.string("/files/0")
    }

    /// Uploads one file to a chat and its workspace; its id in both.
    pub async fn chat_file(
        &self,
        user: &User,
        chat: &str,
        name: &str,
        content: impl AsRef<[u8]>,
    ) -> String {
        let form = user.upload_to(chat, "true").file("files", name, content);
        let response = self.upload(form).await;
        response.has_status(200);
        response.string("/files/0")
    }

    /// Waits until the text of a file has been read, or can't be; the answer of `GET /file/{id}`.
    pub async fn reads(&self, file: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.get(&format!("/file/{file}")).send().await;
            shown.has_status(200);
            let shown = shown.json();
            if shown["text_state"] != "pending" {
                return shown;
            }
            assert!(Instant::now() < deadline, "it stays pending: {shown}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// `POST /chat/new` in the user's first workspace with files of it; the chat's id.
    pub async fn chat_with(&self, user: &User, files: &[&str]) -> String {
        let mut form = vec![
            ("user_id", user.id.as_str()),
            ("workspace_id", &user.workspace),
            ("chat_name", "with files"),
        ];
        form.extend(files.iter().map(|file| ("selected_file_ids", *file)));
        let response = self.post("/chat/new").form(&form).send().await;
        response.has_status(200);
        response.string("/chat_id")
    }

    /// Another workspace of that user; its id.
    pub async fn workspace(&self, user: &User, name: &str) -> String {
        let form = [("owner_id", user.id.as_str()), ("name", name)];
        let response = self.post("/workspace/new").form(&form).send().await;
        response.has_status(200);
        response.string("/workspace_id")
    }
}
