//! API keys are sealed, and stay sealed.

use futures::future::join_all;
use tempfile::TempDir;

use super::super::UNKNOWN_ID;
use super::{KEY, URL};
use crate::support::{Database, Server, Setup, User, login};

const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const TWO: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

/// Whether a file of the state folder contains `text`.
fn is_in_files(state: &std::path::Path, text: &str) -> bool {
    let files = std::fs::read_dir(state).expect("the state folder can be listed");
    files
        .map(|file| file.expect("an entry").path())
        .filter(|path| path.is_file())
        .any(|path| {
            let bytes = std::fs::read(path).expect("the file can be read");
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        })
}

#[tokio::test]
async fn a_key_never_comes_back() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let model = server.model(&user, "mine").await;
    let moved = [("base_url", "http://127.0.0.1:10/v1"), ("ak", KEY)];
    let responses = [
        server.model_new(&user.id, "another", URL).await,
        server.model_new(&user.id, "another", "nonsense").await,
        server.model_new(UNKNOWN_ID, "another", URL).await,
        server.model_change(&model, &moved).await,
        server.model_change(UNKNOWN_ID, &moved).await,
        server.model_change(&model, &[("name", "renamed")]).await,
        server
            .get(&format!("/models?user_id={}", user.id))
            .send()
            .await,
        server.login(&user.email).await,
        server.delete(&format!("/models/{KEY}")).send().await,
    ];
    for response in &responses[..8] {
        assert!(!response.text().contains(KEY), "{}", response.text());
        let headers = format!("{:?}", response.headers);
        assert!(!headers.contains(KEY), "{headers}");
    }
    // The last one has it in its path, which shows that the search of the log finds something.
    server.logs(KEY).await;
    let elsewhere = server
        .log()
        .lines()
        .filter(|line| line.contains(KEY) && !line.contains("/models/sk-"))
        .count();
    assert_eq!(elsewhere, 0, "{}", server.log());
    let state = server.kill();
    assert!(is_in_files(state.path(), &user.email), "emails are plain");
    assert!(!is_in_files(state.path(), KEY), "keys are sealed");
}

