//! People's accounts: found by e-mail, or made.

use kafka_common::{
    db::{Db, Transaction, Value},
    email::Email,
    error::{Error, Result},
    id::new_id,
    params,
};
use serde::Deserialize;

/// An [`Account`], for the e-mail `?1`, in lower case `?2`, or for the id `?3`.
const LOGIN: &str = include_str!("login.sql");

/// The workspace that a new user gets.
const DEFAULT_WORKSPACE: &str = "Default Workspace";

/// An account.
#[derive(Deserialize)]
pub struct Account {
    /// The id of the user.
    pub user_id: String,
    /// The answer to a login, as JSON: the user and all they have.
    pub answer: String,
    is_disabled: bool,
}

impl Account {
    /// 403 if the operator has disabled the user.
    pub fn check(self) -> Result<Self> {
        match self.is_disabled {
            true => Err(Error::disabled()),
            false => Ok(self),
        }
    }
}

/// The account of `email`, which is made if there is none. A known e-mail costs one statement.
pub async fn open(email: &Email) -> Result<Account> {
    let mut db = Db::open().await?;
    if let Some(account) = look_up(&mut db, email).await? {
        return account.check();
    }
    let mut transaction = db.begin().await?;
    make(&mut transaction, email).await?;
    transaction.commit().await?;
    look_up(&mut db, email)
        .await?
        .ok_or_else(Error::user_not_found)
}

/// The account of `email`: `known`, or without it a new one, which is made first.
pub async fn find_or_make(
    transaction: &mut Transaction<'_>,
    email: &Email,
    known: Option<Account>,
) -> Result<Account> {
    let made = make(transaction, email).await?;
    match known.filter(|_| !made) {
        Some(account) => account.check(),
        // New, so it is short.
        None => {
            let account = transaction.query_one_as(LOGIN, of_email(email));
            let account: Option<Account> = account.await?;
            account.ok_or_else(Error::user_not_found)?.check()
        }
    }
}

/// Makes the user and their first workspace, unless they are there already. Whether they were not.
async fn make(transaction: &mut Transaction<'_>, email: &Email) -> Result<bool> {
    let user = new_id();
    let made: Option<String> = transaction
        .query_one_as(
            include_str!("account.sql"),
            params![user.as_str(), email.as_str(), email.key()],
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

/// The account of `email`; `None` if there is none.
pub async fn look_up(db: &mut Db, email: &Email) -> Result<Option<Account>> {
    Ok(db.query_one_as(LOGIN, of_email(email)).await?)
}

/// The account of the user with this id; `None` if there is none.
pub async fn look_up_id(db: &mut Db, user: &str) -> Result<Option<Account>> {
    let none: Option<&str> = None;
    Ok(db.query_one_as(LOGIN, params![none, none, user]).await?)
}

fn of_email(email: &Email) -> Vec<Value> {
    let id: Option<&str> = None;
    params![email.as_str(), email.key(), id]
}
