use super::{Change, Edit, Outcome, ask_for_whole_file, instructions, outcome};

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
    match outcome(reply, false) {
        Outcome::Text => Vec::new(),
        Outcome::Edits(edits) => edits,
    }
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
        assert_eq!(outcome(reply, false), Outcome::Text, "{reply}");
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
    assert_eq!(
        outcome(reply, false),
        Outcome::Edits(vec![whole("x", "b\n"), whole("y", "d\ne")])
    );
    assert_eq!(
        outcome(reply, true),
        Outcome::Edits(vec![whole("x", "b\n")])
    );
    assert_eq!(outcome("```c file=y\nd\ne", true), Outcome::Text);
    assert_eq!(outcome("```c fil", true), Outcome::Text);
    assert_eq!(
        outcome("```markdown file=y\n```sh\nls\n", true),
        Outcome::Text
    );
}

#[test]
fn what_is_asked() {
    let plain = instructions(None);
    assert!(plain.contains("\n```<language> file=<name>\n"));
    assert!(!plain.contains("```diff"));
    let selected = instructions(Some("a\nb.based"));
    assert!(selected.contains("\n```diff file=ab.based\n@@ -2,3 +2,3 @@\n a line"));
    assert!(ask_for_whole_file("x", "Why.").contains("```<language> file=x"));
}

#[test]
fn any_text_is_no_panic() {
    let mut dice = crate::diff::tests::Dice(5);
    let pieces = [
        "```", "~~~~", "`", " ", "\n", "file=", "\"", "'", "ä", "diff", "=", "{", "}", "x", "\r",
    ];
    for _ in 0..50_000 {
        let reply = dice.text(&pieces, 20);
        _ = (outcome(&reply, false), outcome(&reply, true));
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
        _ = outcome(&pattern.repeat(256 * 1024 / pattern.len()), false);
        assert!(
            start.elapsed().as_secs() < 5,
            "{pattern:?}: {:?}",
            start.elapsed()
        );
    }
}
