//! The one clock: what time it is, in the two forms the database keeps.

use chrono::{Datelike, Timelike, Utc};

/// Now, as UTC in ISO 8601 with six fractional digits and the offset: `2026-11-22T12:07:33.823017+00:00` (HTTP
/// contract, stated exceptions). Text of this form sorts by time.
pub fn now() -> String {
    let now = Utc::now();
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

/// Now, in milliseconds since 1970.
pub fn unix_millis() -> i64 {
    Utc::now().timestamp_millis()
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
}
