//! The end of a reply, with the files that it makes or changes: one transaction.

use kafka_common::announce::{MAX_FRAME_BYTES, fitted};
use kafka_common::chat_files::NewVersion;
use kafka_common::conversation;
use kafka_common::db::{Db, Result, Transaction};
use kafka_common::error::STORAGE_FULL;
use kafka_common::files::is_over;
use kafka_common::message::Message;
use kafka_common::object;
use kafka_common::params;
use kafka_common::reply::Begun;
use kafka_common::reply::ending::{self, Ended, Ending};
use kafka_common::room::{self, Thing};
use kafka_common::versions::{self, MAX_TEXT_BYTES};
use kafka_llm::composer::{self, Change, Edit, Outcome};
use kafka_llm::diff::unified_diff;
use kafka_llm::patch::apply_diff;
use serde_json::Value;

/// What the model said.
pub struct Said<'a> {
    /// Its reply.
    pub first: &'a str,
    /// What it said when a diff of its reply did not apply.
    pub second: Option<(&'a Misfit, &'a str)>,
}

/// A diff that did not apply.
#[derive(Debug)]
pub struct Misfit {
    pub name: String,
    pub why: String,
}

/// What is to be told.
#[derive(Debug)]
pub struct Finished {
    pub events: Vec<String>,
    pub v1: Vec<String>,
}

/// What became of the ending.
pub enum Verdict {
    Finished(Finished),
    /// Nothing is changed: a diff does not apply, and the model has not been asked again yet.
    Misfit(Misfit),
    /// Somebody else ended the reply.
    Gone,
}

/// Files that one reply may make or change: all of them are in memory, and written under the lock.
const MAX_FILES: usize = 20;

/// Ends a reply. Where that makes or changes files, they and the messages about them are stored with it.
///
/// What is to be told is worked out after the commit: nobody waits for differences to write.
pub async fn finish(begun: &Begun, said: &Said<'_>, ending: &Ending) -> Result<Verdict> {
    // A reply that was stopped or broke off changes no file.
    let mut edits = match begun.composer && ending.status == "complete" {
        true => edits(said, ending),
        false => Vec::new(),
    };
    let mut ending = ending.clone();
    if edits.len() > MAX_FILES {
        edits.clear();
        ending = ending.failing(format!(
            "The reply has more than {MAX_FILES} files or changes of files. Ask for fewer at once."
        ));
    }
    let mut db = Db::open().await?;
    let mut stored = write(&mut db, begun, &edits, &ending).await?;
    if let Stored::Unfit(name, why) = stored {
        if said.second.is_none() && why.retry {
            let why = why.error;
            return Ok(Verdict::Misfit(Misfit { name, why }));
        }
        // All files of a reply or none.
        stored = store(&mut db, begun, &[], ending.failing(why.told())).await?;
    }
    match stored {
        Stored::Whole(whole) => Ok(Verdict::Finished(whole.told())),
        Stored::Unfit(..) | Stored::Stale | Stored::Gone => Ok(Verdict::Gone),
    }
}

/// How often diffs are applied anew, because somebody saved what they are for meanwhile.
const ATTEMPTS: usize = 5;

/// Applies the diffs, which nobody waits for, and then stores everything, if the files are still what the diffs were
/// applied to.
async fn write(db: &mut Db, begun: &Begun, edits: &[Edit], ending: &Ending) -> Result<Stored> {
    for _ in 0..ATTEMPTS {
        let texts = match apply_diffs(db, begun, edits).await? {
            Ok(texts) => texts,
            Err(unfit) => return Ok(unfit),
        };
        match store(db, begun, &texts, ending.clone()).await? {
            Stored::Stale => {}
            stored => return Ok(stored),
        }
    }
    let name = edits.first().map(|edit| edit.name.clone());
    let busy = Unfit {
        error: "The file is being changed by others all the time.".to_owned(),
        retry: false,
    };
    Ok(Stored::Unfit(name.unwrap_or_default(), busy))
}

/// What became of a transaction.
enum Stored {
    Whole(Whole),
    /// The file of this name could not be made or changed, and nothing is stored.
    Unfit(String, Unfit),
    /// A file is not what a diff was applied to any more, and nothing is stored.
    Stale,
    /// Somebody else ended the reply, or its chat is gone.
    Gone,
}

/// All that was stored.
struct Whole {
    /// Each file, and if it was changed the message about it with its rev; that of the file is the next one.
    files: Vec<(Made, Option<(Message, i64)>)>,
    ended: Ended,
}

