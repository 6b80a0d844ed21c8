//! A database with the tables and without a row, for the servers of most tests: making them takes longer than many a test.
//! Migrations from nothing have tests of their own (`promises::migrations`), whose state folders are empty.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::process::Process;
use super::{PATIENCE, fresh_state};

/// Its name in a state folder.
const FILE: &str = "default.db";

/// A fresh state folder with it, for servers of the application in `manifest`.
pub(super) fn migrated_state(manifest: &Path) -> TempDir {
    static DATABASE: OnceLock<Vec<u8>> = OnceLock::new();
    let database = DATABASE.get_or_init(|| migrate(manifest));
    let state = fresh_state();
    fs::write(state.path().join(FILE), database).expect("a writable folder");
    state
}

/// Has a server make it: with its first request, and it is one file when the server has ended.
fn migrate(manifest: &Path) -> Vec<u8> {
    let state = fresh_state();
    let mut process = Process::start(|command| {
        command
            .args(["up", "--no-build", "--listen", "127.0.0.1:0", "--from"])
            .arg(manifest)
            .arg("--state-dir")
            .arg(state.path());
    });
    let address = process.address();
    let mut stream = TcpStream::connect(&address).expect("the server listens");
    let request =
        format!("GET /workspace/none HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    process.signal("-TERM");
    let deadline = Instant::now() + PATIENCE;
    while process.ended().is_none() {
        assert!(Instant::now() < deadline, "the server does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
    fs::read(state.path().join(FILE)).expect("a database")
}
