//! The difference between two texts as the v1 protocol shows it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write;
use std::ops::Range;
use std::time::{Duration, Instant};

use similar::algorithms::{DiffHook, myers};

/// After so long the rest is taken as one change: still right, no longer the shortest.
const PATIENCE: Duration = Duration::from_millis(100);

/// From `old` to `new` as a unified diff with zero lines of context and without the `---` and `+++` lines; empty for
/// equal texts. [`super::patch::apply_diff`] makes `new` of `old` with it again.
pub fn unified_diff(old: &str, new: &str) -> String {
    let mut diff = String::new();
    if old == new {
        return diff;
    }
    let (old, new) = (lines(old), lines(new));
    let (old_numbers, new_numbers) = number(&old, &new);
    let deadline = Instant::now() + PATIENCE;
    let mut changes = Changes::default();
    let Ok(()) = myers::diff_deadline(
        &mut changes,
        old_numbers.as_slice(),
        0..old.len(),
        new_numbers.as_slice(),
        0..new.len(),
        Some(deadline),
    )
    // Whatever comes after the last equal part ends with the texts.
    .and_then(|()| changes.equal(old.len(), new.len(), 0));
    for (removed, added) in changes.ranges {
        _ = writeln!(
            diff,
            "@@ -{} +{} @@",
            position(removed.start, removed.len()),
            position(added.start, added.len())
        );
        for line in &old[removed] {
            push(&mut diff, '-', line);
        }
        for line in &new[added] {
            push(&mut diff, '+', line);
        }
    }
    diff
}

/// Which lines of the old text are other lines in the new one: the ranges of both, in order; what is between two equal
/// parts is one change.
#[derive(Default)]
struct Changes {
    ranges: Vec<(Range<usize>, Range<usize>)>,
    /// Where the last equal part ends in both.
    end: (usize, usize),
}

impl DiffHook for Changes {
    type Error = Infallible;

    fn equal(&mut self, old: usize, new: usize, count: usize) -> Result<(), Infallible> {
        let (removed, added) = (self.end.0..old, self.end.1..new);
        if !removed.is_empty() || !added.is_empty() {
            self.ranges.push((removed, added));
        }
        self.end = (old + count, new + count);
        Ok(())
    }
}

/// Where a hunk is: `first line[,count]`. A hunk of no lines is where the line before it is.
fn position(start: usize, count: usize) -> String {
    match count {
        0 => format!("{start},0"),
        1 => (start + 1).to_string(),
        _ => format!("{},{count}", start + 1),
    }
}

fn push(diff: &mut String, sign: char, line: &str) {
    diff.push(sign);
    diff.push_str(line);
    if !line.ends_with('\n') {
        diff.push_str("\n\\ No newline at end of file\n");
    }
}

/// The lines with their ends. Only a LF ends one, as everywhere in the world of diffs.
pub(super) fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Equal lines get equal numbers, which compare faster.
fn number<'a>(old: &[&'a str], new: &[&'a str]) -> (Vec<usize>, Vec<usize>) {
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(old.len());
    let mut number = |line: &&'a str| {
        let next = seen.len();
        *seen.entry(line).or_insert(next)
    };
    let old = old.iter().map(&mut number).collect();
    (old, new.iter().map(number).collect())
}

#[cfg(test)]
mod tests;
