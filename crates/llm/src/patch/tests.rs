use proptest::prelude::*;

use super::{MAX_COMPARISONS, apply, apply_diff};
use crate::random::{cases, text};

const TEXT: &str = "fn main() {\n    one();\n    two();\n}\n\nfn other() {\n    one();\n}\n";

fn applied(diff: &str) -> String {
    apply_diff(TEXT, diff).unwrap_or_else(|why| panic!("{why}\n{diff}"))
}

#[test]
fn a_right_diff() {
    let new = TEXT.replace("two();", "three();\n    four();");
    for diff in [
        "@@ -3 +3,2 @@\n-    two();\n+    three();\n+    four();\n",
        "--- a/x\n+++ b/x\n@@ -2,3 +2,4 @@ fn main() {\n     one();\n-    two();\n+    three();\n+    four();\n }\n",
        "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -3 +3,2 @@\n-    two();\n+    three();\n+    four();",
    ] {
        assert_eq!(applied(diff), new);
    }
}

#[test]
fn sloppy_diffs() {
    let new = TEXT.replace("two();", "three();");
    for diff in [
        // Wrong counts, wrong lines.
        "@@ -30,7 +31,9 @@\n     one();\n-    two();\n+    three();\n }\n",
        // No numbers, no header, no names.
        "@@ @@\n     one();\n-    two();\n+    three();\n",
        "@@\n-    two();\n+    three();\n",
        "@@ fn main() @@\n-    two();\n+    three();\n",
        "-    two();\n+    three();\n",
        "--- x\n+++ x\n-    two();\n+    three();\n",
        // Another notation.
        "*** Begin Patch\n*** Update File: x\n@@ fn main() {\n-    two();\n+    three();\n*** End Patch\n",
        // Spaces at line ends, forgotten signs, gaps.
        "@@ -1,9 +1,9 @@\n     one();  \n-    two();\t\n+    three();\n }\n\n\n",
        "@@ -1,4 +1,4 @@\nfn main() {\n     one();\n-    two();\n+    three();\n",
        // A word before.
        "Here is the diff:\n\n@@ -3,5 +3,5 @@\n-    two();\n+    three();\n",
    ] {
        assert_eq!(applied(diff), new, "{diff}");
    }
    // An empty line whose space got lost.
    let diff = "@@ -4,3 +4,3 @@\n }\n\n-fn other() {\n+fn another() {\n";
    assert_eq!(applied(diff), TEXT.replace("other", "another"));
    let two = "@@\n-    two();\n+    2();\n\n@@\n-fn other() {\n+fn o() {\n";
    assert_eq!(applied(two), TEXT.replace("two", "2").replace("other", "o"));
}

#[test]
fn never_silently_wrong() {
    for (diff, why) in [
        ("", "changes nothing"),
        ("Sorry, I can't.", "changes nothing"),
        ("@@ -1 +1 @@\n fn main() {\n", "changes nothing"),
        ("@@ -3 +3 @@\n-    tow();\n+    three();\n", "does not fit"),
        ("@@ -1 +1 @@\n-fn  main() {\n+x\n", "does not fit"),
        // Twice in the text, and the header is not to be trusted.
        (
            "@@ -3 +3 @@\n-    one();\n+    three();\n",
            "several places",
        ),
        ("-    one();\n+    three();\n", "several places"),
        (
            "@@ -2 +4 @@\n-    one();\n+    three();\n",
            "several places",
        ),
        // There is no position.
        ("@@ -3,1 +3,2 @@\n+    three();\n", "between which"),
        ("@@\n+    three();\n", "between which"),
        ("@@ -90,0 +91 @@\n+    three();\n", "between which"),
        ("@@ -3,0 +9 @@\n+    three();\n", "between which"),
        // Out of order.
        ("@@\n-fn other() {\n+o\n@@\n-    two();\n+2\n", "order"),
        (
            "--- a\n+++ a\n@@\n-    two();\n+2\n--- b\n+++ b\n@@\n-x\n+y\n",
            "more than one file",
        ),
    ] {
        let error = apply_diff(TEXT, diff).expect_err(diff);
        assert!(error.contains(why), "{diff}: {error}");
    }
}

#[test]
fn right_numbers_distinguish_equal_places() {
    let diff = "@@ -7 +7 @@\n-    one();\n+    seven();\n";
    assert!(applied(diff).ends_with("fn other() {\n    seven();\n}\n"));
    let diff = "@@ -2 +2 @@\n-    one();\n+    two();\n";
    assert!(applied(diff).starts_with("fn main() {\n    two();\n    two();\n"));
}

