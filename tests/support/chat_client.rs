//! A v2 client of a chat, which keeps `rev` and `seq` and sends `sync` for missed events
//! (docs/websocket.md#keeping-up). It stores the conversation as a tree, of which the branch of the head is visible.

mod view;

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub use self::view::View;
use super::socket::{Received, Socket, V2};
use super::{PATIENCE, Request};

/// How many visible messages a client reads by itself; older ones it reads in [`ChatClient::scroll_up`].
const ENOUGH: usize = 200;

/// How long a client waits for a frame while a reply runs, before it sends `sync`.
const SILENCE: Duration = Duration::from_secs(3);

/// Decides for each frame whether it is lost on the way.
type Loss = Box<dyn FnMut(&Value) -> bool + Send>;

/// The visible parts of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatMessage {
    pub id: String,
    pub parent_id: Option<String>,
    pub role: String,
    pub kind: String,
    pub content: String,
    pub reasoning: String,
    pub status: String,
}

/// The reply being written.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    pub id: String,
    pub message_id: String,
    pub seq: u64,
}

/// A prompt with an id of its own: sent again, it is the same message.
struct Prompt {
    id: String,
    text: String,
    model: String,
}

impl Prompt {
    fn new(model: &str, text: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: format!("prompt-{}", COUNT.fetch_add(1, Ordering::Relaxed)),
            text: text.to_owned(),
            model: model.to_owned(),
        }
    }

    fn frame(&self) -> Value {
        json!({"action": "new_message", "prompt": self.text, "model": self.model,
            "client_id": self.id, "id": self.id})
    }
}

/// The client.
pub struct ChatClient {
    address: String,
    chat: String,
    socket: Option<Socket>,
    loss: Option<Loss>,
    /// Whether it has sent a prompt and received no frame since.
    has_sent: bool,
    /// The prompt that was not acknowledged. A connection that is cut may take it along, so it is sent again on the next.
    prompt: Option<Prompt>,
    /// When the open `sync` was sent.
    asked: Option<Instant>,
    view: View,
    /// How often it has sent `sync`.
    pub syncs: usize,
    /// How often it had to read messages.
    pub reads: usize,
    connects: usize,
    /// Whether it asks after each silence what it has missed.
    is_watchful: bool,
}

impl Deref for ChatClient {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl DerefMut for ChatClient {
    fn deref_mut(&mut self) -> &mut View {
        &mut self.view
    }
}

impl ChatClient {
    /// Connects to a chat at `address`.
    pub async fn open(address: &str, chat: &str) -> Self {
        let mut client = Self {
            address: address.to_owned(),
            chat: chat.to_owned(),
            socket: None,
            loss: None,
            has_sent: false,
            prompt: None,
            asked: None,
            view: View::default(),
            syncs: 0,
            reads: 0,
            connects: 0,
            is_watchful: false,
        };
        client.connect().await;
        client
    }

    /// From now on it asks after each silence what it has missed, as the page does now and then: a server that was killed
    /// may not have told its last changes.
    pub fn watches(&mut self) {
        self.is_watchful = true;
    }

    /// From now on, frames for which `loss` is true never arrive.
    pub fn loses(&mut self, loss: impl FnMut(&Value) -> bool + Send + 'static) {
        self.loss = Some(Box::new(loss));
    }

    /// From now on, everything arrives.
    pub fn loses_nothing(&mut self) {
        self.loss = None;
    }

    /// Drops the connection without a close frame, and opens another.
    pub async fn cut(&mut self) {
        self.socket = None;
        self.connect().await;
    }

    /// Drops the connection, and opens no other.
    pub fn leave(&mut self) {
        self.socket = None;
    }

    /// Connects to this address.
    pub async fn go_to(&mut self, address: &str) {
        self.address = address.to_owned();
        self.cut().await;
    }

