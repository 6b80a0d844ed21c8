//! `POST /models/new`.

use axum::{extract::Request, response::Response};
use http::StatusCode;
use kafka_common::{
    access::{Access, own_origins},
    api::models::{AK, BASE_URL, NEW_FORM},
    db::Db,
    error::{Error, Result, json_response},
    form::{Form, NoFiles},
    id::new_id,
    limits::Limit,
    owner, params, seal,
};

use crate::{fields, renew};

/// Inserts nothing if the owner doesn't exist, or has [`MAX_MODELS`].
const INSERT: &str = "INSERT INTO model (id, name, ak, base_url, user_id)
    SELECT ?1, ?2, ?3, ?4, id FROM \"user\"
    WHERE id = ?5 AND (SELECT count(*) FROM model WHERE user_id = ?5) < ?6
    RETURNING user_id";

/// As many as a window is told of (`snapshot.sql`). Lists of models have no pages.
const MAX_MODELS: i64 = 200;

/// Keeps the model with its key sealed.
pub async fn create(access: Access, request: Request) -> Result<Response> {
    let own = own_origins(request.headers(), request.uri());
    let mut form = Form::read(request, NEW_FORM, NoFiles).await?;
    let user = form.text("user_id");
    let name = form.text("name");
    let key = form.text(AK);
    let base_url = form.text(BASE_URL);
    let key = fields::check_key(&key)?;
    fields::check_url(&base_url, own).await?;
    let caller = access.caller(Some(&user))?;
    caller.count(Limit::Create).await?;
    let user = caller.user_id().unwrap_or(&user);

    renew::once().await?;
    let id = new_id();
    let sealed = seal::seal(user, &id, &base_url, key).await?;
    let (name, base_url) = (name.as_str(), base_url.as_str());
    let insert = params![id.as_str(), name, sealed, base_url, user, MAX_MODELS];
    let mut db = Db::open().await?;
    if db.query_one(INSERT, insert).await?.is_none() {
        let many = format!("Nobody has more than {MAX_MODELS} models. Delete one to add another.");
        return Err(owner::not_found(&mut db, &caller, Error::Conflict(many.into())).await);
    }
    let model = fields::shown(&id, name, base_url, user);
    Ok(json_response(StatusCode::OK, &model))
}
