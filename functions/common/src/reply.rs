//! Replies, as two components share them: `relay` begins one in a transaction, `reply` asks the model and writes it.
//!
//! Between them is one request by service chaining, with a [`Begun`]. They are two so that what a client sends can't end
//! anybody's reply: `relay` reads what strangers send and may run out of memory over it, `reply` gets only what `relay`
//! has checked. Not here: how a reply is written (component `reply`) and how it is shown (component `relay`).

pub mod audience;
pub mod ending;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::events::{Event, GenerationEnded};
use crate::api::id::{GenerationId, MessageId};
use crate::api::relay::Message;
use crate::api::settings::InForce;
use crate::db::{self, Db};
use crate::grip::Item;
use crate::links::Called;
use crate::{clock, conversation, params};
use audience::Audience;

/// Where `relay` reaches `reply`: service chaining of Spin, to the component of that id.
pub const ORIGIN: &str = "http://reply.spin.internal";

/// How long the news that a reply begins wait for its first piece, for which people wait more: longer than our part of that
/// piece's way, and too short for a person.
pub const FIRST_PIECE_FIRST: Duration = Duration::from_millis(25);

/// The path of a request that has a [`Begun`] as JSON: the reply is written from then on.
pub const WRITE_PATH: &str = "/write";

/// The path of a request that has a [`Model`] as JSON: the answer is a [`Trial`].
pub const TRY_PATH: &str = "/try";

/// The model to ask, with its key still sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Model {
    /// Its id.
    pub id: String,
    /// What its endpoint calls it.
    pub name: String,
    /// The endpoint's address, without `/chat/completions`.
    pub base_url: String,
    /// The API key, as [`crate::seal`] has sealed it.
    pub sealed_key: String,
    /// The id of the user whose model it is.
    pub owner: String,
    /// How many characters it gets to read at most, if its owner set that.
    pub context_chars: Option<u64>,
    /// How long to wait for the first piece of a reply, if its owner set that.
    pub timeout_seconds: Option<u64>,
    /// Further headers, in JSON, sealed as the key is.
    pub sealed_headers: Option<String>,
    /// What follows the `?` of its address.
    pub query: Option<String>,
    /// The header of the key, if it is not the usual one.
    pub key_header: Option<String>,
    /// What its refusals have taught, in JSON.
    pub learnt: Option<String>,
    /// Whether it takes images, if that is known.
    pub takes_images: Option<bool>,
}

/// A reply that has begun: its rows are there, and nothing writes them yet.
#[derive(Debug, Serialize, Deserialize)]
pub struct Begun {
    /// The id of the chat.
    pub chat: String,
    /// The id of the reply (`generation.id`).
    pub reply: GenerationId,
    /// The person's message, if it is new.
    pub message: Option<Message>,
    /// The id of the message that is answered.
    pub answered_id: MessageId,
    /// The id of the message that the model is to fill.
    pub answer_id: MessageId,
    /// The chat's rev with that; the person's message has one less.
    pub rev: i64,
    /// The model to ask.
    pub model: Model,
    /// Whether the reply may make and change files.
    pub composer: bool,
    /// The file that the person has selected.
    pub selected_filename: Option<String>,
    /// A reply without a writer, which was ended when this one began.
    pub interrupted: Option<GenerationEnded>,
    /// What the owner may have, with the files of the reply.
    pub limits: Limits,
    /// How the person's client reaches files.
    pub called: Called,
    /// What is set for the reply.
    pub settings: InForce,
    /// Whether the chat is to be named after it.
    pub wants_title: bool,
    /// Whether the chat has files.
    pub has_files: bool,
    /// Whether the rows are on the disk; if not, [`Self::flush`] waits for that.
    pub is_flushed: bool,
}

/// How much the owner of a chat may have; `None`: as much as they like.
#[derive(Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes.
    pub quota: Option<u64>,
    /// Files.
    pub most_files: Option<i64>,
}

/// Waits until the rows of a running reply are on the disk, and with them all that was committed before
/// (docs/decisions.md#a-prompt-is-flushed-while-the-model-is-asked). One that has ended, or whose writer is silent, has been
/// there for long, and is left alone.
///
/// # Errors
/// Where the database can't be written to.
pub async fn flush(reply: &GenerationId) -> db::Result<()> {
    // A millisecond, because where nothing changes SQLite writes nothing, and waits for nothing; no more, because only its
    // writer may keep a reply alive.
    let sql = "UPDATE generation SET heartbeat = heartbeat + 1 WHERE id = ?1 AND status = 'running' AND heartbeat > ?2";
    let alive = clock::unix_millis() - conversation::ABANDONED_AFTER;
    let mut db = Db::open().await?;
    db.execute(sql, params![reply, alive]).await
}

impl Begun {
    /// Waits until the prompt and the reply's beginning are on the disk. Nobody may be told of them before.
    ///
    /// # Errors
    /// Where the database can't be written to.
    pub async fn flush(&self) -> db::Result<()> {
        match self.is_flushed {
            true => Ok(()),
            false => flush(&self.reply).await,
        }
    }

    /// Tells the clients of the chat the prompt, if it is new, and that there is a reply to come: the reader at once, those at
    /// a gateway when the items are published.
    pub fn announcement(&self, audience: &Audience) -> Vec<Item> {
        let mut items = Vec::new();
        if let Some(interrupted) = &self.interrupted {
            // A reader would take the end of another reply for that of its own.
            let event = interrupted.clone().into();
            items.extend(audience.items_v2(&[event]));
            items.extend(audience.items_v1(ending::text(interrupted)));
        }
        let mut events = Vec::new();
        if let Some(message) = &self.message {
            events.push(Event::added(message.clone(), self.rev - 1));
        }
        events.push(Event::GenerationStarted {
            rev: self.rev,
            generation_id: self.reply.clone(),
            message_id: self.answer_id.clone(),
            parent_id: self.answered_id.clone(),
            model: self.model.name.clone(),
        });
        items.extend(audience.told(&events));
        items
    }
}

/// What a model answered to one tiny question.
#[derive(Debug, Serialize, Deserialize)]
pub struct Trial {
    /// What is wrong, in words for a person; `None`: it answers.
    pub error: Option<String>,
}
