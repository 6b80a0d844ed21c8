//! Sharing, taking and replacing, also after a crash.

use super::*;
use std::collections::BTreeMap;

const OLD: [(&str, &str); 4] = [
    ("default.db", "old"),
    ("default.db-wal", "old log"),
    ("key_value.db", "old key"),
    ("other.db", "old other"),
];
const NEW: [(&str, &str); 2] = [("default.db", "new"), ("key_value.db", "new key")];

fn fill(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
}

/// The files of a folder with their text, without the lock.
fn files(folder: &Path) -> BTreeMap<String, String> {
    entries(folder)
        .unwrap()
        .into_iter()
        .filter(|path| path.is_file() && !path.ends_with(LOCK))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn owned(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn a_folder_is_shared_or_taken() {
    let folder = tempfile::tempdir().unwrap();
    let first = StateDir::share(folder.path()).unwrap();
    let second = StateDir::share(folder.path()).unwrap();
    assert!(StateDir::take(folder.path()).is_err());
    drop((first, second));
    let alone = StateDir::take(folder.path()).unwrap();
    assert!(StateDir::share(folder.path()).is_err());
    assert!(StateDir::take(folder.path()).is_err());
    drop(alone);
    StateDir::share(folder.path()).unwrap();
    assert!(StateDir::share(&folder.path().join("missing")).is_err());
}

#[test]
fn replacing_keeps_the_old_files_aside() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), &OLD);
    let state = StateDir::take(folder.path()).unwrap();
    let staged = state.staging().unwrap();
    fill(staged.path(), &NEW);
    let before = state.replace(&staged, "now").unwrap().unwrap();
    assert_eq!(before, folder.path().join("before-restore-now"));
    assert_eq!(files(folder.path()), owned(&NEW));
    assert_eq!(files(&before), owned(&OLD));

    let empty = tempfile::tempdir().unwrap();
    let state = StateDir::take(empty.path()).unwrap();
    let staged = state.staging().unwrap();
    fill(staged.path(), &NEW);
    assert_eq!(state.replace(&staged, "now").unwrap(), None);
    assert_eq!(files(empty.path()), owned(&NEW));
}

/// Many at once, and an interrupted restore that one of them has to finish.
#[test]
fn others_wait_until_a_restore_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), &OLD);
    let restoring = folder.path().join(RESTORING);
    fs::create_dir_all(restoring.join("before-restore-now")).unwrap();
    fill(&restoring, &NEW);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let _state = StateDir::share(folder.path()).unwrap();
                assert_eq!(files(folder.path()), owned(&NEW));
            });
        }
    });
}

/// Stops after every number of renames, as a crash would, and lets the next user of the folder go on.
#[test]
fn a_crash_leaves_the_old_state_or_the_new_one() {
    // Before `restoring` has its name, nothing has happened.
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), &OLD);
    fs::create_dir(folder.path().join(STAGING)).unwrap();
    fill(&folder.path().join(STAGING), &NEW);
    drop(StateDir::share(folder.path()).unwrap());
    assert_eq!(files(folder.path()), owned(&OLD));
    assert!(!folder.path().join(STAGING).exists());

    for old_moved in 0..=OLD.len() {
        for new_moved in 0..=NEW.len() {
            if new_moved > 0 && old_moved < OLD.len() {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            let restoring = folder.path().join(RESTORING);
            let mut before = restoring.join("before-restore-now");
            if new_moved > 0 {
                before = folder.path().join("before-restore-now");
            }
            fs::create_dir_all(&restoring).unwrap();
            fs::create_dir_all(&before).unwrap();
            fill(&before, &OLD[..old_moved]);
            fill(folder.path(), &OLD[old_moved..]);
            fill(folder.path(), &NEW[..new_moved]);
            fill(&restoring, &NEW[new_moved..]);

            drop(StateDir::share(folder.path()).unwrap());
            let place = format!("{old_moved} old and {new_moved} new files were moved");
            assert_eq!(files(folder.path()), owned(&NEW), "{place}");
            let before = folder.path().join("before-restore-now");
            assert_eq!(files(&before), owned(&OLD), "{place}");
            assert!(!restoring.exists(), "{place}");
        }
    }
}
