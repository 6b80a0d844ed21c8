//! Every `curl` command of the original's README (docs/http-compatibility.md#endpoints), run by the real curl as
//! printed. Only the address, the ids and the paths of the files to send are put in their places.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::{Server, login};

const LOGIN: &str = r#"curl -X POST -H "Content-Type: application/json" \
        -d '{"email": "someone@example.com"}' \
        http://127.0.0.1:8000/auth/login"#;

const LOGIN_RESPONSE: &str = r#"{
     "user_id": "some-uuid-string",
     "email": "someone@example.com",
     "workspaces": [
       {
         "id": "workspace-uuid-string",
         "name": "Default Workspace",
         "chats": [
           {
             "id": "chat-uuid-string",
             "name": "General Chat",
             "last_updated": "2025-03-20T11:00:00",
             "num_versions": 3
           }
         ]
       }
     ]
   }"#;

const WORKSPACE_NEW: &str = r#"curl -X POST "http://127.0.0.1:8000/workspace/new" \
  -F "owner_id=123e4567-e89b-12d3-a456-426614174000" \
  -F "name=MyNewWorkspace" \
  -F "files=@/path/to/document.pdf" \
  -F "files=@/path/to/image.png""#;

const WORKSPACE_NEW_RESPONSE: &str = r#"{
  "workspace_id": "workspace-uuid-string",
  "files": [
    {
      "file_id": "file-uuid-string",
      "filename": "document.pdf"
    },
    {
      "file_id": "another-file-uuid",
      "filename": "image.png"
    }
  ]
}"#;

const UPLOAD_TO_CHAT: &str = r#"curl -X POST "http://127.0.0.1:8000/file/upload" \
  -F "user_id=123e4567-e89b-12d3-a456-426614174000" \
  -F "target_id=chat-uuid-string" \
  -F "is_chat=true" \
  -F "files=@/path/to/document.pdf" \
  -F "files=@/path/to/image.png""#;

const UPLOAD_TO_CHAT_RESPONSE: &str = r#"{
  "files": [
    "file-uuid-string-1",
    "file-uuid-string-2"
  ]
}"#;

const UPLOAD_TO_WORKSPACE: &str = r#"curl -X POST "http://127.0.0.1:8000/file/upload" \
  -F "user_id=123e4567-e89b-12d3-a456-426614174000" \
  -F "target_id=workspace-uuid-string" \
  -F "is_chat=false" \
  -F "files=@/path/to/document.pdf""#;

const UPLOAD_TO_WORKSPACE_RESPONSE: &str = r#"{
  "files": [
    "file-uuid-string-3"
  ]
}"#;

const CHAT_NEW: &str = r#"curl -X POST "http://127.0.0.1:8000/chat/new" \
  -F "user_id=123e4567-e89b-12d3-a456-426614174000" \
  -F "workspace_id=workspace-uuid-string" \
  -F "chat_name=General Chat""#;

const CHAT_NEW_RESPONSE: &str = r#"{
  "chat_id": "generated-chat-uuid-string",
  "name": "General Chat",
  "last_updated": "2025-03-20T11:00:00.123456"
}"#;

const CHAT_DELETE: &str =
    r#"curl -X DELETE "http://127.0.0.1:8000/chat/123e4567-e89b-12d3-a456-426614174000""#;

const CHAT_DELETE_RESPONSE: &str = r#"{
  "detail": "Chat deleted successfully."
}"#;

const CHAT_NOT_FOUND_RESPONSE: &str = r#"{
  "detail": "Chat not found."
}"#;

const CHAT_RENAME: &str = r#"curl -X PATCH "http://127.0.0.1:8000/chat/rename" \
  -F "chat_id=123e4567-e89b-12d3-a456-426614174000" \
  -F "new_name=New Chat Name""#;

const CHAT_RENAME_RESPONSE: &str = r#"{
  "chat_id": "123e4567-e89b-12d3-a456-426614174000",
  "name": "New Chat Name",
  "last_updated": "2025-03-20T11:00:00.123456"
}"#;

/// Runs a command of the documentation with these texts put in the places of others.
async fn run(command: &str, server: &Server, places: &[(&str, &str)]) -> Value {
    let address = [("127.0.0.1:8000", server.address())];
    let command =
        places
            .iter()
            .chain(&address)
            .fold(command.to_owned(), |command, (place, text)| {
                assert!(
                    command.contains(place),
                    "the documentation's command has {place}"
                );
                command.replace(place, text)
            });
    let output =
        tokio::task::spawn_blocking(move || Command::new("sh").arg("-c").arg(command).output())
            .await
            .expect("the command's thread ends")
            .expect("a shell starts");
    let (body, progress) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "curl: {body}{progress}");
    serde_json::from_str(&body).unwrap_or_else(|_| panic!("curl printed JSON, not {body}"))
}