#[tokio::test]
async fn the_key_made_at_first_use_stays_the_same() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let first = server.model(&user, "first").await;
    let sealed = server.sealed(&first).await;
    let server = Setup::app().state(server.kill()).start().await;
    let second = server.model(&user, "second").await;
    let name = |sealed: &str| sealed.split('.').nth(1).map(str::to_owned);
    assert_eq!(name(&server.sealed(&second).await), name(&sealed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_first_uses_make_one_key() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let names: Vec<String> = (0..10).map(|number| format!("x{number}")).collect();
    let models = names
        .iter()
        .map(|name| server.model_new(&user.id, name, URL));
    let models = join_all(models).await;
    for response in &models {
        response.has_status(200);
    }
    let names = "SELECT DISTINCT substr(ak, 1, 12) FROM model";
    assert_eq!(server.database().await.texts(names).await.len(), 1);
    // All of them open: with another key they are all sealed again.
    let server = Setup::app()
        .variable("secret_key", ONE)
        .state(server.kill())
        .start()
        .await;
    server
        .get(&format!("/models?user_id={}", user.id))
        .send()
        .await
        .has_status(200);
    server
        .logs("10 API keys are sealed with the current secret_key now")
        .await;
}

#[tokio::test]
async fn the_secret_key_can_be_changed() {
    let server = Setup::app().variable("secret_key", ONE).start().await;
    let user = login(&server, "someone@example.com").await;
    let model = server.model(&user, "mine").await;
    let first = server.sealed(&model).await;
    let rotated = |state: TempDir, key: &str, old: &str| {
        Setup::app()
            .variable("secret_key", key)
            .variable("secret_key_old", old)
            .state(state)
            .start()
    };
    let server = rotated(server.kill(), TWO, ONE).await;
    server.model_change(&model, &[]).await.has_status(200);
    let second = server.renews(&model, &first).await;
    // The first key is not needed any more: with the second alone it opens, and is sealed with the first again.
    let server = rotated(server.kill(), ONE, TWO).await;
    server.model_change(&model, &[]).await.has_status(200);
    let third = server.renews(&model, &second).await;
    assert_eq!(third.split('.').nth(1), first.split('.').nth(1));
}

#[tokio::test]
async fn a_sealed_key_is_bound_to_its_row() {
    let server = Setup::app().variable("secret_key", ONE).start().await;
    let user = login(&server, "someone@example.com").await;
    let (one, two, three) = (
        server.model(&user, "one").await,
        server.model(&user, "two").await,
        server.model(&user, "three").await,
    );
    let (first, second, third) = (
        server.sealed(&one).await,
        server.sealed(&two).await,
        server.sealed(&three).await,
    );
    let state = server.kill();
    let swap = format!(
        "UPDATE model SET ak = '{second}' WHERE id = '{one}';
         UPDATE model SET ak = '{first}' WHERE id = '{two}';"
    );
    Database::change(state.path(), &swap).await;
    // Sealing them again opens each of them, and those that were swapped are refused.
    let server = Setup::app()
        .variable("secret_key", TWO)
        .variable("secret_key_old", ONE)
        .state(state)
        .start()
        .await;
    server
        .model_change(&one, &[("name", "renamed")])
        .await
        .has_status(200);
    server.renews(&three, &third).await;
    for swapped in [&one, &two] {
        server
            .logs(&format!("the API key of model {swapped} is refused"))
            .await;
    }
    assert_eq!(server.sealed(&one).await, second);
    assert_eq!(server.sealed(&two).await, first);
    // Saved again, it is fine.
    let saved = server.model_change(&one, &[("ak", KEY)]).await;
    saved.has_status(200);
    assert_ne!(server.sealed(&one).await, second);
}

#[tokio::test]
async fn a_bad_secret_key_is_503_and_the_log_has_the_reason_without_the_key() {
    let server = Setup::app().variable("secret_key", "hunter2").start().await;
    let user = login(&server, "someone@example.com").await;
    let response = server.model_new(&user.id, "x", URL).await;
    response.has_status(503);
    server.logs("secret_key: not 32 bytes in base64").await;
    let log = server.log();
    let revealing = log
        .lines()
        .filter(|line| line.contains("hunter2") && line.contains("secret_key:"));
    assert_eq!(revealing.count(), 0, "{log}");
    // Everything else works without it.
    server.chat(&user, "works").await;
}

/// Asks for a user's models often enough to reach every instance; the statuses.
async fn list_often(server: &Server, user: &User) -> Vec<u16> {
    let path = format!("/models?user_id={}", user.id);
    let lists = join_all((0..16).map(|_| server.get(&path).send())).await;
    lists.iter().map(|list| list.status).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_of_a_store_that_failed_is_found_later() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let model = server.model(&user, "mine").await;
    let sealed = server.sealed(&model).await;
    let state = server.kill();
    let spoil = "UPDATE entry SET key = 'kept';
        INSERT INTO entry (store, key, value) VALUES ('default', 'secret_key', x'00')";
    Database::change_keys(state.path(), spoil).await;
    let setup = Setup::app().variable("secret_key", ONE).state(state);
    let server = setup.start().await;
    assert_eq!(list_often(&server, &user).await, [200; 16]);
    server.logs("the entry \"secret_key\"").await;
    assert_eq!(server.sealed(&model).await, sealed);
    let mend = "DELETE FROM entry WHERE key = 'secret_key'; UPDATE entry SET key = 'secret_key'";
    Database::change_keys(server.state(), mend).await;
    assert_eq!(list_often(&server, &user).await, [200; 16]);
    server.renews(&model, &sealed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_sealed_again_after_a_failure() {
    let server = Setup::app().variable("secret_key", ONE).start().await;
    let user = login(&server, "someone@example.com").await;
    let model = server.model(&user, "mine").await;
    let sealed = server.sealed(&model).await;
    // The store, which is to hold the new key, fails.
    let state = server.kill();
    let spoil = "INSERT INTO entry (store, key, value) VALUES ('default', 'secret_key', x'00')";
    Database::change_keys(state.path(), spoil).await;
    let setup = Setup::app().variable("secret_key_old", ONE).state(state);
    let server = setup.start().await;
    assert_eq!(list_often(&server, &user).await, [503; 16]);
    Database::change_keys(server.state(), "DELETE FROM entry").await;
    assert_eq!(list_often(&server, &user).await, [200; 16]);
    let sealed = server.renews(&model, &sealed).await;

    // The database fails.
    let fail =
        "CREATE TRIGGER fails BEFORE UPDATE OF ak ON model BEGIN SELECT raise(FAIL, 'no'); END";
    server.change(fail).await;
    let setup = Setup::app()
        .variable("secret_key", TWO)
        .state(server.kill());
    let server = setup.start().await;
    assert_eq!(list_often(&server, &user).await, [200; 16]);
    server
        .logs("API keys stay sealed with an older key for now")
        .await;
    assert_eq!(server.sealed(&model).await, sealed);
    server.change("DROP TRIGGER fails").await;
    assert_eq!(list_often(&server, &user).await, [200; 16]);
    server.renews(&model, &sealed).await;
}
