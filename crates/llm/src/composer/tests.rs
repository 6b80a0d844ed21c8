use proptest::prelude::*;

use super::{Change, Edit, Unfit, ask_for_whole_file, instructions, replace_diff};
use crate::random::{cases, text};

fn whole(name: &str, text: &str) -> Edit {
    Edit {
        name: name.to_owned(),
        change: Change::Whole(text.to_owned()),
    }
}

fn diff(name: &str, text: &str) -> Edit {
    Edit {
        name: name.to_owned(),
        change: Change::Diff(text.to_owned()),
    }
}

fn edits(reply: &str) -> Vec<Edit> {
    super::edits(reply, false)
}

#[test]
fn plain_answers() {
    for reply in [
        "",
        "Hello",
        "Use file=x for that.",
        "```\nfile=x\n```",
        "```python\nprint()\n```",
        "```file\nx\n```",
        "```python profile=x\nx\n```",
        "```python file=\nx\n```",
        "    ```python file=x\n",
        "``python file=x\n``",
    ] {
        assert_eq!(edits(reply), [], "{reply}");
    }
}

#[test]
fn files_and_diffs() {
    assert_eq!(
        edits("Here:\n\n```python file=main.py\nprint(1)\n\nprint(2)\n```\nDone."),
        [whole("main.py", "print(1)\n\nprint(2)\n")]
    );
    assert_eq!(
        edits("```diff file=a.based\n@@ -1 +1 @@\n-a\n+b\n```"),
        [diff("a.based", "@@ -1 +1 @@\n-a\n+b\n")]
    );
    assert_eq!(
        edits(
            "```a file=1\nx\n```\n```\nno file\n```\n~~~b file=2\n```\n~~~\n```DIFF file=3\n+y\n```"
        ),
        [whole("1", "x\n"), whole("2", "```\n"), diff("3", "+y\n")]
    );
    assert_eq!(edits("```file=x\n```"), [whole("x", "")]);
    assert_eq!(edits("```a file=x\r\nb\r\n```\r\n"), [whole("x", "b\r\n")]);
    assert_eq!(
        edits("  ```a file=x\n  b\n    c\n d\n  ```"),
        [whole("x", "b\n  c\nd\n")]
    );
}

#[test]
fn names() {
    for (info, name) in [
        ("text file=my report.md", "my report.md"),
        ("text file=\"my report.md\"", "my report.md"),
        ("text file='a.b' x=1", "a.b"),
        ("text file=`a.b`", "a.b"),
        ("text file=a.b title=c", "a.b"),
        ("text File=a.b", "a.b"),
        ("text filename=a.b", "a.b"),
        ("text {file=a.b}", "a.b"),
        ("text file=größe.based ", "größe.based"),
        ("text file=../a/b", "../a/b"),
        ("text file=a\u{7}b", "ab"),
    ] {
        assert_eq!(
            edits(&format!("```{info}\nx\n```")),
            [whole(name, "x\n")],
            "{info}"
        );
    }
    let long = edits(&format!("```a file={}\nx\n```", "ä".repeat(400)));
    assert_eq!(long[0].name.len(), 254);
}

#[test]
fn fences_inside() {
    // As asked for.
    assert_eq!(
        edits("````markdown file=x.md\n```sh\nls\n```\n```\n````\nDone."),
        [whole("x.md", "```sh\nls\n```\n```\n")]
    );
    // The longer fence was forgotten.
    assert_eq!(
        edits("```markdown file=x.md\n# A\n```sh\nls\n```\n# B\n```\nDone."),
        [whole("x.md", "# A\n```sh\nls\n```\n# B\n")]
    );
    // A diff of a file with fences.
    assert_eq!(
        edits("```diff file=x.md\n@@ -1,3 +1,3 @@\n ```sh\n-ls\n+ls -l\n ```\n```\nDone."),
        [diff("x.md", "@@ -1,3 +1,3 @@\n ```sh\n-ls\n+ls -l\n ```\n")]
    );
    // No end.
    assert_eq!(
        edits("```a file=x\nb\n```c file=y\nd\n```"),
        [whole("x", "b\n"), whole("y", "d\n")]
    );
}

