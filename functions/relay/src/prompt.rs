//! What a person says in a chat, and the reply that it starts: one transaction (`new_message`).

use kafka_common::access::Caller;
use kafka_common::db::{Db, Row, Transaction};
use kafka_common::id::new_id;
use kafka_common::limits::Limit;
use kafka_common::message::Message;
use kafka_common::versions::MAX_TEXT_BYTES;
use kafka_common::{clock, params};
use serde_json::{Map, Value, json};

use crate::refused::Refused;
use crate::reply::ending::{self, Ended};
use crate::reply::rows;

const FIND: &str = include_str!("prompt.sql");

/// The fields of `new_message`.
#[derive(Debug, Default, Clone)]
pub struct Prompt {
    pub text: String,
    /// The name or the id of the model to ask; neither: the owner's newest.
    pub model: Option<String>,
    pub model_id: Option<String>,
    pub client_id: Option<String>,
    /// The message that this one follows; `None`: the newest.
    pub parent_id: Option<String>,
    /// Whether the reply may make and change files.
    pub composer: bool,
    pub selected_filename: Option<String>,
}

impl Prompt {
    /// A prompt without anything around it.
    pub fn plain(text: String) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }

    /// Reads the fields. What clients of the original send as `null` or empty counts as not sent.
    pub fn parse(fields: &Map<String, Value>) -> Result<Self, Refused> {
        let text = match fields.get("prompt") {
            Some(Value::String(text)) => text.clone(),
            Some(_) => return Err(Refused::bad_request("prompt must be a string.")),
            None => return Err(Refused::bad_request("Missing prompt for new_message.")),
        };
        let selected_filename = text_field(fields, "selected_filename")?;
        let composer = flag(fields, "is_first_prompt")?
            || flag(fields, "is_chat_or_composer")?
            || selected_filename.is_some();
        Ok(Self {
            text,
            model: text_field(fields, "model")?,
            model_id: text_field(fields, "model_id")?,
            client_id: text_field(fields, "client_id")?,
            parent_id: text_field(fields, "parent_id")?,
            composer,
            selected_filename,
        })
    }

    fn names_a_model(&self) -> bool {
        self.model.is_some() || self.model_id.is_some()
    }
}

/// Names and ids are bounded here as in forms.
const MAX_FIELD_BYTES: usize = 1024;

/// The string `name`, if it is there and not empty.
pub fn text_field(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, Refused> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.len() > MAX_FIELD_BYTES => Err(Refused::too_large(
            format!("{name} has at most {MAX_FIELD_BYTES} bytes."),
        )),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refused::bad_request(format!("{name} must be a string."))),
    }
}

/// A yes or no, as a boolean, a number, or the names of the two modes.
fn flag(fields: &Map<String, Value>, name: &str) -> Result<bool, Refused> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(yes)) => Ok(*yes),
        Some(Value::Number(number)) => Ok(number.as_f64() != Some(0.0)),
        Some(Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "" | "chat" | "false" | "0" | "no" => Ok(false),
            "composer" | "true" | "1" | "yes" => Ok(true),
            _ => Err(Refused::bad_request(format!(
                "{name} must be true or false."
            ))),
        },
        Some(_) => Err(Refused::bad_request(format!(
            "{name} must be true or false."
        ))),
    }
}

/// The model to ask, with its key still sealed.
#[derive(Debug, Clone)]
pub struct Model {
    pub id: String,
    pub name: String,
    pub base_url: String,
    pub sealed_key: String,
    pub owner: String,
}

/// A reply that has begun: its rows are there, and nobody writes them yet.
#[derive(Debug)]
pub struct Begun {
    pub chat: String,
    pub reply: String,
    /// The person's message, and the chat's rev with it.
    pub message: Message,
    pub rev: i64,
    /// The message that the model is to fill; its rev is one more.
    pub answer_id: String,
    pub model: Model,
    pub prompt: Prompt,
    /// A reply whose writer was gone, met and ended on the way.
    pub interrupted: Option<Ended>,
}

impl Begun {
    /// What its sender is told.
    pub fn ids(&self) -> Ids {
        Ids {
            message_id: self.message.id.clone(),
            generation_id: Some(self.reply.clone()),
            answer_id: Some(self.answer_id.clone()),
        }
    }
}

/// What became of a prompt.
#[derive(Debug)]
pub enum Outcome {
    /// A reply begins.
    Begun(Box<Begun>),
    /// The same was sent before: the ids of then.
    Again(Ids),
    /// The owner has no model and the client named none: nothing is stored.
    NoModel,
}

