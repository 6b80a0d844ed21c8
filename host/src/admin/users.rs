//! Users: listed, disabled, logged out, deleted, and given a quota.

use super::{Admin, PAGE, Row, audit::note, text};
use crate::storage::Value;
use anyhow::bail;
use serde_json::json;
use uuid::Uuid;

/// Deletes the sessions of the user ?1.
const END_SESSIONS: &str = "DELETE FROM session WHERE user_id = ?1 RETURNING id";

/// Deletes a part of what the user ?1 has, each so much that others need not wait long: no transaction may grow with the
/// rows of a user. In this order nothing large is left for a cascade, and the sums of what is left stay true.
const PARTS: [&str; 6] = [
    "UPDATE chat SET head_id = NULL WHERE rowid IN (
        SELECT rowid FROM chat WHERE user_id = ?1 AND head_id IS NOT NULL LIMIT 1000
    ) RETURNING 1",
    "DELETE FROM chat_conversation WHERE rowid IN (
        SELECT message.rowid FROM chat JOIN chat_conversation AS message ON message.chat_id = chat.id
        WHERE chat.user_id = ?1 LIMIT 500
    ) RETURNING 1",
    "DELETE FROM chat_file_version WHERE rowid IN (
        SELECT version.rowid FROM chat JOIN chat_file AS file ON file.chat_id = chat.id
            JOIN chat_file_version AS version ON version.chat_file_id = file.id
        WHERE chat.user_id = ?1 LIMIT 200
    ) RETURNING 1",
    "DELETE FROM chat_file WHERE rowid IN (
        SELECT file.rowid FROM chat JOIN chat_file AS file ON file.chat_id = chat.id WHERE chat.user_id = ?1 LIMIT 20
    ) RETURNING 1",
    "DELETE FROM chat WHERE rowid IN (SELECT rowid FROM chat WHERE user_id = ?1 LIMIT 200) RETURNING 1",
    "DELETE FROM file WHERE rowid IN (
        SELECT file.rowid FROM workspace JOIN file ON file.workspace_id = workspace.id
        WHERE workspace.owner_id = ?1 LIMIT 5
    ) RETURNING 1",
];

/// Deletes the counters of rate limits of ?1, an id or an e-mail, from whichever address.
const FORGET: &str =
    "DELETE FROM rate_limit WHERE instr(key || ' from ', ' of ' || ?1 || ' from ') > 0";

/// A user.
#[derive(Debug, Clone)]
pub struct User {
    /// The id.
    pub id: String,
    /// The e-mail.
    pub email: String,
    is_disabled: bool,
}

/// Users, some at a time.
pub struct Users {
    /// The users.
    pub rows: Vec<Row>,
    /// Where the next ones begin.
    pub after: i64,
}

impl Admin {
    /// The users after a place, oldest first; none when there are no more.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn users(&mut self, after: i64) -> anyhow::Result<Users> {
        let page = vec![Value::Integer(after), Value::Integer(PAGE)];
        let mut rows = self.rows(include_str!("users.sql"), page).await?;
        let mut last = after;
        for row in &mut rows {
            let place = row.remove("place").and_then(|place| place.as_i64());
            last = place.unwrap_or(last);
            let made = row.get("id").and_then(|id| made_at(id.as_str()?));
            row.insert("created_at".to_owned(), json!(made));
        }
        Ok(Users { rows, after: last })
    }

    /// The user with this id or e-mail.
    ///
    /// # Errors
    /// When there is none, or several have the e-mail.
    pub async fn find(&mut self, user: &str) -> anyhow::Result<User> {
        let parameters = vec![text(user), text(&user.to_lowercase())];
        let rows = self.rows(include_str!("find.sql"), parameters).await?;
        let string = |row: &Row, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        match rows.as_slice() {
            [row] => Ok(User {
                id: string(row, "id"),
                email: string(row, "email"),
                is_disabled: row["is_disabled"] == 1,
            }),
            [] => bail!("no user has the id or the e-mail {user:?}"),
            rows => {
                let ids: Vec<_> = rows.iter().map(|row| string(row, "id")).collect();
                bail!(
                    "several users have this e-mail; name one by its id: {}",
                    ids.join(", ")
                )
            }
        }
    }

    /// Ends the sessions of the user, and lets the user not log in. Returns how many sessions there were.
    ///
    /// # Errors
    /// When that can't be written.
    pub async fn disable(&mut self, user: &User) -> anyhow::Result<usize> {
        let disable = r#"UPDATE "user" SET disabled_at = coalesce(disabled_at, unixepoch() * 1000) WHERE id = ?1"#;
        let ended = self.transaction(vec![
            (END_SESSIONS, vec![text(&user.id)]),
            (disable, vec![text(&user.id)]),
            note("user_disabled", &user.id, None),
        ]);
        Ok(ended.await?.len())
    }

    /// Lets the user log in again. Returns whether the user could not.
    ///
    /// # Errors
    /// When that can't be written.
    pub async fn enable(&mut self, user: &User) -> anyhow::Result<bool> {
        if user.is_disabled {
            let enable = r#"UPDATE "user" SET disabled_at = NULL WHERE id = ?1"#;
            self.transaction(vec![
                (enable, vec![text(&user.id)]),
                note("user_enabled", &user.id, None),
            ])
            .await?;
        }
        Ok(user.is_disabled)
    }

    /// Ends the sessions of the user. Returns how many there were.
    ///
    /// # Errors
    /// When that can't be written.
    pub async fn log_out(&mut self, user: &User) -> anyhow::Result<usize> {
        let ended = self.transaction(vec![
            (END_SESSIONS, vec![text(&user.id)]),
            note("user_logged_out", &user.id, None),
        ]);
        Ok(ended.await?.len())
    }

    /// Gives the user a quota in bytes; `None`: that of all users.
    ///
    /// # Errors
    /// When that can't be written.
    pub async fn set_quota(&mut self, user: &User, bytes: Option<i64>) -> anyhow::Result<()> {
        let set = r#"UPDATE "user" SET quota_bytes = ?2 WHERE id = ?1"#;
        let quota = bytes.map_or(Value::Null, Value::Integer);
        let object = bytes.map_or_else(|| "default".to_owned(), |bytes| bytes.to_string());
        self.transaction(vec![
            (set, vec![text(&user.id), quota]),
            note("quota_set", &user.id, Some(object)),
        ])
        .await?;
        Ok(())
    }

    /// Deletes the user with all that is the user's, in parts. If that is interrupted, the user stays, disabled, with a
    /// part of it, and can be deleted again.
    ///
    /// # Errors
    /// When that can't be written.
    pub async fn delete(&mut self, user: &User) -> anyhow::Result<()> {
        self.disable(user).await?;
        for part in PARTS {
            while !self.rows(part, vec![text(&user.id)]).await?.is_empty() {}
        }
        let email = user.email.to_lowercase();
        self.transaction(vec![
            (r#"DELETE FROM "user" WHERE id = ?1"#, vec![text(&user.id)]),
            (
                "DELETE FROM login_code WHERE email = ?1",
                vec![text(&email)],
            ),
            (FORGET, vec![text(&user.id)]),
            (FORGET, vec![text(&email)]),
            note("user_deleted", &user.id, Some(user.id.clone())),
        ])
        .await?;
        Ok(())
    }
}

/// When an id was made, in milliseconds since 1970, as far as it says so.
fn made_at(id: &str) -> Option<i64> {
    let (seconds, nanoseconds) = Uuid::parse_str(id).ok()?.get_timestamp()?.to_unix();
    i64::try_from(seconds * 1000 + u64::from(nanoseconds) / 1_000_000).ok()
}
