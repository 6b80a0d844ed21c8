//! The end of a reply, with the files that it makes or changes: one transaction.

mod sent;
mod texts;

use kafka_common::api::relay::Message;
use kafka_common::api::words::{MessageKind, Role, Status};
use kafka_common::conversation;
use kafka_common::db::{Db, Result, Transaction};
use kafka_common::error::STORAGE_FULL;
use kafka_common::files::is_over;
use kafka_common::params;
use kafka_common::reply::Begun;
use kafka_common::reply::ending::{self, Ending};
use kafka_common::room::{self, Thing};
use kafka_common::versions;
use kafka_llm::composer::{self, Edit, Unfit};
use kafka_llm::line_ends::is_same;
use kafka_llm::reasoning;
use kafka_llm::stream::ONLY_REASONING;

pub use sent::Sent;
use sent::{Made, Stored};
use texts::{FIND, Text};

/// What the model wrote.
pub struct Answers<'a> {
    /// Its reply.
    pub first: &'a str,
    /// What it wrote when a diff of its reply did not apply.
    pub second: Option<(&'a Misfit, &'a str)>,
}

/// A diff that did not apply.
#[derive(Debug)]
pub struct Misfit {
    pub name: String,
    pub why: String,
}

/// What became of the ending.
pub enum Outcome {
    Finished(Sent),
    /// Nothing is changed: a diff does not apply, and the model has not been asked again yet.
    Misfit(Misfit),
    /// Another request ended the reply.
    Gone,
}

/// Files that one reply may make or change: all of them are in memory, and written under the lock.
const MAX_FILES: usize = 20;

/// How often diffs are applied once more, because their files were saved meanwhile.
const ATTEMPTS: usize = 5;

/// Ends a reply. Where that makes or changes files, they and the messages about them are stored with it.
///
/// What clients are sent is computed after the commit: no other writer waits for it.
pub async fn finish(begun: &Begun, answers: &Answers<'_>, ending: &Ending) -> Result<Outcome> {
    // A reply that was stopped or broke off changes no file.
    let mut edits = match begun.composer && ending.status == Status::Complete {
        true => edits(answers, ending),
        false => Vec::new(),
    };
    let mut ending = ending.clone();
    let apart = apart(answers);
    if let Some(Apart { text, .. }) = &apart
        && text.trim().is_empty()
        && ending.status == Status::Complete
    {
        ending = ending.failing(ONLY_REASONING);
    }
    if edits.len() > MAX_FILES {
        edits.clear();
        ending = ending.failing(format!(
            "The reply has more than {MAX_FILES} files or changes of files. Ask for fewer at once."
        ));
    }
    let mut db = Db::open().await?;
    let apart = apart.as_ref();
    let mut written = write(&mut db, begun, &edits, &ending, apart).await?;
    if let Written::Unfit(name, why) = written {
        if answers.second.is_none() && why.retry {
            let why = why.error;
            return Ok(Outcome::Misfit(Misfit { name, why }));
        }
        // All files of a reply or none.
        let ending = ending.failing(why.message());
        written = store(&mut db, begun, &[], ending, apart).await?;
    }
    match written {
        Written::Stored(stored) => Ok(Outcome::Finished(stored.sent())),
        Written::Unfit(..) | Written::Stale | Written::Gone => Ok(Outcome::Gone),
    }
}

/// The files in what the model wrote.
fn edits(answers: &Answers<'_>, ending: &Ending) -> Vec<Edit> {
    // Only a model that has said that it had no more to write has ended its last file.
    let cut_off = ending.finish_reason.as_deref() != Some("stop");
    match answers.second {
        None => composer::edits(answers.first, cut_off),
        // After a second question the ending is that of its answer; the first was whole.
        Some((misfit, second)) => {
            let mut edits = composer::edits(answers.first, false);
            let again = composer::edits(second, cut_off);
            composer::replace_diff(&mut edits, &misfit.name, &again);
            edits
        }
    }
}

/// A text that turned out to begin with reasoning, because only the end of that is marked in it.
struct Apart {
    reasoning: String,
    text: String,
}

/// `None`: all of the text is the answer.
fn apart(answers: &Answers<'_>) -> Option<Apart> {
    let (mut reasoning, mut text) = reasoning::split(answers.first);
    if let Some((_, second)) = answers.second {
        let (more, second) = reasoning::split(second);
        reasoning.push_str(&more);
        text.push_str(&second);
    }
    (!reasoning.is_empty()).then_some(Apart { reasoning, text })
}

async fn keep_apart(tx: &mut Transaction<'_>, begun: &Begun, apart: &Apart) -> Result<()> {
    tx.execute(
        "UPDATE chat_conversation SET content = ?2, reasoning = reasoning || ?3
         WHERE id = (SELECT message_id FROM generation WHERE id = ?1 AND status = 'running')",
        params![
            begun.reply.as_str(),
            apart.text.as_str(),
            apart.reasoning.as_str()
        ],
    )
    .await
}

/// What became of a transaction.
enum Written {
    Stored(Box<Stored>),
    /// The file of this name could not be made or changed, and nothing is stored.
    Unfit(String, Unfit),
    /// The text of a file is not that which a diff was applied to any more, and nothing is stored.
    Stale,
    /// Another request ended the reply, or its chat is gone.
    Gone,
}

