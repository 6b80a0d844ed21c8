//! A reply begins, with the message that it answers or to one that is there: one transaction.

use kafka_common::access::Caller;
use kafka_common::announce;
use kafka_common::api::MAX_RETRY_AFTER;
use kafka_common::api::events::GenerationEnded;
use kafka_common::api::file::UploadedFile;
use kafka_common::api::id::{GenerationId, MessageId};
use kafka_common::api::relay::{Message, ReplyBegun};
use kafka_common::api::settings::{InForce, Levels};
use kafka_common::api::words::{MessageKind, Role};
use kafka_common::config::Config;
use kafka_common::conversation;
use kafka_common::db::{Db, Transaction};
use kafka_common::error::Error;
use kafka_common::files::check_room_for_files;
use kafka_common::id::new_id;
use kafka_common::limits::Limit;
use kafka_common::links::Called;
use kafka_common::long_work::{Bound, Kind};
use kafka_common::reply::{Begun, Limits, Model, flush};
use kafka_common::room::Thing;
use kafka_common::versions::MAX_TEXT_BYTES;
use kafka_common::{clock, params};
use serde::Deserialize;
use serde_json::json;

use crate::branch;
use crate::message_files::{self, Named};
use crate::prompt::{Place, Prompt};
use crate::refused::Refused;
use crate::running::Look;

const FIND: &str = include_str!("begin.sql");
const PROMPT: &str = include_str!("prompt.sql");

/// What became of a prompt.
#[derive(Debug)]
pub enum Outcome {
    /// A reply begins.
    Begun(Box<Begun>),
    /// The same was sent before: the ids of then.
    Again(ReplyBegun),
    /// The owner has no model and the client named none: nothing is stored.
    NoModel,
}

/// The ids that a sender is told.
pub fn ids(begun: &Begun) -> ReplyBegun {
    ReplyBegun {
        message_id: begun.answered_id.clone(),
        generation_id: Some(begun.reply.clone()),
        reply_message_id: Some(begun.answer_id.clone()),
    }
}

/// What there is in the chat.
#[derive(Deserialize)]
struct Found {
    sent: Option<ReplyBegun>,
    model: Option<Model>,
    head_id: Option<MessageId>,
    rev: i64,
    position: i64,
    named: Option<NamedMessage>,
    answered_id: Option<MessageId>,
    stored_bytes: i64,
    num_files: i64,
    levels: Levels,
    wants_title: bool,
    has_files: bool,
    tokens_of_month: u64,
    month_ends: String,
    month_left: u64,
    running_of_owner: i64,
    running_in_total: i64,
}

/// The message that a prompt names.
#[derive(Deserialize)]
struct NamedMessage {
    id: MessageId,
    role: Role,
    #[serde(rename = "type")]
    kind: MessageKind,
    parent_id: Option<MessageId>,
    /// The files that belong to it, a list in JSON.
    file_ids: Option<String>,
}

