//! The table `audit`.

use super::{Admin, PAGE, Row};
use crate::storage::Value;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rustix::process::getuid;

/// Which entries to read.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The id of the user that they are about.
    pub user: Option<String>,
    /// Milliseconds since 1970.
    pub since: i64,
}

impl Filter {
    /// Reads a point in time: a date, a date with time, or how long ago, such as `7d`, `12h` or `30m`. In milliseconds
    /// since 1970.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn time(text: &str) -> Result<i64, String> {
        let unknown = || {
            format!("{text:?} is no time such as 2026-11-29, 2026-11-29T12:00:00Z, 7d, 12h or 30m")
        };
        let ago = text
            .char_indices()
            .last()
            .and_then(|(at, unit)| Some((text[..at].parse().ok()?, unit)));
        let ago = ago.and_then(|(number, unit)| match unit {
            'd' => TimeDelta::try_days(number),
            'h' => TimeDelta::try_hours(number),
            'm' => TimeDelta::try_minutes(number),
            _ => None,
        });
        if let Some(ago) = ago {
            let then = Utc::now().checked_sub_signed(ago);
            return then.map(|then| then.timestamp_millis()).ok_or_else(unknown);
        }
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(time.timestamp_millis());
        }
        let date = text.parse::<NaiveDate>().map_err(|_| unknown())?;
        let midnight = date.and_hms_opt(0, 0, 0).ok_or_else(unknown)?;
        Ok(midnight.and_utc().timestamp_millis())
    }
}

impl Admin {
    /// The entries after the one with the id `after`, oldest first, some at a time; empty when there are no more.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn audit(&mut self, filter: &Filter, after: i64) -> anyhow::Result<Vec<Row>> {
        let user = filter.user.clone().map_or(Value::Null, Value::Text);
        let parameters = vec![
            Value::Integer(after),
            user,
            Value::Integer(filter.since),
            Value::Integer(PAGE),
        ];
        self.rows(include_str!("audit.sql"), parameters)
            .await
            .context("can't read the table audit")
    }
}

/// The statement that records what an operator does to a user.
pub(super) fn note(action: &str, user: &str, object: Option<String>) -> (&'static str, Vec<Value>) {
    let parameters = vec![
        super::text(action),
        super::text(user),
        object.map_or(Value::Null, Value::Text),
        Value::Text(format!("uid {}", getuid().as_raw())),
    ];
    (include_str!("note.sql"), parameters)
}
