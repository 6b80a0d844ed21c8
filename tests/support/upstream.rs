//! The same tests against another server, such as Spin, with `kafka gateway` in front of it: `KAFKA_TEST_UPSTREAM` has the
//! command. docs/running.md#tests-against-another-server says what it finds in its environment.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, thread};

use super::process::Process;
use super::{PATIENCE, Request};

/// Reasons to use `kafka up`.
const HOST: &str = "it is about the host or its gateway";
const LOG: &str = "it reads the log of the host, in its words";
const PROCESS: &str = "it signals, limits or measures the process";

/// Tests that use `kafka up` in any case, by the beginning of their names, and why. Tests that give it an option or a
/// variable of its environment need not be listed: no other server knows them.
pub const WITH_KAFKA_UP: &[(&str, &str)] = &[
    ("api::announce::a_gateway_that_is_silent_or_gone", LOG),
    ("api::announce::without_a_gateway_nothing_is_tried", LOG),
    (
        "api::file_upload_errors::an_upload_that_breaks_off_in_its_second_file",
        LOG,
    ),
    ("api::models::sealing::", LOG),
    ("api::ready::a_database_that_can_not_be_written", PROCESS),
    ("description::described::", LOG),
    ("documents::", HOST),
    ("gateway::", HOST),
    ("host::", HOST),
    ("libsql::", HOST),
    ("promises::acknowledged::", PROCESS),
    ("promises::memory::", PROCESS),
    ("promises::private_addresses::", LOG),
    ("realtime::changes::", LOG),
    ("realtime::crash::a_trap_ends_no_reply", LOG),
    ("realtime::crash::kill_9_in_the_middle", PROCESS),
    ("realtime::crash::the_server_stops_in_time", PROCESS),
    ("realtime::full_disk::", PROCESS),
    ("realtime::keys::", LOG),
    ("realtime::nodes::", HOST),
    (
        "realtime::over_http::a_database_that_fails_is_logged_once",
        LOG,
    ),
    ("realtime::over_http::a_failure_of_ours_is_a_500", LOG),
    ("realtime::upstream::every_trouble_ends_the_reply", LOG),
    ("token::codes::a_code_is_for_its_address", LOG),
    ("token::codes::a_provider_that_takes_no_mail", LOG),
    ("token::links::a_public_url_that_is_none", LOG),
    ("token::oidc::a_provider_that_is_away", LOG),
    ("token::oidc::a_token_that_the_provider_did_not_sign", LOG),
    ("token::sessions::neither_the_database_nor_the_log", LOG),
];

/// The command that is to serve the test that asks; `None`: `kafka up`.
pub fn command() -> Option<String> {
    let command = env::var("KAFKA_TEST_UPSTREAM").ok()?;
    // The test harness names threads like their tests.
    let current = thread::current();
    let test = current.name().unwrap_or_default();
    let needs_kafka_up = WITH_KAFKA_UP.iter().any(|(name, _)| test.starts_with(name));
    (!command.is_empty() && !needs_kafka_up).then_some(command)
}

/// What the command is to do.
pub struct Task<'a> {
    pub command: &'a str,
    pub address: &'a str,
    pub state: &'a Path,
    pub runtime_config: Option<PathBuf>,
    pub variables: &'a [(String, String)],
}

impl Task<'_> {
    /// Starts it, and waits until it answers.
    pub async fn start(self) -> Process {
        let mut process = Process::group(Command::new("sh"), |command| {
            command
                .args(["-c", self.command])
                .process_group(0)
                .env("KAFKA_TEST_LISTEN", self.address)
                .env("KAFKA_TEST_STATE", self.state);
            if let Some(file) = self.runtime_config {
                command.env("KAFKA_TEST_RUNTIME_CONFIG", file);
            }
            for (name, value) in self.variables {
                let name = format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
                command.env(name, value);
            }
        });
        let deadline = Instant::now() + PATIENCE;
        let url = format!("http://{}/healthz", self.address);
        loop {
            match Request::elsewhere("GET", &url).try_send().await {
                Ok(answer) if answer.status == 200 => return process,
                _ => {}
            }
            let in_time = Instant::now() < deadline && process.ended().is_none();
            assert!(in_time, "it does not serve:\n{}", process.transcript.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
