//! What there is to read: workspaces, chats and files, one by one and in lists.

use serde_json::{Value, json};

use super::NOBODY;
use crate::support::{Server, User, login};

#[tokio::test]
async fn workspaces_are_listed_and_shown() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let second = server.workspace(&user, "zweiter \"Raum\"").await;
    server.file(&user, "a.txt", "a").await;
    server.chat(&user, "one").await;
    server.chat(&user, "two").await;
    let list = server.get(&format!("/workspace?user_id={}", user.id));
    let expected = format!(
        r#"{{"workspaces":[{{"id":"{}","name":"Default Workspace"}},{{"id":"{second}","name":"zweiter \"Raum\""}}],"next":null}}"#,
        user.workspace
    );
    list.send().await.is(200, &expected);
    let shown = server.get(&format!("/workspace/{}", user.workspace));
    let expected = format!(
        r#"{{"id":"{}","name":"Default Workspace","num_files":1,"num_chats":2}}"#,
        user.workspace
    );
    shown.send().await.is(200, &expected);
}

#[tokio::test]
async fn files_of_a_workspace_are_listed_and_shown() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form = user
        .to_workspace()
        .typed_file("files", "m.PY", "text/x-python", "print(1)\n")
        .file("files", "empty", "")
        .file("files", "a.based", "abc");
    let ids = server.upload(form).await.json()["files"].clone();
    let file = |index: usize, name: &str, size: i64, kind: &str| {
        let id = ids[index].as_str().expect("an id");
        json!({
            "id": id, "filename": name, "path": format!("uploads/files/{id}_{name}"), "size": size, "type": kind,
            "language": null, "url": format!("/file/{id}/content"), "media_type": null,
        })
    };
    let mut python = file(0, "m.PY", 9, "code");
    python["language"] = "python".into();
    python["media_type"] = "text/x-python".into();
    let files = [
        python,
        file(1, "empty", 0, "other"),
        file(2, "a.based", 3, "based"),
    ];
    let path = format!("/workspace/{}/files", user.workspace);
    let list = server.get(&path).send().await;
    list.is(200, &json!({ "files": files, "next": null }).to_string());
    for file in files {
        let path = format!("/file/{}", file["id"].as_str().expect("an id"));
        let shown = server.get(&path).send().await;
        shown.is(200, &file.to_string());
        let content = server.get(&format!("{path}/content")).send().await;
        assert_eq!(json!(content.body.len()), file["size"]);
    }
}

#[tokio::test]
async fn a_workspace_lists_its_files_as_they_are_served() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let chat = server.chat(&user, "one").await;
    let mut files = Vec::new();
    for name in ["a.md", "b", "c.md"] {
        let form = user.upload_to(&chat, "true");
        let form = form.typed_file("files", name, "text/x-typed", "one");
        files.push(server.upload(form).await.string("/files/0"));
    }
    // What only another chat has, under another id.
    let other = server.chat_with(&user, &[&files[2]]).await;
    server.delete(&format!("/chat/{chat}")).send().await;
    let again = server.chat_with(&user, &[&files[0], &files[1]]).await;
    for file in &files[1..] {
        save(&server, file, "größer").await;
    }
    for chat in [&other, &again] {
        let path = format!("/chat/{chat}/files");
        let list = server.get(&path).send().await.json();
        for file in list["files"].as_array().expect("a list") {
            let is_changed = file["num_versions"] == 2;
            assert_eq!(is_changed, file["file_id"] != files[0], "{file}");
        }
    }
    let path = format!("/workspace/{}/files", user.workspace);
    let list = server.get(&path).send().await.json();
    assert_eq!(ids(&list, "files"), files);
    for (listed, (kind, media_type, text)) in
        list["files"].as_array().expect("a list").iter().zip([
            ("markdown", json!("text/x-typed"), "one"),
            ("based", Value::Null, "größer"),
            ("markdown", Value::Null, "größer"),
        ])
    {
        assert_eq!(listed["type"], kind);
        assert_eq!(listed["media_type"], media_type);
        assert_eq!(listed["size"], text.len());
        let url = listed["url"].as_str().expect("a path");
        assert_eq!(server.get(url).send().await.text(), text);
        let path = format!("/file/{}", listed["id"].as_str().expect("an id"));
        let shown = server.get(&path).send().await.json();
        assert_eq!(shown, *listed);
    }
}

