//! Schemathesis: it reads the API's description and tries to find requests whose answers differ from it.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{House, repository};

/// Which one is wanted; another one checks other things.
const VERSION: &str = "4.32.5";

/// How long it tries, in seconds, unless `SCHEMATHESIS_SECONDS` says otherwise; and then what it tries is random.
const SECONDS: &str = "60";

/// How many of its requests must succeed at least: with ids that nobody has, everything is 404.
const MIN_SUCCESSES: usize = 100;

/// What it can't make up.
#[derive(Default)]
pub struct Known {
    /// The id of a user.
    pub user: String,
    /// The id of a workspace of theirs.
    pub workspace: String,
    /// Their session, in token mode.
    pub token: Option<String>,
    /// Sessions of others, for requests that end sessions (`schemathesis.toml`).
    pub spare_tokens: [String; 4],
}

/// Whether it is installed; if not, says on the terminal what is not tested. With `REQUIRE_SCHEMATHESIS` in the
/// environment that is a failure.
pub fn is_installed() -> bool {
    let output = Command::new(program()).arg("--version").output();
    let wanted = format!("schemathesis, version {VERSION}");
    let installed =
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == wanted);
    if !installed {
        let missing = format!(
            "NOT TESTED: schemathesis {VERSION} is not installed (pip install schemathesis=={VERSION}; \
             the variable SCHEMATHESIS names the program)"
        );
        assert!(
            std::env::var_os("REQUIRE_SCHEMATHESIS").is_none(),
            "{missing}"
        );
        // Not with a macro, whose words are heard only when a test fails.
        writeln!(std::io::stderr(), "{missing}").ok();
    }
    installed
}

fn program() -> String {
    std::env::var("SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".to_owned())
}

/// Runs it against a server, and fails with all it says if it finds anything.
pub async fn finds_nothing(house: &House, known: Known) {
    let House { server, model, .. } = house;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (seconds, seed) = match std::env::var("SCHEMATHESIS_SECONDS") {
        Ok(seconds) => (seconds, None),
        Err(_) => (SECONDS.to_owned(), Some("--seed=1")),
    };
    let tests = repository().join("tests/description");
    let words = json!({
        "base_url": model.base_url(), "user_id": known.user, "owner_id": known.user,
        "target_id": known.workspace, "workspace_id": known.workspace,
    });
    let mut command = Command::new(program());
    command
        .arg("--config-file")
        .arg(tests.join("schemathesis.toml"))
        .arg("run")
        .arg(format!("http://{}/openapi.json", server.address()))
        .args(["--checks", "all", "--max-time", &seconds])
        .args(seed)
        .current_dir(folder.path())
        .env("PYTHONPATH", &tests)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
        .env("KNOWN", words.to_string())
        .stdin(Stdio::null());
    for (number, token) in known.spare_tokens.iter().enumerate() {
        command.env(format!("SPARE_{number}"), token);
    }
    if let Some(token) = known.token {
        command.args(["-H", &format!("Authorization: Bearer {token}")]);
    }
    // It takes a minute or more: not on the runtime's own thread.
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("the thread ends")
        .expect("schemathesis starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "schemathesis found something:\n{said}\n{failed}"
    );
    let log = server.log();
    let successes = log.matches(" status=20").count();
    assert!(
        successes >= MIN_SUCCESSES,
        "only {successes} requests got anywhere"
    );
    // Shown where a test's output is.
    println!("{said}");
}
