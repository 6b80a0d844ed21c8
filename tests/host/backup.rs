//! `kafka backup` and `kafka restore`: copies of a server at work, and back.

mod load;
mod refused;

use std::collections::BTreeSet;
use std::fs;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{
    FakeModel, House, Outcome, PATIENCE, Process, Server, Setup, User, fresh_state, login,
    run_kafka,
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
    assert!(outcome.success, "{}", outcome.output);
}

/// Fails unless it was refused in one line that has `words`.
#[track_caller]
pub(super) fn is_refused(outcome: &Outcome, words: &str) {
    assert!(!outcome.success, "{}", outcome.output);
    assert!(outcome.output.contains(words), "{}", outcome.output);
    assert_eq!(
        outcome.output.trim().lines().count(),
        1,
        "{}",
        outcome.output
    );
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
async fn a_backup_removes_leftovers_of_others_and_no_file_in_use() {
    let scene = Scene::new().await;
    let folder = scene.folder.path();
    // One that has its folder, and waits until no process has the state alone.
    let restored_to = fresh_state();
    let lock = File::create(restored_to.path().join("lock")).expect("a file");
    lock.lock().expect("no other process has it");
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

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a name of text"))
        .collect()
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
