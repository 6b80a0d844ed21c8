//! Echo: what plain text gets where its chat's owner has no model.

use kafka_common::access::Caller;
use kafka_common::announce::fitted;
use kafka_common::conversation;
use kafka_common::db::Db;
use kafka_common::id::new_id;
use kafka_common::message::Message;
use kafka_common::reply::audience;
use kafka_common::{clock, params};

use crate::refused::Refused;

/// Keeps the text and the answer `Echo: <text>`, which is returned. Other windows see both as messages.
pub async fn echo(db: &mut Db, chat: &str, caller: &Caller, text: &str) -> Result<String, Refused> {
    let answer = format!("Echo: {text}");
    let (said, echoed, now) = (new_id(), new_id(), clock::now());
    let mut tx = db.begin().await?;
    let rev = conversation::raise(&mut tx, chat, 2).await? - 1;
    let rows = tx
        .query(
            "WITH last (id, position) AS (
                 SELECT head_id, coalesce((SELECT max(position) FROM chat_conversation WHERE chat_id = ?1), 0)
                 FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)
             )
             INSERT INTO chat_conversation
                 (id, chat_id, role, type, content, parent_id, position, created_at, status, rev, selected)
             SELECT ?3, ?1, 'user', 'text', ?4, last.id, last.position + 1, ?7, 'complete', ?8, ?8 FROM last
             UNION ALL
             SELECT ?5, ?1, 'assistant', 'text', ?6, ?3, last.position + 2, ?7, 'complete', ?8 + 1, ?8 + 1 FROM last
             RETURNING parent_id",
            params![
                chat,
                caller.user_id(),
                said.as_str(),
                text,
                echoed.as_str(),
                answer.as_str(),
                now.as_str(),
                rev
            ],
        )
        .await?;
    let mut rows = rows.into_iter();
    let Some(mut first) = rows.next() else {
        return Err(Refused::chat_not_found());
    };
    tx.commit().await?;
    let message = |id: String, parent_id, role: &str, content: &str| Message {
        id,
        parent_id,
        role: role.to_owned(),
        kind: "text".to_owned(),
        content: content.to_owned(),
        status: "complete".to_owned(),
        created_at: now.clone(),
        ..Message::default()
    };
    let said = message(said, first.opt_text(0), "user", text);
    let echoed = message(echoed, Some(said.id.clone()), "assistant", &answer);
    let events = vec![fitted(said.added(rev)), fitted(echoed.added(rev + 1))];
    audience::tell(chat, events, Vec::new()).await;
    Ok(answer)
}
