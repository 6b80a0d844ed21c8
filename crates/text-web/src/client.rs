//! What a v2 client of a chat keeps, and what each frame changes: `rev`, `seq`, the tree of messages and its visible branch
//! (docs/websocket.md#keeping-up, docs/websocket.md#branches). It neither draws nor sends: each [`Update`] says what is to
//! be drawn again and what is to be asked for.
//!
//! Frames are taken as they come. What a frame lacks counts as empty, so a client of a newer server goes on.

use std::collections::BTreeMap;
use std::mem;

use serde_json::{Value, json};

pub use self::message::Message;
use self::message::{id, messages, messages_in, parent_of, string, text};
pub use self::update::{Asks, Growth, Running, Update};

mod message;
#[cfg(test)]
mod tests;
mod update;

/// Of how many replies the `seq` is kept: a piece of an older one is not the next of the running reply anyway.
const LATELY: usize = 16;

/// The client.
#[derive(Debug, Default)]
pub struct Client {
    rev: u64,
    name: String,
    known: BTreeMap<String, Message>,
    head: Option<String>,
    running: Option<Running>,
    /// The highest `seq` of each reply that was received lately.
    seqs: Vec<(String, u64)>,
    /// Messages with the same parent, in the order in which they were made.
    siblings: BTreeMap<String, Vec<String>>,
    /// The visible messages, as far up as they are known.
    branch: Vec<String>,
    /// What the next [`Update`] has.
    learned: Vec<String>,
    told: (Vec<String>, Vec<(String, Vec<String>)>),
}

impl Client {
    /// Applies a frame, the first one included.
    pub fn apply(&mut self, frame: &Value) -> Update {
        let mut grown = None;
        let asks = match frame["action"].as_str() {
            Some("initial") => self.start(frame),
            Some("delta") => self.delta(frame, "content", &mut grown),
            Some("reasoning_delta") => self.delta(frame, "reasoning", &mut grown),
            Some("sync") => self.synced(frame),
            Some("chat_deleted") => Asks {
                gone: true,
                ..Asks::default()
            },
            Some("ack" | "error") => Asks::default(),
            _ => self.change(frame),
        };
        self.update(asks, grown)
    }

    /// Takes a page of messages that was read over HTTP. What was received before is never older than that.
    pub fn learn_page(&mut self, page: &Value) -> Update {
        for mut message in messages(page) {
            let siblings = message.remove("siblings");
            let parent = parent_of(&message).to_owned();
            if !self.known.contains_key(text(&message, "id")) {
                self.learn(message);
            }
            let listed = siblings.as_ref().and_then(Value::as_array);
            let mut listed: Vec<_> = listed.into_iter().flatten().filter_map(id).collect();
            let older = self.siblings.remove(&parent).unwrap_or_default();
            listed.extend(
                older
                    .into_iter()
                    .filter(|id| !listed.contains(id))
                    .collect::<Vec<_>>(),
            );
            self.siblings.insert(parent, listed);
        }
        self.arrange();
        self.update(Asks::default(), None)
    }

    fn start(&mut self, initial: &Value) -> Asks {
        let rev = initial["rev"].as_u64().unwrap_or_default();
        if rev != self.rev {
            // What was added or deleted meanwhile may be anywhere.
            self.siblings.clear();
        }
        self.rev = rev;
        self.name = string(initial, "chat_name");
        for message in messages_in(initial, "conversation") {
            self.learn(message);
        }
        self.head = id(&initial["head_id"]);
        self.runs(&initial["generation"]);
        self.arrange();
        Asks {
            sync: true,
            read: true,
            files: true,
            gone: false,
        }
    }

    fn delta(&mut self, delta: &Value, field: &'static str, grown: &mut Option<Growth>) -> Asks {
        let generation = string(delta, "generation_id");
        let seq = delta["seq"].as_u64().unwrap_or_default();
        let own = self.seq_of(&generation).unwrap_or_default();
        if seq <= own {
            return Asks::default();
        }
        let is_next = seq == own + 1 && self.running.as_ref().is_some_and(|it| it.id == generation);
        let message = self
            .known
            .get_mut(delta["message_id"].as_str().unwrap_or_default());
        let (true, Some(message), Some(piece)) = (is_next, message, delta["content"].as_str())
        else {
            return Asks::SYNC;
        };
        if let Some(Value::String(text)) = message.get_mut(field) {
            text.push_str(piece);
        } else {
            message.insert(field.to_owned(), piece.into());
        }
        *grown = Some(Growth {
            id: text(message, "id").to_owned(),
            field,
            text: piece.to_owned(),
        });
        self.set_seq(generation, seq);
        Asks::default()
    }

