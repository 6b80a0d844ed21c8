//! `DELETE /models/delete/{model_id}`.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use kafka_common::{
    access::Access,
    api::Done,
    db::Db,
    error::{Error, Result, answer},
    owner, params,
    query::Query,
};

/// No row back: no such model of the caller (NULL: any).
const DELETE: &str =
    "DELETE FROM model WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2) RETURNING id";

/// Deletes a model and its key.
pub async fn delete(
    access: Access,
    Path(model): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let asked = params![model, caller.user_id()];
    if db.query_one_as::<String>(DELETE, asked).await?.is_none() {
        return Err(owner::not_found(&mut db, &caller, Error::model_not_found()).await);
    }
    Ok(answer(&Done {
        detail: "Model deleted successfully.",
    }))
}
