//! `kafka backup` and `kafka restore`: copies of a server at work, and back.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tempfile::TempDir;

use crate::support::{
    Database, FakeModel, House, Outcome, PATIENCE, Process, Server, Setup, User, fresh_state,
    login, run_kafka,
};

/// Clients of each kind that write while a backup is made.
const CLIENTS: usize = 6;
/// Of each upload; more than one chunk of the database.
const UPLOAD: usize = 300_000;

pub(super) fn backup(file: &Path, state: &Path, more: &[&str]) -> Outcome {
    kafka("backup", file, state, more)
}

pub(super) fn restore(file: &Path, state: &Path, more: &[&str]) -> Outcome {
    kafka("restore", file, state, more)
}

fn kafka(verb: &str, file: &Path, state: &Path, more: &[&str]) -> Outcome {
    let file = file.to_str().expect("a path of text");
    let state = state.to_str().expect("a path of text");
    run_kafka(&[&[verb, file, "--state-dir", state], more].concat())
}

#[track_caller]
pub(super) fn succeeds(outcome: &Outcome) {
    assert!(outcome.success, "{}", outcome.said);
}

/// Fails unless it was refused in one line that has `words`.
#[track_caller]
pub(super) fn is_refused(outcome: &Outcome, words: &str) {
    assert!(!outcome.success, "{}", outcome.said);
    assert!(outcome.said.contains(words), "{}", outcome.said);
    assert_eq!(outcome.said.trim().lines().count(), 1, "{}", outcome.said);
}

/// A server with a user, a chat, a file and a model, backed up; the folder has the backup.
pub(super) struct Scene {
    pub(super) server: Server,
    model: FakeModel,
    pub(super) user: User,
    pub(super) chat: String,
    model_id: String,
    pub(super) folder: TempDir,
}

impl Scene {
    pub(super) async fn new() -> Self {
        Self::on(Server::start().await).await
    }