    async fn connect(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        self.connects += 1;
        self.asked = None;
        let headers = [("sec-websocket-protocol", V2)];
        let path = format!("/ws/{}", self.chat);
        let (socket, initial) = loop {
            match Socket::open(&self.address, &path, &headers).await {
                Ok(mut socket) => match socket.next_within(PATIENCE).await {
                    Some(Received::Text(initial)) => break (socket, initial),
                    Some(_) => {}
                    None => panic!("a new socket receives the first frame"),
                },
                // A gateway that restarts, or that can't reach the server for a moment.
                Err(refused) if matches!(refused.status, 0 | 502) => {
                    assert!(Instant::now() < deadline, "can't connect: {refused:?}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(refused) => panic!("the handshake was refused: {refused:?}"),
            }
        };
        assert_eq!(socket.protocol.as_deref(), Some(V2));
        self.socket = Some(socket);
        self.start_with(&serde_json::from_str(&initial).expect("JSON frames"));
        self.sync().await;
        if let Some(prompt) = &self.prompt {
            let frame = prompt.frame();
            self.send(&frame).await;
        }
    }

    /// Asks for the events that it may have missed.
    pub async fn sync(&mut self) {
        self.asked = Some(Instant::now());
        self.syncs += 1;
        self.send(&json!({"action": "sync", "rev": self.rev})).await;
    }

    /// Sends this message.
    pub async fn send(&mut self, message: &Value) {
        let socket = self.socket.as_mut().expect("the client is connected");
        socket.send(message).await;
    }

    /// Sends a prompt.
    pub async fn ask(&mut self, model: &str, prompt: &str) {
        let prompt = Prompt::new(model, prompt);
        self.has_sent = true;
        self.send(&prompt.frame()).await;
        self.prompt = Some(prompt);
    }

    /// Applies the next frame, and returns it if it came and was not lost. Sends `sync` after three seconds of silence
    /// while a reply runs or an answer is missing.
    pub async fn step(&mut self) -> Option<Value> {
        let socket = self.socket.as_mut().expect("the client is connected");
        let frame = match socket.next_within(SILENCE).await {
            Some(Received::Text(text)) => {
                serde_json::from_str::<Value>(&text).expect("JSON frames")
            }
            Some(Received::Lost | Received::Closed(_)) => {
                self.cut().await;
                return None;
            }
            None => {
                let waits = self.running.is_some() || self.asked.is_some() || self.has_sent;
                if waits || self.is_watchful {
                    self.sync().await;
                }
                return None;
            }
        };
        if let Some(loss) = &mut self.loss
            && loss(&frame)
        {
            return None;
        }
        self.has_sent = false;
        self.prompt.take_if(|prompt| frame["id"] == prompt.id);
        self.apply(&frame).await;
        Some(frame)
    }

    /// Applies frames until the connection is lost, and opens no other.
    pub async fn until_lost(&mut self) {
        while let Some(socket) = &mut self.socket {
            match socket.next_within(PATIENCE).await {
                Some(Received::Text(text)) => {
                    let frame = serde_json::from_str(&text).expect("JSON frames");
                    self.apply(&frame).await;
                }
                _ => self.socket = None,
            }
        }
    }

    /// Steps until `done`.
    pub async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(
                Instant::now() < deadline,
                "never happened: {what}; the client is at rev {} with {:?} and {} messages",
                self.rev,
                self.running,
                self.messages.len()
            );
            self.step().await;
        }
    }

    /// Steps until a frame with this `action` comes, and returns it.
    pub async fn action(&mut self, action: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "no frame {action:?} ever came");
            if let Some(frame) = self.step().await
                && frame["action"] == action
            {
                return frame;
            }
        }
    }

    /// Steps until a reply has begun and ended, and returns the last visible message.
    pub async fn reply(&mut self) -> ChatMessage {
        self.ended = None;
        self.until("a reply", |client| client.ended.is_some()).await;
        self.last()
    }

    /// Steps until the last message is a reply that has ended, also to another client's prompt.
    pub async fn settled(&mut self) -> ChatMessage {
        self.until("a reply that has ended", |client| {
            let last = client.messages.last();
            client.asked.is_none()
                && last.is_some_and(|last| last.role == "assistant" && last.status != "running")
        })
        .await;
        self.last()
    }

    /// The last message.
    pub fn last(&self) -> ChatMessage {
        self.messages.last().cloned().expect("a message")
    }

    async fn apply(&mut self, frame: &Value) {
        let is_sync = frame["action"] == "sync";
        if is_sync {
            self.asked = None;
        }
        let asks = self.view.apply(frame);
        let waits = self.asked.is_some_and(|asked| asked.elapsed() <= SILENCE);
        if asks.sync && !waits {
            self.sync().await;
        } else if asks.read {
            self.complete().await;
        }
    }

    /// Reads the missing messages of the active branch.
    async fn complete(&mut self) {
        while let Some(head) = &self.head {
            let is_known = self.known.contains_key(head);
            let query = match self.messages.first() {
                _ if !is_known => String::new(),
                Some(first) if first.parent_id.is_some() && self.messages.len() < ENOUGH => {
                    format!("&before={}", first.id)
                }
                _ => return,
            };
            let found = self.read(&query).await;
            self.arrange();
            // If the head is still unknown, an event about it is on its way.
            if !found || !is_known {
                return;
            }
        }
    }

    /// Reads all of the branch.
    pub async fn scroll_up(&mut self) {
        while let Some(first) = self.messages.first()
            && first.parent_id.is_some()
        {
            let before = format!("&before={}", first.id);
            assert!(self.read(&before).await, "the server answers");
            self.arrange();
        }
    }

    /// Reads a page of messages; false without an answer. Messages that are known already are newer than those of the
    /// page.
    async fn read(&mut self, query: &str) -> bool {
        let (address, chat) = (&self.address, &self.chat);
        let url = format!("http://{address}/chat/{chat}/messages?limit=200{query}");
        let page = match Request::elsewhere("GET", &url).try_send().await {
            // A gateway that can't reach the server for a moment.
            Ok(page) if page.status != 502 => page,
            _ => return false,
        };
        page.has_status(200);
        self.view.learn_page(&page.json());
        self.reads += 1;
        true
    }
}
