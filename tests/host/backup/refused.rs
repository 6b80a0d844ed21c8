//! Backups and restores that are refused or fail.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Scene, backup, is_refused, names, restore, succeeds};
use crate::support::{Database, Outcome, Setup, fresh_state, run_kafka};

#[tokio::test]
async fn damaged_files_are_refused_and_nothing_changes() {
    let scene = Scene::new().await;
    let good = fs::read(scene.backup()).expect("a backup");
    let state = scene.server.kill();
    let before = listing(state.path());
    let file = scene.folder.path().join("damaged.tar");
    let length = good.len();
    let refused = |bytes: &[u8], words: &str| {
        fs::write(&file, bytes).expect("a file");
        is_refused(&restore(&file, state.path(), &["--force"]), words);
        assert_eq!(listing(state.path()), before);
    };
    // A header, a database's first page, its middle, what describes it, the seal, its padding, the end.
    for place in [
        0,
        100,
        600,
        length / 2,
        length - 3000,
        length - 2000,
        length - 1500,
        length - 1100,
        length - 1,
    ] {
        let mut bytes = good.clone();
        bytes[place] ^= 0x10;
        refused(&bytes, "is damaged");
    }
    for end in [513, 1024, length / 2, length - 2048, length - 1] {
        refused(&good[..end], "is damaged");
    }
    refused(&[&good[..], b"\0"].concat(), "is damaged");
    refused(&[&good[..], &good].concat(), "is damaged");
    for other in [&b""[..], b"SQLite format 3\0", &[0; 4096]] {
        refused(other, "is no backup");
    }
    // And the file that was not damaged is not.
    fs::write(&file, &good).expect("a file");
    succeeds(&restore(&file, state.path(), &["--force"]));
}

/// The files of a folder and when they were changed.
fn listing(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let metadata = entry.metadata().expect("it is there");
            let changed = metadata.modified().expect("files have times");
            if metadata.is_dir() {
                return format!("{:?}", entry.file_name());
            }
            format!("{:?} {changed:?} {}", entry.file_name(), metadata.len())
        })
        .collect()
}

#[tokio::test]
async fn a_running_server_is_not_restored_to() {
    let scene = Scene::new().await;
    let file = scene.backup();
    for more in [&[][..], &["--force"]] {
        is_refused(&restore(&file, scene.server.state(), more), "is in use");
    }
    let user = scene.server.login(&scene.user.email).await;
    assert!(user.text().contains(&scene.chat));
    // After `kill -9` at once.
    let state = scene.server.kill();
    succeeds(&restore(&file, state.path(), &["--force"]));
}

/// Not even by force: a backup would take the place of a database, of a device, or of what a link leads to.
#[tokio::test]
async fn what_is_no_file_of_its_own_is_not_replaced() {
    let scene = Scene::new().await;
    let state = scene.server.state();
    let database = state.join("default.db");
    is_refused(
        &backup(&database, state, &["--force"]),
        "belongs to the server",
    );
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&database, &link).expect("a link");
    is_refused(&backup(&link, state, &["--force"]), "is no file");
    let packed = run_kafka(&["pack", "--no-build", link.to_str().expect("a path")]);
    assert!(packed.output.contains("is no file"), "{}", packed.output);
    assert!(link.is_symlink());
    scene.server.chat(&scene.user, "still there").await;
}

#[tokio::test]
async fn existing_files_are_replaced_only_by_force_and_kept() {
    let scene = Scene::new().await;
    let file = scene.backup();
    is_refused(&backup(&file, scene.server.state(), &[]), "exists; --force");
    let later = scene.server.chat(&scene.user, "later").await;
    let state = scene.server.kill();
    is_refused(&restore(&file, state.path(), &[]), "--force replaces");
    let restored = restore(&file, state.path(), &["--force"]);
    succeeds(&restored);

    let kept = fs::read_dir(state.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.to_string_lossy().contains("before-restore-"))
        .expect("the old databases are kept");
    assert!(
        restored
            .output
            .contains(kept.to_str().expect("a path of text"))
    );
    let kept_chats = Database::open(&kept)
        .await
        .texts("SELECT id FROM chat")
        .await;
    assert!(kept_chats.contains(&later), "with what was only in the log");
    let server = Setup::app().state(state).start().await;
    let chats = server.database().await.texts("SELECT id FROM chat").await;
    assert_eq!(chats, [scene.chat]);
}

#[tokio::test]
async fn a_database_of_the_future_is_refused() {
    let scene = Scene::new().await;
    let state = scene.server.kill();
    let sql = "INSERT INTO schema_migration VALUES (9999, 'later', '')";
    Database::change(state.path(), sql).await;
    let file = scene.folder.path().join("backup.tar");
    succeeds(&backup(&file, state.path(), &[]));
    let other = tempfile::tempdir().expect("a temporary folder");
    is_refused(&restore(&file, other.path(), &[]), "version 9999");
    assert!(!other.path().join("default.db").exists());
}

#[tokio::test]
async fn a_failure_is_reported_and_leaves_no_file() {
    let scene = Scene::new().await;
    let state = scene.server.state();
    let folder = scene.folder.path();
    let file = folder.join("backup.tar");
    is_refused(&backup(&folder.join("no/b.tar"), state, &[]), "can't make");
    is_refused(&backup(folder, state, &[]), "is no name for a file");
    is_refused(&backup(&file, &folder.join("no"), &[]), "can't use");
    is_refused(&backup(&file, folder, &[]), "nothing to back up");
    let nowhere = folder.join("state");
    is_refused(&restore(&file, &nowhere, &[]), "can't read");
    assert!(!nowhere.exists());
    // A disk that is full after 64 KB.
    let full = run_limited(&file, state);
    assert!(!full.success, "{}", full.output);
    assert!(full.output.contains("kafka: can't copy"), "{}", full.output);
    assert_eq!(names(folder), ["lock"]);
    assert_eq!(scene.server.login(&scene.user.email).await.status, 200);
}

#[tokio::test]
async fn a_command_finishes_even_if_its_output_is_closed() {
    let scene = Scene::new().await;
    let file = scene.folder.path().join("backup.tar");
    let other = fresh_state();
    for (verb, state) in [("backup", scene.server.state()), ("restore", other.path())] {
        let (reader, stdout) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_kafka"))
            .args([Path::new(verb), &file, Path::new("--state-dir"), state])
            .current_dir(crate::support::repository())
            .stdout(stdout)
            .output()
            .expect("the binary starts");
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{verb}: {printed}");
        assert!(printed.is_empty(), "{verb}: {printed}");
    }
    assert!(other.path().join("default.db").exists());
}

/// `kafka backup` in a shell that lets no file grow beyond 64 KB.
fn run_limited(file: &Path, state: &Path) -> Outcome {
    let output = Command::new("sh")
        .args([
            "-c",
            r#"trap "" XFSZ; ulimit -f 128; exec "$0" backup "$1" --state-dir "$2""#,
        ])
        .args([Path::new(env!("CARGO_BIN_EXE_kafka")), file, state])
        .current_dir(crate::support::repository())
        .output()
        .expect("a shell starts");
    Outcome {
        success: output.status.success(),
        output: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    }
}