    pub(super) async fn on(server: Server) -> Self {
        let user = login(&server, "josef@example.com").await;
        let chat = server.chat(&user, "The Trial").await;
        let model = FakeModel::start_with(&["--key", "sk-restored"]);
        let form = [
            ("user_id", user.id.as_str()),
            ("name", "fake-words-3-rate-0"),
            ("ak", "sk-restored"),
            ("base_url", &model.base_url()),
        ];
        let saved = server.post("/models/new").form(&form).send().await;
        saved.has_status(200);
        Self {
            model_id: saved.string("/id"),
            server,
            model,
            user,
            chat,
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// A backup of the server as it is.
    pub(super) fn backup(&self) -> PathBuf {
        let file = self.folder.path().join("backup.tar");
        succeeds(&backup(&file, self.server.state(), &["--force"]));
        file
    }
}

/// What the server has acknowledged.
#[derive(Default)]
struct Acknowledged(Mutex<BTreeSet<String>>);

impl Acknowledged {
    fn add(&self, id: String) {
        self.0.lock().expect("no writer panicked").insert(id);
    }

    fn so_far(&self) -> BTreeSet<String> {
        self.0.lock().expect("no writer panicked").clone()
    }
}

/// Makes a chat, sends a message, or uploads a file, again and again; every answer must be a good one.
async fn write(scene: Arc<Scene>, kind: usize, done: Arc<AtomicBool>, ids: Arc<Acknowledged>) {
    let Scene { server, user, .. } = &*scene;
    // Of its own, because a chat has one reply at a time.
    let chat = server.chat(user, "busy").await;
    for number in 0.. {
        if done.load(Relaxed) {
            return;
        }
        match kind {
            0 => ids.add(server.chat(user, &format!("chat {number}")).await),
            1 => {
                let body = serde_json::json!({ "prompt": "again?", "model_id": scene.model_id });
                let answer = server
                    .post(&format!("/chat/{chat}/messages"))
                    .header("accept", "application/json")
                    .json(body.to_string())
                    .send()
                    .await;
                // The reply before may still be running.
                if answer.status != 409 {
                    answer.has_status(202);
                    ids.add(answer.string("/message_id"));
                }
            }
            _ => {
                let content = vec![number as u8; UPLOAD];
                ids.add(server.file(user, &format!("{number}.bin"), content).await);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_under_load_have_all_that_was_acknowledged_and_nothing_half() {
    let scene = Arc::new(Scene::new().await);
    let done = Arc::<AtomicBool>::default();
    let ids = Arc::<Acknowledged>::default();
    let writers: Vec<_> = (0..3 * CLIENTS)
        .map(|number| tokio::spawn(write(scene.clone(), number % 3, done.clone(), ids.clone())))
        .collect();
    let mut backups = Vec::new();
    for number in 0..3 {
        let deadline = Instant::now() + PATIENCE;
        while ids.so_far().len() < CLIENTS * (number + 1) {
            assert!(Instant::now() < deadline, "hardly anything is written");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let before = ids.so_far();
        let file = scene.folder.path().join(format!("{number}.tar"));
        let state = scene.server.state().to_owned();
        let making = file.clone();
        let made = tokio::task::spawn_blocking(move || backup(&making, &state, &[])).await;
        succeeds(&made.expect("the command's thread ends"));
        backups.push((file, before, ids.so_far().len()));
    }
    done.store(true, Relaxed);
    for writer in join_all(writers).await {
        writer.expect("every write is answered well");
    }
    // On a busy machine one of them may be quicker than any writer.
    let meanwhile = backups
        .iter()
        .any(|(_, before, after)| before.len() < *after);
    assert!(meanwhile, "nothing was written during any of them");
    for (file, before, _) in &backups {
        assert_is_whole(&scene, file, before).await;
    }
    let (_, first, _) = &backups[0];
    let (_, last, _) = &backups[2];
    assert!(first.len() >= CLIENTS && last.len() > first.len());
}

/// Restores a backup for a server of its own, and looks whether all of it is there and works.
async fn assert_is_whole(scene: &Scene, file: &Path, acknowledged: &BTreeSet<String>) {
    let state = fresh_state();
    succeeds(&restore(file, state.path(), &[]));
    let server = Setup::app().state(state).start().await;
    let database = server.database().await;
    assert_eq!(database.texts("PRAGMA integrity_check").await, ["ok"]);
    assert_eq!(
        database
            .texts(r#"SELECT "table" FROM pragma_foreign_key_check"#)
            .await,
        [""; 0]
    );
    let has: BTreeSet<_> = database
        .texts(
            "SELECT id FROM chat UNION SELECT id FROM chat_conversation UNION SELECT id FROM file",
        )
        .await
        .into_iter()
        .collect();
    let lost: Vec<_> = acknowledged.difference(&has).collect();
    assert!(lost.is_empty(), "of {}: {lost:?}", acknowledged.len());

    for id in database.texts("SELECT id FROM file").await {
        let content = server.get(&format!("/file/{id}/content")).send().await;
        content.has_status(200);
        assert_eq!(content.body.len(), UPLOAD);
        let first = content.body[0];
        assert!(content.body.iter().all(|byte| *byte == first), "{id}");
    }
    // Its key opens, which the fake model checks.
    let test = server
        .post(&format!("/models/{}/test", scene.model_id))
        .send()
        .await;
    test.is(200, r#"{"ok":true,"error":null}"#);
    assert!(scene.model.requests().await > 0);
    let chat = server.chat(&scene.user, "after").await;
    assert!(server.login(&scene.user.email).await.text().contains(&chat));
}

#[tokio::test]
async fn a_backup_of_a_killed_server_has_its_log_and_leaves_it_alone() {
    let scene = Scene::new().await;
    let Scene {
        server,
        user,
        chat,
        folder,
        ..
    } = scene;
    let state = server.kill();
    let log = state.path().join("default.db-wal");
    let before = fs::read(&log).expect("a killed server leaves a log");
    assert!(!before.is_empty());
    let file = folder.path().join("backup.tar");
    succeeds(&backup(&file, state.path(), &[]));
    assert_eq!(fs::read(&log).expect("the log stays"), before);

    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(names(folder.path()), ["backup.tar"]);

    let other = fresh_state();
    succeeds(&restore(&file, other.path(), &[]));
    let server = Setup::app().state(other).start().await;
    assert!(server.login(&user.email).await.text().contains(&chat));
}

#[tokio::test]
async fn a_restore_ends_sessions() {
    let house = House::token().await;
    let login = house.login("josef@example.com").await;
    let bearer = format!("Bearer {}", login.string("/token"));
    let workspace = login.string("/workspaces/0/id");
    let mine = async |server: &Server| {
        let request = server.get(&format!("/workspace/{workspace}"));
        request.header("authorization", &bearer).send().await
    };
    let asked = house.server.post("/auth/code");
    let asked = asked.json(r#"{"email":"josef@example.com"}"#).send().await;
    asked.has_status(200);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("backup.tar");
    succeeds(&backup(&file, house.server.state(), &[]));
    mine(&house.server).await.has_status(200);

    let other = fresh_state();
    succeeds(&restore(&file, other.path(), &[]));
    let server = Setup::app().variable("auth_mode", "token").state(other);
    let server = server.start().await;
    mine(&server).await.has_status(401);
    let database = server.database().await;
    assert_eq!(database.count("login_code").await, 0);
    assert_eq!(database.count("workspace").await, 1);
}

#[tokio::test]
async fn a_backup_removes_what_others_left_and_nothing_that_somebody_uses() {
    let scene = Scene::new().await;
    let folder = scene.folder.path();
    // One that has its folder, and waits for a moment at which nobody has the state alone.
    let restored_to = fresh_state();
    let lock = File::create(restored_to.path().join("lock")).expect("a file");
    lock.lock().expect("nobody else has it");
    let mut at_work = Process::start(|command| {
        let file = folder.join("backup.tar");
        command.arg("backup").arg(file).arg("--state-dir");
        command.arg(restored_to.path());
    });
    let deadline = Instant::now() + PATIENCE;
    let partial = loop {
        let locked = names(folder).pop().map(|name| folder.join(name));
        if let Some(partial) = locked.filter(|partial| partial.join("lock").exists()) {
            break partial;
        }
        let waits = at_work.ended().is_none() && Instant::now() < deadline;
        assert!(waits, "{}", at_work.transcript.text());
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    // For as long as this test wants.
    at_work.signal("-STOP");
    // Another file's, not a backup's, and one whose maker has hardly begun.
    let id = "0192f0c1a7e87d2b9c3d4e5f60718293";
    let others = [
        format!(".other.tar.partial-{id}"),
        ".backup.tar.partial-old".to_owned(),
        format!(".backup.tar.partial-{id}"),
    ];
    for (number, name) in others.iter().enumerate() {
        fs::create_dir(folder.join(name)).expect("a folder");
        if number < 2 {
            fs::write(folder.join(name).join("lock"), "").expect("a file");
        }
    }
    scene.backup();
    assert!(partial.join("lock").exists());

    at_work.kill();
    scene.backup();
    assert!(!partial.exists());
    let mut left = names(folder);
    left.retain(|name| name != "backup.tar");
    assert_eq!(BTreeSet::from_iter(left), BTreeSet::from(others));
}

/// What is in a folder.
fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a name of text"))
        .collect()
}

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

#[tokio::test]
async fn what_exists_is_replaced_only_by_force_and_kept() {
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
            .said
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
async fn a_restore_that_was_interrupted_is_finished_by_the_next_start() {
    let scene = Scene::new().await;
    let file = scene.backup();
    scene.server.chat(&scene.user, "later").await;
    let state = scene.server.kill();
    let other = tempfile::tempdir().expect("a temporary folder");
    succeeds(&restore(&file, other.path(), &[]));
    // As `kill -9` leaves it between two renames: one old file is aside, the new ones are not in place.
    let restoring = state.path().join("restoring");
    let before = restoring.join("before-restore-then");
    fs::create_dir_all(&before).expect("a folder");
    for name in ["default.db", "key_value.db"] {
        fs::copy(other.path().join(name), restoring.join(name)).expect("a copy");
    }
    let moved = state.path().join("default.db");
    fs::rename(moved, before.join("default.db")).expect("a rename");

    let server = Setup::app().state(state).start().await;
    let chats = server.database().await.texts("SELECT id FROM chat").await;
    assert_eq!(chats, [scene.chat]);
    assert!(!server.state().join("restoring").exists());
    assert!(
        server
            .state()
            .join("before-restore-then/default.db-wal")
            .exists()
    );
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
async fn what_can_not_be_done_is_said_and_leaves_nothing() {
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
    assert!(!full.success, "{}", full.said);
    assert!(full.said.contains("kafka: can't copy"), "{}", full.said);
    assert_eq!(names(folder), ["lock"]);
    assert_eq!(scene.server.login(&scene.user.email).await.status, 200);
}

#[tokio::test]
async fn what_is_done_is_done_even_if_nobody_hears_of_it() {
    let scene = Scene::new().await;
    let file = scene.folder.path().join("backup.tar");
    let other = fresh_state();
    for (verb, state) in [("backup", scene.server.state()), ("restore", other.path())] {
        let (nobody, stdout) = std::io::pipe().expect("a pipe");
        drop(nobody);
        let output = Command::new(env!("CARGO_BIN_EXE_kafka"))
            .args([Path::new(verb), &file, Path::new("--state-dir"), state])
            .current_dir(crate::support::repository())
            .stdout(stdout)
            .output()
            .expect("the binary starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{verb}: {said}");
        assert!(said.is_empty(), "{verb}: {said}");
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
        said: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    }
}
