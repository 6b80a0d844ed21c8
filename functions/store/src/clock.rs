//! The one clock: what time it is, in the two forms the database keeps.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike, Timelike, Utc};
use kafka_api::id::Time;

/// Now, as UTC in ISO 8601 with six fractional digits and the offset: `2026-11-22T12:07:33.823017+00:00`
/// (docs/http-compatibility.md#what-differs-on-purpose). Text of this form sorts by time.
pub fn now() -> String {
    text(Utc::now())
}

/// A time that a client names, in the same form, and in milliseconds since 1970; `None`: it is none.
pub fn read(time: &str) -> Option<(Time, i64)> {
    let time = DateTime::parse_from_rfc3339(time).ok()?.to_utc();
    (0..=9999)
        .contains(&time.year())
        .then(|| (text(time).into(), time.timestamp_millis()))
}

fn text(now: DateTime<Utc>) -> String {
    // By hand: chrono's interpreter of formats alone is larger than all that is asked of it.
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}+00:00",
        now.year(),
        now.month(),
        now.day(),
        now.hour(),
        now.minute(),
        now.second(),
        now.nanosecond() / 1000 % 1_000_000
    )
}

/// [`now`] for an answer.
pub fn time() -> Time {
    now().into()
}

/// Now, in milliseconds since 1970.
pub fn unix_millis() -> i64 {
    Utc::now().timestamp_millis()
}

/// When something happened last in this instance, by a monotonic clock.
#[derive(Debug)]
pub struct Moment(Mutex<Option<Instant>>);

impl Moment {
    /// It has not happened yet.
    pub const fn never() -> Self {
        Self(Mutex::new(None))
    }

    /// It happens now.
    pub fn is_now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether it has happened, no longer ago than `time`.
    pub fn is_within(&self, time: Duration) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < time)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn now_has_six_digits_and_an_offset() {
        let now = super::now();
        let (time, offset) = now.split_at(now.len() - 6);
        assert_eq!(offset, "+00:00");
        assert_eq!(time.len(), "2026-11-22T12:07:33.823017".len());
        assert!(chrono::DateTime::parse_from_rfc3339(&now).is_ok());
    }

    #[test]
    fn times_of_clients_get_the_same_form() {
        let read = |text| super::read(text).map(|(time, millis)| (String::from(time), millis));
        let expected = (
            "2026-01-01T00:00:00.123000+00:00".to_owned(),
            1_767_225_600_123,
        );
        assert_eq!(read("2026-01-01T02:00:00.123+02:00"), Some(expected));
        assert_eq!(read("yesterday"), None);
        assert_eq!(read("+12026-01-01T00:00:00Z"), None);
    }
}
