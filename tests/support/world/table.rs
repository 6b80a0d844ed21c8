//! Valid requests of each operation.

use serde_json::{Value, json};

use super::{API_KEY, World};
use crate::support::input::{Input, Place};

impl World {
    /// Each operation's query and body.
    pub(super) fn table(&self, operation: &str) -> Option<Vec<Input>> {
        let user = self.user.id.as_str();
        let workspace = self.user.workspace.as_str();
        let [prompt, reply] = &self.messages;
        let [first, second] = &self.versions;
        let caller = ("user_id", user);
        let is_token_mode = self.session.is_some();
        let of_token_mode = if is_token_mode { 200 } else { 404 };
        let model = json!({ "user_id": user, "model_id": self.model });
        let with = |more: Value| {
            let mut body = model.clone();
            for (name, value) in more.as_object().expect("an object") {
                body[name] = value.clone();
            }
            let streams = operation.ends_with("_stream");
            Input::json(body).answers(if streams { 200 } else { 202 })
        };
        let input = match operation {
            // In token mode it wants a code, which is good once: see `House::login`.
            "auth_login" => Input::json(json!({ "email": self.user.email }))
                .answers(if is_token_mode { 422 } else { 200 }),
            "auth_hydrate" => Input::json(json!({ "user_id": user })),
            "auth_code" => Input::json(json!({ "email": self.user.email })).answers(of_token_mode),
            "auth_oidc_start" | "auth_logout" | "auth_sessions" | "auth_revoke_all"
            | "auth_revoke" | "auth_ticket" => Input::path(&[]).answers(of_token_mode),
            "workspace_new" => Input::upload(&[("owner_id", user), ("name", "another")]),
            "workspace_rename" => {
                Input::form(&[caller, ("workspace_id", workspace), ("new_name", "renamed")])
            }
            "file_upload" => {
                let chat = [caller, ("target_id", &self.chat), ("is_chat", "true")];
                let workspace = [caller, ("target_id", workspace), ("is_chat", "false")];
                return Some(vec![Input::upload(&chat), Input::upload(&workspace)]);
            }
            "file_rename" => {
                Input::form(&[caller, ("file_id", &self.file), ("new_name", "renamed.txt")])
            }
            "chat_new" => Input::form(&[
                caller,
                ("workspace_id", workspace),
                ("chat_name", "another"),
                ("selected_file_ids", &self.file),
            ]),
            "chat_rename" => {
                Input::form(&[caller, ("chat_id", &self.chat), ("new_name", "renamed")])
            }
            "usage_show" => Input::query(&[caller, ("by", "chat")]),
            "chat_list" => Input::query(&[caller, ("workspace_id", workspace)]),
            "search_find" => Input::query(&[
                caller,
                ("q", "K."),
                ("workspace_id", workspace),
                ("in", "messages,names"),
            ]),
            "chat_change" => {
                let form = [
                    caller,
                    ("workspace_id", workspace),
                    ("model_id", &self.model),
                    ("instructions", "Be brief."),
                ];
                let settings = json!({
                    "user_id": user, "workspace_id": workspace, "model_id": self.model, "is_pinned": true,
                    "instructions": "Be brief.", "extra": { "seed": 7 }
                });
                return Some(vec![Input::json(settings), Input::form(&form)]);
            }
            "workspace_change" => Input::json(json!({
                "user_id": user, "name": "changed", "model_id": self.model, "temperature": 0.5
            })),
            "settings_change" => Input::json(json!({ "model_id": self.model, "max_tokens": 100 })),
            "conversation_send" | "conversation_send_stream" => {
                with(json!({ "prompt": "Again?", "parent_id": reply, "file_ids": [self.file] }))
            }
            "conversation_edit" | "conversation_edit_stream" => {
                with(json!({ "prompt": "Why?", "file_ids": [self.file] }))
            }
            "conversation_regenerate" | "conversation_regenerate_stream" => with(json!({})),
            "conversation_select_branch" => {
                Input::json(json!({ "user_id": user, "message_id": prompt }))
            }
            "conversation_rate" => {
                let body = json!({ "user_id": user, "rating": "good", "note": "Right." });
                let mut input = Input::json(body);
                input.add(Place::Path, "message_id", reply.as_str().into());
                input
            }
            "conversation_copy" => Input::json(json!({ "user_id": user, "message_id": reply })),
            "conversation_history" => {
                let before = Input::query(&[caller, ("before", reply)]);
                let after = Input::query(&[caller, ("after", prompt)]);
                return Some(vec![before, after]);
            }
            "models_new" => Input::form(&[
                caller,
                ("name", "another"),
                ("ak", API_KEY),
                ("base_url", "http://127.0.0.1:9/v1"),
            ]),
            "models_change" => Input::form(&[caller, ("name", "renamed")]),
            "versions_diff" => Input::query(&[caller, ("from", first), ("to", second)]),
            "versions_save" => Input::form(&[caller, ("content", "third")]),
            "versions_revert" => Input::form(&[caller, ("version_id", first)]),
            "web_docs_file" => Input::path(&[("file", "page.js")]),
            "web_chat_page" => Input::path(&[("chat", "some-chat")]),
            "web_app_file" => Input::path(&[("build", "current"), ("file", "main.js")]),
            // Ids are never these.
            "chat_delete_new" | "chat_delete_rename" => Input::query(&[caller]).answers(404),
            // Only the gateway gets further.
            "conversation_socket"
            | "conversation_socket_events"
            | "feed_socket"
            | "feed_socket_events" => Input::path(&[]).answers(426),
            // Else it does not end.
            "feed_events" => Input::query(&[("follow", "false")]),
            "workspace_list"
            | "workspace_show"
            | "workspace_files"
            | "workspace_chats"
            | "chat_show"
            | "chat_files"
            | "file_show"
            | "models_list"
            | "versions_list"
            | "versions_show"
            | "workspace_delete"
            | "file_content"
            | "file_delete"
            | "chat_delete"
            | "conversation_stop"
            | "conversation_delete"
            | "conversation_events_of_reply"
            | "models_delete"
            | "models_test" => Input::query(&[caller]),
            "export_chat" => {
                let markdown = Input::query(&[caller, ("format", "markdown")]);
                return Some(vec![Input::query(&[caller]), markdown]);
            }
            "export_import" => Input::archive(&[caller]),
            "auth_delete_user" | "export_user_data" | "settings_show" | "web_home"
            | "web_openapi" | "web_docs" | "web_websocket" | "web_style" | "web_health"
            | "web_ready" | "web_about" => Input::path(&[]),
            _ => return None,
        };
        Some(vec![input])
    }
}
