//! `kafka pack` (docs/running.md#one-file).

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::{Process, Server, build_once, fresh_state, login, repository, run_kafka};

/// The application as one program, in a folder where there is nothing else.
struct Packed {
    folder: TempDir,
}

impl Packed {
    fn new() -> Self {
        let manifest = repository().join("spin.toml");
        build_once(&manifest);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let state = fresh_state();
        let text = |path: &Path| path.display().to_string();
        let packed = run_kafka(&[
            "pack",
            &text(&folder.path().join("kafka")),
            "--no-build",
            "--from",
            &text(&manifest),
            "--state-dir",
            &text(state.path()),
        ]);
        assert!(packed.success, "{}", packed.output);
        Self { folder }
    }

    /// Prepares its start, where there is nothing but this program, not even other ones.
    fn alone(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", "")
            .current_dir(self.folder.path());
    }

    /// Runs it to its end.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.folder.path().join("kafka"));
        self.alone(&mut command);
        let output = command.args(arguments).output();
        output.expect("the packed program starts")
    }

    /// Starts its server on this state folder.
    fn serve(&self, state: TempDir) -> Server {
        let process = Process::of(&self.folder.path().join("kafka"), |command| {
            self.alone(command);
            command
                .args(["up", "--listen", "127.0.0.1:0", "--state-dir"])
                .arg(state.path());
        });
        let address = process.address();
        Server::new(process, None, None, address, state)
    }
}

/// How many files are in a folder and below it.
fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let entries = entries.map(|entry| entry.expect("an entry").path());
    let counts = entries.map(|path| if path.is_dir() { files(&path) } else { 1 });
    counts.sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_file_serves_where_there_is_nothing_else() {
    let packed = Packed::new();
    let state = tempfile::tempdir().expect("a temporary folder");
    let server = packed.serve(state);
    server.get("/healthz").send().await.has_status(200);
    server.get("/readyz").send().await.has_status(200);
    let user = login(&server, "someone@example.com").await;
    server.chat(&user, "The Trial").await;
    // Nothing was compiled.
    assert_eq!(files(&server.state().join("cache")), 0);
    // It knows its databases, too.
    let state = server.state().display().to_string();
    let backup = packed.run(&["backup", "kafka.tar", "--state-dir", &state]);
    let said = String::from_utf8_lossy(&backup.stderr);
    assert!(backup.status.success(), "{said}");
    let again = packed.run(&["pack", "another", "--no-build"]);
    assert!(!again.status.success());
    // Only what was meant to be written is there.
    let mut left: Vec<_> = fs::read_dir(packed.folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["kafka", "kafka.tar"]);
}

/// What is compiled for another processor is not used. A damaged head of it stands in for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_compiled_for_another_machine_is_compiled_again() {
    let packed = Packed::new();
    let path = packed.folder.path().join("kafka");
    let mut program = fs::read(&path).expect("it was packed");
    let plain = fs::metadata(env!("CARGO_BIN_EXE_kafka"))
        .expect("a file")
        .len();
    let start = usize::try_from(plain).expect("it fits in memory");
    let heads = places_of(&program[start..], b"\x7fELF");
    assert!(heads.len() >= 9, "each component is there");
    for head in heads {
        program[start + head] = 0;
    }
    fs::write(&path, program).expect("it can be changed");
    // With the cache of other tests, as compiling takes long.
    let server = packed.serve(fresh_state());
    server.logs("is compiled again").await;
    server.get("/healthz").send().await.has_status(200);
}

/// Where a text begins in these bytes.
fn places_of(bytes: &[u8], text: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(text.len()).enumerate();
    let found = windows.filter(|(_, window)| *window == text);
    found.map(|(start, _)| start).collect()
}