#[tokio::test]
async fn chats_are_listed_and_shown() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let made = server.chat_new(&user, "The Trial").await;
    let (chat, time) = (made.string("/chat_id"), made.string("/last_updated"));
    let mut expected = json!({
        "id": chat, "name": "The Trial", "last_updated": time, "num_versions": 0, "workspace_id": user.workspace,
    });
    let path = format!("/workspace/{}/chats", user.workspace);
    let list = server.get(&path).send().await;
    let listed = json!({ "chats": [expected], "next": null });
    list.is(200, &listed.to_string());
    let shown = server.get(&format!("/chat/{chat}")).send().await;
    expected["rev"] = 0.into();
    expected["num_messages"] = 0.into();
    expected["generation"] = Value::Null;
    shown.is(200, &expected.to_string());

    let file = server.chat_file(&user, &chat, "a.md", "one").await;
    save(&server, &file, "two").await;
    server.get(&format!("/chat/{chat}")).send().await;
    let shown = server.get(&format!("/chat/{chat}")).send().await.json();
    assert_eq!(
        (&shown["num_versions"], &shown["rev"]),
        (&json!(2), &json!(2))
    );
    let list = server.get(&path).send().await.json();
    assert_eq!(list["chats"][0]["num_versions"], 2);
    assert_eq!(list["chats"][0]["last_updated"], shown["last_updated"]);
}

#[tokio::test]
async fn files_of_a_chat_are_listed_with_their_newest_versions() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let file = server.file(&user, "d.csv", "a,b\n").await;
    server.chat_with(&user, &[&file]).await;
    let chat = server.chat_with(&user, &[&file]).await;
    let path = format!("/chat/{chat}/files");
    let list = server.get(&path).send().await;
    let id = list.string("/files/0/id");
    assert_ne!(id, file, "it is another attachment");
    let mut entry = json!({
        "id": id, "filename": "d.csv", "path": format!("uploads/files/{file}_d.csv"), "size": 4, "type": "csv",
        "language": null, "url": format!("/file/{id}/content"), "media_type": null, "file_id": file,
        "num_versions": 0, "version_id": null, "timestamp": null,
    });
    list.is(200, &json!({ "files": [entry], "next": null }).to_string());

    let saved = save(&server, &id, "größer").await;
    entry["size"] = 8.into();
    entry["num_versions"] = 2.into();
    entry["version_id"] = saved["version_id"].clone();
    entry["timestamp"] = saved["timestamp"].clone();
    let list = server.get(&path).send().await;
    list.is(200, &json!({ "files": [entry], "next": null }).to_string());
    // The attachment says what is new in its chat; the workspace's file stays as it was.
    let shown = server.get(&format!("/file/{id}")).send().await.json();
    assert_eq!((&shown["id"], &shown["size"]), (&json!(id), &json!(8)));
    let shown = server.get(&format!("/file/{file}")).send().await.json();
    assert_eq!((&shown["id"], &shown["size"]), (&json!(file), &json!(4)));
}

async fn save(server: &Server, file: &str, text: &str) -> Value {
    let path = format!("/chat-file/{file}/versions");
    let saved = server.post(&path).form(&[("content", text)]).send().await;
    saved.has_status(200);
    saved.json()
}

/// A list of everything that has pages, with something in it.
struct Lists {
    server: Server,
    user: User,
    chat: String,
    file: String,
}

async fn lists() -> Lists {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let chat = server.chat(&user, "one").await;
    let file = server.chat_file(&user, &chat, "a.md", "0").await;
    Lists {
        server,
        user,
        chat,
        file,
    }
}

impl Lists {
    /// The path of each list, its name in the answer, and what is said of what is not there.
    fn all(&self) -> [(String, &'static str, &'static str); 5] {
        let Self {
            user, chat, file, ..
        } = self;
        let workspace = &user.workspace;
        [
            ("/workspace".to_owned(), "workspaces", "User not found."),
            (
                format!("/workspace/{workspace}/files"),
                "files",
                "Workspace not found.",
            ),
            (
                format!("/workspace/{workspace}/chats"),
                "chats",
                "Workspace not found.",
            ),
            (format!("/chat/{chat}/files"), "files", "Chat not found."),
            (
                format!("/chat-file/{file}/versions"),
                "versions",
                "File not found.",
            ),
        ]
    }

