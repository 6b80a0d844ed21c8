//! `PATCH /models/{model_id}`: another name, address or key.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use kafka_common::{
    access::{Access, Caller, own_origins},
    api::{
        id::UserId,
        models::{ChangeModel, Model},
    },
    db::{Db, Transaction},
    error::{Error, FieldError, Result, answer},
    form::{self, NoFiles},
    limits::Limit,
    owner, params,
    seal::{Binding, Keys},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{fields, renew};

const FIND: &str = "SELECT name, base_url, ak, user_id FROM model
    WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)";

const UPDATE: &str = include_str!("change.sql");

/// The model as it is.
#[derive(Deserialize)]
struct Found {
    name: String,
    base_url: String,
    ak: String,
    user_id: String,
}

/// What the form asks for.
struct Wanted {
    name: Option<String>,
    base_url: Option<String>,
    /// A new API key, and what will seal it: got before the transaction, because getting it may need one of its own.
    key: Option<(String, &'static Keys)>,
    /// The origins under which this application was called.
    own: Vec<String>,
}

/// Changes what was sent, all of it or nothing.
pub async fn change(
    access: Access,
    Path(model): Path<String>,
    request: Request,
) -> Result<Response> {
    let own = own_origins(request.headers(), request.uri());
    let form: ChangeModel = form::read(request, NoFiles).await?;
    let sent = |text: Option<String>| text.filter(|text| !text.is_empty());
    let caller = access.caller(form.user_id.as_ref().map(UserId::as_str))?;
    caller.count(Limit::Create).await?;
    renew::once().await?;
    let key = match sent(form.ak) {
        Some(key) => Some((fields::check_key(&key)?.to_owned(), Keys::get().await?)),
        None => None,
    };
    let wanted = Wanted {
        name: sent(form.name),
        base_url: sent(form.base_url),
        key,
        own,
    };

    let mut db = Db::open().await?;
    let mut transaction = db.begin().await?;
    let Some(changed) = apply(&mut transaction, &model, &caller, wanted).await? else {
        drop(transaction);
        return Err(owner::not_found(&mut db, &caller, Error::model_not_found()).await);
    };
    transaction.commit().await?;
    Ok(answer(&changed))
}

/// Makes the changes and returns the model; `None` if it is not the caller's.
async fn apply(
    transaction: &mut Transaction<'_>,
    model: &str,
    caller: &Caller,
    wanted: Wanted,
) -> Result<Option<Model>> {
    let find = transaction.query_one_as(FIND, params![model, caller.user_id()]);
    let Some(found): Option<Found> = find.await? else {
        return Ok(None);
    };
    let name = wanted.name.unwrap_or(found.name);
    let base_url = wanted.base_url.unwrap_or_else(|| found.base_url.clone());
    if base_url != found.base_url {
        fields::check_url(&base_url, wanted.own).await?;
        if wanted.key.is_none() {
            // Else a stranger who can change the address could have the key sent to their own.
            let mut missing = FieldError::missing("ak", Value::Null);
            missing.msg = "Field required, because base_url changes".to_owned();
            return Err(missing.into());
        }
    }
    let binding = Binding {
        owner: &found.user_id,
        row: model,
        base_url: &base_url,
    };
    let sealed = match wanted.key {
        Some((key, keys)) => keys.seal(binding, &key)?,
        None => found.ak,
    };
    let update = params![model, name, base_url, sealed];
    Ok(transaction.query_one_as(UPDATE, update).await?)
}
