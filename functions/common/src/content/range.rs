//! `Range` requests (RFC 9110, section 14), a single range of bytes at most.

use std::ops::Range;

/// What a `Range` header asks of a content.
#[derive(Debug, PartialEq, Eq)]
pub enum Requested {
    /// Everything: no header, one that makes no sense, or several ranges, which a server may ignore.
    All,
    /// These bytes, at least one.
    Part(Range<u64>),
    /// Nothing the content has: 416.
    Unsatisfiable,
}

/// What `header` asks of a content of `size` bytes.
pub fn requested(header: Option<&str>, size: u64) -> Requested {
    parse(header, size).unwrap_or(Requested::All)
}

/// `None` for a header to be ignored.
fn parse(header: Option<&str>, size: u64) -> Option<Requested> {
    let (unit, spec) = header?.split_once('=')?;
    let (first, last) = spec.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let range = if first.is_empty() {
        size.saturating_sub(number(last)?)..size
    } else {
        let first = number(first)?;
        let end = if last.is_empty() {
            size
        } else {
            let last = number(last)?;
            if last < first {
                return None;
            }
            last.saturating_add(1).min(size)
        };
        first..end
    };
    Some(if range.is_empty() {
        Requested::Unsatisfiable
    } else {
        Requested::Part(range)
    })
}

/// A number of digits only; one beyond all sizes is the largest.
fn number(digits: &str) -> Option<u64> {
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::{Requested, requested};

    #[test]
    fn single_ranges_are_served() {
        for (header, range) in [
            ("bytes=0-0", 0..1),
            ("bytes=2-5", 2..6),
            ("bytes=2-", 2..10),
            ("bytes=9-99", 9..10),
            ("bytes=0-99999999999999999999999", 0..10),
            ("bytes=-3", 7..10),
            ("bytes=-30", 0..10),
            ("Bytes = 1-1", 1..2),
        ] {
            assert_eq!(
                requested(Some(header), 10),
                Requested::Part(range),
                "{header}"
            );
        }
    }

    #[test]
    fn ranges_beyond_the_end_are_unsatisfiable() {
        for header in [
            "bytes=10-",
            "bytes=10-12",
            "bytes=-0",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(
                requested(Some(header), 10),
                Requested::Unsatisfiable,
                "{header}"
            );
        }
        assert_eq!(requested(Some("bytes=0-"), 0), Requested::Unsatisfiable);
        assert_eq!(requested(Some("bytes=-1"), 0), Requested::Unsatisfiable);
    }

    #[test]
    fn anything_else_is_ignored() {
        assert_eq!(requested(None, 10), Requested::All);
        for header in [
            "bytes=5-2",
            "bytes=0-1,3-4",
            "bytes=-",
            "bytes=a-b",
            "bytes=+1-2",
            "lines=1-2",
            "bytes",
            "",
        ] {
            assert_eq!(requested(Some(header), 10), Requested::All, "{header}");
        }
    }
}