/// Stores the prompt and begins a reply. Neither may be on the disk yet ([`Begun::flush`]).
pub async fn begin(
    chat: &str,
    called: &Called,
    caller: &Caller,
    prompt: Prompt,
) -> Result<Outcome, Refused> {
    if prompt.text.len() > MAX_TEXT_BYTES {
        return Err(Refused::too_large("A message has at most 256 KiB of text."));
    }
    caller.count(Limit::Message).await?;
    let config = Config::get().await?;
    let bound = config.long_work.of(Kind::Reply);
    let how = &prompt.how;
    let asked = || {
        let now = clock::unix_millis();
        params![
            chat,
            caller.user_id(),
            how.client_id.as_ref().map(|id| id.0.as_str()),
            how.model_id.as_ref().map(|id| &id.0),
            how.model.as_ref().map(|name| name.0.as_str()),
            prompt.place.named(),
            now - conversation::ABANDONED_AFTER,
            now + conversation::ABANDONED_AFTER,
            bound.map_or(i64::MAX, |bound| bound.in_total)
        ]
    };
    let mut db = Db::open_unflushed().await?;
    let is_flushed = db.is_flushed();
    let mut look: Look<'_, Found> = Look::at(&mut db, FIND, asked).await?;
    if let Some(ids) = look.found.sent.take() {
        drop(look);
        if let Some(reply) = &ids.generation_id {
            // It may have been sent just before.
            flush(reply).await?;
        }
        return Ok(Outcome::Again(ids));
    }
    caller.check_bytes(look.found.stored_bytes, prompt.text.len())?;
    if how.composes() {
        // Its reply makes files.
        caller.check_another(Thing::Files, look.found.num_files)?;
    }
    let interrupted = look.end_silent(chat).await?;
    let Look { mut tx, found, .. } = look;
    if let Some(bound) = bound {
        check_bound(bound, &found, caller)?;
    }
    check_budget(config.token_budget, &found, caller)?;
    let rev = interrupted.as_ref().map_or(found.rev, |ended| ended.rev);
    let spot = spot(&prompt.place, &found, rev);
    let Some(model) = found.model else {
        return match how.model.is_some() || how.model_id.is_some() {
            true => Err(Refused::model_not_found()),
            false => Ok(Outcome::NoModel),
        };
    };
    let spot = spot?;
    let files = match (&prompt.files, &prompt.place, &found.named) {
        (Some(ids), ..) => message_files::named(&mut tx, chat, ids).await?,
        (None, Place::Beside(_), Some(edited)) => {
            message_files::kept(&mut tx, chat, edited.file_ids.as_deref()).await?
        }
        _ => Vec::new(),
    };
    let along = Along {
        interrupted,
        limits: Limits {
            quota: caller.quota(),
            most_files: caller.most(Thing::Files),
        },
        called: called.clone(),
        settings: InForce::of(&found.levels),
        wants_title: found.wants_title,
        files,
        has_files: found.has_files,
        is_flushed,
    };
    let (mut begun, attached) = insert(&mut tx, chat, prompt, model, spot, along).await?;
    if !attached.is_empty() {
        check_room_for_files(&mut tx, caller).await?;
    }
    tx.commit().await?;
    if !attached.is_empty() {
        begun.flush().await?;
        begun.is_flushed = true;
        // Before the message, under the revs before its own.
        announce::files_uploaded(called, chat, attached, begun.rev - 2).await;
    }
    Ok(Outcome::Begun(Box::new(begun)))
}

/// Refuses a reply where as many run as may.
fn check_bound(bound: Bound, found: &Found, caller: &Caller) -> Result<(), Refused> {
    if caller.is_proven() && found.running_of_owner >= bound.per_user {
        return Err(Kind::Reply.too_much().into());
    }
    if found.running_in_total >= bound.in_total {
        return Err(Kind::Reply.no_room().into());
    }
    Ok(())
}

/// Refuses a reply where the month's tokens are used up (variable `token_budget`).
fn check_budget(budget: Option<u64>, found: &Found, caller: &Caller) -> Result<(), Refused> {
    match budget.filter(|_| caller.is_proven()) {
        Some(budget) if found.tokens_of_month >= budget => Err(Error::BudgetSpent {
            detail: format!(
                "You have used the {budget} tokens that you may use in a month. The next month begins on {} (UTC).",
                found.month_ends
            ),
            retry_after: found.month_left.clamp(1, MAX_RETRY_AFTER.unsigned_abs()),
        }
        .into()),
        _ => Ok(()),
    }
}

/// Where the first of the new messages goes.
struct Spot {
    parent: Option<MessageId>,
    /// Whether that is somewhere else than at the end of the active branch.
    is_aside: bool,
    /// The chat's last position.
    position: i64,
    /// Its rev.
    rev: i64,
}

/// What the writer of the reply has to know besides.
struct Along {
    interrupted: Option<GenerationEnded>,
    limits: Limits,
    called: Called,
    settings: InForce,
    wants_title: bool,
    files: Vec<Named>,
    has_files: bool,
    is_flushed: bool,
}