async fn store(db: &mut Db, begun: &Begun, texts: &[Text], ending: Ending) -> Result<Stored> {
    let mut tx = db.begin().await?;
    // First of all, since nothing can be made in a chat that is gone.
    if !ending::mark(&mut tx, &begun.reply, &ending).await? {
        return Ok(Stored::Gone);
    }
    let mut made = Vec::new();
    for text in texts {
        match apply(&mut tx, begun, text).await? {
            Applied::Made(file) => made.push(file),
            Applied::Unfit(error) => {
                let error = error.to_owned();
                let retry = false;
                return Ok(Stored::Unfit(text.name.clone(), Unfit { error, retry }));
            }
            Applied::Stale => return Ok(Stored::Stale),
        }
    }
    let last = made.iter().rfind(|file| file.changed);
    let last = last.map(|file| file.name.clone());
    let changed = made.iter().filter(|file| file.changed).count() as i64;
    let mut rev = conversation::raise(&mut tx, &begun.chat, 2 * changed + 1).await? - 2 * changed;
    let mut files = Vec::new();
    for file in made {
        let mut told = None;
        if file.changed {
            told = Some((tell_of(&mut tx, begun, &file, rev).await?, rev));
            rev += 2;
        }
        files.push((file, told));
    }
    // With the messages about them.
    if let (Some(last), Some(quota)) = (last, begun.quota)
        && is_over(&mut tx, &begun.model.owner, quota).await?
    {
        let full = Unfit {
            error: STORAGE_FULL.to_owned(),
            retry: false,
        };
        return Ok(Stored::Unfit(last, full));
    }
    let new = files.iter().rfind(|(file, _)| file.is_new);
    if let (Some((new, _)), Some(most)) = (new, begun.most_files) {
        let stored = room::Stored::after(&mut tx, &begun.model.owner).await?;
        if stored.count(Thing::Files) > most {
            let error = format!("You may have {most} files. Delete some to make room.");
            let retry = false;
            return Ok(Stored::Unfit(new.name.clone(), Unfit { error, retry }));
        }
    }
    let ended = ending::close(&mut tx, &begun.reply, ending, rev).await?;
    tx.commit().await?;
    Ok(Stored::Whole(Whole { files, ended }))
}

impl Whole {
    fn told(self) -> Finished {
        let Self { files, ended } = self;
        let (mut events, mut v1) = (Vec::new(), Vec::new());
        for (file, message) in &files {
            let diff = file.diff();
            if let Some((message, rev)) = message {
                events.push(fitted(message.added(*rev)));
                events.push(fitted(file.event(rev + 1, &diff)));
            }
            v1.push(file.v1(&diff));
        }
        events.push(fitted(ended.event()));
        if let Some(error) = &ended.ending.error {
            v1.push(object!({ "error": error }).to_string());
        } else if files.is_empty()
            && (ended.ending.status == "complete" || !ended.message.content.is_empty())
        {
            v1.push(ended.message.content);
        }
        Finished { events, v1 }
    }
}

/// The files in what the model said; a file that it was asked for again as it said it then.
fn edits(said: &Said<'_>, ending: &Ending) -> Vec<Edit> {
    let cut_off = ending.finish_reason.as_deref() == Some("length");
    // After a second question the ending is that of its answer; the first was whole.
    let mut edits = files_in(said.first, cut_off && said.second.is_none());
    if let Some((misfit, reply)) = said.second {
        let again = files_in(reply, cut_off);
        for edit in &mut edits {
            if edit.name == misfit.name
                && matches!(edit.change, Change::Diff(_))
                && let Some(whole) = again
                    .iter()
                    .find(|again| again.name == edit.name || again.name.is_empty())
                    .or(again.first())
            {
                edit.change = whole.change.clone();
            }
        }
    }
    edits
}

fn files_in(reply: &str, cut_off: bool) -> Vec<Edit> {
    match composer::outcome(reply, cut_off) {
        Outcome::Text => Vec::new(),
        Outcome::Edits(edits) => edits,
    }
}

/// Why a file could not be made or changed.
struct Unfit {
    error: String,
    /// Whether the whole file might do where its diff did not.
    retry: bool,
}

impl Unfit {
    fn told(self) -> String {
        match self.retry {
            true => format!("Applying diff failed: {}", self.error),
            false => self.error,
        }
    }
}

/// A file that was made or changed.
#[derive(Debug, Clone)]
struct Made {
    id: String,
    name: String,
    text: String,
    /// What it said before; `None` for a new one.
    before: Option<String>,
    version: String,
    timestamp: String,
    is_new: bool,
    changed: bool,
}

impl Made {
    fn diff(&self) -> String {
        unified_diff(self.before.as_deref().unwrap_or_default(), &self.text)
    }

    fn content(&self) -> Value {
        object!({ "based_filename": self.name, "based_content": self.text })
    }

    /// v2's event.
    fn event(&self, rev: i64, diff: &str) -> Value {
        let version = NewVersion {
            file: &self.id,
            name: &self.name,
            id: &self.version,
            timestamp: &self.timestamp,
            text: &self.text,
        };
        version.event(rev, || diff.to_owned())
    }