impl Written {
    fn unfit(name: &str, error: impl Into<String>) -> Self {
        Self::Unfit(name.to_owned(), Unfit::new(error))
    }
}

/// Applies the diffs outside of any transaction, and then stores everything, if the files still have the texts that the
/// diffs were applied to.
async fn write(
    db: &mut Db,
    begun: &Begun,
    edits: &[Edit],
    ending: &Ending,
    apart: Option<&Apart>,
) -> Result<Written> {
    for _ in 0..ATTEMPTS {
        let texts = match texts::of(db, begun, edits).await? {
            Ok(texts) => texts,
            Err((name, why)) => return Ok(Written::Unfit(name, why)),
        };
        match store(db, begun, &texts, ending.clone(), apart).await? {
            Written::Stale => {}
            written => return Ok(written),
        }
    }
    let name = edits.first().map_or("", |edit| &edit.name);
    let error = "The file is being changed by others all the time.";
    Ok(Written::unfit(name, error))
}

async fn store(
    db: &mut Db,
    begun: &Begun,
    texts: &[Text],
    mut ending: Ending,
    apart: Option<&Apart>,
) -> Result<Written> {
    let mut tx = db.begin().await?;
    if let Some(apart) = apart {
        // Before its length is counted.
        keep_apart(&mut tx, begun, apart).await?;
    }
    // First of all, since nothing can be made in a chat that is gone.
    if !ending::mark(&mut tx, begun.reply.as_str(), &mut ending).await? {
        return Ok(Written::Gone);
    }
    let mut made = Vec::new();
    for text in texts {
        match apply(&mut tx, begun, text).await? {
            Applied::Made(file) => made.push(file),
            Applied::Unfit(error) => return Ok(Written::unfit(&text.name, error)),
            Applied::Stale => return Ok(Written::Stale),
        }
    }
    let last = made.iter().rfind(|file| file.changed);
    let last = last.map(|file| file.name.clone());
    let changed = made.iter().filter(|file| file.changed).count() as i64;
    let mut rev = conversation::raise(&mut tx, &begun.chat, 2 * changed + 1).await? - 2 * changed;
    let mut files = Vec::new();
    for file in made {
        let mut message = None;
        if file.changed {
            message = Some((add_message(&mut tx, begun, &file, rev).await?, rev));
            rev += 2;
        }
        files.push((file, message));
    }
    // With the messages about them.
    if let (Some(last), Some(quota)) = (last, begun.limits.quota)
        && is_over(&mut tx, &begun.model.owner, quota).await?
    {
        return Ok(Written::unfit(&last, STORAGE_FULL));
    }
    let new = files.iter().rfind(|(file, _)| file.is_new);
    if let (Some((new, _)), Some(most)) = (new, begun.limits.most_files) {
        let stored = room::Stored::after(&mut tx, &begun.model.owner).await?;
        if stored.count(Thing::Files) > most {
            let error = format!("You may have {most} files. Delete some to make room.");
            return Ok(Written::unfit(&new.name, error));
        }
    }
    let ended = ending::close(&mut tx, begun.reply.as_str(), ending, rev).await?;
    tx.commit().await?;
    Ok(Written::Stored(Box::new(Stored { files, ended })))
}

/// What became of a text.
enum Applied {
    Made(Made),
    /// The file can't be made or changed.
    Unfit(&'static str),
    /// The file does not have the text any more that a diff was applied to.
    Stale,
}

async fn apply(tx: &mut Transaction<'_>, begun: &Begun, text: &Text) -> Result<Applied> {
    let Text { name, text, before } = text;
    let (name, text) = (name.clone(), text.clone());
    let found: Option<String> = tx
        .query_one_as(FIND, params![begun.chat.as_str(), name.as_str()])
        .await?;
    let Some(id) = found else {
        if before.is_some() {
            return Ok(Applied::Stale);
        }
        let (id, version, timestamp) = versions::create(tx, &begun.chat, &name, &text).await?;
        return Ok(Applied::Made(Made {
            id,
            name,
            text,
            before: None,
            version,
            timestamp,
            is_new: true,
            changed: true,
        }));
    };
    let Some(saved) = versions::save(tx, &id, &text).await? else {
        return Ok(Applied::Unfit(
            "The file of that name is too long to be edited here, no text, or not read yet.",
        ));
    };
    let is_stale = |now: &String| before.as_ref().is_some_and(|before| !is_same(before, now));
    if saved.before.as_ref().is_some_and(is_stale) {
        return Ok(Applied::Stale);
    }
    let (version, timestamp) = saved.version.unwrap_or_default();
    Ok(Applied::Made(Made {
        id,
        name,
        text: saved.text,
        before: saved.before,
        version,
        timestamp,
        is_new: false,
        changed: saved.changed,
    }))
}

/// Adds the message that a file was made or changed, under `rev`, and puts the file itself under the next one.
async fn add_message(
    tx: &mut Transaction<'_>,
    begun: &Begun,
    file: &Made,
    rev: i64,
) -> Result<Message> {
    tx.execute(
        "UPDATE chat_file SET rev = ?2 WHERE id = ?1",
        params![file.id.as_str(), rev + 1],
    )
    .await?;
    let content = file.content().to_string();
    let mut message = Message::new(Role::Assistant, MessageKind::File, content);
    message.model = Some(begun.model.name.clone());
    conversation::add(tx, &begun.chat, &mut message, rev).await?;
    Ok(message)
}
