//! What failures of the server do to requests: each leaves all of a write or nothing, and is answered 503 or not
//! noticed.

use std::time::{Duration, Instant};

use crate::support::{Database, Fault, Multipart, Response, Server, login};

/// All that fail a request.
const FAULTS: [Fault; 9] = [
    Fault::Cut,
    Fault::CutAfter,
    Fault::CutInside,
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Busy,
    Fault::RolledBack,
    Fault::Forgotten,
];

/// Makes two tests of each function that takes a server: the host speaks to the server of the database, or the components
/// do.
macro_rules! by_both {
    ($($name:ident),* $(,)?) => {
        mod host {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::Setup::app().on_a_server().start().await).await;
            })*
        }

        mod components {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::Setup::without_sqlite().start().await).await;
            })*
        }
    };
}

by_both!(
    a_login_makes_a_user_with_a_workspace_or_none,
    a_workspace_is_made_and_counted_or_not,
    a_file_is_stored_whole_or_not_at_all,
    a_server_that_is_slow_is_waited_for,
    a_server_that_is_down_is_noticed_and_used_again_when_it_is_back,
    a_client_that_leaves_in_a_transaction_keeps_nobody_waiting,
);

/// Fails unless the answer says that trying again can help.
#[track_caller]
fn may_be_tried_again(answer: &Response) {
    answer.has_status(503);
    assert_ne!(answer.header("retry-after"), "", "{}", answer.what);
}

/// Lets each statement of a request fail in each way, one at a time. `ask` gets a name that is new each time.
async fn at_each_statement(
    server: &Server,
    ask: impl AsyncFn(String) -> Response,
    check: impl AsyncFn(&Database, &str, bool),
) {
    let database = server.database().await;
    server.hrana().hurry();
    for (number, fault) in FAULTS.into_iter().enumerate() {
        for statement in 0.. {
            let name = format!("name-{number}-{statement}");
            server.hrana().fail_after(statement, fault);
            let answer = ask(name.clone()).await;
            let failed = server.hrana().recover();
            let answered = answer.status == 200;
            if !answered {
                assert!(failed, "{fault:?} {name}: {}", answer.text());
                may_be_tried_again(&answer);
            }
            database.knows_how_much_is_stored().await;
            check(&database, &name, answered).await;
            if !failed {
                assert!(statement > 0, "it runs statements");
                break;
            }
        }
    }
    // Nothing of it has harmed the host.
    ask("after-all".to_owned()).await.has_status(200);
}

/// Fails unless a thing is there that was answered with success. Where the answer was lost it may be there, too.
#[track_caller]
fn is_there(count: i64, answered: bool, name: &str) {
    assert!(count == 1 || count == 0 && !answered, "{count} of {name}");
}

async fn a_login_makes_a_user_with_a_workspace_or_none(server: Server) {
    login(&server, "first@example.com").await;
    let ask = async |name: String| server.login(&format!("{name}@example.com")).await;
    at_each_statement(&server, ask, async |database, name, answered| {
        let users = format!("SELECT count(*) FROM user WHERE email = '{name}@example.com'");
        is_there(database.number(&users).await, answered, name);
        let alone = "SELECT count(*) FROM user WHERE id NOT IN (SELECT owner_id FROM workspace)";
        assert_eq!(database.number(alone).await, 0, "{name}");
    })
    .await;
}

async fn a_workspace_is_made_and_counted_or_not(server: Server) {
    let user = login(&server, "someone@example.com").await;
    let ask = async |name: String| {
        let form = [("owner_id", user.id.as_str()), ("name", &name)];
        server.post("/workspace/new").form(&form).send().await
    };
    at_each_statement(&server, ask, async |database, name, answered| {
        let made = format!("SELECT count(*) FROM workspace WHERE name = '{name}'");
        is_there(database.number(&made).await, answered, name);
    })
    .await;
}

async fn a_file_is_stored_whole_or_not_at_all(server: Server) {
    let user = login(&server, "someone@example.com").await;
    // More than one chunk.
    let content = "0123456789abcdef".repeat(50_000);
    let ask = async |name: String| {
        let form: Multipart = user.to_workspace();
        server.upload(form.file("files", &name, &content)).await
    };
    at_each_statement(&server, ask, async |database, name, answered| {
        let stored = format!("SELECT count(*) FROM file WHERE filename = '{name}'");
        is_there(database.number(&stored).await, answered, name);
        let incomplete = "
            SELECT count(*) FROM file JOIN content ON content.id = content_id WHERE size <>
            (SELECT sum(length(bytes)) FROM content_chunk WHERE content_chunk.content_id = content.id)";
        assert_eq!(database.number(incomplete).await, 0, "{name}");
    })
    .await;
}

async fn a_server_that_is_slow_is_waited_for(server: Server) {
    let user = login(&server, "someone@example.com").await;
    server
        .hrana()
        .fail("INSERT", Fault::Delay(Duration::from_secs(2)));
    server.chat_new(&user, "slow").await.has_status(200);
}

async fn a_server_that_is_down_is_noticed_and_used_again_when_it_is_back(server: Server) {
    let user = login(&server, "someone@example.com").await;
    server.hrana().down();
    may_be_tried_again(&server.chat_new(&user, "lost").await);
    may_be_tried_again(&server.login("another@example.com").await);
    server.hrana().up();
    server.chat_new(&user, "kept").await.has_status(200);
    let names = "SELECT name FROM chat";
    let database = server.database().await;
    assert_eq!(database.texts(names).await, ["kept"]);
}

async fn a_client_that_leaves_in_a_transaction_keeps_nobody_waiting(server: Server) {
    let user = login(&server, "someone@example.com").await;
    server.hrana().fail(
        "INSERT INTO workspace",
        Fault::Delay(Duration::from_secs(1)),
    );
    let leaving = server.login("leaving@example.com");
    let leaving = tokio::time::timeout(Duration::from_millis(500), leaving);
    assert!(leaving.await.is_err(), "it is delayed");
    let begun = Instant::now();
    server.chat_new(&user, "next").await.has_status(200);
    // The server itself ends a transaction after five seconds.
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
}
