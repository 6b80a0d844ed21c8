//! A v2 window of a chat: keeps `rev` and `seq`, and catches up (docs/websocket.md#keeping-up). It knows the
//! conversation as a tree, and shows the branch that ends with the head.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::socket::{Said, Socket, V2};
use super::{PATIENCE, Request};

/// How many messages a window wants to show; older ones it reads when somebody scrolls up.
const ENOUGH: usize = 200;

/// How long a window waits for a word while a reply runs, before it asks.
const SILENCE: Duration = Duration::from_secs(3);

/// Decides for each frame whether it is lost on the way.
type Loss = Box<dyn FnMut(&Value) -> bool + Send>;

/// What a person sees of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
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

/// A window.
pub struct Window {
    address: String,
    chat: String,
    socket: Option<Socket>,
    loss: Option<Loss>,
    /// Whether it has said something of which nothing has been heard.
    said: bool,
    /// Whether a `sync` is under way.
    asked: Option<Instant>,
    /// Whether the next `initial` was followed by anything yet.
    pub rev: u64,
    /// Every message that it has heard of.
    known: HashMap<String, Shown>,
    /// The message that the active branch ends with.
    pub head: Option<String>,
    /// The active branch, as far up as it is known.
    pub messages: Vec<Shown>,
    pub running: Option<Running>,
    /// The last `generation_ended`, or what a sync told instead.
    pub ended: Option<Value>,
    pub chat_name: String,
    /// How often it had to ask for what it missed.
    pub syncs: usize,
    /// How often it had to read messages.
    pub reads: usize,
    /// Deltas shown, and when each came.
    pub deltas: usize,
    /// The highest seq of each reply.
    seqs: HashMap<String, u64>,
    connects: usize,
}

impl Window {
    /// Opens a window of a chat at `address`.
    pub async fn open(address: &str, chat: &str) -> Self {
        let mut window = Self {
            address: address.to_owned(),
            chat: chat.to_owned(),
            socket: None,
            loss: None,
            said: false,
            asked: None,
            rev: 0,
            known: HashMap::new(),
            head: None,
            messages: Vec::new(),
            running: None,
            ended: None,
            chat_name: String::new(),
            syncs: 0,
            reads: 0,
            deltas: 0,
            seqs: HashMap::new(),
            connects: 0,
        };
        window.connect().await;
        window
    }

    /// From now on, frames for which `loss` says so never arrive.
    pub fn loses(&mut self, loss: impl FnMut(&Value) -> bool + Send + 'static) {
        self.loss = Some(Box::new(loss));
    }

    /// From now on, everything arrives.
    pub fn loses_nothing(&mut self) {
        self.loss = None;
    }

    /// Cuts the connection without a word, and opens another.
    pub async fn cut(&mut self) {
        self.socket = None;
        self.connect().await;
    }

    /// Cuts the connection and stays away.
    pub fn leave(&mut self) {
        self.socket = None;
    }

