//! The texts that the files of a reply are to have, worked out before the transaction that stores them.

use kafka_common::db::{Db, Result};
use kafka_common::params;
use kafka_common::reply::Begun;
use kafka_common::versions;
use kafka_llm::composer::{Change, Edit, Unfit};

/// The newest file of a chat with a name.
pub(super) const FIND: &str =
    "SELECT id FROM chat_file WHERE chat_id = ?1 AND filename = ?2 ORDER BY rowid DESC LIMIT 1";

/// The text that a file is to have.
pub(super) struct Text {
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
    let mut texts: Vec<Text> = Vec::new();
    for edit in edits {
        let (mut name, mut before) = (edit.name.as_str(), None);
        if matches!(edit.change, Change::Diff(_)) {
            before = text_of(db, begun, &texts, name).await?;
            if before.is_none()
                && let Some(selected) = begun.selected_filename.as_deref()
            {
                name = selected;
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
