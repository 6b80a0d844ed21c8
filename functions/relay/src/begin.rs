//! A reply begins, with the message that it answers or to one that is there: one transaction.

use kafka_common::access::Caller;
use kafka_common::config::Config;
use kafka_common::conversation;
use kafka_common::db::{Db, Row, Transaction};
use kafka_common::id::new_id;
use kafka_common::limits::Limit;
use kafka_common::long_work::{Bound, Kind};
use kafka_common::message::Message;
use kafka_common::object;
use kafka_common::reply::ending::{self, Ended, Silent};
use kafka_common::reply::{Begun, Model};
use kafka_common::room::Thing;
use kafka_common::versions::MAX_TEXT_BYTES;
use kafka_common::{clock, params, sql_file};
use serde_json::Value;

use crate::branch;
use crate::prompt::{Place, Prompt};
use crate::refused::Refused;

const FIND: &str = sql_file!("begin.sql");

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

impl From<&Begun> for Ids {
    fn from(begun: &Begun) -> Self {
        Self {
            message_id: begun.answered_id.clone(),
            generation_id: Some(begun.reply.clone()),
            answer_id: Some(begun.answer_id.clone()),
        }
    }
}

impl Ids {
    /// As clients are told them.
    pub fn named(&self) -> Value {
        object!({
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
        return Err(Refused::too_large("A message has at most 256 KiB of text."));
    }
    caller.count(Limit::Message).await?;
    let bound = Config::get().await?.long_work.of(Kind::Reply);
    let asked = || {
        let now = clock::unix_millis();
        params![
            chat,
            caller.user_id(),
            prompt.client_id.as_deref(),
            prompt.model_id.as_deref(),
            prompt.model.as_deref(),
            prompt.place.named(),
            now - conversation::ABANDONED_AFTER,
            now + conversation::ABANDONED_AFTER,
            bound.map_or(i64::MAX, |bound| bound.in_total)
        ]
    };
    let mut tx = db.begin().await?;
    let found = tx.query_one(FIND, asked()).await?;
    let mut found = found.ok_or_else(Refused::chat_not_found)?;
    let mut running = found.opt_text(1);
    let silent = Silent::met(running.as_deref(), found.int(2));
    if let Some(silent) = &silent {
        drop(tx);
        silent.wait().await;
        tx = db.begin().await?;
        let again = tx.query_one(FIND, asked()).await?;
        found = again.ok_or_else(Refused::chat_not_found)?;
        running = found.opt_text(1);
    }
    if let Some(message_id) = found.opt_text(3) {
        return Ok(Outcome::Again(Ids {
            message_id,
            generation_id: found.opt_text(4),
            answer_id: found.opt_text(5),
        }));
    }
    caller.check_bytes(found.int(17), prompt.text.len())?;
    if prompt.composer {
        // Its reply makes files.
        caller.check_another(Thing::Files, found.int(18))?;
    }
    let interrupted = match running {
        None => None,
        Some(reply) => match silent.filter(|silent| silent.is(&reply, found.int(2))) {
            Some(silent) => ending::interrupt_in(&mut tx, chat, &silent).await?,
            None => return Err(Refused::busy()),
        },
    };
    if let Some(bound) = bound {
        check_bound(bound, &found, caller)?;
    }
    let Some(model) = model(&mut found) else {
        return match prompt.names_a_model() {
            true => Err(Refused::model_not_found()),
            false => Ok(Outcome::NoModel),
        };
    };
    let spot = spot(&prompt.place, &mut found)?;
    let quota = caller.quota();
    let mut begun = insert(&mut tx, chat, prompt, model, spot, interrupted, quota).await?;
    begun.most_files = caller.most(Thing::Files);
    tx.commit().await?;
    Ok(Outcome::Begun(Box::new(begun)))
}

/// Refuses a reply where as many run as may.
fn check_bound(bound: Bound, found: &Row, caller: &Caller) -> Result<(), Refused> {
    let (own, all) = (found.int(19), found.int(20));
    if caller.is_proven() && own >= bound.per_user {
        return Err(Kind::Reply.too_much().into());
    }
    if all >= bound.in_total {
        return Err(Kind::Reply.no_room().into());
    }
    Ok(())
}

/// Where the first of the new messages goes.
struct Spot {
    parent: Option<String>,
    /// Whether that is somewhere else than at the end of the active branch.
    is_aside: bool,
    /// The chat's last position.
    position: i64,
}

fn spot(place: &Place, found: &mut Row) -> Result<Spot, Refused> {
    let (head, position) = (found.opt_text(10), found.int(11));
    let named = found.opt_text(12);
    if place.named().is_some() && named.is_none() {
        return Err(Refused::not_found("Message not found."));
    }
    let is_text = named.is_some() && found.text(14) == "text";
    let parent = match place {
        Place::After(None) => head.clone(),
        Place::After(Some(_)) => named,
        Place::Beside(_) if is_text && found.text(13) == "user" => found.opt_text(15),
        Place::Beside(_) => {
            return Err(Refused::bad_request(
                "Only what a person has said can be edited.",
            ));
        }
        Place::Again(_) => match found.opt_text(16).filter(|_| is_text) {
            Some(answered) => Some(answered),
            None => {
                return Err(Refused::bad_request(
                    "Only a reply, or what a person has said, can be answered again.",
                ));
            }
        },
    };
    Ok(Spot {
        is_aside: parent.is_some() && parent != head,
        parent,
        position,
    })
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
    spot: Spot,
    interrupted: Option<Ended>,
    quota: Option<u64>,
) -> Result<Begun, Refused> {
    let is_new = !matches!(prompt.place, Place::Again(_));
    let rev = conversation::raise(tx, chat, if is_new { 2 } else { 1 }).await?;
    if let Some(parent) = spot.parent.as_deref().filter(|_| spot.is_aside) {
        branch::lift(tx, chat, parent, rev).await?;
    }
    let (reply, answer_id, now) = (new_id(), new_id(), clock::now());
    let message = is_new.then(|| Message {
        id: new_id(),
        parent_id: spot.parent.clone(),
        role: "user".to_owned(),
        kind: "text".to_owned(),
        content: prompt.text.clone(),
        status: "complete".to_owned(),
        created_at: now.clone(),
        ..Message::default()
    });
    let said = message.as_ref();
    let answered_id = said.map(|said| said.id.clone()).or(spot.parent);
    let answered_id = answered_id.unwrap_or_default();
    tx.execute(
        "INSERT INTO chat_conversation
             (id, chat_id, role, type, content, parent_id, position, created_at, status, model, rev, selected, client_id)
         SELECT ?1, ?2, 'user', 'text', ?3, ?4, ?5, ?6, 'complete', NULL, ?7 - 1, ?7 - 1, ?8 WHERE ?9
         UNION ALL
         SELECT ?10, ?2, 'assistant', 'text', '', ?1, ?5 + ?9, ?6, 'running', ?11, ?7, ?7,
             CASE WHEN ?9 THEN NULL ELSE ?8 END",
        params![
            answered_id.as_str(),
            chat,
            prompt.text.as_str(),
            said.and_then(|said| said.parent_id.as_deref()),
            spot.position + 1,
            now.as_str(),
            rev,
            prompt.client_id.as_deref(),
            i64::from(is_new),
            answer_id.as_str(),
            model.name.as_str()
        ],
    )
    .await?;
    tx.execute(
        "INSERT INTO generation (id, chat_id, message_id, model, status, heartbeat, owner_id)
         VALUES (?1, ?2, ?3, ?4, 'running', ?5, ?6)",
        params![
            reply.as_str(),
            chat,
            answer_id.as_str(),
            model.name.as_str(),
            clock::unix_millis(),
            model.owner.as_str()
        ],
    )
    .await?;
    Ok(Begun {
        chat: chat.to_owned(),
        reply,
        message,
        answered_id,
        answer_id,
        rev,
        model,
        composer: prompt.composer,
        selected_filename: prompt.selected_filename,
        interrupted,
        quota,
        most_files: None,
    })
}