    /// v1's answer to the prompt, without the text if that is too long for a frame.
    fn v1(&self, diff: &str) -> String {
        let answer = self.v1_answer(diff).to_string();
        if answer.len() <= MAX_FRAME_BYTES {
            return answer;
        }
        let cut = Self {
            text: String::new(),
            ..self.clone()
        };
        cut.v1_answer("").to_string()
    }

    fn v1_answer(&self, diff: &str) -> Value {
        let content = self.content();
        let message = object!({ "role": "assistant", "type": "file", "content": content });
        if !self.is_new {
            return object!({ "action": "agent_response", "message": message, "diff": diff });
        }
        let block =
            object!({ "role": "assistant", "type": "file", "content": content.to_string() });
        object!({
            "action": "agent_response", "type": "file", "id": self.id, "content": content, "message": message,
            "block": block,
        })
    }
}

/// The newest file of a chat with a name.
const FIND: &str =
    "SELECT id FROM chat_file WHERE chat_id = ?1 AND filename = ?2 ORDER BY rowid DESC LIMIT 1";

/// What a file is to say.
struct Text {
    name: String,
    text: String,
    /// What it said before, if that was changed by a diff.
    before: Option<String>,
}

/// The texts that the edits make, applied to what the files say now, or to what an earlier edit makes of them. The error
/// is [`Stored::Unfit`].
async fn apply_diffs(
    db: &mut Db,
    begun: &Begun,
    edits: &[Edit],
) -> Result<std::result::Result<Vec<Text>, Stored>> {
    let mut texts: Vec<Text> = Vec::new();
    for edit in edits {
        let unfit = |error: &str, retry| {
            let error = error.to_owned();
            Ok(Err(Stored::Unfit(
                edit.name.clone(),
                Unfit { error, retry },
            )))
        };
        let mut name = edit.name.as_str();
        let (mut text, mut before) = (String::new(), None);
        match &edit.change {
            Change::Whole(whole) => text.clone_from(whole),
            Change::Diff(diff) => {
                before = says(db, begun, &texts, name).await?;
                if before.is_none()
                    && let Some(selected) = begun.selected_filename.as_deref()
                {
                    name = selected;
                    before = says(db, begun, &texts, name).await?;
                }
                let Some(before) = &before else {
                    return unfit("No selected .based file to apply diff.", false);
                };
                match apply_diff(before, diff) {
                    Ok(applied) => text = applied,
                    Err(error) => return unfit(&error, true),
                }
            }
        }
        if text.len() > MAX_TEXT_BYTES {
            return unfit("The file in the reply is longer than 256 KiB.", false);
        }
        let name = name.to_owned();
        texts.push(Text { name, text, before });
    }
    Ok(Ok(texts))
}

/// What a file of the chat says once these texts are stored. `None`: there is no such file.
async fn says(db: &mut Db, begun: &Begun, texts: &[Text], name: &str) -> Result<Option<String>> {
    if let Some(text) = texts.iter().rfind(|text| text.name == name) {
        return Ok(Some(text.text.clone()));
    }
    let found = db
        .query_one(FIND, params![begun.chat.as_str(), name])
        .await?;
    match found {
        Some(mut row) => Ok(Some(
            versions::text(db, &row.text(0)).await?.unwrap_or_default(),
        )),
        None => Ok(None),
    }
}

/// What became of a text.
enum Applied {
    Made(Made),
    /// The file can't be made or changed.
    Unfit(&'static str),
    /// The file does not say any more what a diff was applied to.
    Stale,
}

async fn apply(tx: &mut Transaction<'_>, begun: &Begun, text: &Text) -> Result<Applied> {
    let Text { name, text, before } = text;
    let (name, text) = (name.clone(), text.clone());
    let found = tx
        .query_one(FIND, params![begun.chat.as_str(), name.as_str()])
        .await?;
    let Some(id) = found.map(|mut row| row.text(0)) else {
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
            "The file of that name is too long to be edited here, or no text.",
        ));
    };
    if before.is_some() && *before != saved.before {
        return Ok(Applied::Stale);
    }
    let (version, timestamp) = saved.version.unwrap_or_default();
    Ok(Applied::Made(Made {
        id,
        name,
        text,
        before: saved.before,
        version,
        timestamp,
        is_new: false,
        changed: saved.changed,
    }))
}

/// Adds the message that a file was made or changed, under `rev`, and puts the file itself under the next one.
async fn tell_of(
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
    let mut message = Message {
        role: "assistant".to_owned(),
        kind: "file".to_owned(),
        content: file.content().to_string(),
        model: Some(begun.model.name.clone()),
        ..Message::default()
    };
    conversation::add(tx, &begun.chat, &mut message, rev).await?;
    Ok(message)
}
