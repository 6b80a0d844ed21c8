//! What docs/http-compatibility.md describes, one module per endpoint or section.

mod access;
mod announce;
mod auth;
mod care;
mod chat;
mod chats;
mod compression;
mod cors;
mod curl;
mod email;
mod export;
mod fields;
mod file_change;
mod file_content;
mod file_upload;
mod file_upload_errors;
mod import;
mod json_body;
mod models;
mod multipart;
mod ownership;
mod page;
mod reading;
mod ready;
mod removal;
mod routing;
mod search;
mod settings;
mod versions;
mod web;
mod workspace;
mod workspace_change;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::Response;

/// An id that nothing has.
const UNKNOWN_ID: &str = "123e4567-e89b-12d3-a456-426614174000";

/// Fails unless `id` is a UUID of version 7 in lower case.
#[track_caller]
fn assert_is_id(id: &str) {
    let shape: String = id
        .chars()
        .map(|c| if c.is_ascii_hexdigit() { 'x' } else { c })
        .collect();
    assert_eq!(
        shape, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
        "{id} is a UUID"
    );
    assert_eq!(id, id.to_lowercase());
    assert_eq!(&id[14..15], "7", "{id} is a UUID of version 7");
}

/// Fails unless `time` is now in UTC, as `2025-03-20T11:00:00.123456+00:00`.
#[track_caller]
fn assert_is_now(time: &str) {
    let shape: String = time
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(
        shape, "0000-00-00T00:00:00.000000+00:00",
        "{time} has the documented shape"
    );
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    let stated = Duration::from_micros(microseconds_since_1970(time));
    let apart = now.abs_diff(stated);
    assert!(apart < Duration::from_secs(60), "{time} is now");
}

/// What a timestamp of the documented shape stands for.
fn microseconds_since_1970(time: &str) -> u64 {
    let number = |range: std::ops::Range<usize>| time[range].parse::<u64>().expect("digits");
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    // Days since 1970 in the proleptic Gregorian calendar, counted in years that begin in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + number(11..13) * 3_600 + number(14..16) * 60 + number(17..19);
    seconds * 1_000_000 + number(20..26)
}

/// A 422 about a missing form field, as docs/http-compatibility.md#validation-errors spells it.
fn missing(field: &str) -> String {
    format!(r#"{{"type":"missing","loc":["body","{field}"],"msg":"Field required","input":null}}"#)
}

/// Fails unless the answer is a 422 with exactly these errors.
#[track_caller]
fn assert_invalid(response: &Response, errors: &[String]) {
    response.is(422, &format!(r#"{{"detail":[{}]}}"#, errors.join(",")));
}
