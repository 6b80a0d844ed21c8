//! The state folder: its permissions, its owner, and which processes wait for each other.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::backup::{Scene, backup, is_refused, restore, succeeds};
use crate::support::{Setup, fresh_state, start_refused};

/// A user and a group without members.
const OWNER: (u32, u32) = (4242, 4243);

/// All that is in a folder, and in its folders, but for the compiled components of other tests.
fn all_in(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            all.extend(all_in(&path));
        }
        all.push(path);
    }
    all
}

/// Fails unless a file of each of these names is there, and only its owner may use anything.
#[track_caller]
fn assert_private(folder: &Path, names: &[&str]) {
    let all = all_in(folder);
    for name in names {
        assert!(all.contains(&folder.join(name)), "{name} of {all:?}");
    }
    for path in all {
        let mode = fs::metadata(&path).expect("it is there").mode();
        assert_eq!(mode & 0o077, 0, "{mode:o} {}", path.display());
    }
}

/// A state folder that everybody may look into, as one is that an administrator has made.
fn open_state() -> TempDir {
    let state = fresh_state();
    fs::set_permissions(state.path(), Permissions::from_mode(0o755)).expect("it is ours");
    state
}

#[tokio::test]
async fn stored_files_are_for_their_owner_only() {
    let scene = Scene::on(Setup::app().state(open_state()).start().await).await;
    let databases = [
        "default.db",
        "default.db-wal",
        "default.db-shm",
        "key_value.db",
        "key_value.db-wal",
    ];
    assert_private(scene.server.state(), &databases);

    // As an earlier version has left them.
    let file = scene.backup();
    let state = scene.server.kill();
    for path in all_in(state.path()) {
        if !path.ends_with("lock") {
            fs::set_permissions(path, Permissions::from_mode(0o644)).expect("it is ours");
        }
    }
    let server = Setup::app().state(state).start().await;
    assert_private(server.state(), &databases);

    let state = server.kill();
    for path in all_in(state.path()) {
        fs::set_permissions(path, Permissions::from_mode(0o600)).expect("it is ours");
    }
    succeeds(&restore(&file, state.path(), &["--force"]));
    assert_private(state.path(), &databases[..1]);
}

#[tokio::test]
async fn files_that_root_makes_belong_to_the_folders_owner() {
    let (restored, served) = (fresh_state(), fresh_state());
    for state in [&restored, &served] {
        if let Err(error) = chown(state.path(), Some(OWNER.0), Some(OWNER.1)) {
            // Not with a macro, whose output is visible only when a test fails.
            writeln!(
                std::io::stderr(),
                "NOT TESTED: the owner of files that root restores (can't give a folder away: {error})"
            )
            .ok();
            return;
        }
    }
    let scene = Scene::on(Setup::app().state(served).start().await).await;
    let file = scene.backup();
    for more in [&[][..], &["--force"]] {
        succeeds(&restore(&file, restored.path(), more));
    }
    let in_restored = all_in(restored.path());
    assert!(in_restored.contains(&restored.path().join("lock")));
    // Two databases, twice, the lock and the folder with the old ones.
    assert_eq!(in_restored.len(), 6, "{in_restored:?}");
    for path in [in_restored, all_in(scene.server.state())].concat() {
        let owner = fs::metadata(&path).expect("it is there");
        let owner = (owner.uid(), owner.gid());
        assert_eq!(owner, OWNER, "{}", path.display());
    }
}

#[tokio::test]
async fn a_start_waits_for_another_one_that_finishes_a_restore() {
    let state = fresh_state();
    let lock = File::create(state.path().join("lock")).expect("a file");
    lock.lock().expect("no other process has it");
    let finishing = thread::spawn(move || {
        thread::sleep(Duration::from_secs(1));
        drop(lock);
    });
    let server = Setup::app().state(state).start().await;
    finishing.join().expect("it only sleeps");
    server.get("/healthz").send().await.has_status(200);
}

#[tokio::test]
async fn a_start_removes_the_leftovers_of_a_killed_restore() {
    let state = fresh_state();
    let left = state.path().join("restoring.tmp");
    fs::create_dir(&left).expect("a folder");
    fs::write(left.join("default.db"), "secrets").expect("a file");
    let _server = Setup::app().state(state).start().await;
    assert!(!left.exists());
}

#[tokio::test]
async fn the_error_of_a_restore_that_fails_late_mentions_the_next_start() {
    let scene = Scene::new().await;
    let file = scene.backup();
    let state = scene.server.kill();
    // Where a folder is, no file can be moved to; this shows only when the new databases take their places.
    let in_the_way = state.path().join("key_value.db");
    fs::remove_file(&in_the_way).expect("it is there");
    fs::create_dir(&in_the_way).expect("a folder");
    let failed = restore(&file, state.path(), &["--force"]);
    is_refused(&failed, "the next start finishes it");

    fs::remove_dir(&in_the_way).expect("it is empty");
    let server = Setup::app().state(state).start().await;
    let chats = server.database().await.texts("SELECT id FROM chat").await;
    assert_eq!(chats, [scene.chat]);
    assert!(!server.state().join("restoring").exists());
}

#[tokio::test]
async fn an_incomplete_state_is_refused_with_a_remedy() {
    let scene = Scene::new().await;
    let file = scene.backup();
    let state = scene.server.kill();
    let path = state.path().join("default.db-wal");
    let log = fs::read(&path).expect("what was written last is in the log");
    let damaged = [&log[..40], &[!log[40]], &log[41..]].concat();
    for (words, log) in [
        ("default.db-wal is missing", None),
        ("default.db-wal is damaged", Some(&damaged)),
    ] {
        match log {
            Some(log) => fs::write(&path, log).expect("it is ours"),
            None => fs::remove_file(&path).expect("it is there"),
        }
        let refused = start_refused(state.path(), &[], &[]);
        is_refused(&refused, words);
        is_refused(&refused, "restore a backup");
        // A backup of it would be one of an older state.
        let kept = scene.folder.path().join("of-what-is-left.tar");
        is_refused(&backup(&kept, state.path(), &[]), words);
        assert!(!kept.exists());
    }
    fs::write(&path, &log).expect("it is ours");
    let server = Setup::app().state(state).start().await;
    let chats = server.database().await.texts("SELECT id FROM chat").await;
    assert_eq!(chats, [scene.chat.as_str()]);

    let state = server.kill();
    let database = state.path().join("default.db");
    fs::write(&database, "").expect("it is ours");
    is_refused(
        &start_refused(state.path(), &[], &[]),
        "default.db is empty",
    );
    fs::remove_file(&database).expect("it is there");
    is_refused(
        &start_refused(state.path(), &[], &[]),
        "default.db is missing",
    );
    succeeds(&restore(&file, state.path(), &["--force"]));
    let server = Setup::app().state(state).start().await;
    let chats = server.database().await.texts("SELECT id FROM chat").await;
    assert_eq!(chats, [scene.chat]);
}
