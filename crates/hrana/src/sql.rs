//! What a client must know of a statement before it is sent.

/// Whether a statement is `PRAGMA synchronous = …`. It is refused and not sent: the server alone decides when its disk is
/// waited for, and it would take a round trip to hear that.
#[must_use]
pub fn sets_synchronous(sql: &str) -> bool {
    let mut words = words(sql);
    is_next(&mut words, "pragma") && is_next(&mut words, "synchronous") && words.next().is_some()
}

/// Whether a statement begins a transaction, so that its stream must stay open.
#[must_use]
pub fn begins(sql: &str) -> bool {
    let first = words(sql).next();
    first.is_some_and(|word| is_any(word, &["begin", "savepoint"]))
}

/// Whether a statement is meant to end the open transaction, so that nothing may follow it on its stream.
#[must_use]
pub fn ends(sql: &str) -> bool {
    let mut words = words(sql);
    match words.next() {
        Some(first) if is_any(first, &["commit", "end"]) => true,
        Some(first) if is_any(first, &["rollback"]) => {
            !words.any(|word| word.eq_ignore_ascii_case("to"))
        }
        _ => false,
    }
}

/// The words of a statement, without the comments that it begins with.
fn words(sql: &str) -> impl Iterator<Item = &str> {
    let mut sql = sql.trim_start();
    loop {
        let comment = match sql.get(..2) {
            Some("--") => sql.split_once('\n'),
            Some("/*") => sql.split_once("*/"),
            _ => break,
        };
        sql = comment.map_or("", |(_, rest)| rest.trim_start());
    }
    sql.split(|c: char| c.is_whitespace() || matches!(c, '=' | '(' | ')' | ';'))
        .filter(|word| !word.is_empty())
}

fn is_next<'a>(words: &mut impl Iterator<Item = &'a str>, expected: &str) -> bool {
    words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case(expected))
}

fn is_any(word: &str, of: &[&str]) -> bool {
    of.iter().any(|one| word.eq_ignore_ascii_case(one))
}

#[cfg(test)]
mod tests {
    use super::{begins, ends, sets_synchronous};

    #[test]
    fn only_a_change_of_the_pragma_is_not_sent() {
        for sql in [
            "PRAGMA synchronous = NORMAL",
            "pragma Synchronous=1;",
            " PRAGMA synchronous(FULL)",
        ] {
            assert!(sets_synchronous(sql), "{sql}");
        }
        for sql in [
            "PRAGMA synchronous",
            "PRAGMA synchronous;",
            "PRAGMA journal_mode = WAL",
            "SELECT 'PRAGMA synchronous = NORMAL'",
        ] {
            assert!(!sets_synchronous(sql), "{sql}");
        }
    }

    #[test]
    fn transactions_begin_and_end() {
        for sql in [
            "BEGIN",
            "begin immediate;",
            " SAVEPOINT a",
            "-- why\n/* how */ BEGIN",
        ] {
            assert!(begins(sql) && !ends(sql), "{sql}");
        }
        for sql in ["COMMIT", "end;", "ROLLBACK TRANSACTION", "-- done\nCOMMIT"] {
            assert!(ends(sql) && !begins(sql), "{sql}");
        }
        for sql in [
            "",
            "-- BEGIN",
            "/* BEGIN",
            "SELECT 'BEGIN'",
            "ROLLBACK TO a",
            "RELEASE a",
            "ü",
        ] {
            assert!(!begins(sql) && !ends(sql), "{sql}");
        }
    }
}
