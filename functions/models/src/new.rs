//! `POST /models/new`.

use axum::{extract::Request, response::Response};
use kafka_common::{
    access::{Access, own_origins},
    api::models::{Model, NewModel},
    db::Db,
    error::{Error, Result, answer},
    feed,
    form::{self, NoFiles},
    id::new_id,
    limits::Limit,
    owner, params,
    seal::{Binding, Keys},
};

use crate::{fields, renew};

const INSERT: &str = include_str!("new.sql");

/// As many as a snapshot contains (`snapshot.sql`). Lists of models have no pages.
const MAX_MODELS: i64 = 200;

const NAMED: &str = "SELECT id FROM model WHERE user_id = ?1 AND name = ?2 LIMIT 1";

/// 409: chats name models by their names.
pub fn name_is_taken() -> Error {
    Error::Conflict(
        "You have a model of this name already. Choose another name, or change that model.".into(),
    )
}

/// Keeps the model with its key sealed.
pub async fn create(access: Access, request: Request) -> Result<Response> {
    let own = own_origins(request.headers(), request.uri());
    let form: NewModel = form::read(request, NoFiles).await?;
    let key = fields::check_key(&form.ak)?;
    fields::check_url(&form.base_url, own).await?;
    let capabilities = form.capabilities.filter(|json| !json.is_empty());
    let capabilities = capabilities.as_deref().map(fields::check_capabilities);
    let takes_images = capabilities.transpose()?.and_then(|wanted| wanted.images);
    let takes_images = takes_images.flatten().map(i64::from);
    let caller = access.caller(Some(form.user_id.as_str()))?;
    caller.count(Limit::Create).await?;
    let user = caller.user_id().unwrap_or(form.user_id.as_str());

    renew::once().await?;
    let (id, name, base_url) = (new_id(), form.name.as_str(), form.base_url.as_str());
    let binding = Binding {
        owner: user,
        row: &id,
        base_url,
    };
    let sealed = Keys::get().await?.seal(binding, key)?;
    let from = caller.address();
    let insert = params![
        id.as_str(),
        name,
        sealed,
        base_url,
        user,
        MAX_MODELS,
        from,
        takes_images
    ];
    let mut db = Db::open().await?;
    if let Some(model) = db.query_one_as::<Model>(INSERT, insert).await? {
        feed::tell([id]).await;
        return Ok(answer(&model));
    }
    let named: Option<String> = db.query_one_as(NAMED, params![user, name]).await?;
    let why = match named {
        Some(_) => name_is_taken(),
        None => {
            let many =
                format!("Nobody has more than {MAX_MODELS} models. Delete one to add another.");
            Error::Conflict(many.into())
        }
    };
    Err(owner::not_found(&mut db, &caller, why).await)
}
