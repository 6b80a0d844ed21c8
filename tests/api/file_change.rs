//! `PATCH /file/rename` and `DELETE /file/delete/{file_id}`.

use serde_json::{Value, json};

use super::{UNKNOWN_ID, assert_invalid, missing};
use crate::support::{Response, Server, Socket, User, login};

async fn rename(server: &Server, file: &str, name: &str) -> Response {
    let form = [("file_id", file), ("new_name", name)];
    server.patch("/file/rename").form(&form).send().await
}

/// Two chats that have one file, with a socket of each; the file, and its ids in both chats.
struct Shared {
    server: Server,
    user: User,
    file: String,
    chats: [String; 2],
    ids: [String; 2],
    clients: [Socket; 2],
}

async fn shared() -> Shared {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let file = server.file(&user, "d.csv", "a,b\n").await;
    let chats = [
        server.chat_with(&user, &[&file]).await,
        server.chat_with(&user, &[&file]).await,
    ];
    let mut ids = Vec::new();
    let mut clients = Vec::new();
    for chat in &chats {
        let mut client = server.v2(chat).await;
        let initial = client.json().await;
        let id = initial["chat_files"][0]["id"].as_str().expect("an id");
        ids.push(id.to_owned());
        clients.push(client);
    }
    assert_eq!(ids[0], file);
    assert_ne!(ids[1], file);
    Shared {
        server,
        user,
        file,
        chats,
        ids: ids.try_into().expect("two"),
        clients: clients.try_into().ok().expect("two"),
    }
}

#[tokio::test]
async fn a_renamed_file_has_its_new_name_everywhere() {
    let Shared {
        server,
        user,
        file,
        chats,
        ids,
        mut clients,
    } = shared().await;
    // By the file's own id and by that of an attachment.
    for (asked, rev) in [(&file, 1), (&ids[1], 2)] {
        let name = format!("{rev} neu.md");
        let path = format!("uploads/files/{file}_{name}");
        let expected = json!({ "file_id": file, "new_filename": name, "new_path": path });
        let renamed = rename(&server, asked, &name).await;
        renamed.is(200, &expected.to_string());
        for (client, id) in clients.iter_mut().zip(&ids) {
            let received = client.json().await;
            let event =
                json!({ "action": "file_renamed", "rev": rev, "file_id": id, "name": name });
            assert_eq!(received, event);
        }
        for chat in &chats {
            let listed = server.get(&format!("/chat/{chat}/files")).send().await;
            assert_eq!(listed.string("/files/0/filename"), name);
            assert_eq!(listed.string("/files/0/path"), path);
            assert_eq!(listed.string("/files/0/type"), "markdown");
        }
        let listed = server.login(&user.email).await;
        assert_eq!(listed.string("/workspaces/0/files/0/filename"), name);
    }
    // A client that was away gets it by `sync`.
    let mut late = server.v2(&chats[1]).await;
    late.json().await;
    late.send(&json!({ "action": "sync", "rev": 1 })).await;
    let sync = late.action("sync").await;
    assert_eq!(sync["rev"], 2);
    assert_eq!(sync["files"][0]["name"], "2 neu.md");
}

#[tokio::test]
async fn names_of_files_are_harmless() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let file = server.file(&user, "a.txt", "text").await;
    for name in [
        "",
        "..",
        "../../etc/passwd",
        "/a/b",
        "C:\\x\\y",
        "a\u{0}b",
        "a\r\nX-Evil: 1",
        "\"'; --",
        "\u{202e}txt.exe",
        &"ü".repeat(255),
    ] {
        let renamed = rename(&server, &file, name).await;
        renamed.has_status(200);
        assert_eq!(renamed.json()["new_filename"], name);
        let details = server.get(&format!("/file/{file}")).send().await;
        assert_eq!(details.json()["filename"], name);
        let content = server.get(&format!("/file/{file}/content")).send().await;
        assert_eq!(content.text(), "text");
        assert_eq!(content.header("x-evil"), "");
    }
    let long = rename(&server, &file, &"x".repeat(256)).await;
    long.has_status(422);
    assert_eq!(long.string("/detail/0/type"), "string_too_long");
}

#[tokio::test]
async fn a_file_that_is_not_ones_own_keeps_its_name() {
    let Shared {
        server,
        file,
        ids,
        user,
        ..
    } = shared().await;
    let stranger = login(&server, "stranger@example.com").await;
    let before = server.database().await.dump().await;
    for (file, user, detail) in [
        (UNKNOWN_ID, None, "File not found."),
        ("", None, "File not found."),
        (&file, Some(&*stranger.id), "File not found."),
        (&ids[1], Some(&*stranger.id), "File not found."),
        (&file, Some(UNKNOWN_ID), "User not found."),
        (UNKNOWN_ID, Some(UNKNOWN_ID), "User not found."),
        (UNKNOWN_ID, Some(&*user.id), "File not found."),
    ] {
        let mut form = vec![("file_id", file), ("new_name", "stolen")];
        form.extend(user.map(|user| ("user_id", user)));
        let response = server.patch("/file/rename").form(&form).send().await;
        response.is_error(404, detail);
    }
    assert_eq!(server.database().await.dump().await, before);
    let empty = server.patch("/file/rename").form(&[]).send().await;
    assert_invalid(&empty, &[missing("file_id"), missing("new_name")]);
}

