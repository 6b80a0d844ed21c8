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
    make(&mut transaction, email).await?;
    transaction.commit().await?;
    look_up(&mut db, email)
        .await?
        .ok_or_else(Error::user_not_found)
}

/// The answer to the login of `email`: `known`, or without it that of a new account, which is made first.
pub async fn find_or_make(
    transaction: &mut Transaction<'_>,
    email: &Email,
    known: Option<String>,
) -> Result<String> {
    let made = make(transaction, email).await?;
    match known.filter(|_| !made) {
        Some(answer) => Ok(answer),
        // New, so it is short.
        None => {
            let answer = transaction.query_one_as(LOGIN, params![email.as_str()]);
            answer.await?.ok_or_else(Error::user_not_found)
        }
    }
}

/// Makes the user and their first workspace, unless they are there already. Whether they were not.
async fn make(transaction: &mut Transaction<'_>, email: &Email) -> Result<bool> {
    let user = new_id();
    let made: Option<String> = transaction
        .query_one_as(
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
    Ok(made.is_some())
}

/// The answer to the login of `email`; `None` if there is no account.
pub async fn look_up(db: &mut Db, email: &Email) -> Result<Option<String>> {
    Ok(db.query_one_as(LOGIN, params![email.as_str()]).await?)
}
