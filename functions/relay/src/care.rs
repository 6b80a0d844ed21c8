//! What people do with messages besides sending them: rate replies, delete messages with what follows them, and make a chat
//! of a branch.

mod copy;
mod delete;
mod rate;

pub use self::copy::copy;
pub use self::delete::delete;
pub use self::rate::rate;

use axum::response::{IntoResponse, Response};
use kafka_common::access::{Access, Caller};
use kafka_common::api::actions::By;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::json::JsonBody;
use kafka_common::json::fields::Fields;
use kafka_common::owner;
use serde::Serialize;

use crate::refused::Refused;

/// The caller, whom the body may name; an empty name is none, as in all requests about conversations.
fn caller(access: &Access, body: &JsonBody) -> Result<Caller> {
    let fields = Fields {
        is_forgiving: true,
        ..body.fields()
    };
    let By { user_id } = fields.read().map_err(|wrong| body.invalid(wrong))?;
    access.caller(user_id.as_ref().map(|id| id.0.as_str()))
}

/// The answer, or why there is none.
async fn respond<T: Serialize>(
    db: &mut Db,
    caller: &Caller,
    outcome: Result<T, Refused>,
) -> Result<Response> {
    match outcome {
        Ok(done) => Ok(answer(&done)),
        Err(refused) if refused.is_missing_chat() => {
            Err(owner::not_found(db, caller, Error::chat_not_found()).await)
        }
        Err(refused) => Ok(refused.into_response()),
    }
}
