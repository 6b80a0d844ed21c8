//! What was acknowledged is stored, after a kill under load too (docs/promises.md#23-acknowledged-means-stored).

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::{PATIENCE, Server, Setup, User, login};

/// Makes chats one after another until the server is gone; the ids of those it acknowledged.
async fn write_until_it_dies(
    server: Arc<Server>,
    user: User,
    writer: usize,
    count: Arc<AtomicUsize>,
) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let name = format!("chat {number} of {writer}");
        let form = [
            ("user_id", user.id.as_str()),
            ("workspace_id", &user.workspace),
            ("chat_name", &name),
        ];
        match server.post("/chat/new").form(&form).try_send().await {
            Ok(response) if response.status == 200 => {
                acknowledged.push(response.string("/chat_id"));
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(response) => panic!(
                "a writer was answered {} {}",
                response.status,
                response.text()
            ),
            Err(_) => break,
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_write_survives_kill_9_under_load() {
    let mut server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let mut acknowledged = Vec::new();
    for _ in 0..3 {
        let shared = Arc::new(server);
        let count = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..16)
            .map(|writer| {
                tokio::spawn(write_until_it_dies(
                    shared.clone(),
                    user.clone(),
                    writer,
                    count.clone(),
                ))
            })
            .collect();
        let deadline = Instant::now() + PATIENCE;
        while count.load(Ordering::Relaxed) < 200 {
            assert!(Instant::now() < deadline, "hardly anything is written");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        shared.kill_9();
        for writer in writers {
            acknowledged.extend(writer.await.expect("the writer does not panic"));
        }
        let state = Arc::into_inner(shared)
            .expect("the writers have ended")
            .kill();
        server = Setup::app().state(state).start().await;
        server.login(&user.email).await.has_status(200);
        // A login shows the newest thousand only.
        let stored = server.database().await.texts("SELECT id FROM chat").await;
        let stored: HashSet<_> = stored.into_iter().collect();
        let lost: Vec<_> = acknowledged
            .iter()
            .filter(|id| !stored.contains(*id))
            .collect();
        assert!(
            lost.is_empty(),
            "of {} acknowledged writes {} are lost: {lost:?}",
            acknowledged.len(),
            lost.len()
        );
        let sound = server
            .database()
            .await
            .texts("PRAGMA integrity_check")
            .await;
        assert_eq!(sound, ["ok"]);
    }
}
