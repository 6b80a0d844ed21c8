//! People's accounts: found by e-mail, or made.

use kafka_common::{
    db::{Db, Transaction},
    email::Email,
    error::{Error, Result},
    id::new_id,
    params,
};

/// The answer to a login, as JSON, for the e-mail `?1`.
const LOGIN: &str = include_str!("login.sql");

/// The workspace that a new user gets.
const DEFAULT_WORKSPACE: &str = "Default Workspace";

/// What the login of `email` answers, as JSON: the user and all they have. A known e-mail costs one statement.
pub async fn open(email: &Email) -> Result<String> {
    let mut db = Db::open().await?;
    if let Some(answer) = look_up(&mut db, email).await? {
        return Ok(answer);
    }
    let mut transaction = db.begin().await?;
    find_or_make(&mut transaction, email).await?;
    transaction.commit().await?;
    answer(&mut db, email).await
}

/// Makes the user and their first workspace, unless they are there already.
pub async fn find_or_make(transaction: &mut Transaction<'_>, email: &Email) -> Result<()> {
    let user = new_id();
    let made = transaction
        .query_one(
            r#"INSERT INTO "user" (id, email) VALUES (?1, ?2) ON CONFLICT (email) DO NOTHING RETURNING id"#,
            params![user.as_str(), email.as_str()],
        )
        .await?;
    if made.is_some() {
        transaction
            .execute(
                "INSERT INTO workspace (id, name, owner_id) VALUES (?1, ?2, ?3)",
                params![new_id(), DEFAULT_WORKSPACE, user],
            )
            .await?;
    }
    Ok(())
}

/// The answer for a user who was there just now. 404 for one who has left since.
pub async fn answer(db: &mut Db, email: &Email) -> Result<String> {
    look_up(db, email).await?.ok_or_else(Error::user_not_found)
}

async fn look_up(db: &mut Db, email: &Email) -> Result<Option<String>> {
    let row = db.query_one(LOGIN, params![email.as_str()]).await?;
    Ok(row.map(|mut row| row.text(0)))
}
