//! The difference of two texts, line by line.

use similar::{ChangeTag, TextDiff};

/// All lines of both texts, each with what became of it: `-` was removed, `+` was added, and a space is before what both
/// have.
pub fn diff(old: &str, new: &str) -> String {
    // A last line is the same one, whether it ends or not.
    let ended = |text: &str| match text {
        "" => String::new(),
        text => format!("{}\n", text.strip_suffix('\n').unwrap_or(text)),
    };
    let (old, new) = (ended(old), ended(new));
    let lines = TextDiff::from_lines(&old, &new);
    let mut all = String::with_capacity(old.len() + new.len());
    for change in lines.iter_all_changes() {
        all.push(match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        });
        all.push_str(change.value().trim_end_matches(['\n', '\r']));
        all.push('\n');
    }
    all
}

#[cfg(test)]
mod tests {
    use super::diff;

    #[test]
    fn every_line_says_what_became_of_it() {
        assert_eq!(diff("a\nb\nc\n", "a\nx\nc"), " a\n-b\n+x\n c\n");
        assert_eq!(diff("a\n", "a\nb\n"), " a\n+b\n");
        assert_eq!(diff("", ""), "");
    }
}
