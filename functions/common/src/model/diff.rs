//! The difference between two texts as the v1 protocol shows it.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

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
    let changes =
        capture_diff_slices_deadline(Algorithm::Myers, &old_numbers, &new_numbers, Some(deadline));
    let mut changes = changes
        .iter()
        .filter(|change| !matches!(change, DiffOp::Equal { .. }))
        .peekable();
    while let Some(first) = changes.next() {
        let (mut removed, mut added) = (first.old_range(), first.new_range());
        // Neighbours are one change, as one hunk has them.
        while let Some(next) = changes.next_if(|next| {
            next.old_range().start == removed.end && next.new_range().start == added.end
        }) {
            removed.end = next.old_range().end;
            added.end = next.new_range().end;
        }
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
pub(crate) mod tests;
