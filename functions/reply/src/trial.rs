//! Does a model answer? One tiny completion.

use std::time::Duration;

use axum::body::Body;
use http::Response;
use kafka_common::model::{self, Event, Message, Role, Timeouts};
use kafka_common::reply::{Model, Trial};

use crate::context::Reachable;
use crate::settings::Settings;

/// A person waits for the answer.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    first_byte: Duration::from_secs(30),
    between_bytes: Duration::from_secs(30),
};

/// Asks the model, and answers with a [`Trial`].
pub async fn answer(model: &Model) -> Response<Body> {
    let error = ask(model).await.err();
    let body = serde_json::to_vec(&Trial { error }).unwrap_or_default();
    Response::new(Body::from(body))
}

async fn ask(model: &Model) -> Result<(), String> {
    let model = Reachable::check(model, &Settings::get().await).await?;
    let messages = [Message {
        role: Role::User,
        content: "Answer with the word: yes".to_owned(),
    }];
    let sent = model::send(model.call(&messages), TIMEOUTS).await;
    let mut reply = sent.map_err(|failure| failure.message)?;
    // Its first word is enough; dropping the reply hangs up.
    match reply.next().await {
        Some(Event::Error(failure)) => Err(failure.message),
        Some(_) | None => Ok(()),
    }
}