#[test]
fn line_ends() {
    let text = "a\r\nb\r\nc\r\n";
    for diff in [
        "@@ -2 +2 @@\n-b\n+x\n",
        "@@ -2 +2 @@\n-b\r\n+x\r\n",
        "@@ -2 +2 @@\r\n-b\r\n+x\r\n",
    ] {
        assert_eq!(apply_diff(text, diff).as_deref(), Ok("a\r\nx\r\nc\r\n"));
    }
    let diff = "@@ -2 +2 @@\r\n-b\r\n+x\r\n";
    assert_eq!(apply_diff("a\nb\nc\n", diff).as_deref(), Ok("a\nx\nc\n"));
}

#[test]
fn texts_without_an_end() {
    for (text, diff, new) in [
        ("a\nb", "@@ -2 +2 @@\n-b\n+c\n", "a\nc"),
        ("a\nb", "@@\n b\n+c\n", "a\nb\nc"),
        ("a\nb", "@@\n-a\n+c\n", "c\nb"),
        (
            "a\nb",
            "@@ -2 +2 @@\n-b\n\\ No newline at end of file\n+c\n",
            "a\nc\n",
        ),
        (
            "a\nb\n",
            "@@\n-a\n+c\n\\ No newline at end of file\n",
            "c\nb\n",
        ),
        (
            "a\nb\n",
            "@@\n-a\n\\ No newline at end of file\n+c\n",
            "c\nb\n",
        ),
        ("", "@@ -0,0 +1 @@\n+a\n", "a\n"),
        ("", "+a\n", "a\n"),
        ("a\n", "@@ -1 +0,0 @@\n-a\n", ""),
    ] {
        assert_eq!(
            apply_diff(text, diff).as_deref(),
            Ok(new),
            "{text:?} {diff:?}"
        );
    }
}

/// Applies a diff within the budget: when that is used up, the place that is being looked at is compared to its end.
fn within_budget(text: &str, diff: &str) -> Result<String, String> {
    let mut comparisons = 0;
    let applied = apply(text, diff, &mut comparisons);
    let most = MAX_COMPARISONS + 2 * diff.split('\n').count();
    assert!(comparisons <= most, "{comparisons}");
    applied
}

#[test]
fn no_diff_takes_forever() {
    let text = "a\n".repeat(131_000);
    let line = format!("b{}c", " ".repeat(250_000));
    let error = within_budget(&text, &format!("@@\n-{line}\n+x\n")).unwrap_err();
    assert!(error.contains("does not fit"), "{error}");
    let spaces = " ".repeat(250_000);
    let error = within_budget(&text, &format!("@@\n-b{spaces}\n+x\n")).unwrap_err();
    assert!(error.contains("does not fit"), "{error}");
    // Many hunks, each of which is looked for in all lines.
    let many = "@@\n-b\n+x\n".repeat(20_000);
    assert!(within_budget(&text, &many).is_err());
    let wanted = "-a\n".repeat(60_000);
    let error = within_budget(&text, &format!("@@\n{wanted}-b\n")).unwrap_err();
    assert!(error.contains("too long"), "{error}");
    let files = "@@\n".repeat(40_000) + &"*** Add File:\n".repeat(9_000);
    assert!(within_budget(&text, &files).is_err());
}

#[test]
fn numbers_without_bounds_are_no_panic() {
    for number in [u64::MAX, u64::from(u32::MAX), u64::from(u32::MAX) - 1] {
        let diff = format!("@@ -{number},2 +{number},2 @@\n-a\n-b\n+c\n+d\n");
        assert_eq!(apply_diff("a\nb\n", &diff).as_deref(), Ok("c\nd\n"));
        assert!(apply_diff("x\n", &diff).is_err());
    }
}

const PIECES: &[&str] = &[
    "@@",
    " -1",
    " +1",
    ",2",
    " @@",
    "\n",
    "-",
    "+",
    " ",
    "a",
    "\\ ",
    "\r",
    "--- ",
    "+++ ",
    "9999999999999999999",
    "ä",
];

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn any_diff_is_no_panic(
        text in text(&["a\n", "ä", "\n", "\r\n"], 6),
        diff in text(PIECES, 20),
    ) {
        _ = within_budget(&text, &diff);
    }
}
