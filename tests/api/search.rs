//! `GET /search`.

use serde_json::{Value, json};

use super::UNKNOWN_ID;
use crate::support::{Database, FakeModel, Response, Server, User, login, percent_encode};

async fn search(server: &Server, user: &User, query: &str, more: &str) -> Response {
    let query = percent_encode(query);
    let path = format!("/search?user_id={}&q={query}{more}", user.id);
    server.get(&path).send().await
}

/// What is found, once all is indexed.
async fn results(server: &Server, user: &User, query: &str, more: &str) -> Vec<Value> {
    loop {
        let answer = search(server, user, query, more).await;
        answer.has_status(200);
        let answer = answer.json();
        if answer["is_complete"] == true {
            return answer["results"].as_array().expect("a list").clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// What is marked in the snippets of what is found.
async fn marked(server: &Server, user: &User, query: &str) -> Vec<String> {
    let mut all = Vec::new();
    for result in results(server, user, query, "").await {
        let snippet: Vec<u16> = result["snippet"]
            .as_str()
            .expect("a text")
            .encode_utf16()
            .collect();
        for mark in result["marks"].as_array().expect("a list") {
            let place = |end: &str| mark[end].as_u64().expect("a place") as usize;
            let marked = &snippet[place("start")..place("end")];
            all.push(String::from_utf16(marked).expect("whole characters"));
        }
    }
    all
}

/// Puts a message into a chat.
async fn says(server: &Server, chat: &str, id: &str, text: &str) {
    let text = text.replace('\'', "''");
    let sql = format!(
        "INSERT INTO chat_conversation (id, chat_id, role, type, content, position, created_at)
         SELECT '{id}', '{chat}', 'user', 'text', '{text}', count(*) + 1, '2026-11-23T12:00:00.000000+00:00'
         FROM chat_conversation WHERE chat_id = '{chat}'"
    );
    server.change(&sql).await;
}

async fn docs(server: &Server) -> (i64, i64) {
    let database = server.database().await;
    let index = database.count("search_index_docsize").await;
    (database.count("search_doc").await, index)
}

#[tokio::test]
async fn words_phrases_beginnings_and_folded_letters_are_found() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "Prozeß").await;
    says(
        &server,
        &chat,
        "m1",
        "Jemand mußte Josef K. verleumdet haben 😀, denn im Café war's still.",
    )
    .await;
    says(&server, &chat, "m2", "K. und Josef waren nicht dort.").await;
    for (query, found) in [
        ("verleumdet ", vec!["verleumdet"]),
        ("VERLEUM", vec!["verleumdet"]),
        ("verl* still ", vec!["verleumdet", "still"]),
        ("verleum ", vec![]),
        ("\"josef k\"", vec!["Josef K"]),
        ("\"k josef\"", vec![]),
        ("cafe ", vec!["Café"]),
        ("musste ", vec!["mußte"]),
        ("war's ", vec!["war's"]),
        ("still 😀", vec!["😀", "still"]),
        ("verleumdet dort ", vec![]),
        ("prozess ", vec!["Prozeß"]),
    ] {
        assert_eq!(marked(&server, &user, query).await, found, "{query}");
    }
    let found = results(&server, &user, "verleumdet ", "").await;
    let [message] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(message["kind"], "message");
    assert_eq!(message["chat_id"], chat.as_str());
    assert_eq!(message["chat_name"], "Prozeß");
    assert_eq!(message["message_id"], "m1");
    assert_eq!(message["workspace_id"], user.workspace.as_str());
    assert_eq!(message["role"], "user");
    assert_eq!(message["file_id"], Value::Null);
}

#[tokio::test]
async fn scripts_without_spaces_are_found_by_any_part() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "c").await;
    says(&server, &chat, "m1", "私は東京都に住んでいます。ｶﾌｪ").await;
    says(&server, &chat, "m2", "한국어를 공부합니다. สวัสดีครับ").await;
    for (query, found) in [
        ("京", vec!["京"]),
        ("東京", vec!["東京"]),
        ("東都", vec![]),
        ("カフ", vec!["ｶﾌ"]),
        ("국어", vec!["국어"]),
        ("วัส", vec!["วัส"]),
        ("京 住", vec!["京", "住"]),
    ] {
        assert_eq!(marked(&server, &user, query).await, found, "{query}");
    }
}

