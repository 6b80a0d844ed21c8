//! A reply begins, with the message that it answers or to one that is there: one transaction, mostly of one statement.

use kafka_common::access::Caller;
use kafka_common::announce;
use kafka_common::api::MAX_RETRY_AFTER;
use kafka_common::api::events::GenerationEnded;
use kafka_common::api::id::{FileId, GenerationId, MessageId};
use kafka_common::api::relay::{Message, ReplyBegun};
use kafka_common::api::settings::{InForce, Levels};
use kafka_common::api::words::{MessageKind, Role};
use kafka_common::config::Config;
use kafka_common::conversation;
use kafka_common::db::{Db, Value};
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
use crate::message_files;
use crate::prompt::{Place, Prompt};
use crate::refused::Refused;
use crate::running::{self, Look};

const FIND: &str = include_str!("begin/find.sql");
const INSERT: &str = include_str!("begin/insert.sql");

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
    let beginning = Beginning {
        chat,
        called,
        caller,
        prompt: &prompt,
        bound: config.long_work.of(Kind::Reply),
        budget: config.token_budget,
    };
    let mut db = Db::open_unflushed().await?;
    if let Some(outcome) = beginning.at_once(&mut db).await? {
        return Ok(outcome);
    }
    beginning.in_transaction(&mut db).await
}

/// A prompt, and what it is measured by.
struct Beginning<'a> {
    chat: &'a str,
    called: &'a Called,
    caller: &'a Caller,
    prompt: &'a Prompt,
    bound: Option<Bound>,
    budget: Option<u64>,
}

