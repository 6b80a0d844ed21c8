//! Schemathesis: it reads the API's description and tries to find requests whose answers differ from it.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{Description, House, repository};

/// Which one is wanted; another one checks other things.
const VERSION: &str = "4.32.5";

/// How many requests of each operation it makes up, beside those that the description suggests, and how many sequences of
/// them. It does the same on any machine. With `SCHEMATHESIS_SECONDS`, it tries for so long instead, at random.
const EXAMPLES: &str = "6";

/// What it can't make up.
#[derive(Default)]
pub struct Known {
    /// Things that there are, by the names of parameters and fields.
    pub names: BTreeMap<String, String>,
    /// Things that may be deleted or changed, by the method and path that do it.
    pub spares: BTreeMap<String, Vec<String>>,
    /// The session of the user with all these rows, in token mode.
    pub token: Option<String>,
    /// Sessions of others, for requests that end sessions (`schemathesis.toml`).
    pub spare_tokens: [String; 4],
}

/// Whether it is installed; if not, prints on the terminal which tests are skipped. With `REQUIRE_SCHEMATHESIS` in the
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
        // Not with a macro, whose output is visible only when a test fails.
        writeln!(std::io::stderr(), "{missing}").ok();
    }
    installed
}

fn program() -> String {
    std::env::var("SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".to_owned())
}

/// Runs it against a server, and fails with its output if it finds anything, or if an operation of the description
/// succeeded not once but for those of `never`, each of which has a reason.
pub async fn finds_nothing(house: &House, known: Known, never: &[(&str, &str)]) {
    let House { server, model, .. } = house;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let length = match std::env::var("SCHEMATHESIS_SECONDS") {
        Ok(seconds) => vec![format!("--max-time={seconds}")],
        Err(_) => vec![format!("--max-examples={EXAMPLES}"), "--seed=1".to_owned()],
    };
    let tests = repository().join("tests/description");
    let mut names = known.names;
    names.insert("base_url".to_owned(), model.base_url());
    let mut command = Command::new(program());
    command
        .arg("--config-file")
        .arg(tests.join("schemathesis.toml"))
        .arg("run")
        .arg(format!("http://{}/openapi.json", server.address()))
        .args(length)
        .current_dir(folder.path())
        .env("PYTHONPATH", &tests)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
        .env("KNOWN", json!(names).to_string())
        .env("SPARE", json!(known.spares).to_string())
        .stdin(Stdio::null());
    for (number, token) in known.spare_tokens.iter().enumerate() {
        command.env(format!("SPARE_{number}"), token);
    }
    if let Some(token) = known.token {
        command.args(["-H", &format!("Authorization: Bearer {token}")]);
    }
    let before = server.log_so_far().await.len();
    // It takes a minute or more: not on the runtime's own thread.
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("the thread ends")
        .expect("schemathesis starts");
    let report = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "schemathesis found something:\n{report}\n{failed}"
    );
    // Visible with the output of the test.
    println!("{report}");
    got_everywhere(house, &server.log_so_far().await[before..], never).await;
}

/// Fails unless each operation but those of `never` was answered with success at least once: with unknown ids,
/// everything is 404, and nothing is found for that reason.
async fn got_everywhere(house: &House, log: &str, never: &[(&str, &str)]) {
    let description = Description::of(&house.server).await;
    let mut answered: BTreeMap<&str, BTreeMap<u16, usize>> = BTreeMap::new();
    for (what, status) in log.lines().filter_map(answered_request) {
        if let Some(operation) = description.operation(&what) {
            let statuses = answered.entry(&operation.id).or_default();
            *statuses.entry(status).or_default() += 1;
        }
    }
    let succeeded = |id: &str| {
        let mut statuses = answered.get(id).into_iter().flatten();
        statuses.any(|(status, _)| (200..300).contains(status))
    };
    let ids = description.operations.iter().map(|it| it.id.as_str());
    let (reached, missed): (Vec<_>, Vec<_>) = ids.partition(|id| succeeded(id));
    let missed: Vec<_> = missed
        .into_iter()
        .filter(|id| never.iter().all(|(never, _)| never != id))
        .map(|id| format!("{id}: {:?}", answered.get(id)))
        .collect();
    assert!(missed.is_empty(), "these never succeeded: {missed:#?}");
    // Else the list is outdated.
    let wrong: Vec<_> = never
        .iter()
        .filter(|(id, _)| reached.contains(id))
        .collect();
    assert!(wrong.is_empty(), "these did succeed: {wrong:?}");
    for (id, statuses) in &answered {
        println!("{id}: {statuses:?}");
    }
}

/// Method and path of the request in a line of the log, and the answer's status.
fn answered_request(line: &str) -> Option<(String, u16)> {
    let (_, line) = line.split_once(" access: method=")?;
    let (method, line) = line.split_once(" path=\"")?;
    let (path, line) = line.split_once("\" status=")?;
    let status = line.split(' ').next()?.parse().ok()?;
    Some((format!("{method} {path}"), status))
}
