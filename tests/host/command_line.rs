//! The command line itself.

use crate::support::{Server, Setup, run_kafka, start_refused};

#[test]
fn help_names_every_option() {
    let outcome = run_kafka(&["up", "--help"]);
    assert!(outcome.success);
    for option in [
        "--listen",
        "--from",
        "--state-dir",
        "--variable",
        "--no-build",
        "--log-dir",
    ] {
        assert!(
            outcome.output.contains(option),
            "{option}: {}",
            outcome.output
        );
    }
}

#[test]
fn wrong_options_are_refused() {
    for arguments in [
        &["up", "--listen", "nonsense"][..],
        &["up", "--listen", "127.0.0.1:99999"],
        &[
            "up",
            "--no-build",
            "--listen",
            "127.0.0.1:0",
            "--variable",
            "no-equals-sign",
        ],
        &[
            "up",
            "--no-build",
            "--listen",
            "127.0.0.1:0",
            "--variable",
            "unknown_variable=x",
        ],
        &[
            "up",
            "--no-build",
            "--listen",
            "127.0.0.1:0",
            "--variable",
            "grip_url=nonsense",
        ],
        &["up", "--nonsense"],
        &["nonsense"],
    ] {
        let outcome = run_kafka(arguments);
        assert!(!outcome.success, "{arguments:?}");
        assert!(
            !outcome.output.is_empty() && !outcome.output.contains("panicked"),
            "{arguments:?}: {}",
            outcome.output
        );
    }
}

#[tokio::test]
async fn kafka_alone_builds_and_serves() {
    let server = Setup::trouble().by_default().start().await;
    let response = server.get("/ok").send().await;
    response.has_status(200);
    assert_eq!(response.text(), "ok");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let server = Server::start().await;
    let address = server.address().to_owned();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let state = folder.path().to_str().expect("a path of text").to_owned();
    let taken = address.clone();
    let outcome = tokio::task::spawn_blocking(move || {
        run_kafka(&[
            "up",
            "--no-build",
            "--listen",
            &taken,
            "--state-dir",
            &state,
        ])
    });
    let outcome = outcome.await.expect("the command's thread ends");
    assert!(!outcome.success, "{}", outcome.output);
    assert!(outcome.output.contains(&address), "{}", outcome.output);
    // Before the components were compiled, which takes a minute.
    assert!(!folder.path().join("cache").exists());
}

#[tokio::test]
async fn max_upload_bytes_is_a_variable_of_the_application() {
    let server = Setup::app()
        .environment("SPIN_VARIABLE_MAX_UPLOAD_BYTES", "1000")
        .start()
        .await;
    let body = format!(r#"{{"email":"a@example.com","x":"{}"}}"#, "x".repeat(1000));
    let response = server.post("/auth/login").json(body).send().await;
    response.is_error(413, "Request body too large.");
}

/// As on the command line: what it should set would stay as it is.
#[test]
fn an_unknown_variable_in_the_environment_is_refused() {
    let state = tempfile::tempdir().expect("a temporary folder");
    let environment = [("SPIN_VARIABLE_AUTH_MOD", "token")];
    let outcome = start_refused(state.path(), &[], &environment);
    let names_it = outcome.output.contains("SPIN_VARIABLE_AUTH_MOD");
    assert!(names_it, "{}", outcome.output);
}
