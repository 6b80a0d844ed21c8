//! Whatever becomes of sockets and of the server, a client that asks learns every change once.

use serde_json::{Value, json};

use super::super::resume::Random;
use super::super::{Scene, through_both};
use super::{Feed, is, rev};
use crate::support::Setup;

through_both!(
    what_was_missed_comes_once,
    many_changes_come_in_parts,
    what_is_forgotten_is_said,
);

async fn rename(scene: &Scene, name: &str) {
    let form = [("chat_id", scene.chat.as_str()), ("new_name", name)];
    let renamed = scene.server.patch("/chat/rename").form(&form).send().await;
    renamed.has_status(200);
}

/// The names that a client was told.
fn names(feed: &Feed) -> Vec<String> {
    let changes = feed
        .changes
        .iter()
        .filter(|change| is("chat_changed")(change));
    let names = changes.map(|change| change["chat"]["name"].as_str().expect("a name").to_owned());
    names.collect()
}

async fn what_was_missed_comes_once(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut feed = Feed::open(&scene.server, &scene.user.id).await;
    let first = feed.rev;
    let mut random = Random(7);
    for number in 1..=40 {
        rename(&scene, &number.to_string()).await;
        match random.below(4) {
            0 => feed.opens_again(&scene.server).await,
            1 => feed.asks().await,
            _ => {}
        }
        if random.below(2) == 0 {
            feed.step().await;
        }
    }
    feed.asks().await;
    feed.has(40).await;
    assert_eq!(feed.rev, first + 40);
    assert_eq!(feed.forgotten, 0);
    // Each is there once; what it is about is as it was, or newer.
    let told: Vec<u32> = names(&feed)
        .iter()
        .map(|name| name.parse().expect("a number"))
        .collect();
    assert_eq!(told.len(), 40);
    for (number, name) in (1..).zip(&told) {
        assert!(*name >= number, "{told:?}");
    }
    assert_eq!(told.last(), Some(&40));
}

/// So many changes, as of another program.
async fn much(scene: &Scene, count: usize) {
    let sql = format!(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count})
         INSERT INTO feed_news (user_id, kind, subject_id, chat_rev, changed)
         SELECT '{}', 'chat_changed', '{}', 1, 'content' FROM number",
        scene.user.id, scene.chat
    );
    scene.server.change(&sql).await;
}

async fn many_changes_come_in_parts(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut feed = Feed::open(&scene.server, &scene.user.id).await;
    much(&scene, 250).await;
    feed.asks().await;
    let first = feed.socket.json().await;
    assert_eq!(first["has_more"], true);
    assert_eq!(first["events"].as_array().map(Vec::len), Some(100));
    assert_eq!(rev(&first), feed.rev + 100);
    feed.asks().await;
    feed.has(250).await;
    assert_eq!(feed.gaps, 0);
    feed.asks().await;
    assert_eq!(feed.socket.json().await["events"], json!([]));
}

async fn what_is_forgotten_is_said(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut feed = Feed::open(&scene.server, &scene.user.id).await;
    let before = feed.rev;
    much(&scene, 1300).await;
    let kept = scene.server.database().await.count("feed").await;
    assert!((1000..=1100).contains(&kept), "{kept} are kept");
    feed.asks().await;
    feed.step().await;
    assert_eq!((feed.forgotten, feed.rev), (1, before + 1300));
    // From there on it goes on as ever.
    rename(&scene, "The Castle").await;
    let renamed = feed.until("a name", is("chat_changed")).await;
    assert_eq!(renamed["chat"]["name"], "The Castle");
    // A rev that there is not yet is one of another database, such as that from before a backup was restored.
    feed.rev += 1000;
    feed.asks().await;
    let newest = feed.rev - 1000;
    let sync: Value = feed.socket.json().await;
    assert_eq!((&sync["has_forgotten"], rev(&sync)), (&true.into(), newest));
}

/// `kill -9` between changes and the events about them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kill_9_a_client_learns_all_that_was_changed() {
    const MODEL: &str = "fake-words-400-rate-20";
    let scene = Scene::new(Setup::app(), &[MODEL]).await;
    let user = scene.user.id.clone();
    let mut feed = Feed::open(&scene.server, &user).await;
    let first = feed.rev;
    scene
        .ask(&json!({ "prompt": "hello", "model": MODEL }))
        .await
        .has_status(202);
    feed.until("a reply", is("generation_started")).await;
    // It dies while many changes are made, some of which are stored and not told.
    let making: Vec<_> = (0..60)
        .map(|number| {
            let form = [
                ("user_id", user.as_str()),
                ("workspace_id", &scene.user.workspace),
                ("chat_name", &format!("chat {number}")),
            ];
            let request = scene.server.post("/chat/new").form(&form);
            tokio::spawn(async move { request.try_send().await.is_ok_and(|it| it.status == 200) })
        })
        .collect();
    feed.has(5).await;
    scene.server.kill_9();
    let mut made = 0;
    for making in making {
        made += usize::from(making.await.expect("no task fails"));
    }
    let server = scene.server.killed_and_started_again().await;
    feed.opens_again(&server).await;
    // Its writer is gone: whoever follows the feed finds that out, too.
    let older = "UPDATE generation SET heartbeat = heartbeat - 20000";
    server.change(older).await;
    feed.asks().await;
    let ended = feed
        .until("the end of the reply", is("generation_ended"))
        .await;
    assert_eq!(ended["status"], "interrupted");
    assert!(feed.running.is_empty(), "{:?}", feed.running);
    let told: Vec<&str> = feed
        .changes
        .iter()
        .filter(|change| is("chat_created")(change))
        .map(|change| change["chat_id"].as_str().expect("an id"))
        .collect();
    let sql = "SELECT id FROM chat WHERE name <> 'The Trial' ORDER BY rowid";
    assert_eq!(server.database().await.texts(sql).await, told);
    assert!(told.len() >= made, "{} of {made}", told.len());
    assert_eq!(feed.rev, first + feed.changes.len() as u64);
    assert_eq!(feed.forgotten, 0);
}
