use super::unified_diff;
use crate::patch::apply_diff;

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let end = u64::try_from(from.len()).unwrap_or(1);
        from[usize::try_from(self.below(end)).unwrap_or(0)]
    }

    pub(crate) fn text(&mut self, from: &[&str], pieces: u64) -> String {
        (0..self.below(pieces + 1))
            .map(|_| self.pick(from))
            .collect()
    }
}

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

#[test]
fn applied_it_gives_the_new_text() {
    let mut dice = Dice(7);
    let pieces = [
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
    for _ in 0..20_000 {
        let (old, new) = (dice.text(&pieces, 12), dice.text(&pieces, 12));
        let diff = unified_diff(&old, &new);
        if old == new {
            assert_eq!(diff, "");
            continue;
        }
        let applied = apply_diff(&old, &diff);
        assert_eq!(applied.as_ref(), Ok(&new), "from {old:?} by {diff:?}");
    }
}

#[test]
fn large_texts() {
    let mut dice = Dice(11);
    let numbers: Vec<String> = (0..100).map(|number| format!("{number}\n")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let mut random = |lines: usize| -> String { (0..lines).map(|_| dice.pick(&numbers)).collect() };
    let pairs = [
        (random(90_000), random(90_000)),
        ("a\n".repeat(128 * 1024), "\n".repeat(256 * 1024)),
        ("ab\n".repeat(80_000), "ab\nc\n".repeat(50_000)),
        ("x".repeat(256 * 1024), "y".repeat(256 * 1024)),
    ];
    for (old, new) in pairs {
        let start = std::time::Instant::now();
        let diff = unified_diff(&old, &new);
        // Ten times as much as on a quiet machine, because tests run on busy ones.
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
        assert_eq!(apply_diff(&old, &diff).as_ref(), Ok(&new));
    }
}
