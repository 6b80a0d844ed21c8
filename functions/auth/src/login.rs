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

const FAILED: &str = include_str!("failed.sql");

/// How much of a browser's name is kept.
const MAX_AGENT_CHARS: usize = 200;

/// Answers with the user and all they have; in token mode also with the `token` of a new session, which a browser gets
/// as a cookie, too.
pub async fn login(visitor: Visitor, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let body = JsonBody::read(Request::from_parts(parts.clone(), body), FIELDS).await?;
    match log_in(&visitor, &parts, &body).await {
        Ok(answer) => Ok(json_text_response(StatusCode::OK, answer)),
        Err(error) => {
            if let Error::Unauthorized(_) | Error::Forbidden(_) = &error {
                note_failure(&visitor, &body).await;
            }
            Err(error)
        }
    }
}

async fn log_in(visitor: &Visitor, parts: &Parts, body: &JsonBody) -> Result<String> {
    match visitor.must_log_in() {
        true => begin_session(visitor, parts, prove(visitor, body).await?).await,
        false => Ok(account::open(&body.get::<Address>()?.email).await?.answer),
    }
}

/// Notes a login that failed: of an e-mail that no user has, only where it came from.
async fn note_failure(visitor: &Visitor, body: &JsonBody) {
    let email = body.get::<Address>().ok().map(|named| named.email);
    let email = email.as_ref().map(Email::key);
    let noted = async {
        let mut db = Db::open().await?;
        db.execute(FAILED, params![email, visitor.address()]).await
    };
    if let Err(error) = noted.await {
        tracing::warn!("a failed login is not in the audit table: {error}");
    }
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
async fn begin_session(visitor: &Visitor, request: &Parts, proven: Proven) -> Result<String> {
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
            let address = visitor.address();
            insert(&mut transaction, request, address, &account.user_id, &token).await?;
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
    address: Option<String>,
    user: &str,
    token: &str,
) -> Result<()> {
    let inserted: Option<String> = transaction
        .query_one_as(
            // The user may have left, or be disabled, since they were looked up.
            r#"INSERT INTO session (id, user_id, token_hash, created_at, extended_at, expires_at, user_agent, address)
             SELECT ?1, id, ?2, ?3, ?3, ?4, ?5, ?7 FROM "user" WHERE id = ?6 AND disabled_at IS NULL RETURNING id"#,
            params![
                new_id(),
                session::hash(token),
                clock::now(),
                clock::unix_millis() + SESSION_LASTS,
                user_agent(request),
                user,
                address
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
