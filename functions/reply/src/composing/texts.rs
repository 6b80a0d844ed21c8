//! The texts that the files of a reply are to have, worked out before the transaction that stores them.

use kafka_common::db::{Db, Result};
use kafka_common::params;
use kafka_common::reply::Begun;
use kafka_common::versions;
use kafka_llm::composer::{Change, Edit, Unfit};
use kafka_llm::names::key;
use serde_json::json;

/// The newest file of a chat with a name.
pub(super) const FIND: &str =
    "SELECT id FROM chat_file WHERE chat_id = ?1 AND filename = ?2 ORDER BY rowid DESC LIMIT 1";

const NAMES: &str = include_str!("names.sql");

/// The text that a file is to have.
pub(super) struct Text {
    /// Its name as the chat has it, or as the reply has it if it is new.
    pub name: String,
    pub text: String,
    /// The text that it had before, if a diff was applied to that.
    pub before: Option<String>,
}

/// Applies the edits to the texts that the files have now, or to those that earlier edits give them. Fails with the name
/// of the file for which that can't be done, and why.
pub(super) async fn of(
    db: &mut Db,
    begun: &Begun,
    edits: &[Edit],
) -> Result<std::result::Result<Vec<Text>, (String, Unfit)>> {
    let known = names(db, begun, edits).await?;
    let mut texts: Vec<Text> = Vec::new();
    for edit in edits {
        let (mut name, mut before) = (named(&known, &edit.name), None);
        if matches!(edit.change, Change::Diff(_)) {
            before = text_of(db, begun, &texts, name).await?;
            if before.is_none()
                && let Some(selected) = begun.selected_filename.as_deref()
            {
                name = named(&known, selected);
                before = text_of(db, begun, &texts, name).await?;
            }
        }
        let text = match edit.change.apply(before.as_deref()) {
            Ok(text) => text,
            Err(why) => return Ok(Err((edit.name.clone(), why))),
        };
        let name = name.to_owned();
        texts.push(Text { name, text, before });
    }
    Ok(Ok(texts))
}

/// The names of the chat's files that may be those of the edits.
async fn names(db: &mut Db, begun: &Begun, edits: &[Edit]) -> Result<Vec<String>> {
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    let edited = edits.iter().map(|edit| edit.name.as_str());
    let wanted: Vec<&str> = edited.chain(begun.selected_filename.as_deref()).collect();
    let is_ascii = wanted.iter().all(|name| name.is_ascii());
    let spellings = wanted
        .iter()
        .flat_map(|name| [(*name).to_owned(), key(name), format!("./{}", key(name))]);
    let spellings = json!(spellings.collect::<Vec<_>>()).to_string();
    let parameters = params![begun.chat.as_str(), spellings, i64::from(!is_ascii)];
    db.query_as(NAMES, parameters).await
}

/// The name that the chat's file has: exactly this one if there is such a file, else the newest that means the same.
fn named<'a>(known: &'a [String], name: &'a str) -> &'a str {
    let exact = known.iter().find(|known| *known == name);
    let same = || known.iter().find(|known| key(known) == key(name));
    exact.or_else(same).map_or(name, String::as_str)
}

/// The text that a file of the chat has once these texts are stored. `None`: there is no such file.
async fn text_of(db: &mut Db, begun: &Begun, texts: &[Text], name: &str) -> Result<Option<String>> {
    if let Some(text) = texts.iter().rfind(|text| text.name == name) {
        return Ok(Some(text.text.clone()));
    }
    let found: Option<String> = db
        .query_one_as(FIND, params![begun.chat.as_str(), name])
        .await?;
    match found {
        Some(id) => Ok(Some(versions::text(db, &id).await?.unwrap_or_default())),
        None => Ok(None),
    }
}