#[tokio::test]
async fn every_text_is_a_query() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "c").await;
    says(&server, &chat, "m1", "NOT a word AND nothing").await;
    let long = "x".repeat(1_000);
    let many = "w ".repeat(500);
    for query in [
        "",
        " ",
        "\"",
        "\"\"\"",
        "*",
        "^a",
        "a:b",
        "words : a",
        "-a",
        "NOT",
        "AND",
        "a AND",
        "NEAR(a b, 2)",
        "{a}",
        "(",
        "a)",
        "'",
        "; DROP TABLE chat",
        "\u{0}",
        "a\u{0}b",
        "_",
        "12_a",
        "😀",
        "\u{301}",
        "%",
        "\\",
        &long,
        &many,
        "\u{fffd}\u{200b}\u{202e}",
    ] {
        search(&server, &user, query, "").await.has_status(200);
    }
    assert_eq!(marked(&server, &user, "not AND ").await, ["NOT", "AND"]);
    for query in ["x".repeat(1_001), "x".repeat(10_000)] {
        let answer = search(&server, &user, &query, "").await;
        answer.has_status(422);
        assert_eq!(answer.json()["detail"][0]["type"], "string_too_long");
    }
    for more in ["&in=nothing", "&in=names,", "&limit=0", "&after=x"] {
        search(&server, &user, "a", more).await.has_status(422);
    }
    let missing = server
        .get(&format!("/search?user_id={}", user.id))
        .send()
        .await;
    missing.has_status(422);
    let nobody = format!("/search?user_id={UNKNOWN_ID}&q=a");
    server
        .get(&nobody)
        .send()
        .await
        .is_error(404, "User not found.");
    let more = format!("&workspace_id={UNKNOWN_ID}");
    search(&server, &user, "a", &more)
        .await
        .is_error(404, "Workspace not found.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_files_and_names_are_found_when_they_are_there() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    // What comes afterwards is noted by triggers.
    assert_eq!(
        results(&server, &user, "anything", "").await,
        [] as [Value; 0]
    );
    let fake = FakeModel::start();
    let form = [
        ("user_id", user.id.as_str()),
        ("name", "fake-words-3-rate-0"),
        ("ak", "any"),
        ("base_url", &fake.base_url()),
    ];
    server
        .post("/models/new")
        .form(&form)
        .send()
        .await
        .has_status(200);
    let chat = server.chat(&user, "Castle").await;
    let prompt = json!({ "prompt": "Surveyor wanted" }).to_string();
    let path = format!("/chat/{chat}/messages/stream");
    let events = server.post(&path).json(prompt).events().await.rest().await;
    assert!(!events.is_empty());
    let found = results(&server, &user, "w2 ", "").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["role"], &found[0]["snippet"]),
        (&json!("assistant"), &json!("w1 w2 w3"))
    );
    assert_eq!(results(&server, &user, "surveyor ", "").await.len(), 1);
    assert_eq!(
        results(&server, &user, "castle ", "").await[0]["kind"],
        "chat_name"
    );

    let file = server
        .chat_file(&user, &chat, "landvermesser.md", "needle in here")
        .await;
    server.reads(&file).await;
    let found = results(&server, &user, "needle ", "").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["kind"], "file_text");
    assert_eq!(found[0]["file_id"], file.as_str());
    assert_eq!(found[0]["filename"], "landvermesser.md");
    assert_eq!(found[0]["chat_ids"], json!([chat]));
    let found = results(&server, &user, "landverm", "&in=names").await;
    assert_eq!((found.len(), &found[0]["kind"]), (1, &json!("file_name")));
    assert_eq!(
        results(&server, &user, "landverm", "&in=messages,files")
            .await
            .len(),
        0
    );

    // A saved text, which another one replaces.
    let versions = format!("/chat-file/{file}/versions");
    for (text, found) in [("haystack", 1), ("nothing", 0)] {
        server
            .post(&versions)
            .form(&[("content", text)])
            .send()
            .await
            .has_status(200);
        assert_eq!(results(&server, &user, "haystack ", "").await.len(), found);
    }
    for (path, form) in [
        (
            "/chat/rename",
            [("chat_id", chat.as_str()), ("new_name", "Amerika")],
        ),
        (
            "/file/rename",
            [("file_id", file.as_str()), ("new_name", "heizer.md")],
        ),
    ] {
        server.patch(path).form(&form).send().await.has_status(200);
    }
    for (query, count) in [
        ("castle ", 0),
        ("amerika ", 1),
        ("landvermesser ", 0),
        ("heizer ", 1),
    ] {
        assert_eq!(
            results(&server, &user, query, "").await.len(),
            count,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_workspace_and_pages_choose() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let form = [("owner_id", user.id.as_str()), ("name", "other")];
    let made = server.post("/workspace/new").form(&form).send().await;
    let other = made.string("/workspace_id");
    let here = server.chat(&user, "here").await;
    let form = [
        ("user_id", user.id.as_str()),
        ("workspace_id", &other),
        ("chat_name", "there"),
    ];
    let there = server
        .post("/chat/new")
        .form(&form)
        .send()
        .await
        .string("/chat_id");
    for number in 0..7 {
        says(
            &server,
            &here,
            &format!("h{number}"),
            &"word ".repeat(number + 1),
        )
        .await;
        says(&server, &there, &format!("t{number}"), "word").await;
    }
    let file = server.file(&user, "a.txt", "word").await;
    server.reads(&file).await;
    assert_eq!(results(&server, &user, "word ", "").await.len(), 15);
    let of_other = results(&server, &user, "word ", &format!("&workspace_id={other}")).await;
    assert_eq!(of_other.len(), 7);
    assert!(
        of_other
            .iter()
            .all(|result| result["chat_id"] == there.as_str())
    );
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let page = search(&server, &user, "word ", &format!("&limit=4{after}"))
            .await
            .json();
        found.extend(page["results"].as_array().expect("a list").clone());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let mut ids: Vec<_> = found
        .iter()
        .map(|result| result["message_id"].to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!((found.len(), ids.len()), (15, 15));
    // The more of a short text it is, the better.
    let move_there = [("workspace_id", other.as_str())];
    server
        .patch(&format!("/chat/{here}"))
        .form(&move_there)
        .send()
        .await
        .has_status(200);
    let of_other = results(&server, &user, "word ", &format!("&workspace_id={other}")).await;
    assert_eq!(of_other.len(), 14);
}

#[tokio::test]
async fn users_find_only_what_is_theirs() {
    let server = Server::start().await;
    let josef = login(&server, "josef@example.com").await;
    let leni = login(&server, "leni@example.com").await;
    let chat = server.chat(&josef, "secret").await;
    says(&server, &chat, "m1", "secret").await;
    assert_eq!(results(&server, &josef, "secret", "").await.len(), 2);
    assert_eq!(results(&server, &leni, "secret", "").await.len(), 0);
    let more = format!("&workspace_id={}", josef.workspace);
    search(&server, &leni, "secret", &more)
        .await
        .is_error(404, "Workspace not found.");
}

/// All that was there before the first search, in parts: long chats, many chats, long files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_there_before_is_indexed_and_what_is_deleted_leaves() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let long = server.chat(&user, "long").await;
    server.change(&Database::conversation(&long, 3_000)).await;
    server
        .change(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
             INSERT INTO chat (id, name, user_id, workspace_id)
             SELECT 'chat-' || i, 'many', '{}', '{}' FROM n;
             INSERT INTO chat_conversation (id, chat_id, role, type, content, position, created_at)
             SELECT 'of-' || id, id, 'user', 'text', 'hello ' || id, 1, '' FROM chat WHERE id LIKE 'chat-%';",
            user.id, user.workspace
        ))
        .await;
    let text = format!(
        "{} needle {} \"end",
        "hay ".repeat(100_000),
        "stack ".repeat(10_000)
    );
    let file = server.file(&user, "long.txt", text).await;
    server.reads(&file).await;
    assert_eq!(results(&server, &user, "needle ", "").await.len(), 1);
    assert_eq!(results(&server, &user, "end ", "").await.len(), 1);
    let found = results(&server, &user, "\"text 2999\"", "").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["message_id"], format!("{long}-2999"));
    let pages = results(&server, &user, "hello ", "&limit=200").await;
    assert_eq!(pages.len(), 200);
    let (docs_before, words) = docs(&server).await;
    assert_eq!(docs_before, words);
    assert!(docs_before > 3_000 + 5_000, "{docs_before}");

    server
        .delete(&format!("/chat/{long}"))
        .send()
        .await
        .has_status(200);
    assert_eq!(results(&server, &user, "\"text 2999\"", "").await.len(), 0);
    server
        .delete(&format!("/file/delete/{file}"))
        .send()
        .await
        .has_status(200);
    assert_eq!(results(&server, &user, "needle ", "").await.len(), 0);
    let (docs_after, words) = docs(&server).await;
    assert_eq!(docs_after, words);
    assert_eq!(docs_after, 5_000);
    server
        .delete(&format!("/user/{}", user.id))
        .send()
        .await
        .has_status(200);
    assert_eq!(docs(&server).await, (0, 0));
    let database = server.database().await;
    for table in ["search_user", "search_pending", "search_part"] {
        assert_eq!(database.count(table).await, 0, "{table}");
    }
    database.has_no_orphans().await;
}
