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
    let known = db.query_one(LOGIN, params![email.as_str()]).await?;
    if let Some(mut row) = known {
        return Ok(row.text(0));
    }
    let mut transaction = db.begin().await?;
    find_or_make(&mut transaction, email).await?;
    let answer = answer(&mut transaction, email).await?;
    transaction.commit().await?;
    Ok(answer)
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

/// The answer for a user who is there.
pub async fn answer(transaction: &mut Transaction<'_>, email: &Email) -> Result<String> {
    let row = transaction
        .query_one(LOGIN, params![email.as_str()])
        .await?;
    let mut row =
        row.ok_or_else(|| Error::internal(anyhow::anyhow!("a user is gone as soon as made")))?;
    Ok(row.text(0))
}
