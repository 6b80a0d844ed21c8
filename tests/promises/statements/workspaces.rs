//! Workspaces, files and their versions.

use super::MANY;
use super::counter::{Counter, ONE, alone, transaction};
use crate::support::Multipart;
use crate::support::archive::archive;

pub(super) async fn of_files(counter: &mut Counter) {
    let form = [("owner_id", counter.user.as_str()), ("name", "new")];
    let request = counter.post("/workspace/new").form(&form);
    counter
        .takes("workspace/new", request, 200, ONE.limited())
        .await;
    let request = counter
        .post("/file/upload")
        .multipart(counter.upload_form());
    // Its text is kept with it.
    let cost = transaction(4).limited().stored();
    counter.takes("file/upload", request, 200, cost).await;
    let chat = counter.chat().await;
    let form = Multipart::new()
        .text("target_id", &chat)
        .text("is_chat", "true")
        .file("files", "a.txt", "less than a chunk");
    let request = counter.post("/file/upload").multipart(form);
    let cost = transaction(6).limited().stored();
    counter
        .takes("an upload to a chat", request, 200, cost)
        .await;
    // It is noted, the file and its workspace are looked for, and the file is stored as an upload is, with what waits for it.
    let file = (
        format!("workspaces/{}/f/new.txt", counter.workspace),
        b"new",
    );
    let path = format!("/import?user_id={}", counter.user);
    let request = counter
        .post(&path)
        .body("application/zip", archive(&[file]));
    let cost = transaction(6).and_alone(3).limited().stored().leased();
    counter.takes("import", request, 200, cost).await;
    let id = counter.file().await;
    for path in [format!("/file/{id}/content"), format!("/file/{id}")] {
        counter.takes(&path, counter.get(&path), 200, ONE).await;
    }
    let path = format!("/file/{id}?with_text=true");
    counter
        .takes(&path, counter.get(&path), 200, alone(2))
        .await;
    let form = [("file_id", id.as_str()), ("new_name", "renamed.txt")];
    let request = counter.ask("PATCH", "/file/rename").form(&form);
    counter
        .takes("file/rename", request, 200, transaction(2).limited())
        .await;
    let request = counter.ask("DELETE", &format!("/file/delete/{id}"));
    counter
        .takes("file/delete", request, 200, transaction(2))
        .await;
    let form = [("owner_id", counter.user.as_str()), ("name", "new")];
    let request = counter.post("/workspace/new").form(&form);
    let id = counter.made(request, "/workspace_id").await;
    let form = [("workspace_id", id.as_str()), ("new_name", "renamed")];
    let request = counter.ask("PATCH", "/workspace/rename").form(&form);
    counter
        .takes("workspace/rename", request, 200, ONE.limited())
        .await;
    let request = counter.ask("DELETE", &format!("/workspace/delete/{id}"));
    counter
        .takes("workspace/delete", request, 200, transaction(2))
        .await;
}

pub(super) async fn of_versions(counter: &mut Counter) {
    let file = counter.file().await;
    counter.chat_with(&[&file]).await;
    let path = format!("/chat-file/{file}");
    let save = |text| [("content", text)];
    let request = counter
        .post(&format!("{path}/versions"))
        .form(&save("first"));
    let cost = transaction(5).limited().stored();
    let saved = counter.takes("the first version", request, 200, cost).await;
    let first = saved["version_id"].as_str().expect("an id").to_owned();
    let request = counter
        .post(&format!("{path}/versions"))
        .form(&save("second"));
    let cost = transaction(5).limited().stored();
    counter.takes("another version", request, 200, cost).await;
    for path in [
        format!("{path}/versions"),
        format!("{path}/versions/{first}"),
        format!("{path}/diff?from={first}"),
    ] {
        counter.takes(&path, counter.get(&path), 200, ONE).await;
    }
    let form = [("version_id", first.as_str())];
    let request = counter.post(&format!("{path}/revert")).form(&form);
    let cost = transaction(7).limited().stored();
    counter.takes("revert", request, 200, cost).await;
}

/// Of what has much below it.
pub(super) async fn of_deletions(counter: &mut Counter) {
    let file = counter.file().await;
    for _ in 0..MANY {
        counter.chat_with(&[&file]).await;
    }
    let form = [("file_id", file.as_str()), ("new_name", "renamed.txt")];
    let request = counter.ask("PATCH", "/file/rename").form(&form);
    let cost = transaction(4);
    let name = "renaming a file of many chats";
    counter.takes(name, request, 200, cost.limited()).await;
    let request = counter.ask("DELETE", &format!("/file/delete/{file}"));
    let name = "deleting a file of many chats";
    counter.takes(name, request, 200, cost).await;

    let form = [("owner_id", counter.user.as_str()), ("name", "much")];
    let request = counter.post("/workspace/new").form(&form);
    let much = counter.made(request, "/workspace_id").await;
    let first = std::mem::replace(&mut counter.workspace, much);
    let file = counter.file().await;
    for _ in 0..MANY {
        let chat = counter.chat_with(&[&file]).await;
        counter.has_messages(&chat, MANY).await;
    }
    let much = std::mem::replace(&mut counter.workspace, first);
    let request = counter.ask("DELETE", &format!("/workspace/delete/{much}"));
    let name = "deleting a workspace of many chats";
    counter.takes(name, request, 200, transaction(2)).await;
}