fn spot(place: &Place, found: &Found, rev: i64) -> Result<Spot, Refused> {
    let (head, named) = (&found.head_id, found.named.as_ref());
    if place.named().is_some() && named.is_none() {
        return Err(Refused::not_found("Message not found."));
    }
    let text = named.filter(|named| named.kind == MessageKind::Text);
    let parent = match (place, text) {
        (Place::After(None), _) => head.clone(),
        (Place::After(Some(_)), _) => named.map(|named| named.id.clone()),
        (Place::Beside(_), Some(text)) if text.role == Role::User => text.parent_id.clone(),
        (Place::Beside(_), _) => {
            return Err(Refused::bad_request(
                "Only what a person has said can be edited.",
            ));
        }
        (Place::Again(_), Some(_)) if found.answered_id.is_some() => found.answered_id.clone(),
        (Place::Again(_), _) => {
            return Err(Refused::bad_request(
                "Only a reply, or what a person has said, can be answered again.",
            ));
        }
    };
    Ok(Spot {
        is_aside: parent.is_some() && parent != *head,
        parent,
        position: found.position,
        rev,
    })
}

async fn insert(
    tx: &mut Transaction<'_>,
    chat: &str,
    prompt: Prompt,
    model: Model,
    spot: Spot,
    along: Along,
) -> Result<(Begun, Vec<UploadedFile>), Refused> {
    let is_new = !matches!(prompt.place, Place::Again(_));
    // With the files that the chat gets.
    let num_attached = message_files::num_new(&along.files);
    // The message that the model is to fill takes the chat's along (`migrations/0022_begin.sql`).
    let rev = spot.rev + num_attached + if is_new { 2 } else { 1 };
    let first = rev - 1 - num_attached;
    let (file_ids, attached) = message_files::attach(tx, chat, along.files, first).await?;
    if let Some(parent) = spot.parent.as_ref().filter(|_| spot.is_aside) {
        branch::lift(tx, chat, parent, rev).await?;
    }
    let (reply, answer_id) = (GenerationId::from(new_id()), MessageId::from(new_id()));
    let now = clock::now();
    let message = is_new.then(|| Message {
        id: new_id().into(),
        parent_id: spot.parent.clone(),
        created_at: now.clone().into(),
        file_ids: file_ids.clone(),
        ..Message::new(Role::User, MessageKind::Text, prompt.text.clone())
    });
    let said = message.as_ref();
    let answered_id = said.map(|said| said.id.clone()).or(spot.parent);
    let answered_id = answered_id.ok_or_else(|| Refused::not_found("Message not found."))?;
    tx.execute(
        PROMPT,
        params![
            &answered_id,
            chat,
            prompt.text.as_str(),
            said.and_then(|said| said.parent_id.as_ref()),
            spot.position + 1,
            now.as_str(),
            rev,
            prompt.how.client_id.as_ref().map(|id| id.0.as_str()),
            i64::from(is_new),
            &answer_id,
            model.name.as_str(),
            (!file_ids.is_empty()).then(|| json!(file_ids).to_string())
        ],
    )
    .await?;
    tx.execute(
        "INSERT INTO generation (id, chat_id, message_id, model, status, heartbeat, owner_id, model_id)
         VALUES (?1, ?2, ?3, ?4, 'running', ?5, ?6, ?7)",
        params![
            &reply,
            chat,
            &answer_id,
            model.name.as_str(),
            clock::unix_millis(),
            model.owner.as_str(),
            model.id.as_str()
        ],
    )
    .await?;
    let begun = Begun {
        chat: chat.to_owned(),
        reply,
        message,
        answered_id,
        answer_id,
        rev,
        model,
        composer: prompt.how.composes(),
        selected_filename: prompt.how.selected_filename.map(|name| name.0),
        interrupted: along.interrupted,
        limits: along.limits,
        called: along.called,
        settings: along.settings,
        wants_title: along.wants_title,
        has_files: along.has_files || !attached.is_empty(),
        is_flushed: along.is_flushed,
    };
    Ok((begun, attached))
}
