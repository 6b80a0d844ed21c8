//! What is read and changed in token mode is one's own, whatever a request names.

use super::Town;

#[tokio::test]
async fn nobody_reads_or_changes_what_is_anothers() {
    let town = Town::new().await;
    let owner = town.person("owner@example.com").await;
    let stranger = town.person("stranger@example.com").await;
    let server = &town.server;
    let chat = owner.chat(&town, "private").await;
    let form = crate::support::Multipart::new()
        .text("target_id", &chat)
        .text("is_chat", "true")
        .file("files", "a.md", "one");
    let upload = server.post("/file/upload").by(&owner).multipart(form);
    let file = upload.send().await.string("/files/0");
    let versions = format!("/chat-file/{file}/versions");
    let form = [("content", "two")];
    let saved = server.post(&versions).by(&owner).form(&form).send().await;
    let version = saved.string("/version_id");
    let workspace = &owner.workspace;
    let content = ("content", "three");
    let new_name = ("new_name", "stolen");
    let calls = [
        ("GET", format!("/workspace/{workspace}"), vec![]),
        ("GET", format!("/workspace/{workspace}/files"), vec![]),
        ("GET", format!("/workspace/{workspace}/chats"), vec![]),
        ("GET", format!("/chat/{chat}"), vec![]),
        ("GET", format!("/chat/{chat}/files"), vec![]),
        ("GET", format!("/file/{file}"), vec![]),
        ("GET", versions.clone(), vec![]),
        ("GET", format!("{versions}/{version}"), vec![]),
        (
            "GET",
            format!("/chat-file/{file}/diff?from={version}"),
            vec![],
        ),
        ("POST", versions, vec![content]),
        (
            "POST",
            format!("/chat-file/{file}/revert"),
            vec![("version_id", version.as_str())],
        ),
        (
            "PATCH",
            "/workspace/rename".to_owned(),
            vec![("workspace_id", workspace.as_str()), new_name],
        ),
        (
            "PATCH",
            "/file/rename".to_owned(),
            vec![("file_id", file.as_str()), new_name],
        ),
        ("DELETE", format!("/file/delete/{file}"), vec![]),
        ("DELETE", format!("/workspace/delete/{workspace}"), vec![]),
    ];
    let stored =
        "SELECT group_concat(filename) || (SELECT count(*) FROM chat_file_version) FROM file";
    for (method, path, form) in &calls {
        let nobody = server.request(method, path).form(form).send().await;
        nobody.has_status(401);
        let foreign = server.request(method, path).by(&stranger).form(form);
        foreign.send().await.has_status(404);
        assert_eq!(server.database().await.texts(stored).await, ["a.md2"]);
    }
    // Another's name is nobody's, and one's own is not needed.
    let path = format!("/workspace?user_id={}", owner.id);
    let list = server.get(&path).by(&stranger).send().await;
    list.is_error(404, "User not found.");
    for (method, path, form) in &calls {
        let own = server.request(method, path).by(&owner).form(form);
        own.send().await.has_status(200);
    }
    server.database().await.has_no_orphans().await;
}
