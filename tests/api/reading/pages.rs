//! Lists in pages.

use serde_json::{Value, json};

use super::super::UNKNOWN_ID;
use super::save;
use crate::support::{Server, User, login};

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
    /// The path of each list, its name in the answer, and the error for an unknown id.
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

pub(super) fn ids(page: &Value, things: &str) -> Vec<String> {
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
async fn rows_of_another_user_are_not_found() {
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
        for (id, detail) in [(&*stranger.id, *detail), (UNKNOWN_ID, "User not found.")] {
            let foreign = format!("{path}?user_id={id}");
            server.get(&foreign).send().await.is_error(404, detail);
        }
        for own in [user.workspace.as_str(), chat, file] {
            let unknown = path.replace(own, UNKNOWN_ID);
            if unknown != *path {
                server.get(&unknown).send().await.is_error(404, detail);
                let unknown = format!("{unknown}?user_id={UNKNOWN_ID}");
                let response = server.get(&unknown).send().await;
                response.is_error(404, "User not found.");
            }
        }
    }
    let unknown = format!("/workspace?user_id={UNKNOWN_ID}");
    let response = server.get(&unknown).send().await;
    response.is_error(404, "User not found.");
}

/// The statement of every list and of every single thing.
const STATEMENTS: [&str; 12] = [
    include_str!("../../../functions/workspace/src/list.sql"),
    include_str!("../../../functions/workspace/src/show.sql"),
    include_str!("../../../functions/workspace/src/files.sql"),
    include_str!("../../../functions/workspace/src/chats.sql"),
    include_str!("../../../functions/chat/src/show.sql"),
    include_str!("../../../functions/chat/src/files.sql"),
    include_str!("../../../functions/file/src/show.sql"),
    include_str!("../../../functions/file/src/content.sql"),
    include_str!("../../../functions/file/src/chat_file.sql"),
    include_str!("../../../functions/file/src/versions.sql"),
    include_str!("../../../functions/file/src/version.sql"),
    include_str!("../../../functions/file/src/diff.sql"),
];

#[tokio::test]
async fn no_page_reads_the_rows_before_it() {
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
