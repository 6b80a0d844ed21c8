//! `PATCH /models/{model_id}`: another name, address or key.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use http::StatusCode;
use kafka_common::{
    access::{Access, Caller, own_origins},
    api::models::{AK, BASE_URL, CHANGE_FORM},
    db::{Db, Transaction},
    error::{Error, FieldError, Result, json_response},
    form::{Form, NoFiles},
    limits::Limit,
    owner, params,
    seal::{Keys, Place},
};
use serde_json::Value;

use crate::{fields, renew};

const FIND: &str = "SELECT name, base_url, ak, user_id FROM model
    WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)";

const UPDATE: &str = "UPDATE model SET name = ?2, base_url = ?3, ak = ?4 WHERE id = ?1";

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
    let mut form = Form::read(request, CHANGE_FORM, NoFiles).await?;
    let user = form.optional_id("user_id");
    let mut sent = |name| form.optional_text(name).filter(|text| !text.is_empty());
    let caller = access.caller(user.as_deref())?;
    caller.count(Limit::Create).await?;
    renew::once().await?;
    let key = match sent(AK) {
        Some(key) => Some((fields::check_key(&key)?.to_owned(), Keys::get().await?)),
        None => None,
    };
    let wanted = Wanted {
        name: sent("name"),
        base_url: sent(BASE_URL),
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
    Ok(json_response(StatusCode::OK, &changed))
}

/// Makes the changes and tells what the model is now; `None` if it is not the caller's.
async fn apply(
    transaction: &mut Transaction<'_>,
    model: &str,
    caller: &Caller,
    wanted: Wanted,
) -> Result<Option<Value>> {
    let found = transaction
        .query_one(FIND, params![model, caller.user_id()])
        .await?;
    let Some(mut row) = found else {
        return Ok(None);
    };
    let (name, current_url) = (wanted.name.unwrap_or_else(|| row.text(0)), row.text(1));
    let (sealed, owner) = (row.text(2), row.text(3));
    let base_url = wanted.base_url.unwrap_or_else(|| current_url.clone());
    if base_url != current_url {
        fields::check_url(&base_url, wanted.own).await?;
        if wanted.key.is_none() {
            // Else whoever can change the address could have the key sent to their own.
            let mut missing = FieldError::missing(AK, Value::Null);
            missing.msg = "Field required, because base_url changes".to_owned();
            return Err(missing.into());
        }
    }
    let place = Place {
        owner: &owner,
        row: model,
        base_url: &base_url,
    };
    let sealed = match wanted.key {
        Some((key, keys)) => keys.seal(place, &key)?,
        None => sealed,
    };
    let update = params![model, name.as_str(), base_url.as_str(), sealed];
    transaction.execute(UPDATE, update).await?;
    Ok(Some(fields::shown(model, &name, &base_url, &owner)))
}
