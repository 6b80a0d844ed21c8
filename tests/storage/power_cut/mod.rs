//! Power cuts, replayed: what a process under load writes and syncs is recorded, and for many moments of it the files
//! are made as a disk could have them had the power gone then. Everything acknowledged before must be in them.

mod load;
mod random;
mod record;

use kafka_host::storage::{Database, Durability, Options, Value};
use load::{ACKNOWLEDGED, DATABASE};
use random::Random;
use record::{Action, Event, Fate};
use std::{collections::HashSet, env, fs, path::Path, process::Command};
use tempfile::TempDir;

const CUTS: u64 = 120;

#[test]
fn no_acknowledged_commit_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let events = record(&folder, &[]);
    let (mut lost, mut unsynced) = (Vec::new(), 0);
    for seed in 0..CUTS {
        let cut = cut(&events, seed);
        lost.extend(cut.lost);
        unsynced += u64::from(cut.unsynced);
    }
    assert!(lost.is_empty(), "lost {lost:?}");
    // Else nothing would have been at stake.
    assert!(
        unsynced > CUTS / 4,
        "only {unsynced} cuts fell between a write and its sync"
    );
}

#[test]
fn without_the_shared_sync_the_same_cuts_lose_commits() {
    let folder = tempfile::tempdir().unwrap();
    let events = record(&folder, &[(load::UNSAFE, "1")]);
    let losses = (0..CUTS)
        .filter(|&seed| !cut(&events, seed).lost.is_empty())
        .count() as u64;
    assert!(
        losses > CUTS / 4,
        "only {losses} of {CUTS} cuts lost anything"
    );
}

#[test]
fn a_new_database_is_durable_before_its_first_commit_is() {
    let folder = tempfile::tempdir().unwrap();
    let events = record(&folder, &[]);
    let ready = events.iter().position(is_ready).unwrap();
    let synced = |file: &str| {
        let ends =
            |event: &&Event| event.file == file && matches!(event.action, Action::SyncEnds(_));
        events[..ready].iter().filter(ends).count()
    };
    assert!(synced("") > 0, "the folder");
    assert!(synced(DATABASE) > 0, "the database");
    assert!(synced(&format!("{DATABASE}-wal")) > 0, "the log");
}

/// Runs the load under the recorder.
fn record(folder: &TempDir, variables: &[(&str, &str)]) -> Vec<Event> {
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
        .args(["--exact", "--ignored", "power_cut::load::load"])
        .env("LD_PRELOAD", &recorder)
        .env(load::FOLDER, &files)
        .env("KAFKA_RECORD_LOG", &log)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stdout)
    );
    record::read(&log, &files)
}

fn is_ready(event: &Event) -> bool {
    event.file == ACKNOWLEDGED
        && matches!(&event.action, Action::Write(_, bytes) if *bytes == load::READY)
}

/// What one power cut did.
struct Cut {
    /// Commits that had been acknowledged and are not there any more.
    lost: Vec<(i64, i64)>,
    /// Whether there were writes that were not durable.
    unsynced: bool,
}

/// Cuts the power at a moment that `seed` chooses, and looks at what is left.
fn cut(events: &[Event], seed: u64) -> Cut {
    let mut random = Random::new(seed);
    let ready = events.iter().position(is_ready).unwrap() + 1;
    let mut moment = ready + random.below(events.len() - ready);
    if seed % 2 == 0 {
        // Right after an acknowledgement, where most is at stake.
        let next = events[moment..]
            .iter()
            .position(|event| event.file == ACKNOWLEDGED);
        moment += next.map_or(0, |next| next + 1);
    }
    let events = &events[..moment];
    let fate = [Fate::Dropped, Fate::Some, Fate::Torn, Fate::Kept][random.below(4)];
    let folder = tempfile::tempdir().unwrap();
    let mut unsynced = false;
    for file in [
        DATABASE.into(),
        format!("{DATABASE}-wal"),
        format!("{DATABASE}-journal"),
    ] {
        let left = record::survivor(events, &file, fate, &mut random);
        unsynced |= left != record::survivor(events, &file, Fate::Kept, &mut random);
        if let Some(left) = left {
            fs::write(folder.path().join(&file), left).unwrap();
        }
    }
    let rows = rows(folder.path(), &format!("seed {seed}, {fate:?} at {moment}"));
    let acknowledged = acknowledged(events);
    Cut {
        lost: acknowledged.difference(&rows).copied().collect(),
        unsynced,
    }
}

fn acknowledged(events: &[Event]) -> HashSet<(i64, i64)> {
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
    crate::support::on_one_thread(async {
        let options = Options {
            durability: Durability::Process,
            ..Options::default()
        };
        let database = Database::open(&folder.join(DATABASE), options).await;
        let mut session = database
            .unwrap_or_else(|error| panic!("{context}: {error}"))
            .session();
        let check = crate::support::run(&mut session, "PRAGMA integrity_check").await;
        assert_eq!(check.rows, [[Value::Text("ok".into())]], "{context}");
        let halves = "SELECT count(*) FROM (
            SELECT writer, number FROM one WHERE number % 2 = 1 EXCEPT SELECT writer, number FROM two
        )";
        assert_eq!(
            crate::support::number(&mut session, halves).await,
            0,
            "{context}"
        );
        let rows = crate::support::run(&mut session, "SELECT writer, number FROM one")
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
