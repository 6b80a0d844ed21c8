//! Memory stays flat, whatever is sent (docs/promises.md#8-bounded-sizes).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hyper::body::Bytes;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::support::archive::archive;
use crate::support::{Multipart, Response, Server, User, login};

const MIB: u64 = 1 << 20;
const ALLOWED: u64 = 64 * MIB;
const PIECE: usize = 64 * 1024;

/// Follows a server's memory while something happens.
struct Watch {
    before: u64,
    highest: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
    watcher: JoinHandle<()>,
}

impl Watch {
    fn start(server: &Arc<Server>) -> Self {
        let (server, before) = (server.clone(), server.memory());
        let (highest, done) = (
            Arc::new(AtomicU64::new(before)),
            Arc::new(AtomicBool::new(false)),
        );
        let watcher = tokio::spawn({
            let (highest, done) = (highest.clone(), done.clone());
            async move {
                while !done.load(Ordering::Relaxed) {
                    highest.fetch_max(server.memory(), Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
        Self {
            before,
            highest,
            done,
            watcher,
        }
    }

    /// Fails if memory grew by more than is allowed at any time since the start.
    async fn assert_flat(self) {
        self.done.store(true, Ordering::Relaxed);
        self.watcher.await.expect("the watcher does not panic");
        let grown = self
            .highest
            .load(Ordering::Relaxed)
            .saturating_sub(self.before);
        println!("{} MiB grew by {} MiB", self.before / MIB, grown / MIB);
        assert!(grown <= ALLOWED, "it grew by {} MiB", grown / MIB);
    }
}

/// A server that has done everything once, so that what comes later is not its first time.
async fn warm_server() -> (Arc<Server>, User) {
    let server = Arc::new(Server::start().await);
    let user = login(&server, "someone@example.com").await;
    let content = vec![1; 1 << 20];
    let file = server.file(&user, "warm", &content).await;
    let stored = server.get(&format!("/file/{file}/content")).send().await;
    assert!(stored.body == content);
    (server, user)
}

/// The form of an upload up to the first byte of its file, and what comes after the last.
fn form_around_file(user: &User) -> (String, Bytes, Bytes) {
    let form = user.to_workspace().begin_file("big.bin");
    let content_type = form.content_type();
    let end = Multipart::new().raw("\r\n").into_bytes();
    (content_type, form.into_truncated_bytes().into(), end.into())
}

/// The `n`th piece of a file; no two of neighbouring pieces are alike.
fn piece(n: usize) -> Bytes {
    Bytes::from(vec![(n % 251) as u8; PIECE])
}

/// Uploads a file of `size` bytes, with or without saying how long it is.
async fn upload(
    server: &Server,
    user: &User,
    size: usize,
    says_length: bool,
) -> Result<Response, String> {
    let (content_type, head, end) = form_around_file(user);
    let length = head.len() + size + end.len();
    let pieces = std::iter::once(head)
        .chain((0..size / PIECE).map(piece))
        .chain(std::iter::once(end));
    let request = server.post("/file/upload").chunked(&content_type, pieces);
    let request = if says_length {
        request.header("content-length", &length.to_string())
    } else {
        request
    };
    request.try_send().await
}

async fn a_gigabyte_is_refused(says_length: bool) {
    let (server, user) = warm_server().await;
    let watch = Watch::start(&server);
    let response = upload(&server, &user, 1 << 30, says_length)
        .await
        .expect("an answer, not a dropped connection");
    response.is_error(413, "Request body too large.");
    watch.assert_flat().await;
    assert_eq!(server.database().await.count("file").await, 1);
    server.login(&user.email).await.has_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_flat_while_a_gigabyte_of_known_length_is_refused() {
    a_gigabyte_is_refused(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_flat_while_a_gigabyte_of_unknown_length_is_refused() {
    a_gigabyte_is_refused(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_flat_while_90_megabytes_are_stored_and_read() {
    const SIZE: usize = 90 * 1_000_000 / PIECE * PIECE;
    let (server, user) = warm_server().await;
    let watch = Watch::start(&server);
    let response = upload(&server, &user, SIZE, true).await.expect("an answer");
    response.has_status(200);
    let stored = server.get(&response.string("/details/0/url")).send().await;
    watch.assert_flat().await;
    assert_eq!(stored.body.len(), SIZE);
    let wrong = stored
        .body
        .chunks(PIECE)
        .enumerate()
        .find(|(n, stored)| *stored != piece(*n));
    assert!(
        wrong.is_none(),
        "piece {:?} is not what was sent",
        wrong.map(|(n, _)| n)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_flat_while_sixteen_clients_upload_at_once() {
    const SIZE: usize = 160 * PIECE;
    let (server, user) = warm_server().await;
    let watch = Watch::start(&server);
    let uploads = (0..16).map(|_| upload(&server, &user, SIZE, true));
    for response in futures::future::join_all(uploads).await {
        response.expect("an answer").has_status(200);
    }
    watch.assert_flat().await;
    assert_eq!(server.database().await.count("file").await, 17);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_flat_while_an_archive_is_imported() {
    let (server, user) = warm_server().await;
    let text = "text ".repeat(60_000);
    let message = |n: usize| {
        let parent = n.checked_sub(1).map(|n| format!("m{n}"));
        json!({
            "id": format!("m{n}"), "parent_id": parent, "role": "user", "type": "text", "content": text,
            "status": "complete", "model": null, "created_at": "2026-01-01T00:00:00.000000+00:00", "selected": 0,
        })
    };
    let chat = json!({
        "version": 1, "id": "c", "name": "long", "workspace_id": "w",
        "messages": (0..150).map(message).collect::<Vec<_>>(), "files": [],
    });
    let bytes: Vec<u8> = (0..1200).flat_map(piece).collect();
    let archive = Bytes::from(archive(&[
        ("workspaces/w/f/big.bin", bytes),
        ("chats/c/chat.json", chat.to_string().into_bytes()),
    ]));
    let path = format!("/import?user_id={}", user.id);
    let watch = Watch::start(&server);
    let answer = server.post(&path).body("application/zip", archive);
    let answer = answer.send().await;
    answer.has_status(200);
    assert_eq!(answer.json()["made"]["chats"], 1, "{answer:?}");
    assert_eq!(answer.json()["made"]["files"], 1, "{answer:?}");
    watch.assert_flat().await;
}
