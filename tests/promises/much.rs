//! Reading costs the same however much there is (docs/promises.md#17-constant-cost), and a login is one statement.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::support::{Database, Request, Server, Setup, login};

/// Messages of a short chat and of a long one.
const SHORT: usize = 100;
const LONG: usize = 200_000;
/// Messages of a page.
const PAGE: usize = 50;
/// How often each page is read.
const ROUNDS: usize = 15;
/// Workspaces of somebody who has much, and chats of each.
const WORKSPACES: usize = 20;
const CHATS: usize = 500;

/// A walk through the whole of the long chat takes hundreds of milliseconds, so that no quiet machine is needed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_a_long_chat_costs_what_one_of_a_short_chat_costs() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let short = server.chat(&user, "short").await;
    let long = server.chat(&user, "long").await;
    // Shut down, because the database is changed by hand.
    let state = server.kill();
    for (chat, count) in [(&short, SHORT), (&long, LONG)] {
        Database::change(state.path(), &Database::conversation(chat, count)).await;
    }
    let server = Setup::app().state(state).start().await;
    let pairs = pages(&short, SHORT).into_iter().zip(pages(&long, LONG));
    let mut pages: Vec<_> = pairs.map(|pair| (pair, Vec::new(), Vec::new())).collect();
    // In turn, so that what else the machine does meets all of them.
    for _ in 0..ROUNDS {
        for ((short, long), of_short, of_long) in &mut pages {
            of_short.push(time_of_page(server.get(short)).await);
            of_long.push(time_of_page(server.get(long)).await);
        }
    }
    for ((_, page), of_short, of_long) in pages {
        let (short, long) = (median(of_short), median(of_long));
        println!("{page}: {long:?}, in the short chat {short:?}");
        assert!(
            long < short * 3 + Duration::from_millis(20),
            "{page}: {long:?}, in the short chat {short:?}"
        );
    }
}

/// Pages of a chat with so many messages: at the end, in the middle and at the beginning, each on the way up and on the
/// way down.
fn pages(chat: &str, count: usize) -> [String; 6] {
    let (before_middle, after_middle) = ((count + PAGE) / 2 + 1, (count - PAGE) / 2);
    [
        "before=".to_owned(),
        format!("after={chat}-{}", count - PAGE),
        format!("before={chat}-{before_middle}"),
        format!("after={chat}-{after_middle}"),
        format!("before={chat}-{}", PAGE + 1),
        "after=".to_owned(),
    ]
    .map(|place| format!("/chat/{chat}/messages?limit={PAGE}&{place}"))
}

async fn time_of_page(request: Request) -> Duration {
    let began = Instant::now();
    let page = request.send().await;
    let took = began.elapsed();
    page.has_status(200);
    let shown = page.json()["messages"].as_array().map_or(0, Vec::len);
    assert_eq!(shown, PAGE, "{}", page.what);
    took
}

/// The same SQL without a host and without components is what the database itself takes. Beside it the login may take
/// what sending and receiving a megabyte does in a debug build on two busy cores, but no more that grows with the chats:
/// to read, parse and write 10,000 of them one by one takes many times as long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_with_much_is_one_statement_and_takes_what_that_takes() {
    const EMAIL: &str = "much@example.com";
    const LOGIN: &str = include_str!("../../functions/auth/src/login.sql");
    let server = Setup::app().logging_sql().start().await;
    let user = login(&server, EMAIL).await;
    let mut sql = String::new();
    for number in 0..WORKSPACES {
        let workspace = match number {
            0 => user.workspace.clone(),
            _ => server.workspace(&user, "another").await,
        };
        let chats = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CHATS})
             INSERT INTO chat (id, name, last_updated, user_id, workspace_id)
             SELECT '{workspace}-' || i, 'one of many', '2026-11-23T12:00:00.000000+00:00', '{}', '{workspace}' FROM n;",
            user.id
        );
        sql.write_str(&chats).expect("a string takes all");
    }
    server.change(&sql).await;
    let body = serde_json::json!({ "email": EMAIL }).to_string();
    let request = || server.post("/auth/login").json(body.clone());
    let (answer, statements) = server.statements(request()).await;
    answer.has_status(200);
    assert_eq!(statements.count(), 1, "{statements}");
    let json = answer.json();
    let workspaces = json["workspaces"].as_array().expect("a list");
    let chats = workspaces
        .iter()
        .map(|it| it["chats"].as_array().map_or(0, Vec::len));
    assert_eq!(chats.sum::<usize>(), WORKSPACES * CHATS);

    let database = server.database().await;
    let sql = LOGIN.replace("?1", &format!("'{EMAIL}'"));
    let (mut logins, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let found = database.texts(&sql).await;
        alone.push(began.elapsed());
        let began = Instant::now();
        let answer = request().send().await;
        logins.push(began.elapsed());
        assert_eq!(answer.text(), found[0]);
    }
    let (login, alone) = (median(logins), median(alone));
    println!("a login: {login:?}, its SQL alone: {alone:?}");
    assert!(
        login <= alone * 3 + SLACK,
        "a login: {login:?}, its SQL alone: {alone:?}"
    );
}

/// What a megabyte may take on its way through two busy processes.
const SLACK: Duration = Duration::from_millis(100);

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