    /// Comes to another server, or back.
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
        let mut socket = loop {
            match Socket::open(&self.address, &path, &headers).await {
                Ok(socket) => break socket,
                // A gateway that restarts, or that can't reach the server for a moment.
                Err(refused) if matches!(refused.status, 0 | 502) => {
                    assert!(Instant::now() < deadline, "can't connect: {refused:?}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(refused) => panic!("the handshake was refused: {refused:?}"),
            }
        };
        assert_eq!(socket.protocol.as_deref(), Some(V2));
        let initial = socket.json().await;
        self.socket = Some(socket);
        self.start_with(&initial);
        self.sync().await;
    }

    fn start_with(&mut self, initial: &Value) {
        assert_eq!(initial["action"], "initial", "the first frame: {initial}");
        self.rev = number(initial, "rev");
        self.chat_name = string(initial, "chat_name");
        let messages = initial["conversation"].as_array().expect("a list");
        let messages = messages.iter().map(shown);
        self.known = messages
            .map(|message| (message.id.clone(), message))
            .collect();
        self.head = initial["head_id"].as_str().map(str::to_owned);
        self.arrange();
        self.running = running(&initial["generation"]);
        if let Some(running) = &self.running {
            self.seqs.insert(running.id.clone(), running.seq);
        }
    }

    /// Asks for what it may have missed.
    pub async fn sync(&mut self) {
        self.asked = Some(Instant::now());
        self.syncs += 1;
        self.send(&json!({"action": "sync", "rev": self.rev})).await;
    }

    /// Sends a message as it is.
    pub async fn send(&mut self, message: &Value) {
        let socket = self.socket.as_mut().expect("the window is open");
        socket.send(message).await;
    }

    /// Asks the model.
    pub async fn ask(&mut self, model: &str, prompt: &str) {
        self.said = true;
        self.send(&json!({"action": "new_message", "prompt": prompt, "model": model}))
            .await;
    }

    /// Takes the next frame and does what it says; the frame, if it came and was not lost. After three seconds of
    /// silence while a reply runs, or while an answer to `sync` is missing, it asks.
    pub async fn step(&mut self) -> Option<Value> {
        let socket = self.socket.as_mut().expect("the window is open");
        let frame = match socket.next_within(SILENCE).await {
            Some(Said::Text(text)) => serde_json::from_str::<Value>(&text).expect("JSON frames"),
            Some(Said::Lost | Said::Closed(_)) => {
                self.cut().await;
                return None;
            }
            None => {
                if self.running.is_some() || self.asked.is_some() || self.said {
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
        self.said = false;
        self.apply(&frame).await;
        Some(frame)
    }

    /// Takes what comes until the connection is lost, and stays away.
    pub async fn until_lost(&mut self) {
        while let Some(socket) = &mut self.socket {
            match socket.next_within(PATIENCE).await {
                Some(Said::Text(text)) => {
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
                "never happened: {what}; the window is at rev {} with {:?} and {} messages",
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

    /// Steps until a reply has begun and ended; what the window shows of it.
    pub async fn reply(&mut self) -> Shown {
        self.ended = None;
        self.until("a reply", |window| window.ended.is_some()).await;
        self.last()
    }

    /// Steps until the last message is a reply that has ended, whoever asked for it.
    pub async fn settled(&mut self) -> Shown {
        self.until("a reply that has ended", |window| {
            let last = window.messages.last();
            window.asked.is_none()
                && last.is_some_and(|last| last.role == "assistant" && last.status != "running")
        })
        .await;
        self.last()
    }

    /// The last message.
    pub fn last(&self) -> Shown {
        self.messages.last().cloned().expect("a message")
    }

    async fn apply(&mut self, frame: &Value) {
        match frame["action"].as_str() {
            Some("delta" | "reasoning_delta") => self.delta(frame).await,
            Some("sync") => {
                self.synced(frame);
                if frame["has_more"] == true {
                    self.sync().await;
                } else {
                    self.complete().await;
                }
            }
            Some("ack" | "error") => {}
            _ => self.change(frame).await,
        }
    }

    async fn delta(&mut self, delta: &Value) {
        let (id, seq) = (string(delta, "generation_id"), number(delta, "seq"));
        let known = self.seqs.get(&id).copied().unwrap_or(0);
        if seq <= known {
            return;
        }
        let running = self.running.as_mut().filter(|running| running.id == id);
        let Some(running) = running.filter(|_| seq == known + 1) else {
            return self.sync_once().await;
        };
        running.seq = seq;
        let message = running.message_id.clone();
        self.seqs.insert(id, seq);
        let text = string(delta, "content");
        assert!(!text.is_empty(), "a delta has text");
        let shown = self.known.get_mut(&message);
        let shown = shown.expect("the message was announced");
        match delta["action"] == "delta" {
            true => shown.content += &text,
            false => shown.reasoning += &text,
        }
        self.deltas += 1;
        self.arrange();
    }

    /// An event with a `rev`.
    async fn change(&mut self, event: &Value) {
        let rev = number(event, "rev");
        if rev <= self.rev {
            return;
        }
        if rev > self.rev + 1 {
            return self.sync_once().await;
        }
        self.rev = rev;
        match event["action"].as_str() {
            Some("message") => self.show(shown(&event["message"])),
            Some("generation_started") => {
                let running = Running {
                    id: string(event, "generation_id"),
                    message_id: string(event, "message_id"),
                    seq: 0,
                };
                self.show(Shown {
                    id: running.message_id.clone(),
                    parent_id: Some(string(event, "parent_id")),
                    role: "assistant".to_owned(),
                    kind: "text".to_owned(),
                    content: String::new(),
                    reasoning: String::new(),
                    status: "running".to_owned(),
                });
                self.running = Some(running);
            }
            Some("generation_ended") => {
                assert_eq!(event["message"]["id"], event["message_id"]);
                self.show(shown(&event["message"]));
                self.running = None;
                self.ended = Some(event.clone());
            }
            Some("branch_selected") => {
                for message in event["messages"].as_array().expect("a list") {
                    self.learn(shown(message));
                }
                self.head = Some(string(event, "head_id"));
                self.arrange();
                self.complete().await;
            }
            Some("chat_renamed") => self.chat_name = string(event, "name"),
            _ if event["message"].is_object() => self.show(shown(&event["message"])),
            _ => {}
        }
    }

    fn synced(&mut self, sync: &Value) {
        self.asked = None;
        let rev = number(sync, "rev");
        if rev < self.rev {
            // Older than what came meanwhile.
            return;
        }
        let running = running(&sync["generation"]);
        let ours = |running: &Running| self.seqs.get(&running.id).copied().unwrap_or(0);
        if running
            .as_ref()
            .is_some_and(|running| running.seq < ours(running))
        {
            return;
        }
        let before = self.running.take();
        for message in sync["messages"].as_array().expect("a list") {
            let message = shown(message);
            let ended = before
                .as_ref()
                .is_some_and(|before| before.message_id == message.id);
            if ended && running.is_none() {
                self.ended = Some(sync.clone());
            }
            self.learn(message);
        }
        self.head = sync["head_id"].as_str().map(str::to_owned);
        if let Some(name) = sync["chat_name"].as_str() {
            self.chat_name = name.to_owned();
        }
        self.rev = rev;
        if let Some(running) = &running {
            let text = string(&sync["generation"], "content");
            self.seqs.insert(running.id.clone(), running.seq);
            if let Some(message) = self.known.get_mut(&running.message_id) {
                message.content = text;
                let reasoning = sync["generation"]["reasoning"].as_str();
                message.reasoning = reasoning.unwrap_or_default().to_owned();
            }
        }
        self.running = running;
        self.arrange();
    }

    async fn sync_once(&mut self) {
        if self.asked.is_none_or(|asked| asked.elapsed() > SILENCE) {
            self.sync().await;
        }
    }

    /// What is new ends the active branch.
    fn show(&mut self, message: Shown) {
        if !self.known.contains_key(&message.id) {
            self.head = Some(message.id.clone());
        }
        self.learn(message);
        self.arrange();
    }

    fn learn(&mut self, message: Shown) {
        self.known.insert(message.id.clone(), message);
    }

    /// Follows the branch up from its head. While that is unknown, what was shown stays.
    fn arrange(&mut self) {
        let of = |id: &Option<String>| id.as_ref().and_then(|id| self.known.get(id));
        let branch = std::iter::successors(of(&self.head), |message| of(&message.parent_id));
        let mut branch: Vec<Shown> = branch.cloned().collect();
        branch.reverse();
        if self.head.is_none() || !branch.is_empty() {
            self.messages = branch;
        }
    }

    /// Reads what it lacks of the branch that it is to show.
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
            // With another head than was told, there is more to be told.
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

    /// Reads a page of messages, unless nobody answers. What is known is newer than what is read.
    async fn read(&mut self, query: &str) -> bool {
        let (address, chat) = (&self.address, &self.chat);
        let url = format!("http://{address}/chat/{chat}/messages?limit=200{query}");
        let Ok(page) = Request::elsewhere("GET", &url).try_send().await else {
            return false;
        };
        page.has_status(200);
        for message in page.json()["messages"].as_array().expect("a list") {
            let message = shown(message);
            self.known.entry(message.id.clone()).or_insert(message);
        }
        self.reads += 1;
        true
    }
}

fn shown(message: &Value) -> Shown {
    Shown {
        id: string(message, "id"),
        parent_id: message["parent_id"].as_str().map(str::to_owned),
        role: string(message, "role"),
        kind: string(message, "type"),
        content: message["content"].as_str().unwrap_or_default().to_owned(),
        reasoning: message["reasoning"].as_str().unwrap_or_default().to_owned(),
        status: message["status"].as_str().unwrap_or("complete").to_owned(),
    }
}

fn running(generation: &Value) -> Option<Running> {
    let ended = generation["status"]
        .as_str()
        .is_some_and(|status| status != "running");
    (generation.is_object() && !ended).then(|| Running {
        id: string(generation, "id"),
        message_id: string(generation, "message_id"),
        seq: number(generation, "seq"),
    })
}

#[track_caller]
fn string(frame: &Value, name: &str) -> String {
    let text = frame[name].as_str();
    text.unwrap_or_else(|| panic!("{name} is a string in {frame}"))
        .to_owned()
}

#[track_caller]
fn number(frame: &Value, name: &str) -> u64 {
    let number = frame[name].as_u64();
    number.unwrap_or_else(|| panic!("{name} is a number in {frame}"))
}