#[tokio::test]
async fn a_deleted_file_leaves_every_chat_and_nothing_behind() {
    for by in [0, 1] {
        let Shared {
            server,
            user,
            file,
            chats,
            ids,
            mut clients,
        } = shared().await;
        let kept = server.file(&user, "kept.txt", "kept").await;
        let path = format!("/chat-file/{}/versions", ids[1]);
        let saved = server.post(&path).form(&[("content", "c\n")]).send().await;
        saved.has_status(200);

        // By the file's own id and by that of an attachment.
        let path = format!("/file/delete/{}", ids[by]);
        let deleted = server.delete(&path).send().await;
        deleted.is_error(200, "File deleted successfully.");
        let again = server.delete(&path).send().await;
        again.is_error(404, "File not found.");

        for (number, client) in clients.iter_mut().enumerate() {
            // The second chat had a new version before.
            let before = u64::try_from(number).expect("a number");
            let message = client.action("message").await;
            assert_eq!(message["rev"], before + 1, "{message}");
            assert_eq!(message["message"]["role"], "system");
            assert_eq!(message["message"]["type"], "file");
            assert_eq!(message["message"]["content"], "d.csv was deleted.");
            let mut stored = message["message"].clone();
            stored["deleted_file_id"] = ids[number].as_str().into();
            let received = client.json().await;
            let event = json!({
                "action": "file_deleted", "rev": before + 2, "file_id": ids[number], "name": "d.csv",
                "message": stored,
            });
            assert_eq!(received, event);
        }
        let database = server.database().await;
        for table in ["chat_file", "chat_file_version"] {
            assert_eq!(database.count(table).await, 0, "rows of {table}");
        }
        assert_eq!(database.texts("SELECT id FROM file").await, [kept]);
        assert_eq!(database.count("content").await, 1);
        // The file that stays, and the messages of two chats about the other.
        let stored = database.number("SELECT stored_bytes FROM user").await;
        assert_eq!(stored, 4 + 2 * 18);
        database.knows_how_much_is_stored().await;
        database.has_no_orphans().await;
        for path in [
            format!("/file/{file}"),
            format!("/file/{file}/content"),
            format!("/chat-file/{}/versions", ids[1]),
        ] {
            let response = server.get(&path).send().await;
            response.is_error(404, "File not found.");
        }
        // A client that was away gets it by `sync`, with the message.
        let mut late = server.v2(&chats[0]).await;
        let initial = late.json().await;
        let content = &initial["conversation"][0]["content"];
        assert_eq!(content, "d.csv was deleted.");
        late.send(&json!({ "action": "sync", "rev": 0 })).await;
        let sync = late.action("sync").await;
        assert_eq!((&sync["rev"], &sync["file_ids"]), (&json!(2), &json!([])));
    }
}

#[tokio::test]
async fn a_file_that_is_in_no_chat_is_deleted_too() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let file = server.file(&user, "large.bin", vec![1; 3_000_000]).await;
    let path = format!("/file/delete/{file}");
    server.delete(&path).send().await.has_status(200);
    let database = server.database().await;
    for table in ["file", "content", "content_chunk", "chat_conversation"] {
        assert_eq!(database.count(table).await, 0, "rows of {table}");
    }
}

#[tokio::test]
async fn unknown_files_are_not_deleted() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    server.file(&user, "a.txt", "a").await;
    let before = server.database().await.dump().await;
    for id in [UNKNOWN_ID, "x", "%00", "%20", "%27%20OR%201=1", "upload"] {
        let response = server.delete(&format!("/file/delete/{id}")).send().await;
        response.is_error(404, "File not found.");
    }
    assert_eq!(server.database().await.dump().await, before);
}

#[tokio::test]
async fn one_deletion_is_sent_to_many_chats() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let file = server.file(&user, "d.csv", "a,b\n").await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let chat = server.chat_with(&user, &[&file]).await;
        let mut client = server.v2(&chat).await;
        client.json().await;
        clients.push(client);
    }
    let path = format!("/file/delete/{file}");
    server.delete(&path).send().await.has_status(200);
    for client in &mut clients {
        let received: Value = client.action("file_deleted").await;
        assert_eq!(received["rev"], 2);
    }
    let database = server.database().await;
    assert_eq!(database.count("chat_conversation").await, 20);
    let revs = "SELECT count(*) FROM chat_conversation JOIN chat ON chat.id = chat_id
        WHERE chat_conversation.rev = 1 AND chat.rev = 2 AND position = 1 AND parent_id IS NULL";
    assert_eq!(database.number(revs).await, 20);
}