/// Fails unless `got` has all that the documented answer has, in its order and of its types.
#[track_caller]
fn assert_has_shape(got: &Value, documented: &str) {
    let documented: Value = serde_json::from_str(documented).expect("the documentation shows JSON");
    compare(got, &documented, "");
}

#[track_caller]
fn compare(got: &Value, documented: &Value, place: &str) {
    match (got, documented) {
        (Value::Object(got), Value::Object(documented)) => {
            let kept: Vec<&String> = got
                .keys()
                .filter(|key| documented.contains_key(*key))
                .collect();
            let wanted: Vec<&String> = documented.keys().collect();
            assert_eq!(kept, wanted, "keys at {place}/");
            for (key, value) in documented {
                compare(&got[key], value, &format!("{place}/{key}"));
            }
        }
        (Value::Array(got), Value::Array(documented)) => {
            assert_eq!(got.len(), documented.len(), "members at {place}");
            for (got, documented) in got.iter().zip(documented) {
                compare(got, documented, &format!("{place}/"));
            }
        }
        _ => assert_eq!(
            std::mem::discriminant(got),
            std::mem::discriminant(documented),
            "type at {place}: {got} as {documented}",
        ),
    }
}

#[tokio::test]
async fn login_command() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    server.chat(&user, "General Chat").await;
    let answer = run(LOGIN, &server, &[]).await;
    assert_has_shape(&answer, LOGIN_RESPONSE);
    assert_eq!(answer["user_id"], user.id.as_str());
}

#[tokio::test]
async fn file_commands() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let chat = server.chat(&user, "General Chat").await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (document, image) = (
        folder.path().join("document.pdf"),
        folder.path().join("image.png"),
    );
    fs::write(&document, "%PDF-1.4\n%âãÏÓ\n").expect("a file can be written");
    fs::write(
        &image,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', 0, 0],
    )
    .expect("a file can be written");
    let (document, image) = (document.display().to_string(), image.display().to_string());
    let one_file = [("/path/to/document.pdf", document.as_str())];
    let files = [one_file[0], ("/path/to/image.png", image.as_str())];
    let caller = ("123e4567-e89b-12d3-a456-426614174000", user.id.as_str());

    let made = run(WORKSPACE_NEW, &server, &[&files[..], &[caller]].concat()).await;
    assert_has_shape(&made, WORKSPACE_NEW_RESPONSE);
    assert_eq!(made["files"][1]["filename"], "image.png");

    let places = [&files[..], &[caller, ("chat-uuid-string", &chat)]].concat();
    assert_has_shape(
        &run(UPLOAD_TO_CHAT, &server, &places).await,
        UPLOAD_TO_CHAT_RESPONSE,
    );

    let places = [
        &one_file[..],
        &[caller, ("workspace-uuid-string", &user.workspace)],
    ]
    .concat();
    assert_has_shape(
        &run(UPLOAD_TO_WORKSPACE, &server, &places).await,
        UPLOAD_TO_WORKSPACE_RESPONSE,
    );
}

#[tokio::test]
async fn chat_commands() {
    const ID: &str = "123e4567-e89b-12d3-a456-426614174000";
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let places = [
        (ID, user.id.as_str()),
        ("workspace-uuid-string", &user.workspace),
    ];
    let made = run(CHAT_NEW, &server, &places).await;
    assert_has_shape(&made, CHAT_NEW_RESPONSE);
    assert_eq!(made["name"], "General Chat");

    let chat = made["chat_id"].as_str().expect("the new chat's id");
    let renamed = run(CHAT_RENAME, &server, &[(ID, chat)]).await;
    assert_has_shape(&renamed, CHAT_RENAME_RESPONSE);
    assert_eq!(
        (&renamed["chat_id"], &renamed["name"]),
        (&made["chat_id"], &Value::from("New Chat Name"))
    );

    // A short answer is the same to the letter.
    let exactly =
        |text: &str| serde_json::from_str::<Value>(text).expect("the documentation shows JSON");
    assert_eq!(
        run(CHAT_DELETE, &server, &[(ID, chat)]).await,
        exactly(CHAT_DELETE_RESPONSE)
    );
    assert_eq!(
        run(CHAT_DELETE, &server, &[(ID, chat)]).await,
        exactly(CHAT_NOT_FOUND_RESPONSE)
    );
    assert_eq!(
        run(CHAT_RENAME, &server, &[(ID, chat)]).await,
        exactly(CHAT_NOT_FOUND_RESPONSE)
    );
}
