//! A read is one statement, a write one statement or transaction (docs/promises.md#17-constant-cost), however much
//! there is of what it reads or writes. Token mode also reads the session, and counts limited requests.

mod calls;
mod chats;
mod counter;
mod people;
mod workspaces;

use crate::support::FakeMail;
use counter::Counter;

/// So many of what a request reads or deletes, where it could cost the more.
const MANY: usize = 10;

/// What open mode has not.
const OF_TOKEN_MODE: [&str; 7] = [
    "auth_code",
    "auth_oidc_start",
    "auth_logout",
    "auth_sessions",
    "auth_revoke_all",
    "auth_revoke",
    "auth_ticket",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_is_one_statement_and_a_write_one_transaction() {
    let mut counter = Counter::in_open_mode().await;
    people::of_open_logins(&mut counter).await;
    of_everything(&mut counter).await;
    people::of_leaving(&mut counter).await;
    counter.is_right_of_all_but(&OF_TOKEN_MODE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_mode_adds_one_statement_and_one_where_it_counts() {
    let mail = FakeMail::start();
    let mut counter = Counter::in_token_mode(&mail).await;
    assert!(counter.token.is_some());
    people::of_sessions(&mut counter, &mail).await;
    of_everything(&mut counter).await;
    people::of_leaving(&mut counter).await;
    counter.is_right_of_all_but(&[]).await;
}

async fn of_everything(counter: &mut Counter) {
    people::of_pages(counter).await;
    workspaces::of_files(counter).await;
    workspaces::of_deletions(counter).await;
    chats::of_chats(counter).await;
    chats::of_reading(counter).await;
    workspaces::of_versions(counter).await;
    people::of_models(counter).await;
    chats::of_replies(counter).await;
}
