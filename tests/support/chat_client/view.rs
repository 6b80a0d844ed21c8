//! What a client knows of a chat, and the effect of each frame on that.

use std::collections::HashMap;

use serde_json::Value;

use super::{ChatMessage, Running};

/// What a frame asks the client to do.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Asks {
    /// Send `sync`.
    pub sync: bool,
    /// Read the missing messages of the active branch.
    pub read: bool,
}

const SYNC: Asks = Asks {
    sync: true,
    read: false,
};
const READ: Asks = Asks {
    sync: false,
    read: true,
};

/// What the client knows.
#[derive(Default)]
pub struct View {
    pub rev: u64,
    /// Every message that it has received.
    pub(super) known: HashMap<String, ChatMessage>,
    /// The message that the active branch ends with.
    pub head: Option<String>,
    /// The active branch, as far up as it is known.
    pub messages: Vec<ChatMessage>,
    pub running: Option<Running>,
    /// The last `generation_ended`, or the `sync` that took its place.
    pub ended: Option<Value>,
    pub chat_name: String,
    /// Deltas that it has added.
    pub deltas: usize,
    /// The highest seq of each reply.
    seqs: HashMap<String, u64>,
}

impl View {
    /// Applies the first frame.
    pub fn start_with(&mut self, initial: &Value) {
        assert_eq!(initial["action"], "initial", "the first frame: {initial}");
        self.rev = number(initial, "rev");
        self.chat_name = string(initial, "chat_name");
        let messages = initial["conversation"].as_array().expect("a list");
        let messages = messages.iter().map(message_of);
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

    /// Applies any other frame.
    pub fn apply(&mut self, frame: &Value) -> Asks {
        match frame["action"].as_str() {
            Some("delta" | "reasoning_delta") => self.delta(frame),
            Some("sync") => {
                self.synced(frame);
                let sync = frame["has_more"] == true;
                Asks { sync, read: !sync }
            }
            Some("ack" | "error") => Asks::default(),
            _ => self.change(frame),
        }
    }

    /// Takes a page of messages. Those that are known already are newer than those of the page.
    pub fn learn_page(&mut self, page: &Value) {
        for message in page["messages"].as_array().expect("a list") {
            let message = message_of(message);
            self.known.entry(message.id.clone()).or_insert(message);
        }
        self.arrange();
    }

    fn delta(&mut self, delta: &Value) -> Asks {
        let (id, seq) = (string(delta, "generation_id"), number(delta, "seq"));
        let known = self.seqs.get(&id).copied().unwrap_or(0);
        if seq <= known {
            return Asks::default();
        }
        let running = self.running.as_mut().filter(|running| running.id == id);
        let Some(running) = running.filter(|_| seq == known + 1) else {
            return SYNC;
        };
        running.seq = seq;
        let message = running.message_id.clone();
        self.seqs.insert(id, seq);
        let text = string(delta, "content");
        assert!(!text.is_empty(), "a delta has text");
        let known = self.known.get_mut(&message);
        let known = known.expect("the message was announced");
        match delta["action"] == "delta" {
            true => known.content += &text,
            false => known.reasoning += &text,
        }
        self.deltas += 1;
        self.arrange();
        Asks::default()
    }

    /// An event with a `rev`.
    fn change(&mut self, event: &Value) -> Asks {
        let rev = number(event, "rev");
        if rev <= self.rev {
            return Asks::default();
        }
        if rev > self.rev + 1 || event["truncated"] == true {
            return SYNC;
        }
        self.rev = rev;
        match event["action"].as_str() {
            Some("message") => self.add(message_of(&event["message"])),
            Some("generation_started") => {
                let running = Running {
                    id: string(event, "generation_id"),
                    message_id: string(event, "message_id"),
                    seq: 0,
                };
                self.add(ChatMessage {
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
                self.add(message_of(&event["message"]));
                self.running = None;
                self.ended = Some(event.clone());
            }
            Some("branch_selected") => {
                for message in event["messages"].as_array().expect("a list") {
                    self.learn(message_of(message));
                }
                self.head = Some(string(event, "head_id"));
                self.arrange();
                return READ;
            }
            Some("messages_deleted") => {
                for id in event["message_ids"].as_array().expect("a list") {
                    self.known.remove(id.as_str().expect("an id"));
                }
                for message in event["messages"].as_array().expect("a list") {
                    self.learn(message_of(message));
                }
                self.head = event["head_id"].as_str().map(str::to_owned);
                self.arrange();
                return READ;
            }
            Some("chat_renamed") => self.chat_name = string(event, "name"),
            _ if event["message"].is_object() => self.add(message_of(&event["message"])),
            _ => {}
        }
        Asks::default()
    }

    fn synced(&mut self, sync: &Value) {
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
        if sync["has_forgotten"] == true {
            self.known.clear();
        }
        for message in sync["messages"].as_array().expect("a list") {
            let message = message_of(message);
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

    /// Adds a message; a new one is the head of the active branch.
    fn add(&mut self, message: ChatMessage) {
        if !self.known.contains_key(&message.id) {
            self.head = Some(message.id.clone());
        }
        self.learn(message);
        self.arrange();
    }

    /// Makes the branch of the head visible. While the head is unknown, the visible messages stay.
    pub(super) fn arrange(&mut self) {
        let of = |id: &Option<String>| id.as_ref().and_then(|id| self.known.get(id));
        let branch = std::iter::successors(of(&self.head), |message| of(&message.parent_id));
        let mut branch: Vec<ChatMessage> = branch.cloned().collect();
        branch.reverse();
        if self.head.is_none() || !branch.is_empty() {
            self.messages = branch;
        }
    }

    fn learn(&mut self, message: ChatMessage) {
        self.known.insert(message.id.clone(), message);
    }
}

fn message_of(message: &Value) -> ChatMessage {
    ChatMessage {
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
