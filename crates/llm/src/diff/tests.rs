use proptest::prelude::*;

use super::unified_diff;
use crate::patch::apply_diff;
use crate::random::{cases, text};

#[test]
fn the_format() {
    assert_eq!(unified_diff("", ""), "");
    assert_eq!(unified_diff("a\n", "a\n"), "");
    for (old, new, diff) in [
        ("a\nb\nc\n", "a\nx\nc\n", "@@ -2 +2 @@\n-b\n+x\n"),
        ("a\nb\nc\n", "a\nc\n", "@@ -2 +1,0 @@\n-b\n"),
        ("a\nc\n", "a\nb\nc\n", "@@ -1,0 +2 @@\n+b\n"),
        ("", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"),
        ("a\nb\n", "", "@@ -1,2 +0,0 @@\n-a\n-b\n"),
        (
            "a\nb\nc\nd\n",
            "A\nb\nc\nD\nE\n",
            "@@ -1 +1 @@\n-a\n+A\n@@ -4 +4,2 @@\n-d\n+D\n+E\n",
        ),
        (
            "a\nb",
            "a\nc",
            "@@ -2 +2 @@\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n",
        ),
        (
            "a",
            "a\n",
            "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n",
        ),
        (
            "a\n",
            "a",
            "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n",
        ),
        ("a\r\n", "a\n", "@@ -1 +1 @@\n-a\r\n+a\n"),
    ] {
        assert_eq!(unified_diff(old, new), diff, "{old:?} to {new:?}");
        assert_eq!(apply_diff(old, diff).as_deref(), Ok(new));
    }
}

const PIECES: &[&str] = &[
    "a\n",
    "b\n",
    "\n",
    "c\r\n",
    "-- a\n",
    "++ b\n",
    "@@ -1 +1 @@\n",
    "\\ x\n",
    "ä",
    " ",
    "\r",
    "--- a/x\n",
    "+++ b/x\n",
    "diff --git\n",
    "- ",
    "+",
];

proptest! {
    #![proptest_config(cases(5_000))]

    #[test]
    fn applied_it_gives_the_new_text(old in text(PIECES, 12), new in text(PIECES, 12)) {
        let diff = unified_diff(&old, &new);
        if old == new {
            prop_assert_eq!(diff, "");
        } else {
            prop_assert_eq!(apply_diff(&old, &diff), Ok(new), "by {:?}", diff);
        }
    }
}

#[test]
fn large_texts() {
    let mixed = |by: u64| -> String {
        let numbers = (0..90_000_u64).map(|number| (number * number).wrapping_mul(by) >> 40);
        numbers
            .map(|number| format!("{}\n", number % 100))
            .collect()
    };
    let pairs = [
        (mixed(0x9e37_79b9_7f4a_7c15), mixed(0xbf58_476d_1ce4_e5b9)),
        ("a\n".repeat(128 * 1024), "\n".repeat(256 * 1024)),
        ("ab\n".repeat(80_000), "ab\nc\n".repeat(50_000)),
        ("x".repeat(256 * 1024), "y".repeat(256 * 1024)),
    ];
    for (old, new) in pairs {
        let diff = unified_diff(&old, &new);
        assert_eq!(apply_diff(&old, &diff).as_ref(), Ok(&new));
    }
}
