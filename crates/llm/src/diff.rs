//! The difference between two texts as the v1 protocol shows it.

use std::fmt::Write;
use std::time::{Duration, Instant};

use similar::DiffTag;
use similar::algorithms::{Capture, IdentifyDistinct, Replace, myers};

/// After this time the rest is taken as one change: the diff is still right, but not the shortest.
const PATIENCE: Duration = Duration::from_millis(100);

/// From `old` to `new` as a unified diff with zero lines of context and without the `---` and `+++` lines; empty for
/// equal texts. [`super::patch::apply_diff`] makes `new` of `old` with it again.
pub fn unified_diff(old: &str, new: &str) -> String {
    let mut diff = String::new();
    if old == new {
        return diff;
    }
    let (old, new) = (lines(old), lines(new));
    // Equal lines get equal numbers, which compare faster.
    let numbers = IdentifyDistinct::<u32>::new(&old[..], 0..old.len(), &new[..], 0..new.len());
    let deadline = Instant::now() + PATIENCE;
    // All lines between two equal parts are one change.
    let mut changes = Replace::new(Capture::new());
    let Ok(()) = myers::diff_deadline(
        &mut changes,
        numbers.old_lookup(),
        numbers.old_range(),
        numbers.new_lookup(),
        numbers.new_range(),
        Some(deadline),
    );
    for change in changes.into_inner().into_ops() {
        let (removed, added) = (change.old_range(), change.new_range());
        if change.tag() == DiffTag::Equal {
            continue;
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

/// The lines with their ends. Only LF ends a line, as in all diffs; `similar` itself would also take CR for an end.
pub(super) fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

#[cfg(test)]
mod tests;
