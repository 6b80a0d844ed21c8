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
    params, seal,
};

use crate::{fields, renew};

/// Inserts nothing if the owner doesn't exist.
const INSERT: &str = "INSERT INTO model (id, name, ak, base_url, user_id)
    SELECT ?1, ?2, ?3, ?4, id FROM \"user\" WHERE id = ?5
    RETURNING user_id";

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
    let owner = caller.user_id().unwrap_or(&user);

    renew::once().await?;
    let id = new_id();
    let sealed = seal::seal(owner, &id, &base_url, key).await?;
    let insert = params![id.as_str(), name.as_str(), sealed, base_url.as_str(), owner];
    let mut db = Db::open().await?;
    db.query_one(INSERT, insert)
        .await?
        .ok_or_else(Error::user_not_found)?;
    let model = fields::shown(&id, &name, &base_url, owner);
    Ok(json_response(StatusCode::OK, &model))
}