    /// An event with a `rev`.
    fn change(&mut self, event: &Value) -> Asks {
        let Some(rev) = event["rev"].as_u64().filter(|rev| *rev > self.rev) else {
            return Asks::default();
        };
        if rev > self.rev + 1 || event["truncated"] == true {
            return Asks::SYNC;
        }
        self.rev = rev;
        let mut asks = Asks::default();
        match event["action"].as_str().unwrap_or_default() {
            "generation_started" => {
                self.running = Some(Running {
                    id: string(event, "generation_id"),
                    message_id: string(event, "message_id"),
                });
                let message = json!({
                    "id": event["message_id"], "parent_id": event["parent_id"], "role": "assistant", "type": "text",
                    "content": "", "status": "running", "model": event["model"],
                });
                self.add(message);
            }
            "generation_ended" => {
                self.running = None;
                self.add(event["message"].clone());
            }
            "branch_selected" => {
                asks.read = true;
                self.takes_branch(event);
            }
            "messages_deleted" => {
                asks.read = true;
                let gone = event["message_ids"].as_array();
                for id in gone.into_iter().flatten().filter_map(id) {
                    self.forget(&id);
                }
                self.takes_branch(event);
            }
            "message_rated" => {
                if let Some(message) = self.known.get_mut(&string(event, "message_id")) {
                    message.insert("rating".to_owned(), event["rating"].clone());
                    message.insert("note".to_owned(), event["note"].clone());
                    self.learned.push(string(event, "message_id"));
                }
            }
            "chat_renamed" => self.name = string(event, "name"),
            action => {
                asks.files = action.starts_with("file_") || action == "revert_complete";
                self.add(event["message"].clone());
            }
        }
        self.arrange();
        asks
    }

    fn synced(&mut self, sync: &Value) -> Asks {
        let rev = sync["rev"].as_u64().unwrap_or_default();
        let generation = &sync["generation"];
        let seq = generation["seq"].as_u64().unwrap_or_default();
        let own = self.seq_of(generation["id"].as_str().unwrap_or_default());
        // Newer events have arrived meanwhile.
        if rev < self.rev || own.is_some_and(|own| seq < own) {
            return Asks::default();
        }
        if sync["has_forgotten"] == true {
            self.known.clear();
            self.siblings.clear();
            self.branch.clear();
        }
        let files = rev > self.rev;
        self.rev = rev;
        self.discover(sync);
        if let Some(head) = sync.get("head_id") {
            self.head = id(head);
        }
        if let Some(name) = sync["chat_name"].as_str() {
            self.name = name.to_owned();
        }
        self.runs(generation);
        let running = self
            .running
            .as_ref()
            .and_then(|it| self.known.get_mut(&it.message_id));
        if let (Some(message), Some(content)) = (running, generation["content"].as_str()) {
            message.insert("content".to_owned(), content.into());
            let reasoning = generation["reasoning"].as_str().unwrap_or_default();
            message.insert("reasoning".to_owned(), reasoning.into());
            self.learned.push(text(message, "id").to_owned());
        }
        self.arrange();
        Asks {
            sync: sync["has_more"] == true,
            read: true,
            files,
            gone: false,
        }
    }

    /// The generation of a frame, unless it has ended.
    fn runs(&mut self, generation: &Value) {
        self.running = None;
        let status = generation["status"].as_str().unwrap_or("running");
        if let (Some(id), "running") = (id(&generation["id"]), status) {
            let seq = generation["seq"].as_u64().unwrap_or_default();
            self.set_seq(id.clone(), seq);
            let message_id = string(generation, "message_id");
            self.running = Some(Running { id, message_id });
        }
    }

    fn seq_of(&self, generation: &str) -> Option<u64> {
        let found = self.seqs.iter().find(|(id, _)| id == generation);
        found.map(|(_, seq)| *seq)
    }

