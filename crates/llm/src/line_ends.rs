//! Line ends and byte order marks: a text with other ones is the same text.
//!
//! Browsers send the line ends of a form's text as CRLF, models write LF, and neither knows what the file has. So a change
//! keeps what the file has, and differences in nothing else are no change.

use similar::{Algorithm, DiffTag, capture_diff_slices_deadline};
use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

/// What a text may begin with that is no part of it.
const MARK: char = '\u{feff}';

/// After this time the line ends of the rest are taken as new; see [`like`].
const PATIENCE: Duration = Duration::from_millis(100);

/// The text without byte order mark, and with LF for CRLF, and for CR where that is the only line end, as on old Macs.
pub fn plain(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix(MARK).unwrap_or(text);
    match text.contains("\r\n") {
        true => text.replace("\r\n", "\n").into(),
        false if has_cr_only(text) => text.replace('\r', "\n").into(),
        false => text.into(),
    }
}

/// Whether the lines of a text end with CR.
fn has_cr_only(text: &str) -> bool {
    text.contains('\r') && !text.contains('\n')
}

/// Whether the texts differ in line ends and the byte order mark at most.
pub fn is_same(one: &str, other: &str) -> bool {
    plain(one) == plain(other)
}

/// The text with the byte order mark and the line ends of the file that it is to replace, which says `before`.
///
/// Where the file has both CRLF and LF, lines that stay keep theirs, and new ones get what most lines have. A file of one
/// line without an end takes the text's.
pub fn like(before: &str, text: &str) -> String {
    if is_same(before, text) {
        return before.to_owned();
    }
    let all = before.matches('\n').count();
    let with_cr = before.matches("\r\n").count();
    if all == 0 && !before.starts_with(MARK) && !has_cr_only(before) {
        return text.to_owned();
    }
    let text = match all {
        0 if has_cr_only(before) => plain(text).replace('\n', "\r"),
        0 => text.strip_prefix(MARK).unwrap_or(text).to_owned(),
        _ if with_cr == 0 => plain(text).into_owned(),
        _ if with_cr == all => plain(text).replace('\n', "\r\n"),
        _ => mixed(before, &plain(text), 2 * with_cr > all),
    };
    match before.starts_with(MARK) {
        true => format!("{MARK}{text}"),
        false => text,
    }
}

/// The text with the ends of the lines that `before` has, too; other lines end with CRLF or not.
fn mixed(before: &str, text: &str, crlf: bool) -> String {
    let before = before.strip_prefix(MARK).unwrap_or(before);
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let old_plain: Vec<Cow<'_, str>> = old.iter().map(|line| plain(line)).collect();
    let new: Vec<Cow<'_, str>> = text.split_inclusive('\n').map(Cow::Borrowed).collect();
    let deadline = Some(Instant::now() + PATIENCE);
    let changes = capture_diff_slices_deadline(Algorithm::Myers, &old_plain, &new, deadline);
    let mut result = String::with_capacity(text.len() + new.len());
    for change in changes {
        match change.tag() {
            DiffTag::Equal => result.extend(old[change.old_range()].iter().copied()),
            _ if crlf => {
                let lines = new[change.new_range()].iter();
                result.extend(lines.map(|line| line.replace('\n', "\r\n")));
            }
            _ => result.extend(new[change.new_range()].iter().map(|line| &**line)),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn line_ends_of_old_macs_are_kept() {
        assert!(is_same("a\rb\r", "a\r\nb\r\n"));
        assert_eq!(like("a\rb\r", "a\r\nb\r\n"), "a\rb\r");
        assert_eq!(like("a\rb\r", "a\nnew\nb\n"), "a\rnew\rb\r");
        assert_eq!(like("\u{feff}a\rb", "a\r\nc"), "\u{feff}a\rc");
    }

    #[test]
    fn nothing_but_line_ends_and_marks_is_no_change() {
        for (before, text) in [
            ("one\ntwo\n", "one\r\ntwo\r\n"),
            ("one\r\ntwo\r\n", "one\ntwo\n"),
            ("\u{feff}one\n", "one\n"),
            ("one\n", "\u{feff}one\r\n"),
            ("one\r\ntwo\nthree", "one\ntwo\nthree"),
            ("", "\u{feff}"),
        ] {
            assert!(is_same(before, text));
            assert_eq!(like(before, text), before);
        }
        assert!(!is_same("one\n", "one"));
        assert!(!is_same("one\rtwo\n", "one\ntwo\n"));
    }

    #[test]
    fn a_change_keeps_what_the_file_has() {
        for (before, text, after) in [
            ("one\ntwo\n", "one\r\n2\r\n", "one\n2\n"),
            ("one\r\ntwo\r\n", "one\n2\nthree", "one\r\n2\r\nthree"),
            ("\u{feff}one\r\n", "1\n", "\u{feff}1\r\n"),
            // Nothing to keep.
            ("one", "one\r\ntwo", "one\r\ntwo"),
            ("", "\u{feff}one\r\n", "\u{feff}one\r\n"),
            ("\u{feff}one", "one\r\ntwo", "\u{feff}one\r\ntwo"),
            // Both: what stays keeps its end, what is new gets the more frequent one.
            ("a\r\nb\nc\r\n", "a\nb\nnew\nc\n", "a\r\nb\nnew\r\nc\r\n"),
            ("a\r\nb\nc\n", "a\r\nb\r\nnew\r\nc\r\n", "a\r\nb\nnew\nc\n"),
            ("\u{feff}a\r\nb\n", "b\na\n", "\u{feff}b\na\r\n"),
        ] {
            assert_eq!(like(before, text), after, "{before:?} {text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_word_changes(before in "\u{feff}?([ab]{0,2}\r?\n){0,6}", text in "([abc]{0,2}(\r?\n)?){0,6}") {
            let after = like(&before, &text);
            prop_assert!(is_same(&after, &text), "{after:?}");
            prop_assert_eq!(like(&before, &after), after);
        }
    }
}