impl Beginning<'_> {
    /// A prompt that adds nothing but itself and its reply at the end of the active branch, which is nearly each: looked at
    /// outside of a transaction, and stored by one statement if all is still as it was
    /// (docs/decisions.md#a-reply-begins-with-two-statements). `None`: it needs a transaction.
    async fn at_once(&self, db: &mut Db) -> Result<Option<Outcome>, Refused> {
        if self.prompt.place != Place::After(None) || self.prompt.files.is_some() {
            return Ok(None);
        }
        let (running, mut found): (_, Found) = running::look(db, FIND, self.asked()).await?;
        if let Some(ids) = found.sent.take() {
            return Ok(Some(again(ids).await?));
        }
        if running.is_some() {
            return Ok(None);
        }
        self.check_room(&found)?;
        self.check_bounds(&found)?;
        let Some(model) = found.model.take() else {
            return self.without_model().map(Some);
        };
        let spot = spot(&self.prompt.place, &found)?;
        let seen = Some(found.rev);
        let (mut begun, values) = self.begun(model, spot, along(&found), Vec::new(), seen)?;
        match db.execute(INSERT, values).await {
            Ok(()) => {
                begun.is_flushed = db.is_flushed();
                Ok(Some(Outcome::Begun(Box::new(begun))))
            }
            // Another request was first.
            Err(error) if error.is_constraint() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Any prompt.
    async fn in_transaction(&self, db: &mut Db) -> Result<Outcome, Refused> {
        let mut look: Look<'_, Found> = Look::at(db, FIND, || self.asked()).await?;
        if let Some(ids) = look.found.sent.take() {
            drop(look);
            return again(ids).await;
        }
        self.check_room(&look.found)?;
        let interrupted = look.end_silent(self.chat).await?;
        let Look {
            mut tx, mut found, ..
        } = look;
        if let Some(ended) = &interrupted {
            found.rev = ended.rev;
        }
        self.check_bounds(&found)?;
        let spot = spot(&self.prompt.place, &found);
        let Some(model) = found.model.take() else {
            return self.without_model();
        };
        let mut spot = spot?;
        let (chat, prompt) = (self.chat, self.prompt);
        let files = match (&prompt.files, &prompt.place, &found.named) {
            (Some(ids), ..) => message_files::named(&mut tx, chat, ids).await?,
            (None, Place::Beside(_), Some(edited)) => {
                message_files::kept(&mut tx, chat, edited.file_ids.as_deref()).await?
            }
            _ => Vec::new(),
        };
        let num_attached = message_files::num_new(&files);
        let (file_ids, attached) =
            message_files::attach(&mut tx, chat, files, spot.rev + 1).await?;
        // With the files that the chat gets.
        spot.rev += num_attached;
        let mut along = along(&found);
        along.interrupted = interrupted;
        along.has_files |= !attached.is_empty();
        let aside = spot.parent.clone().filter(|_| spot.is_aside);
        let (mut begun, values) = self.begun(model, spot, along, file_ids, None)?;
        if let Some(parent) = aside {
            branch::lift(&mut tx, chat, &parent, begun.rev).await?;
        }
        tx.execute(INSERT, values).await?;
        if !attached.is_empty() {
            check_room_for_files(&mut tx, self.caller).await?;
        }
        tx.commit().await?;
        begun.is_flushed = db.is_flushed();
        if !attached.is_empty() {
            begun.flush().await?;
            begun.is_flushed = true;
            // Before the message, under the revs before its own.
            announce::files_uploaded(self.called, chat, attached, begun.rev - 2).await;
        }
        Ok(Outcome::Begun(Box::new(begun)))
    }

    /// The parameters of [`FIND`].
    fn asked(&self) -> Vec<Value> {
        let now = clock::unix_millis();
        let how = &self.prompt.how;
        params![
            self.chat,
            self.caller.user_id(),
            how.client_id.as_ref().map(|id| id.0.as_str()),
            how.model_id.as_ref().map(|id| &id.0),
            how.model.as_ref().map(|name| name.0.as_str()),
            self.prompt.place.named(),
            now - conversation::ABANDONED_AFTER,
            now + conversation::ABANDONED_AFTER,
            self.bound.map_or(i64::MAX, |bound| bound.in_total)
        ]
    }

    /// Refuses what the owner has no room for.
    fn check_room(&self, found: &Found) -> Result<(), Refused> {
        let caller = self.caller;
        caller.check_bytes(found.stored_bytes, self.prompt.text.len())?;
        if self.prompt.how.composes() {
            // Its reply makes files.
            caller.check_another(Thing::Files, found.num_files)?;
        }
        Ok(())
    }

    /// Refuses a reply that is one too many, or beyond the month's tokens.
    fn check_bounds(&self, found: &Found) -> Result<(), Refused> {
        let caller = self.caller;
        if let Some(bound) = self.bound {
            check_bound(bound, found, caller)?;
        }
        check_budget(self.budget, found, caller)
    }

    /// What to do without a model.
    fn without_model(&self) -> Result<Outcome, Refused> {
        let how = &self.prompt.how;
        match how.model.is_some() || how.model_id.is_some() {
            true => Err(Refused::model_not_found()),
            false => Ok(Outcome::NoModel),
        }
    }

    /// The reply that begins here, as if nothing of it were flushed, and the parameters of [`INSERT`]. `seen`: the rev that
    /// the chat must still have then, if this is not in a transaction that has looked.
    fn begun(
        &self,
        model: Model,
        spot: Spot,
        along: Along,
        file_ids: Vec<FileId>,
        seen: Option<i64>,
    ) -> Result<(Begun, Vec<Value>), Refused> {
        let prompt = self.prompt;
        let is_new = !matches!(prompt.place, Place::Again(_));
        let added = if is_new { 2 } else { 1 };
        let rev = spot.rev + added;
        let (reply, answer_id) = (GenerationId::from(new_id()), MessageId::from(new_id()));
        let now = clock::now();
        let files = (!file_ids.is_empty()).then(|| json!(file_ids).to_string());
        let message = is_new.then(|| Message {
            id: new_id().into(),
            parent_id: spot.parent.clone(),
            created_at: now.clone().into(),
            file_ids,
            ..Message::new(Role::User, MessageKind::Text, prompt.text.clone())
        });
        let said = message.as_ref();
        let answered_id = said.map(|said| said.id.clone()).or(spot.parent);
        let answered_id = answered_id.ok_or_else(|| Refused::not_found("Message not found."))?;
        let most_before = |most: i64| most.saturating_sub(1);
        let per_user = self.bound.filter(|_| self.caller.is_proven());
        let values = params![
            &reply,
            self.chat,
            clock::unix_millis(),
            model.owner.as_str(),
            model.id.as_str(),
            model.name.as_str(),
            &answer_id,
            spot.position + added,
            now.as_str(),
            rev,
            prompt.how.client_id.as_ref().map(|id| id.0.as_str()),
            &answered_id,
            prompt.text.as_str(),
            said.and_then(|said| said.parent_id.as_ref()),
            files,
            i64::from(is_new),
            seen,
            self.caller.most_bytes_before(prompt.text.len()),
            per_user.map_or(i64::MAX, |bound| most_before(bound.per_user)),
            self.bound
                .map_or(i64::MAX, |bound| most_before(bound.in_total)),
            conversation::ABANDONED_AFTER
        ];
        let begun = Begun {
            chat: self.chat.to_owned(),
            reply,
            message,
            answered_id,
            answer_id,
            rev,
            model,
            composer: prompt.how.composes(),
            selected_filename: prompt
                .how
                .selected_filename
                .as_ref()
                .map(|name| name.0.clone()),
            interrupted: along.interrupted,
            limits: Limits {
                quota: self.caller.quota(),
                most_files: self.caller.most(Thing::Files),
            },
            called: self.called.clone(),
            settings: along.settings,
            wants_title: along.wants_title,
            has_files: along.has_files,
            is_flushed: false,
        };
        Ok((begun, values))
    }
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
    settings: InForce,
    wants_title: bool,
    has_files: bool,
}

fn along(found: &Found) -> Along {
    Along {
        interrupted: None,
        settings: InForce::of(&found.levels),
        wants_title: found.wants_title,
        has_files: found.has_files,
    }
}

fn spot(place: &Place, found: &Found) -> Result<Spot, Refused> {
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
        rev: found.rev,
    })
}

/// What was sent before; it may have been just before.
async fn again(ids: ReplyBegun) -> Result<Outcome, Refused> {
    if let Some(reply) = &ids.generation_id {
        flush(reply).await?;
    }
    Ok(Outcome::Again(ids))
}
