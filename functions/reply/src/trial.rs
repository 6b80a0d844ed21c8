//! Does a model answer? One tiny completion, judged as a chat judges its replies.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use futures::future::{Either, select};
use http::Response;
use kafka_common::reply::{Model, Trial};
use kafka_llm::stream::ONLY_REASONING;
use kafka_llm::{Adaptation, Event, Role, Turn, composer, reasoning};
use serde_json::Map;
use spin_sdk::time::sleep;

use crate::context::{self, Reachable};
use crate::rows;
use crate::send::{Timeouts, send};
use crate::settings::Settings;

/// A person waits for the answer.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    first_piece: Duration::from_secs(30),
    between_bytes: Duration::from_secs(30),
};

/// How long all of it may take, whatever the endpoint sends meanwhile.
const IN_ALL: Duration = Duration::from_secs(45);

/// Asks the model, and answers with a [`Trial`].
pub async fn answer(model: &Model) -> Response<Body> {
    let answers = AtomicBool::new(false);
    let error = match select(pin!(ask(model, &answers)), pin!(sleep(IN_ALL))).await {
        Either::Left((asked, _)) => asked.err(),
        // It does not stop to answer: a chat would be none the worse for it.
        Either::Right(_) if answers.load(Ordering::Relaxed) => None,
        Either::Right(_) => Some(format!(
            "The model has not answered within {} seconds.",
            IN_ALL.as_secs()
        )),
    };
    let body = serde_json::to_vec(&Trial { error }).unwrap_or_default();
    Response::new(Body::from(body))
}

/// `answers` is set when text has come.
async fn ask(model: &Model, answers: &AtomicBool) -> Result<(), String> {
    let mut adaptation = Adaptation::new(context::learnt(model));
    let reachable = Reachable::check(model, Settings::get().await, Map::new()).await?;
    // As in a chat: there are models that take no instructions.
    let messages = [
        Turn::new(Role::System, composer::CHAT),
        Turn::new(Role::User, "Answer with the word: yes"),
    ];
    let mut timeouts = TIMEOUTS;
    if let Some(seconds) = model.timeout_seconds {
        timeouts.first_piece = timeouts.first_piece.min(Duration::from_secs(seconds));
    }
    loop {
        let mut text = String::new();
        let failure = match send(reachable.call(&messages), &adaptation.way(), timeouts).await {
            // To its end: what a chat would show as an error is one here.
            Ok(mut reply) => loop {
                match reply.next().await {
                    Some(Event::Error(failure)) => break failure,
                    Some(Event::Delta(piece)) => {
                        answers.store(true, Ordering::Relaxed);
                        text.push_str(&piece);
                    }
                    Some(_) => {}
                    // The end of reasoning may be all that is marked in the text.
                    None if reasoning::split(&text).1.trim().is_empty() => {
                        return Err(ONLY_REASONING.to_owned());
                    }
                    None => {
                        rows::learn(model, &adaptation).await;
                        return Ok(());
                    }
                }
            },
            Err(failure) => failure,
        };
        if !adaptation.refused(&failure, &messages) {
            return Err(failure.message);
        }
    }
}