    fn set_seq(&mut self, generation: String, seq: u64) {
        self.seqs.retain(|(id, _)| *id != generation);
        self.seqs.truncate(LATELY - 1);
        self.seqs.insert(0, (generation, seq));
    }

    /// The head and the messages of an event about the active branch.
    fn takes_branch(&mut self, event: &Value) {
        self.discover(event);
        self.head = id(&event["head_id"]);
    }

    /// Learns the messages of a frame. The siblings of those that are new are to be read: there may be others of them that
    /// this client was never told of.
    fn discover(&mut self, frame: &Value) {
        for message in messages(frame) {
            if !self.known.contains_key(text(&message, "id")) {
                self.siblings.remove(parent_of(&message));
            }
            self.learn(message);
        }
    }

    /// Adds a message; a new one is the head, and the last of its siblings.
    fn add(&mut self, message: Value) {
        let Value::Object(message) = message else {
            return;
        };
        let id = text(&message, "id").to_owned();
        if id.is_empty() {
            return;
        }
        if !self.known.contains_key(&id) {
            let siblings = self
                .siblings
                .entry(parent_of(&message).to_owned())
                .or_default();
            if !siblings.contains(&id) {
                siblings.push(id.clone());
            }
            self.head = Some(id);
        }
        self.learn(message);
    }

    fn learn(&mut self, message: Message) {
        let id = text(&message, "id").to_owned();
        self.learned.push(id.clone());
        self.known.insert(id, message);
    }

    fn forget(&mut self, id: &str) {
        self.siblings.remove(id);
        if let Some(message) = self.known.remove(id)
            && let Some(siblings) = self.siblings.get_mut(parent_of(&message))
        {
            siblings.retain(|other| other != id);
        }
    }

    /// Makes the branch of the head visible. While the head is unknown, the visible messages stay.
    fn arrange(&mut self) {
        let of = |id: &str| self.known.get_key_value(id);
        let head = self.head.as_deref().and_then(of);
        let branch = std::iter::successors(head, |(_, message)| of(parent_of(message)));
        // What goes in a circle, which no server sends, ends.
        let branch = branch.take(self.known.len());
        let mut branch: Vec<String> = branch.map(|(id, _)| id.clone()).collect();
        branch.reverse();
        if self.head.is_none() || !branch.is_empty() {
            self.branch = branch;
        } else {
            self.branch.retain(|id| self.known.contains_key(id));
        }
    }

    /// The update after a change; what did not change is not in it.
    fn update(&mut self, asks: Asks, grown: Option<Growth>) -> Update {
        let mut learned = mem::take(&mut self.learned);
        learned.sort_unstable();
        learned.dedup();
        let of = |id: &String| self.known.get(id);
        let shown = || self.branch.iter().filter_map(of);
        let is_structure = !learned.is_empty() || asks != Asks::default() || grown.is_none();
        let mut update = Update {
            asks,
            rev: self.rev,
            name: self.name.clone(),
            head: self.head.clone(),
            running: self.running.clone(),
            messages: learned.iter().filter_map(of).cloned().collect(),
            grown,
            branch: None,
            siblings: None,
            lacks: false,
            has_older: shown()
                .next()
                .is_some_and(|first| !parent_of(first).is_empty()),
        };
        // A piece of a reply moves nothing, and there are many of them.
        if is_structure {
            let is_unknown = |id: &String| !self.known.contains_key(id);
            update.lacks = self.head.as_ref().is_some_and(is_unknown)
                || shown().any(|message| !self.siblings.contains_key(parent_of(message)));
            let siblings: Vec<_> = shown()
                .filter_map(|message| {
                    let all = self
                        .siblings
                        .get(parent_of(message))
                        .filter(|all| all.len() > 1)?;
                    Some((text(message, "id").to_owned(), all.clone()))
                })
                .collect();
            if self.branch != self.told.0 {
                self.told.0.clone_from(&self.branch);
                update.branch = Some(self.branch.clone());
            }
            if siblings != self.told.1 {
                self.told.1.clone_from(&siblings);
                update.siblings = Some(siblings);
            }
        }
        update
    }
}
