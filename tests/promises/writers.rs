//! There are no lock errors (docs/promises.md#16-no-lock-errors).

use std::sync::Arc;

use crate::support::{Server, login};

const WRITERS: usize = 50;
const WRITES: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_writers_of_a_thousand_writes_are_all_answered_and_counted() {
    let server = Arc::new(Server::start().await);
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let user = login(&server, &format!("writer{writer}@example.com")).await;
        let server = server.clone();
        writers.push(tokio::spawn(async move {
            for number in 0..WRITES {
                let response = server.chat_new(&user, &number.to_string()).await;
                assert_eq!(
                    response.status,
                    200,
                    "write {number} of {writer}: {}",
                    response.text()
                );
            }
        }));
    }
    for writer in writers {
        writer.await.expect("every write is answered 200");
    }
    let database = server.database().await;
    assert_eq!(database.count("chat").await, (WRITERS * WRITES) as i64);
    let per_user =
        "SELECT count(*) FROM (SELECT user_id FROM chat GROUP BY user_id HAVING count(*) = 1000)";
    assert_eq!(database.number(per_user).await, WRITERS as i64);
}
