//! `POST /auth/login`: whoever gives an e-mail is that person, in open mode; a new one gets a user and a workspace.

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use kafka_common::{
    access::Access,
    db::{Db, Transaction},
    email::Email,
    error::{Error, Result, json_text_response},
    id::new_id,
    json::JsonBody,
    params,
};

/// The answer to a login, as JSON, for the e-mail `?1`.
const LOGIN: &str = include_str!("login.sql");

/// The workspace that a new user gets.
const DEFAULT_WORKSPACE: &str = "Default Workspace";

/// Answers with the user and all they have. A known e-mail costs one statement.
pub async fn login(_access: Access, request: Request) -> Result<Response> {
    let email = JsonBody::read(request).await?.email("email")?;
    let mut db = Db::open().await?;
    let known = db.query_one(LOGIN, params![email.as_str()]).await?;
    let answer = match known {
        Some(mut row) => row.text(0),
        None => sign_up(&mut db, &email).await?,
    };
    Ok(json_text_response(StatusCode::OK, answer).into_response())
}

/// Makes the user and their first workspace, unless another request has done so in the meantime.
async fn sign_up(db: &mut Db, email: &Email) -> Result<String> {
    let mut transaction = db.begin().await?;
    create(&mut transaction, email).await?;
    let mut row = transaction
        .query_one(LOGIN, params![email.as_str()])
        .await?
        .ok_or_else(|| Error::internal(anyhow::anyhow!("a user is gone as soon as made")))?;
    transaction.commit().await?;
    Ok(row.text(0))
}

async fn create(transaction: &mut Transaction<'_>, email: &Email) -> Result<()> {
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
