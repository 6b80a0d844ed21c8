//! A chat that is to be named gets a name from the model of its first reply, after that has ended. A failure is no failure
//! of the reply: the chat keeps the name that it has.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use kafka_common::announce;
use kafka_common::api::usage::Tokens;
use kafka_common::db::{self, Db};
use kafka_common::reply::Begun;
use kafka_common::{clock, params};
use kafka_llm::{Adaptation, Event, Learnt, title, usage};
use spin_sdk::time::sleep;

use crate::context::Reachable;
use crate::send::{Timeouts, send};
use crate::settings::Settings;

const CLAIM: &str = include_str!("title/claim.sql");

const NAME: &str = include_str!("title/name.sql");

const COUNT: &str = include_str!("title/count.sql");

/// No person waits for it, but an instance is kept.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    first_piece: Duration::from_secs(60),
    between_bytes: Duration::from_secs(30),
};

/// How long all of it may take.
const IN_ALL: Duration = Duration::from_secs(90);

/// A longer answer, in bytes, is no title.
const MAX_ANSWER: usize = 16 * 1024;

/// A reply that has ended whole.
pub struct Ended {
    /// Its text.
    pub text: String,
    /// How its model takes questions.
    pub way: Learnt,
}

/// Names the chat of a reply, unless it has got a name meanwhile.
pub async fn give(begun: &Begun, ended: &Ended) {
    let giving = pin!(try_to_give(begun, ended));
    match select(giving, pin!(sleep(IN_ALL))).await {
        Either::Left((Ok(()), _)) => {}
        Either::Left((Err(why), _)) => tracing::info!("the chat gets no name: {why}"),
        Either::Right(_) => tracing::info!("the chat gets no name: the model takes too long"),
    }
}

async fn try_to_give(begun: &Begun, ended: &Ended) -> Result<(), String> {
    let mut db = Db::open().await.map_err(|error| error.to_string())?;
    let claim = params![begun.chat.as_str(), &begun.answered_id];
    let prompt: Option<String> = db
        .query_one_as(CLAIM, claim)
        .await
        .map_err(|error| error.to_string())?;
    drop(db);
    let Some(prompt) = prompt else {
        return Ok(());
    };
    let (answer, tokens) = ask(begun, ended, &prompt).await?;
    let name = title::read(&answer);
    let rev = store(begun, name.as_deref(), tokens).await;
    let rev = rev.map_err(|error| error.to_string())?;
    match (name, rev) {
        (Some(name), Some(rev)) => announce::chat_renamed(&begun.chat, &name, rev).await,
        (None, _) => return Err("the model answered none".to_owned()),
        // A person was faster.
        (Some(_), None) => {}
    }
    Ok(())
}

/// The model's answer, and what it took.
async fn ask(begun: &Begun, ended: &Ended, prompt: &str) -> Result<(String, Tokens), String> {
    let extra = begun.settings.extra.as_ref();
    let parameters = extra.map(|extra| extra.value.clone()).unwrap_or_default();
    let model = Reachable::check(&begun.model, Settings::get().await, parameters).await?;
    let question = title::question(prompt, &ended.text);
    let mut adaptation = Adaptation::new(ended.way.clone());
    loop {
        let (mut answer, mut thought, mut said) = (String::new(), 0, None);
        let failure = match send(model.call(&question), &adaptation.way(), TIMEOUTS).await {
            Ok(mut reply) => loop {
                match reply.next().await {
                    Some(Event::Error(failure)) => break failure,
                    Some(Event::Delta(piece)) => answer.push_str(&piece),
                    Some(Event::Reasoning(piece)) => thought += piece.len(),
                    Some(Event::Usage(usage)) => said = usage::read(&usage),
                    Some(Event::Finish(_) | Event::Done) => {}
                    None => {
                        let read = question.iter().map(|turn| turn.content.len()).sum();
                        let estimate = || Tokens::estimate(read, answer.len() + thought);
                        let tokens = said.unwrap_or_else(estimate);
                        return Ok((answer, tokens));
                    }
                }
                if answer.len() > MAX_ANSWER {
                    return Err("the answer is too long".to_owned());
                }
            },
            Err(failure) => failure,
        };
        if !adaptation.refused(&failure, &question) {
            return Err(failure.message);
        }
    }
}

/// Stores the name, and counts what it took. Returns the chat's rev; `None`: it has another name meanwhile, or is gone.
async fn store(begun: &Begun, name: Option<&str>, tokens: Tokens) -> db::Result<Option<i64>> {
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    tx.execute(
        COUNT,
        params![
            begun.model.owner.as_str(),
            begun.model.id.as_str(),
            begun.chat.as_str(),
            begun.model.name.as_str(),
            i64::from(tokens.is_estimated),
            tokens.input,
            tokens.output,
            tokens.cached,
            tokens.reasoning
        ],
    )
    .await?;
    let mut rev = None;
    if let Some(name) = name {
        let named = params![begun.chat.as_str(), name, clock::now()];
        rev = tx.query_one_as(NAME, named).await?;
    }
    tx.commit().await?;
    Ok(rev)
}
