//! Runs the load under the recorder, and looks at what a power cut would leave of its database.

use super::{
    load::{self, ACKNOWLEDGED, DATABASE},
    random::Random,
    record::{self, Action, Event, Fate},
};
use crate::support;
use kafka_host::storage::{Database, Durability, Options, Value};
use std::{
    collections::HashSet,
    env, fs,
    path::Path,
    process::{Command, Output},
};
use tempfile::TempDir;

/// Runs the load under the recorder and returns what it did.
pub fn record(folder: &TempDir, variables: &[(&str, &str)]) -> Vec<Event> {
    let (run, events) = run(folder, variables);
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stdout)
    );
    events
}

/// Runs the load under the recorder, whatever becomes of it.
pub fn run(folder: &TempDir, variables: &[(&str, &str)]) -> (Output, Vec<Event>) {
    let source = folder.path().join("recorder.c");
    fs::write(&source, include_str!("recorder.c")).unwrap();
    let recorder = folder.path().join("recorder.so");
    let compiled = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .args([&recorder, &source])
        .args(["-ldl", "-lpthread"])
        .status();
    assert!(compiled.unwrap().success());
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    // The recorder sees real paths.
    let files = files.canonicalize().unwrap();
    let log = folder.path().join("record");
    let run = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "--ignored",
            "--nocapture",
            "power_cut::load::load",
        ])
        .env("LD_PRELOAD", &recorder)
        .env(load::FOLDER, &files)
        .env("KAFKA_RECORD_LOG", &log)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    (run, record::read(&log, &files))
}

/// Whether this is the first acknowledgement, before the load.
pub fn is_ready(event: &Event) -> bool {
    event.file == ACKNOWLEDGED
        && matches!(&event.action, Action::Write(_, bytes) if *bytes == load::READY)
}

/// What a power cut left.
pub struct Left {
    /// Commits that had been acknowledged and are not there any more.
    pub lost: Vec<(i64, i64)>,
    /// Whether there were writes that were not durable.
    pub unsynced: bool,
}

/// Looks at what a power cut after `events` leaves.
pub fn look(events: &[Event], fate: Fate, random: &mut Random, context: &str) -> Left {
    let folder = tempfile::tempdir().unwrap();
    let mut unsynced = false;
    for file in [
        DATABASE.into(),
        format!("{DATABASE}-wal"),
        format!("{DATABASE}-journal"),
        format!("{DATABASE}-mark"),
    ] {
        let left = record::survivor(events, &file, fate, random);
        // The mark is not synced, and need not be.
        unsynced |=
            !file.ends_with("-mark") && left != record::survivor(events, &file, Fate::Kept, random);
        if let Some(left) = left {
            fs::write(folder.path().join(&file), left).unwrap();
        }
    }
    let rows = rows(folder.path(), context);
    let acknowledged = acknowledged(events);
    Left {
        lost: acknowledged.difference(&rows).copied().collect(),
        unsynced,
    }
}

/// The commits acknowledged.
pub fn acknowledged(events: &[Event]) -> HashSet<(i64, i64)> {
    let written = events
        .iter()
        .filter(|event| event.file == ACKNOWLEDGED && !is_ready(event));
    let commit = |event: &Event| match &event.action {
        Action::Write(_, bytes) => {
            let number =
                |at: usize| i64::from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()));
            Some((number(0), number(4)))
        }
        _ => None,
    };
    written.filter_map(commit).collect()
}

/// Opens what a power cut left and returns the commits in it. It must be whole, and so must every transaction.
fn rows(folder: &Path, context: &str) -> HashSet<(i64, i64)> {
    support::on_one_thread(async {
        let options = Options {
            durability: Durability::Process,
            ..Options::default()
        };
        let database = Database::open(&folder.join(DATABASE), options).await;
        let mut session = database
            .unwrap_or_else(|error| panic!("{context}: {error}"))
            .session();
        let check = support::run(&mut session, "PRAGMA integrity_check").await;
        assert_eq!(check.rows, [[Value::Text("ok".into())]], "{context}");
        let halves = "SELECT count(*) FROM (
            SELECT writer, number FROM one WHERE number % 2 = 1 EXCEPT SELECT writer, number FROM two
        )";
        assert_eq!(support::number(&mut session, halves).await, 0, "{context}");
        let rows = support::run(&mut session, "SELECT writer, number FROM one")
            .await
            .rows;
        rows.into_iter()
            .map(|row| match row[..] {
                [Value::Integer(writer), Value::Integer(number)] => (writer, number),
                ref other => panic!("{context}: {other:?}"),
            })
            .collect()
    })
}