#[test]
fn without_an_end() {
    let reply = "```a file=x\nb\n```\n```c file=y\nd\ne";
    assert_eq!(edits(reply), [whole("x", "b\n"), whole("y", "d\ne")]);
    assert_eq!(super::edits(reply, true), [whole("x", "b\n")]);
    for reply in [
        "```c file=y\nd\ne",
        "```c fil",
        "```markdown file=y\n```sh\nls\n",
    ] {
        assert_eq!(super::edits(reply, true), [], "{reply}");
    }
}

#[test]
fn what_becomes_of_a_file() {
    let (new, change) = (whole("x", "a\n").change, diff("x", "-a\n+b\n").change);
    assert_eq!(new.apply(None).as_deref(), Ok("a\n"));
    assert_eq!(change.apply(Some("a\n")).as_deref(), Ok("b\n"));
    let missing = "No selected .based file to apply diff.";
    assert_eq!(change.apply(None), Err(Unfit::new(missing)));
    let unfit = change.apply(Some("c\n")).unwrap_err();
    assert!(unfit.retry);
    assert!(
        unfit
            .message()
            .starts_with("Applying diff failed: Change 1")
    );
    let long = whole("x", &"a".repeat(256 * 1024 + 1)).change;
    let unfit = long.apply(None).unwrap_err();
    assert!(!unfit.retry && unfit.message().contains("256 KiB"));
}

#[test]
fn a_diff_is_replaced_by_the_whole_file() {
    let first = [whole("a", "1"), diff("b", "+2"), diff("c", "+3")];
    for (again, text) in [
        (vec![whole("b", "B")], Some("B")),
        (vec![whole("a", "A"), whole("b", "B")], Some("B")),
        (vec![whole("other", "O"), whole("third", "T")], Some("O")),
        (vec![], None),
    ] {
        let mut edits = first.to_vec();
        replace_diff(&mut edits, "b", &again);
        let expected = text.map_or(first[1].clone(), |text| whole("b", text));
        assert_eq!(edits, [first[0].clone(), expected, first[2].clone()]);
    }
    let mut edits = first.to_vec();
    replace_diff(&mut edits, "a", &[whole("a", "A")]);
    assert_eq!(edits, first);
}

#[test]
fn the_prompt_for_files() {
    let plain = instructions(None);
    assert!(plain.contains("\n```<language> file=<name>\n"));
    assert!(!plain.contains("```diff"));
    let selected = instructions(Some("a\nb.based"));
    assert!(selected.contains("\n```diff file=ab.based\n@@ -2,3 +2,3 @@\n a line"));
    assert!(ask_for_whole_file("x", "Why.").contains("```<language> file=x"));
}

proptest! {
    #![proptest_config(cases(5_000))]

    #[test]
    fn any_text_is_no_panic(reply in text(
        &["```", "~~~~", "`", " ", "\n", "file=", "\"", "'", "ä", "diff", "=", "{", "}", "x", "\r"],
        20,
    )) {
        // Of an unfinished reply, at most the last file is missing.
        let (all, finished) = (edits(&reply), super::edits(&reply, true));
        prop_assert!(all.starts_with(&finished) && all.len() <= finished.len() + 1);
    }

    #[test]
    fn a_file_in_a_longer_fence_is_found_as_it_is(
        before in text(&["Here:\n", "```sh\nls\n```\n", "`x`\n"], 3),
        file in text(&["```", "`````", "~~~", "a", " ", "\n", "file=x", "\t", "\n\n```\n"], 12),
    ) {
        let file = file + "\n";
        let longest = file.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let reply = format!("{before}{fence}text file=x\n{file}{fence}\nDone.");
        prop_assert_eq!(edits(&reply), [whole("x", &file)]);
    }
}

#[test]
fn no_reply_takes_forever() {
    for pattern in [
        "```a\n```b\n```\n",
        "```a\n",
        "~~~\n",
        "```a file=x\n",
        "````\n```\n",
        "`",
    ] {
        let start = std::time::Instant::now();
        _ = edits(&pattern.repeat(256 * 1024 / pattern.len()));
        assert!(
            start.elapsed().as_secs() < 5,
            "{pattern:?}: {:?}",
            start.elapsed()
        );
    }
}