/// The ids that a sender is told.
#[derive(Debug, Clone)]
pub struct Ids {
    /// The person's message.
    pub message_id: String,
    pub generation_id: Option<String>,
    /// The message that the model fills.
    pub answer_id: Option<String>,
}

impl Ids {
    /// As clients are told them.
    pub fn named(&self) -> Value {
        json!({
            "message_id": self.message_id, "generation_id": self.generation_id, "reply_message_id": self.answer_id,
        })
    }
}

/// Stores the prompt and begins a reply.
pub async fn begin(
    db: &mut Db,
    chat: &str,
    caller: &Caller,
    prompt: Prompt,
) -> Result<Outcome, Refused> {
    if prompt.text.len() > MAX_TEXT_BYTES {
        return Err(Refused::too_large("A message has at most 256 KB of text."));
    }
    caller.count(Limit::Message).await?;
    if prompt.composer {
        // Its reply makes files.
        caller.check_room()?;
    }
    let mut tx = db.begin().await?;
    let found = tx
        .query_one(
            FIND,
            params![
                chat,
                caller.user_id(),
                prompt.client_id.as_deref(),
                prompt.model_id.as_deref(),
                prompt.model.as_deref(),
                prompt.parent_id.as_deref()
            ],
        )
        .await?;
    let mut found = found.ok_or_else(Refused::chat_not_found)?;
    if let Some(message_id) = found.opt_text(3) {
        return Ok(Outcome::Again(Ids {
            message_id,
            generation_id: found.opt_text(4),
            answer_id: found.opt_text(5),
        }));
    }
    let interrupted = match found.opt_text(1) {
        None => None,
        Some(_) if found.int(2) >= clock::unix_millis() - rows::ABANDONED_AFTER => {
            return Err(Refused::busy());
        }
        Some(_) => ending::interrupt_in(&mut tx, chat).await?,
    };
    let Some(model) = model(&mut found) else {
        return match prompt.names_a_model() {
            true => Err(Refused::model_not_found()),
            false => Ok(Outcome::NoModel),
        };
    };
    let parent = match (&prompt.parent_id, found.opt_text(12)) {
        (None, _) => found.opt_text(10),
        (Some(_), Some(parent)) => Some(parent),
        (Some(_), None) => return Err(Refused::not_found("Message not found.")),
    };
    let begun = insert(
        &mut tx,
        chat,
        prompt,
        model,
        parent,
        found.int(11),
        interrupted,
    )
    .await?;
    tx.commit().await?;
    Ok(Outcome::Begun(Box::new(begun)))
}

fn model(found: &mut Row) -> Option<Model> {
    Some(Model {
        id: found.opt_text(6)?,
        name: found.text(7),
        base_url: found.text(8),
        sealed_key: found.text(9),
        owner: found.text(0),
    })
}

async fn insert(
    tx: &mut Transaction<'_>,
    chat: &str,
    prompt: Prompt,
    model: Model,
    parent: Option<String>,
    position: i64,
    interrupted: Option<Ended>,
) -> Result<Begun, Refused> {
    let rev = ending::raise(tx, chat, 2).await? - 1;
    let (reply, answer_id) = (new_id(), new_id());
    let message = Message {
        id: new_id(),
        parent_id: parent,
        role: "user".to_owned(),
        kind: "text".to_owned(),
        content: prompt.text.clone(),
        status: "complete".to_owned(),
        created_at: clock::now(),
        ..Message::default()
    };
    tx.execute(
        "INSERT INTO chat_conversation
             (id, chat_id, role, type, content, parent_id, position, created_at, status, model, rev, client_id)
         VALUES (?1, ?2, 'user', 'text', ?3, ?4, ?5, ?6, 'complete', NULL, ?7, ?8),
             (?9, ?2, 'assistant', 'text', '', ?1, ?5 + 1, ?6, 'running', ?10, ?7 + 1, NULL)",
        params![
            message.id.as_str(),
            chat,
            prompt.text.as_str(),
            message.parent_id.as_deref(),
            position + 1,
            message.created_at.as_str(),
            rev,
            prompt.client_id.as_deref(),
            answer_id.as_str(),
            model.name.as_str()
        ],
    )
    .await?;
    tx.execute(
        "INSERT INTO generation (id, chat_id, message_id, model, status, heartbeat)
         VALUES (?1, ?2, ?3, ?4, 'running', ?5)",
        params![
            reply.as_str(),
            chat,
            answer_id.as_str(),
            model.name.as_str(),
            clock::unix_millis()
        ],
    )
    .await?;
    Ok(Begun {
        chat: chat.to_owned(),
        reply,
        message,
        rev,
        answer_id,
        model,
        prompt,
        interrupted,
    })
}
