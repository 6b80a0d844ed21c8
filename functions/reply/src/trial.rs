//! Does a model answer? One tiny completion.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use futures::future::{Either, select};
use http::Response;
use kafka_common::reply::{Model, Trial};
use kafka_llm::{Event, Role, Turn};
use spin_sdk::time::sleep;

use crate::context::Reachable;
use crate::send::{Timeouts, send};
use crate::settings::Settings;

/// A person waits for the answer.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    first_byte: Duration::from_secs(30),
    between_bytes: Duration::from_secs(30),
};

/// How long all of it may take, whatever the endpoint sends meanwhile.
const IN_ALL: Duration = Duration::from_secs(45);

/// Asks the model, and answers with a [`Trial`].
pub async fn answer(model: &Model) -> Response<Body> {
    let error = match select(pin!(ask(model)), pin!(sleep(IN_ALL))).await {
        Either::Left((asked, _)) => asked.err(),
        Either::Right(_) => Some(format!(
            "The model has said nothing for {} seconds.",
            IN_ALL.as_secs()
        )),
    };
    let body = serde_json::to_vec(&Trial { error }).unwrap_or_default();
    Response::new(Body::from(body))
}

async fn ask(model: &Model) -> Result<(), String> {
    let model = Reachable::check(model, &Settings::get().await).await?;
    let messages = [Turn::new(Role::User, "Answer with the word: yes")];
    let sent = send(model.call(&messages), TIMEOUTS).await;
    let mut reply = sent.map_err(|failure| failure.message)?;
    // Its first word is enough; dropping the reply hangs up.
    match reply.next().await {
        Some(Event::Error(failure)) => Err(failure.message),
        Some(_) | None => Ok(()),
    }
}