    /// Adds one thing to every list.
    async fn grow(&self, number: usize) {
        let Self {
            server,
            user,
            chat,
            file,
        } = self;
        server.workspace(user, &number.to_string()).await;
        server.chat(user, &number.to_string()).await;
        let name = format!("{number}.txt");
        server.chat_file(user, chat, &name, "x").await;
        save(server, file, &number.to_string()).await;
    }

    async fn page(&self, path: &str, query: &str) -> Value {
        let path = format!("{path}?user_id={}&{query}", self.user.id);
        let page = self.server.get(&path).send().await;
        page.has_status(200);
        page.json()
    }
}

fn ids(page: &Value, things: &str) -> Vec<String> {
    let things = page[things].as_array().expect("a list");
    let id = |thing: &Value| thing["id"].as_str().expect("an id").to_owned();
    things.iter().map(id).collect()
}

#[tokio::test]
async fn pages_go_to_the_end_while_things_are_added() {
    let lists = lists().await;
    for number in 1..=8 {
        lists.grow(number).await;
    }
    let mut begun = Vec::new();
    for (path, things, _) in lists.all() {
        let page = lists.page(&path, "limit=4").await;
        assert_eq!(ids(&page, things).len(), 4, "{path}");
        begun.push((path, things, page));
    }
    lists.grow(9).await;
    for (path, things, mut page) in begun {
        let mut seen = ids(&page, things);
        while let Some(next) = page["next"].as_str() {
            page = lists.page(&path, &format!("limit=4&after={next}")).await;
            seen.extend(ids(&page, things));
        }
        let whole = lists.page(&path, "limit=200").await;
        assert_eq!(whole["next"], Value::Null);
        assert_eq!(seen, ids(&whole, things), "{path}");
        assert_eq!(seen.len(), 10, "{path}");
        assert_eq!(whole, lists.page(&path, "").await, "{path}");
        if things == "versions" {
            let numbers = whole[things].as_array().expect("a list").iter();
            assert!(
                numbers
                    .map(|version| &version["number"])
                    .eq((1..=10).map(|n| json!(n)).collect::<Vec<_>>().iter())
            );
        }
        // One that ends with its last thing has no next.
        let page = lists.page(&path, "limit=10").await;
        assert_eq!(page["next"], Value::Null, "{path}");
        let page = lists.page(&path, "limit=9").await;
        let next = page["next"].as_str().expect("another page");
        let page = lists.page(&path, &format!("limit=1&after={next}")).await;
        assert_eq!(ids(&page, things), seen[9..], "{path}");
        assert_eq!(page["next"], Value::Null, "{path}");
        let behind = format!("after={}", "f".repeat(32));
        let page = lists.page(&path, &behind).await;
        assert_eq!(page, json!({ things: [], "next": null }), "{path}");
    }
}

