//! What the model is asked, and how it is reached.

use std::time::Duration;

use bytes::Bytes;
use kafka_common::attachments::FILES_FOR_MODEL;
use kafka_common::db::{self, Db};
use kafka_common::error::Error;
use kafka_common::reply::{Begun, Model};
use kafka_common::{attachments, file_text, params, seal, texts};
use kafka_llm::context::Entry;
use kafka_llm::{BaseUrl, Call, MessageKind, Role, Turn, check_base_url, composer};
use serde::Deserialize;

use crate::settings::Settings;

/// How many messages of the branch are looked at.
const TURNS: i64 = 400;

/// How long a reply waits for texts of files. What comes later is for the next one.
const TEXTS_PATIENCE: Duration = Duration::from_secs(5);

const BRANCH: &str = include_str!("branch.sql");

/// A model that may be asked.
pub struct Reachable {
    base_url: BaseUrl,
    key: String,
    name: String,
}

impl Reachable {
    /// Looks whether the model's address may be called, and opens its key. The error is for the person who waits.
    pub async fn check(model: &Model, settings: &Settings) -> Result<Self, String> {
        let base_url = check_base_url(&model.base_url, &settings.policy)?;
        let key = seal::open(&model.owner, &model.id, &model.base_url, &model.sealed_key).await;
        let key = key.map_err(|error| {
            if let Error::Internal(cause) = error.into() {
                tracing::error!(model = model.id, "the key of the model: {cause:#}");
            }
            "The API key of this model can't be read any more. Please enter it again.".to_owned()
        })?;
        let name = model.name.clone();
        Ok(Self {
            base_url,
            key,
            name,
        })
    }

    /// The call that asks it this.
    pub fn call<'a>(&'a self, messages: &'a [Turn]) -> Call<'a> {
        Call {
            base_url: &self.base_url,
            key: &self.key,
            model: &self.name,
            messages,
        }
    }
}

/// A question, and the model that it is for.
pub struct Question {
    model: Reachable,
    pub messages: Vec<Turn>,
}

impl Question {
    /// The call that asks this model something.
    pub fn call<'a>(&'a self, messages: &'a [Turn]) -> Call<'a> {
        self.model.call(messages)
    }
}

/// Reads what the model is to know. The error is for the person who waits.
pub async fn question(begun: &Begun) -> Result<Question, String> {
    let settings = Settings::get().await;
    let model = Reachable::check(&begun.model, &settings).await?;
    let messages = messages(begun, settings.context_chars).await;
    let messages = messages.map_err(|error| {
        tracing::error!("the context of the reply: {error}");
        "The conversation could not be read. Please try again.".to_owned()
    })?;
    Ok(Question { model, messages })
}

/// A message.
#[derive(Deserialize)]
struct Row {
    role: Role,
    #[serde(rename = "type")]
    kind: MessageKind,
    content: Bytes,
}

/// Waits for the files of the chat that have not been read yet.
async fn wait_for_texts(chat: &str) -> db::Result<()> {
    let mut db = Db::open().await?;
    let pending = file_text::pending(&mut db, chat, FILES_FOR_MODEL).await?;
    drop(db);
    texts::read_within(pending, TEXTS_PATIENCE).await;
    Ok(())
}

async fn messages(begun: &Begun, context_chars: usize) -> db::Result<Vec<Turn>> {
    wait_for_texts(&begun.chat).await?;
    let mut db = Db::open().await?;
    let chars = i64::try_from(context_chars).unwrap_or(i64::MAX);
    let rows: Vec<Row> = db
        .query_as(BRANCH, params![begun.answered_id.as_str(), TURNS, chars])
        .await?;
    let contents: Vec<_> = rows
        .iter()
        .map(|row| String::from_utf8_lossy(&row.content))
        .collect();
    let entries: Vec<Entry<'_>> = rows
        .iter()
        .zip(&contents)
        .map(|(row, content)| Entry {
            role: row.role,
            kind: row.kind,
            content,
        })
        .collect();
    let selected = begun.selected_filename.as_deref();
    let texts = attachments::for_model(&mut db, &begun.chat, selected, context_chars).await?;
    let system = match begun.composer {
        true => composer::instructions(selected),
        false => composer::CHAT.to_owned(),
    };
    Ok(kafka_llm::context::build(
        &system,
        &entries,
        &texts,
        selected,
        context_chars,
    ))
}
