//! After the sealing key was changed: values that older keys sealed are sealed again, so that the old keys can be
//! forgotten.

use std::sync::atomic::{AtomicU8, Ordering};

use kafka_common::{
    db::Db,
    error::Result,
    params,
    seal::{Binding, Keys, headers_row},
};
use serde::Deserialize;
use serde_json::json;
use spin_sdk::wasip3;

/// How far this instance has begun to. Only a cache: what there is to do is in the rows.
static BEGUN: AtomicU8 = AtomicU8::new(NOT);

const NOT: u8 = 0;
/// With the keys of the variables, while the key-value store could not be read.
const PARTLY: u8 = 1;
const WHOLLY: u8 = 2;

/// How many models are read at once.
const BATCH: i64 = 100;

const OLDER: &str = include_str!("older.sql");
const REPLACE: &str = include_str!("renew.sql");

/// A model with its sealed key.
#[derive(Deserialize)]
struct Model {
    id: String,
    user_id: String,
    base_url: String,
    ak: String,
    headers: Option<String>,
}

/// Once in an instance, in the background, if there are older sealing keys; again after it has failed, and when another
/// key is found.
pub async fn once() -> Result<()> {
    if BEGUN.load(Ordering::Relaxed) == WHOLLY {
        return Ok(());
    }
    let keys = Keys::get().await?;
    let begins = if keys.is_complete() { WHOLLY } else { PARTLY };
    if BEGUN.fetch_max(begins, Ordering::Relaxed) < begins && keys.has_older() {
        wasip3::spawn(async {
            if let Err(error) = renew(keys).await {
                tracing::error!("API keys stay sealed with an older key for now: {error:?}");
                BEGUN.store(NOT, Ordering::Relaxed);
            }
        });
    }
    Ok(())
}

async fn renew(keys: &Keys) -> Result<()> {
    let current = keys.current_prefix();
    let (mut renewed, mut after) = (0, String::new());
    loop {
        let mut db = Db::open().await?;
        let older = params![after.as_str(), current.as_str(), BATCH];
        let models: Vec<Model> = db.query_as(OLDER, older).await?;
        let Some(last) = models.last() else {
            break;
        };
        after.clone_from(&last.id);
        let mut changes = Vec::new();
        for model in models {
            // What doesn't open is logged and stays unchanged.
            if let Ok((ak, headers)) = seal_again(keys, &model) {
                changes.push(json!([model.id, model.ak, ak, model.headers, headers]));
            }
        }
        if changes.is_empty() {
            continue;
        }
        renewed += changes.len();
        db.execute(REPLACE, params![json!(changes).to_string()])
            .await?;
    }
    if renewed > 0 {
        println!("{renewed} API keys are sealed with the current secret_key now");
    }
    Ok(())
}

/// The key and the headers of a model, sealed with the current key.
fn seal_again(keys: &Keys, model: &Model) -> Result<(String, Option<String>)> {
    let binding = Binding {
        owner: &model.user_id,
        row: &model.id,
        base_url: &model.base_url,
    };
    let ak = keys.seal(binding, &keys.open(binding, &model.ak)?)?;
    let row = headers_row(&model.id);
    let binding = Binding {
        row: &row,
        ..binding
    };
    let headers = model.headers.as_deref();
    let headers = headers.map(|headers| keys.seal(binding, &keys.open(binding, headers)?));
    Ok((ak, headers.transpose()?))
}
