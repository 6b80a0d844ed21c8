//! Which file of a chat an id names.

use kafka_common::chat_files::ChatFile;
use kafka_common::db::{Result, Transaction};
use kafka_common::params;

const FIND: &str = include_str!("chat_file.sql");

/// The file of a chat that `id` names, to be changed; `None` if it is not the caller's.
pub(crate) async fn find(
    tx: &mut Transaction<'_>,
    id: &str,
    caller: Option<&str>,
) -> Result<Option<ChatFile>> {
    let row = tx.query_one(FIND, params![id, caller]).await?;
    Ok(row.map(|mut row| ChatFile {
        id: row.text(0),
        name: row.text(1),
        chat: row.text(2),
    }))
}
