//! The options for databases elsewhere.

use std::fs;

use tempfile::TempDir;

use crate::support::{Setup, fresh_state, login, run_kafka, start_refused};

/// A runtime config file with this text, in a folder of its own.
fn config(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("runtime-config.toml");
    fs::write(&file, text).expect("a writable folder");
    let file = file.to_str().expect("a path of text").to_owned();
    (folder, file)
}

const ON_A_SERVER: &str =
    "[sqlite_database.default]\ntype = \"libsql\"\nurl = \"https://db.example\"\ntoken = \"t\"\n";

#[test]
fn what_is_not_supported_stops_the_start_and_is_named() {
    for (text, named) in [
        (
            "[sqlite_database.default]\ntype = \"mysql\"",
            "\"mysql\" of [sqlite_database.default]",
        ),
        (
            "[sqlite_database.default]\ntype = \"spin\"\nurl = \"x\"",
            "\"url\" in [sqlite_database.default]",
        ),
        ("[llm_compute]\ntype = \"remote_http\"", "[llm_compute]"),
        (
            "[sqlite_database.other]\ntype = \"spin\"\npath = \"x.db\"",
            "[sqlite_database.other]",
        ),
    ] {
        let (_folder, file) = config(text);
        let state = fresh_state();
        let ended = start_refused(state.path(), &["--runtime-config-file", &file], &[]);
        assert!(ended.output.contains(named), "{}", ended.output);
    }
    let missing = [
        "up",
        "--no-build",
        "--runtime-config-file",
        "/nonexistent.toml",
    ];
    let ended = run_kafka(&missing);
    assert!(!ended.success);
    assert!(
        ended.output.contains("/nonexistent.toml"),
        "{}",
        ended.output
    );
}

#[test]
fn commands_for_files_say_what_to_do_instead() {
    let (_folder, file) = config(ON_A_SERVER);
    for command in [
        &["backup", "copy.tar"][..],
        &["restore", "copy.tar"],
        &["vacuum"],
    ] {
        let ended = run_kafka(&[command, &["--runtime-config-file", &file]].concat());
        assert!(!ended.success, "{command:?}");
        let said = ["https://db.example", "docs/scaling.md"];
        assert!(
            said.iter().all(|said| ended.output.contains(said)),
            "{}",
            ended.output
        );
    }
}

#[tokio::test]
async fn files_can_be_elsewhere() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let database = elsewhere.path().join("new/app.db");
    let text = format!(
        "[sqlite_database.default]\ntype = \"spin\"\npath = \"{}\"\n[key_value_store.default]\ntype = \"spin\"\npath = \"keys.db\"\n",
        database.display()
    );
    let (folder, file) = config(&text);
    let setup = Setup::app().environment("KAFKA_RUNTIME_CONFIG_FILE", &file);
    let server = setup.state(fresh_state()).start().await;
    login(&server, "someone@example.com").await;
    assert!(database.exists());
    // Stores are found from the file, as Spin does it.
    assert!(folder.path().join("keys.db").exists());
    let state = server.state();
    assert!(!state.join("default.db").exists() && !state.join("key_value.db").exists());
    let ended = run_kafka(&["backup", "copy.tar", "--runtime-config-file", &file]);
    assert!(ended.output.contains("app.db"), "{}", ended.output);
}
