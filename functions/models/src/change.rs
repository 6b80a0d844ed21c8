//! `PATCH /models/{model_id}`: another name, address or key, and settings.

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
    feed,
    form::{self, NoFiles},
    limits::Limit,
    owner, params,
    seal::{Binding, Keys, headers_row},
};
use serde::Deserialize;
use serde_json::Value;

use crate::new::name_is_taken;
use crate::{fields, renew};

const FIND: &str = include_str!("find.sql");

const UPDATE: &str = include_str!("change.sql");

/// The model as it is.
#[derive(Deserialize)]
struct Found {
    name: String,
    base_url: String,
    ak: String,
    user_id: String,
    context_chars: Option<i64>,
    timeout_seconds: Option<i64>,
    /// Sealed.
    headers: Option<String>,
    header_names: Option<String>,
    query: Option<String>,
    key_header: Option<String>,
    takes_images: Option<i64>,
    /// Whether another model of the owner has the name that is asked for.
    name_is_taken: bool,
}

/// What the form asks for.
struct Wanted {
    name: Option<String>,
    base_url: Option<String>,
    /// A new API key, and what will seal it: got before the transaction, because getting it may need one of its own.
    key: Option<(String, &'static Keys)>,
    /// JSON, the names in it, and what will seal it. The inner `None`: the setting goes, as with those that follow.
    headers: Option<Option<(String, String, &'static Keys)>>,
    context_chars: Option<Option<i64>>,
    timeout_seconds: Option<Option<i64>>,
    query: Option<Option<String>>,
    key_header: Option<Option<&'static str>>,
    takes_images: Option<Option<bool>>,
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
    let headers = match sent(form.headers) {
        Some(json) => Some(match fields::check_headers(&json)? {
            Some((json, names)) => Some((json, names, Keys::get().await?)),
            None => None,
        }),
        None => None,
    };
    let number = |field, text: Option<String>, least, most| {
        let text = sent(text);
        let number = text.map(|text| fields::check_number(field, &text, least, most));
        number.transpose()
    };
    let query = sent(form.query);
    let key_header = sent(form.key_header);
    let capabilities = sent(form.capabilities);
    let capabilities = capabilities.as_deref().map(fields::check_capabilities);
    let wanted = Wanted {
        name: sent(form.name),
        base_url: sent(form.base_url),
        key,
        headers,
        context_chars: number("context_chars", form.context_chars, 1000, 10_000_000)?,
        timeout_seconds: number("timeout_seconds", form.timeout_seconds, 1, 3600)?,
        query: query.as_deref().map(fields::check_query).transpose()?,
        key_header: key_header
            .as_deref()
            .map(fields::check_key_header)
            .transpose()?,
        takes_images: capabilities.transpose()?.and_then(|wanted| wanted.images),
        own,
    };

    let mut db = Db::open().await?;
    let mut transaction = db.begin().await?;
    let Some(changed) = apply(&mut transaction, &model, &caller, wanted).await? else {
        drop(transaction);
        return Err(owner::not_found(&mut db, &caller, Error::model_not_found()).await);
    };
    transaction.commit().await?;
    feed::tell([model]).await;
    Ok(answer(&changed))
}

/// Makes the changes and returns the model; `None` if it is not the caller's.
async fn apply(
    transaction: &mut Transaction<'_>,
    model: &str,
    caller: &Caller,
    wanted: Wanted,
) -> Result<Option<Model>> {
    let find = params![model, caller.user_id(), wanted.name.as_deref()];
    let Some(found): Option<Found> = transaction.query_one_as(FIND, find).await? else {
        return Ok(None);
    };
    // The name that it has stays allowed, even if it is one of several from before.
    let is_renamed = wanted.name.as_ref().is_some_and(|name| *name != found.name);
    if is_renamed && found.name_is_taken {
        return Err(name_is_taken());
    }
    let name = wanted.name.unwrap_or_else(|| found.name.clone());
    let base_url = wanted.base_url.unwrap_or_else(|| found.base_url.clone());
    if base_url != found.base_url {
        fields::check_url(&base_url, wanted.own).await?;
        // Else a stranger who can change the address could have the key sent to their own.
        if wanted.key.is_none() {
            return Err(needed_again("ak"));
        }
        if found.headers.is_some() && wanted.headers.is_none() {
            return Err(needed_again("headers"));
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
    let row = headers_row(model);
    let (headers, header_names) = match wanted.headers {
        Some(Some((json, names, keys))) => {
            let sealed = keys.seal(
                Binding {
                    row: &row,
                    ..binding
                },
                &json,
            )?;
            (Some(sealed), Some(names))
        }
        Some(None) => (None, None),
        None => (found.headers, found.header_names),
    };
    let is_another = name != found.name || base_url != found.base_url;
    // Another size is set, or it is to be learnt again.
    let is_other = is_another || wanted.context_chars.is_some();
    let takes_images = match wanted.takes_images {
        Some(takes) => takes.map(i64::from),
        None if is_another => None,
        None => found.takes_images,
    };
    let update = params![
        model,
        name,
        base_url,
        sealed,
        wanted.context_chars.unwrap_or(found.context_chars),
        wanted.timeout_seconds.unwrap_or(found.timeout_seconds),
        headers,
        header_names,
        wanted.query.unwrap_or(found.query),
        wanted
            .key_header
            .map_or(found.key_header, |header| header.map(str::to_owned)),
        i64::from(is_other),
        caller.address(),
        takes_images
    ];
    Ok(transaction.query_one_as(UPDATE, update).await?)
}

/// 422: a secret that would go to another address.
fn needed_again(field: &'static str) -> Error {
    let mut missing = FieldError::missing(field, Value::Null);
    missing.msg = "Field required, because base_url changes".to_owned();
    missing.into()
}
