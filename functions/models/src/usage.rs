//! `GET /usage`: how many tokens a user's replies took.

use axum::extract::Request;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::usage::{Month, Usage, Used};
use kafka_common::config::Config;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::query::Query;
use kafka_common::{clock, params};
use serde::Deserialize;

const BY: [(&str, &str); 3] = [
    ("day", include_str!("usage/day.sql")),
    ("model", include_str!("usage/model.sql")),
    ("chat", include_str!("usage/chat.sql")),
];

#[derive(Deserialize)]
struct Row {
    key: Option<String>,
    used: Option<Used>,
    tokens_of_month: u64,
    month_ends: String,
}

/// A page of the user's sums.
pub async fn show(access: Access, request: Request) -> Result<Response> {
    let mut query = Query::of(&request);
    let user = query.id("user_id");
    let from = query.optional_day("from");
    let to = query.optional_day("to");
    let by = query.optional_word("by", &BY.map(|(word, _)| word));
    let limit = query.limit();
    let after = query.optional_id("after");
    query.check()?;
    let caller = access.caller(Some(&user))?;
    let sql = BY.iter().find(|(word, _)| Some(*word) == by.as_deref());
    let (_, sql) = sql.unwrap_or(&BY[0]);
    let today = || clock::now().chars().take("2026-11-29".len()).collect();
    // One more than are shown tells whether there is another page.
    let asked = params![
        caller.user_id(),
        from,
        to.unwrap_or_else(today),
        after,
        limit + 1
    ];
    let mut rows: Vec<Row> = Db::open().await?.query_as(sql, asked).await?;
    let first = rows.first().ok_or_else(Error::user_not_found)?;
    let month = Month {
        tokens: first.tokens_of_month,
        budget: match caller.is_proven() {
            true => Config::get().await?.token_budget,
            false => None,
        },
        ends: first.month_ends.clone(),
    };
    let limit = usize::try_from(limit).unwrap_or(0);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more);
    Ok(answer(&Usage {
        next: next.and_then(|row| row.key.clone()),
        usage: rows.into_iter().filter_map(|row| row.used).collect(),
        month,
    }))
}
