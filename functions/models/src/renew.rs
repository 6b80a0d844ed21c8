//! After the sealing key was changed: what older keys sealed is sealed anew, so that they can be forgotten.

use std::sync::atomic::{AtomicBool, Ordering};

use kafka_common::{
    db::Db,
    error::Result,
    params,
    seal::{Keys, Place},
};
use serde_json::json;
use spin_sdk::wasip3;

/// Whether this instance has begun to. Only a cache: what there is to do is in the rows.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// How many models are read at once.
const BATCH: i64 = 100;

/// Models after ?1 whose key was sealed by another sealing key than the one that ?2 names.
const OLDER: &str = "SELECT id, user_id, base_url, ak FROM model
    WHERE id > ?1 AND substr(ak, 1, length(?2)) <> ?2
    ORDER BY id LIMIT ?3";

/// Replaces sealed keys, unless somebody has changed them meanwhile. ?1 is a JSON array of [id, before, after].
const REPLACE: &str = "UPDATE model SET ak = renewed.after
    FROM (
        SELECT value ->> 0 AS id, value ->> 1 AS before, value ->> 2 AS after FROM json_each(?1)
    ) AS renewed
    WHERE model.id = renewed.id AND model.ak = renewed.before";

/// Once in an instance, in the background, if there are older sealing keys.
pub async fn once() -> Result<()> {
    if !BEGUN.swap(true, Ordering::Relaxed) {
        let keys = Keys::get().await?;
        if keys.has_older() {
            wasip3::spawn(async {
                if let Err(error) = renew(keys).await {
                    tracing::error!("API keys stay sealed with an older key for now: {error:?}");
                }
            });
        }
    }
    Ok(())
}

async fn renew(keys: &Keys) -> Result<()> {
    let current = keys.current_prefix();
    let (mut renewed, mut after) = (0, String::new());
    loop {
        let mut db = Db::open().await?;
        let rows = db
            .query(OLDER, params![after.as_str(), current.as_str(), BATCH])
            .await?;
        if rows.is_empty() {
            break;
        }
        let mut changes = Vec::new();
        for mut row in rows {
            let (owner, base_url, sealed) = (row.text(1), row.text(2), row.text(3));
            after = row.text(0);
            let place = Place {
                owner: &owner,
                row: &after,
                base_url: &base_url,
            };
            // One that doesn't open is logged and stays as it is.
            if let Ok(key) = keys.open(place, &sealed) {
                changes.push(json!([after, sealed, keys.seal(place, &key)?]));
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
