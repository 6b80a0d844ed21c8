//! Echo: what plain text gets where its chat's owner has no model.

use kafka_common::access::Caller;
use kafka_common::api::events::Event;
use kafka_common::api::id::MessageId;
use kafka_common::api::relay::Message;
use kafka_common::api::words::{MessageKind, Role};
use kafka_common::conversation;
use kafka_common::db::Db;
use kafka_common::id::new_id;
use kafka_common::reply::audience;
use kafka_common::{clock, params};

use crate::refused::Refused;

const ECHO: &str = include_str!("echo.sql");

/// Keeps the text and the answer `Echo: <text>`, which is returned. Other clients receive both as messages.
pub async fn echo(db: &mut Db, chat: &str, caller: &Caller, text: &str) -> Result<String, Refused> {
    let answer = format!("Echo: {text}");
    let (said, echoed, now) = (new_id(), new_id(), clock::now());
    let mut tx = db.begin().await?;
    let rev = conversation::raise(&mut tx, chat, 2).await? - 1;
    let parents: Vec<Option<MessageId>> = tx
        .query_as(
            ECHO,
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
    let mut parents = parents.into_iter();
    let parent = parents.next().ok_or_else(Refused::chat_not_found)?;
    tx.commit().await?;
    let message = |id: String, parent_id, role, content: &str| Message {
        id: id.into(),
        parent_id,
        created_at: now.clone().into(),
        ..Message::new(role, MessageKind::Text, content.to_owned())
    };
    let said = message(said, parent, Role::User, text);
    let echoed = message(echoed, Some(said.id.clone()), Role::Assistant, &answer);
    let events = [Event::added(said, rev), Event::added(echoed, rev + 1)];
    audience::tell(chat, &events, Vec::new()).await;
    Ok(answer)
}
