//! The feed of a user (docs/websocket.md#the-feed-of-a-user): what changes of all that is theirs, through a socket and as
//! server-sent events.

mod changes;
mod missed;
mod stream;

use serde_json::{Value, json};

use super::{KEY, save_model};
use crate::support::{A_WHILE, PATIENCE, Received, Server, Socket, V2};

/// A client of a feed: what docs/websocket.md tells it to keep.
pub(super) struct Feed {
    user: String,
    socket: Socket,
    rev: u64,
    /// All changes, each once, in their order.
    changes: Vec<Value>,
    /// How often it had to ask for what it missed.
    gaps: usize,
    /// How often it was told to read everything again.
    forgotten: usize,
    /// The running replies.
    running: Vec<String>,
    /// Whether what is published again may come again.
    has_repeats: bool,
}

impl Feed {
    pub(super) async fn open(server: &Server, user: &str) -> Self {
        let (socket, rev, running) = open(server, user).await;
        Self {
            user: user.to_owned(),
            socket,
            rev,
            changes: Vec::new(),
            gaps: 0,
            forgotten: 0,
            running,
            has_repeats: server.is_behind_pushpin(),
        }
    }

    /// The connection is lost, and comes back at this server.
    pub(super) async fn opens_again(&mut self, server: &Server) {
        let (socket, _, running) = open(server, &self.user).await;
        (self.socket, self.running) = (socket, running);
        self.asks().await;
    }

    /// Fails if anything new comes for a while; returns what comes again, which Pushpin alone does not drop.
    async fn is_quiet(&mut self) -> Vec<Value> {
        let mut repeats = Vec::new();
        while let Some(received) = self.socket.next_within(A_WHILE).await {
            let Received::Text(text) = &received else {
                panic!("{received:?}");
            };
            let frame: Value = serde_json::from_str(text).expect("JSON");
            assert!(
                self.has_repeats && rev(&frame) <= self.rev,
                "nothing new should come: {frame}"
            );
            repeats.push(frame);
        }
        repeats
    }

    async fn asks(&mut self) {
        let sync = json!({ "action": "sync", "rev": self.rev });
        self.socket.send(&sync).await;
    }

    /// Takes in the next frame.
    async fn step(&mut self) {
        let frame = self.socket.json().await;
        if frame["action"] != "sync" {
            return self.takes(frame).await;
        }
        if frame["has_forgotten"] == true {
            self.forgotten += 1;
            self.rev = rev(&frame);
        }
        if rev(&frame) < self.rev {
            return;
        }
        for change in frame["events"].as_array().expect("a list") {
            if rev(change) > self.rev {
                assert_eq!(rev(change), self.rev + 1, "{frame}");
                self.applies(change.clone());
            }
        }
        assert_eq!(rev(&frame), self.rev, "{frame}");
        self.running = ids(&frame["generations"]);
        if frame["has_more"] == true {
            self.asks().await;
        }
    }

    async fn takes(&mut self, change: Value) {
        match rev(&change) {
            old if old <= self.rev => {}
            next if next == self.rev + 1 => self.applies(change),
            _ => {
                self.gaps += 1;
                self.asks().await;
            }
        }
    }

    fn applies(&mut self, change: Value) {
        self.rev = rev(&change);
        let id = change["generation_id"].as_str().unwrap_or_default();
        match change["action"].as_str() {
            Some("generation_started") => self.running.push(id.to_owned()),
            Some("generation_ended") => self.running.retain(|running| running != id),
            _ => {}
        }
        self.changes.push(change);
    }

    /// Takes in frames until a change fits; returns it.
    async fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut looked = 0;
        loop {
            if let Some(change) = self.changes[looked..].iter().find(|change| fits(change)) {
                return change.clone();
            }
            looked = self.changes.len();
            let step = tokio::time::timeout(PATIENCE, self.step()).await;
            assert!(step.is_ok(), "{what} did not come: {:#?}", self.changes);
        }
    }

    /// Takes in frames until it has so many changes.
    pub(super) async fn has(&mut self, count: usize) {
        while self.changes.len() < count {
            self.step().await;
        }
    }

    /// The same for one change more than it has.
    async fn has_one_more(&mut self) {
        self.has(self.changes.len() + 1).await;
    }

    /// What the changes are called, and what has changed.
    pub(super) fn actions(&self) -> Vec<String> {
        self.changes.iter().map(short).collect()
    }
}

/// A socket, the rev that it opens with, and the running replies.
async fn open(server: &Server, user: &str) -> (Socket, u64, Vec<String>) {
    let path = format!("/ws/user/{user}");
    let headers = [("sec-websocket-protocol", V2)];
    let opening = server.try_socket(&path, &headers);
    let socket = server.hearing(&path, 1, opening).await;
    let mut socket = socket.expect("the handshake succeeds");
    assert_eq!(socket.protocol.as_deref(), Some(V2));
    let first = socket.json().await;
    assert_eq!(first["action"], "initial", "{first}");
    assert_eq!(first["protocol"], 2);
    assert_eq!(first["user_id"], user);
    (socket, rev(&first), ids(&first["generations"]))
}

fn rev(event: &Value) -> u64 {
    event["rev"]
        .as_u64()
        .unwrap_or_else(|| panic!("a rev: {event}"))
}

fn ids(things: &Value) -> Vec<String> {
    let things = things.as_array().expect("a list").iter();
    let ids = things.map(|thing| thing["id"].as_str().expect("an id").to_owned());
    ids.collect()
}

/// `chat_changed name settings`.
fn short(change: &Value) -> String {
    let action = change["action"].as_str().expect("a text").to_owned();
    let changed = change["changed"].as_array().into_iter().flatten();
    changed.fold(action, |text, word| {
        text + " " + word.as_str().expect("a text")
    })
}

/// A change with this action.
fn is(action: &str) -> impl Fn(&Value) -> bool {
    move |change| change["action"] == action
}