#[tokio::test]
async fn a_page_goes_on_where_something_was_deleted() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let mut files = Vec::new();
    for name in ["1", "2", "3", "4"] {
        files.push(server.file(&user, name, name).await);
    }
    let path = format!("/workspace/{}/files", user.workspace);
    let page = server.get(&format!("{path}?limit=2")).send().await;
    let next = page.string("/next");
    for file in &files[1..3] {
        let path = format!("/file/delete/{file}");
        server.delete(&path).send().await.has_status(200);
    }
    let page = server.get(&format!("{path}?after={next}")).send().await;
    assert_eq!(ids(&page.json(), "files"), files[3..]);
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let lists = lists().await;
    let Lists { server, user, .. } = &lists;
    for (path, ..) in lists.all() {
        let path = format!("{path}?user_id={}", user.id);
        for (query, error) in [
            (
                "limit=0",
                r#"{"type":"greater_than_equal","loc":["query","limit"],"msg":"Input should be greater than or equal to 1","input":"0","ctx":{"ge":1}}"#,
            ),
            (
                "limit=201",
                r#"{"type":"less_than_equal","loc":["query","limit"],"msg":"Input should be less than or equal to 200","input":"201","ctx":{"le":200}}"#,
            ),
            (
                "limit=ten",
                r#"{"type":"int_parsing","loc":["query","limit"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"ten"}"#,
            ),
            (
                "after=x",
                r#"{"type":"value_error","loc":["query","after"],"msg":"Value error, this is no cursor of a list","input":"x","ctx":{"error":{}}}"#,
            ),
        ] {
            let response = server.get(&format!("{path}&{query}")).send().await;
            response.is(422, &format!(r#"{{"detail":[{error}]}}"#));
        }
        let response = server.get(&format!("{path}&limit=&after=")).send().await;
        response.has_status(422);
        let errors = response.json()["detail"].as_array().map(Vec::len);
        assert_eq!(errors, Some(2));
    }
    let missing =
        r#"{"type":"missing","loc":["query","user_id"],"msg":"Field required","input":null}"#;
    let response = server.get("/workspace").send().await;
    response.is(422, &format!(r#"{{"detail":[{missing}]}}"#));
    let long = format!("/chat/x?user_id={}", "x".repeat(256));
    server.get(&long).send().await.has_status(422);
}

#[tokio::test]
async fn what_is_not_ones_own_is_not_there() {
    let lists = lists().await;
    let Lists {
        server,
        user,
        chat,
        file,
    } = &lists;
    let stranger = login(server, "stranger@example.com").await;
    save(server, file, "1").await;
    let page = server.get(&format!("/chat-file/{file}/versions"));
    let version = page.send().await.string("/versions/0/id");
    let mut paths: Vec<_> = lists
        .all()
        .into_iter()
        .skip(1)
        .map(|(path, _, detail)| (path, detail))
        .collect();
    let workspace = &user.workspace;
    paths.push((format!("/workspace/{workspace}"), "Workspace not found."));
    paths.push((format!("/chat/{chat}"), "Chat not found."));
    paths.push((format!("/file/{file}"), "File not found."));
    let one = format!("/chat-file/{file}/versions/{version}");
    paths.push((one, "File not found."));
    for (path, detail) in &paths {
        server.get(path).send().await.has_status(200);
        server.head(path).send().await.has_status(200);
        for (id, detail) in [(&*stranger.id, *detail), (NOBODY, "User not found.")] {
            let foreign = format!("{path}?user_id={id}");
            server.get(&foreign).send().await.is_error(404, detail);
        }
        for own in [user.workspace.as_str(), chat, file] {
            let unknown = path.replace(own, NOBODY);
            if unknown != *path {
                server.get(&unknown).send().await.is_error(404, detail);
                let unknown = format!("{unknown}?user_id={NOBODY}");
                let response = server.get(&unknown).send().await;
                response.is_error(404, "User not found.");
            }
        }
    }
    let unknown = format!("/workspace?user_id={NOBODY}");
    let response = server.get(&unknown).send().await;
    response.is_error(404, "User not found.");
}

/// The statement of every list and of every single thing.
const STATEMENTS: [&str; 12] = [
    include_str!("../../functions/workspace/src/list.sql"),
    include_str!("../../functions/workspace/src/show.sql"),
    include_str!("../../functions/workspace/src/files.sql"),
    include_str!("../../functions/workspace/src/chats.sql"),
    include_str!("../../functions/chat/src/show.sql"),
    include_str!("../../functions/chat/src/files.sql"),
    include_str!("../../functions/file/src/show.sql"),
    include_str!("../../functions/file/src/content.sql"),
    include_str!("../../functions/file/src/chat_file.sql"),
    include_str!("../../functions/file/src/versions.sql"),
    include_str!("../../functions/file/src/version.sql"),
    include_str!("../../functions/file/src/diff.sql"),
];

#[tokio::test]
async fn no_page_reads_what_is_before_it() {
    let Lists { server, .. } = lists().await;
    let database = server.database().await;
    for statement in STATEMENTS {
        for step in database.plan(statement).await {
            let scans =
                step.starts_with("SCAN") && step != "SCAN CONSTANT ROW" && step != "SCAN asked";
            assert!(
                !scans && !step.contains("TEMP B-TREE"),
                "{step} in {statement}"
            );
        }
        if statement.contains("LIMIT") {
            let plan = database.plan(statement).await.join("\n");
            assert!(plan.contains("=? AND rowid>?)"), "{plan}");
        }
    }
}
