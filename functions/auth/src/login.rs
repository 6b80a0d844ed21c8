//! `POST /auth/login`: in open mode an e-mail is enough; in token mode the client must prove that it is the user's.

use axum::{extract::Request, http::request::Parts, response::Response};
use http::{StatusCode, header};
use kafka_common::{
    access::{
        Visitor,
        session::{self, SESSION_LASTS},
    },
    clock,
    db::{Db, Transaction},
    email::Email,
    error::{Error, FieldError, Result, json_text_response},
    id::new_id,
    json::JsonBody,
    limits::{Limit, Subject},
    params,
};
use serde::Deserialize;
use serde_json::Value;

use crate::code::{self, Address};
use crate::{account, oidc};

/// The fields of a login.
const FIELDS: &[&str] = &["email", "code", "id_token"];

/// How much of a browser's name is kept.
const MAX_AGENT_CHARS: usize = 200;

/// Answers with the user and all they have; in token mode also with the `token` of a new session, which a browser gets
/// as a cookie, too.
pub async fn login(visitor: Visitor, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let body = JsonBody::read(Request::from_parts(parts.clone(), body), FIELDS).await?;
    let answer = match visitor.must_log_in() {
        true => begin_session(&parts, prove(&visitor, &body).await?).await?,
        false => account::open(&body.get::<Address>()?.email).await?.answer,
    };
    Ok(json_text_response(StatusCode::OK, answer))
}

/// The body of a login with an identity provider's word.
#[derive(Deserialize)]
struct ByProvider {
    id_token: Option<String>,
}

/// The body of a login with a code.
#[derive(Deserialize)]
struct ByCode {
    email: Email,
    code: Option<String>,
}

/// A proof that an e-mail address is the user's.
pub enum Proven {
    /// By an identity provider's word, which is used up when the session begins.
    ByProvider(oidc::Word),
    /// By a code, which is looked for, and used up, when the session begins.
    ByCode(code::Shown),
}

impl Proven {
    fn email(&self) -> Email {
        match self {
            Self::ByProvider(word) => word.email.clone(),
            Self::ByCode(shown) => shown.email.clone(),
        }
    }

    /// 401 for a code that is not valid now, before the user's rows are read.
    async fn check(self, db: &mut Db) -> Result<Self> {
        match self {
            Self::ByProvider(word) => Ok(Self::ByProvider(word)),
            Self::ByCode(shown) => shown.check(db).await.map(Self::ByCode),
        }
    }

    /// Uses the proof up. 401 if it is used up already.
    async fn use_up(self, transaction: &mut Transaction<'_>) -> Result<oidc::Login> {
        match self {
            Self::ByProvider(word) => word.use_up(transaction).await,
            Self::ByCode(shown) => {
                shown.use_up(transaction).await?;
                Ok(oidc::Login::New(session::new_token()?))
            }
        }
    }
}

/// Reads the proof: `id_token`, or `email` and `code`. 401 for a wrong token.
async fn prove(visitor: &Visitor, body: &JsonBody) -> Result<Proven> {
    if let ByProvider {
        id_token: Some(token),
    } = body.get()?
    {
        visitor.count(&[Limit::Login], Subject::Nobody).await?;
        return oidc::verify(&token).await.map(Proven::ByProvider);
    }
    let ByCode { email, code } = body.get()?;
    let Some(code) = code else {
        // Without the address and whatever else was sent: it is about what was not.
        let mut missing = FieldError::missing("code", Value::Null);
        missing.msg = "Field required: a code from POST /auth/code, or an id_token".to_owned();
        return Err(missing.into());
    };
    code::Shown::count(visitor, email, &code)
        .await
        .map(Proven::ByCode)
}

/// Begins a session, in one transaction with the account if that is new. Returns the answer.
async fn begin_session(request: &Parts, proven: Proven) -> Result<String> {
    let email = proven.email();
    let mut db = Db::open().await?;
    let proven = proven.check(&mut db).await?;
    // Before anything is stored, so that there is no session without an answer, and before the transaction: with many
    // rows it takes a while, in which no other transaction could write.
    let known = account::look_up(&mut db, &email).await?;
    let mut transaction = db.begin().await?;
    let login = proven.use_up(&mut transaction).await?;
    let account = account::find_or_make(&mut transaction, &email, known).await?;
    let token = match login {
        oidc::Login::New(token) => {
            insert(&mut transaction, request, &account.user_id, &token).await?;
            token
        }
        oidc::Login::Again(token) => token,
    };
    transaction.commit().await?;
    session::give_cookie(request, &token);
    Ok(with_token(account.answer, &token))
}

/// Stores a session of the user.
async fn insert(
    transaction: &mut Transaction<'_>,
    request: &Parts,
    user: &str,
    token: &str,
) -> Result<()> {
    let inserted: Option<String> = transaction
        .query_one_as(
            // The user may have left since they were looked up.
            r#"INSERT INTO session (id, user_id, token_hash, created_at, extended_at, expires_at, user_agent)
             SELECT ?1, id, ?2, ?3, ?3, ?4, ?5 FROM "user" WHERE id = ?6 RETURNING id"#,
            params![
                new_id(),
                session::hash(token),
                clock::now(),
                clock::unix_millis() + SESSION_LASTS,
                user_agent(request),
                user
            ],
        )
        .await?;
    inserted.map(drop).ok_or_else(Error::user_not_found)
}

fn user_agent(request: &Parts) -> Option<String> {
    let agent = request.headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(agent.chars().take(MAX_AGENT_CHARS).collect())
}

/// The login's JSON, which is an object, with the token as its last member. Tokens are letters, digits, `-` and `_`.
fn with_token(mut answer: String, token: &str) -> String {
    answer.pop();
    answer.push_str(&format!(r#","token":"{token}"}}"#));
    answer
}
