//! A state of which something is missing is refused, and never taken for a smaller one. A state that is whole is not.

use crate::{
    power_cut::load,
    support::{number, on_one_thread, open, run},
};
use kafka_host::storage::{self, Database, Error, Options, empty, inspect};
use std::{
    env,
    fs::{self, File, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};
use tempfile::TempDir;

const ROWS: i64 = 50;

/// What a process leaves that is killed: the newest rows are in the log only. Files are copied while it has them.
async fn killed() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder).await;
    let mut session = database.session();
    run(&mut session, "CREATE TABLE t (n INTEGER PRIMARY KEY, x)").await;
    for _ in 0..ROWS {
        run(&mut session, "INSERT INTO t (x) VALUES (zeroblob(3000))").await;
    }
    copy(folder.path(), &["", "-wal", "-mark"])
}

/// A folder with copies of these files of a database.
fn copy(from: &Path, ends: &[&str]) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    for end in ends {
        let name = format!("test.db{end}");
        fs::copy(from.join(&name), to.path().join(&name)).unwrap();
    }
    to
}

async fn open_again(folder: &TempDir) -> Result<i64, Error> {
    let file = folder.path().join("test.db");
    let database = Database::open(&file, Options::default()).await?;
    Ok(number(&mut database.session(), "SELECT count(*) FROM t").await)
}

/// Changes a byte of a file to another.
fn flip(path: &Path, offset: u64) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[!byte[0]], offset).unwrap();
}

fn cut(path: &Path, length: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(length).unwrap();
}

#[tokio::test]
async fn the_database_of_a_killed_process_is_whole() {
    let folder = killed().await;
    assert_eq!(open_again(&folder).await.unwrap(), ROWS);
    // After a clean end there is no log, and none is missing.
    assert!(!folder.path().join("test.db-wal").exists());
    assert_eq!(open_again(&folder).await.unwrap(), ROWS);
}

#[tokio::test]
async fn a_state_of_which_something_is_missing_is_refused() {
    type Harm = fn(&Path, &Path);
    let harms: [(&str, Harm); 9] = [
        ("wal is missing", |_, log| fs::remove_file(log).unwrap()),
        ("wal is missing", |_, log| cut(log, 0)),
        ("wal is damaged", |_, log| cut(log, 16)),
        ("wal is damaged", |_, log| {
            cut(log, fs::metadata(log).unwrap().len() / 2);
        }),
        ("wal is damaged", |_, log| flip(log, 20)),
        ("wal is damaged", |_, log| flip(log, 32 + 24 + 4096 + 500)),
        ("is missing", |database, _| {
            fs::remove_file(database).unwrap();
        }),
        ("is empty", |database, _| cut(database, 0)),
        ("is empty", |database, log| {
            fs::remove_file(log).unwrap();
            cut(database, 0);
        }),
    ];
    for (number, (what, harm)) in harms.into_iter().enumerate() {
        let folder = killed().await;
        let database = folder.path().join("test.db");
        harm(&database, &folder.path().join("test.db-wal"));
        let before = listed(folder.path());
        let error = open_again(&folder).await.unwrap_err().to_string();
        assert!(error.contains(what), "{number}: {error}");
        assert!(error.contains("kafka restore"), "{number}: {error}");
        // Nothing is changed by looking.
        assert_eq!(listed(folder.path()), before, "{number}");
    }
}

#[tokio::test]
async fn a_closed_database_is_refused_when_it_is_missing_empty_or_cut() {
    for (what, length) in [
        ("is missing", None),
        ("is empty", Some(0)),
        ("is shorter", Some(8192)),
    ] {
        let folder = killed().await;
        open_again(&folder).await.unwrap();
        let database = folder.path().join("test.db");
        match length {
            Some(length) => cut(&database, length),
            None => fs::remove_file(&database).unwrap(),
        }
        let error = open_again(&folder).await.unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

/// Each file of a folder with its content.
fn listed(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Looks at the database in a file, and perhaps changes it, with nothing that knows of marks.
type Other = fn(&Path) -> Result<(), Error>;

#[tokio::test]
async fn a_database_that_another_program_closed_is_whole() {
    let look: Other = |file| inspect(file).map(drop);
    let change: Other = |file| empty(file, &["t"]);
    for other in [look, change] {
        // In place: a copy is not the file that the mark names.
        let folder = killed().await;
        let database = open(&folder).await;
        run(&mut database.session(), "INSERT INTO t (x) VALUES (1)").await;
        let kept = folder.path().join("kept");
        fs::copy(folder.path().join("test.db-mark"), &kept).unwrap();
        drop(database);
        // As if it had been killed: the mark is the one from before.
        fs::copy(&kept, folder.path().join("test.db-mark")).unwrap();
        thread::sleep(Duration::from_millis(20));
        other(&folder.path().join("test.db")).unwrap();
        open_again(&folder).await.unwrap();
    }
}

#[tokio::test]
async fn a_database_without_a_mark_gets_one() {
    let folder = killed().await;
    fs::remove_file(folder.path().join("test.db-mark")).unwrap();
    assert_eq!(open_again(&folder).await.unwrap(), ROWS);
    cut(&folder.path().join("test.db"), 0);
    assert!(open_again(&folder).await.is_err());
}

/// The same process as the power cuts' is killed at many moments, and what it leaves is always whole.
#[test]
fn a_process_that_is_killed_at_any_moment_leaves_a_whole_state() {
    for round in 0..24 {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--ignored", "power_cut::load::load"])
            .env(load::FOLDER, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(15 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let file = folder.path().join(load::DATABASE);
        // Twice: what the first open leaves behind is whole, too.
        for _ in 0..2 {
            let opened = on_one_thread(Database::open(&file, Options::default()));
            assert!(opened.is_ok(), "{round}: {}", opened.err().unwrap());
        }
    }
}

/// The marks of a log that grows, is moved and begun again many times, while a reader checks them.
#[test]
fn a_state_that_is_in_use_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--ignored", "power_cut::load::load"])
        .env(load::FOLDER, folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let file = folder.path().join(load::DATABASE);
    let copied = folder.path().join("copied.db");
    let mut looks = 0;
    while child.try_wait().unwrap().is_none() {
        if File::open(folder.path().join(load::ACKNOWLEDGED))
            .is_ok_and(|file| file.metadata().is_ok_and(|file| file.len() > 0))
        {
            if let Err(error) = storage::copy(&file, &copied) {
                assert!(!matches!(error, Error::Incomplete { .. }), "{error}");
            }
            looks += 1;
            fs::remove_file(&copied).ok();
        }
    }
    assert!(looks > 5, "{looks}");
}
