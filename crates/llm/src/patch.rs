//! Applying a diff that a model wrote: forgiving about its form, never about its content.
//!
//! Models miscount lines, forget headers and drop spaces at line ends. So where a hunk goes is decided by the lines
//! it removes or keeps: they must be in the text, and in one place only. Line numbers count only in a hunk whose
//! header is right in all its numbers (as in every diff of [`super::diff`]); then it may even have no such lines.

mod number;
mod parse;

use super::diff::lines;
use number::{Numbered, Numbers};
use parse::{Hunk, Line, Sign};

/// Looking for hunks' places compares so many lines at most, so that no diff takes forever. Lines are compared as
/// numbers, so each comparison is one step, however long the lines are.
const MAX_COMPARISONS: usize = 20_000_000;

/// The text that `diff` makes of `text`.
///
/// # Errors
/// Why it can't be applied, as a sentence.
pub fn apply_diff(text: &str, diff: &str) -> Result<String, String> {
    apply(text, diff, &mut 0)
}

/// The same; adds to `comparisons` how many lines were compared.
fn apply(text: &str, diff: &str, comparisons: &mut usize) -> Result<String, String> {
    let hunks = parse::hunks(diff)?;
    let old = lines(text);
    let mut numbers = Numbers::default();
    let mut applied = Applied {
        numbered: old.iter().map(|line| numbers.of_text(line)).collect(),
        old,
        taken: 0,
        new: Vec::new(),
        drift: 0,
        keeps_missing_end: false,
        comparisons,
    };
    for (index, hunk) in hunks.iter().enumerate() {
        applied
            .hunk(hunk, &mut numbers)
            .map_err(|why| format!("Change {} of the diff {why}.", index + 1))?;
    }
    Ok(applied.finish())
}

/// A text of which the first lines have been dealt with.
struct Applied<'a> {
    old: Vec<&'a str>,
    /// The same lines.
    numbered: Vec<Numbered>,
    taken: usize,
    /// Lines, each with its end, but for those that were the end of a text without one.
    new: Vec<String>,
    /// How many lines the text has grown by.
    drift: isize,
    /// The last line had no end and the diff didn't care.
    keeps_missing_end: bool,
    comparisons: &'a mut usize,
}

/// How closely lines must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Exact,
    /// But for white space at the end.
    Loose,
}

impl<'a> Applied<'a> {
    fn hunk(&mut self, hunk: &Hunk<'a>, numbers: &mut Numbers<'a>) -> Result<(), String> {
        let wanted: Vec<&Line<'_>> = hunk
            .lines
            .iter()
            .filter(|line| line.sign != Sign::Added)
            .collect();
        let numbered: Vec<Numbered> = wanted.iter().map(|line| numbers.of_line(line)).collect();
        let (at, how) = self.place(hunk, &wanted, &numbered)?;
        if at < self.taken {
            return Err("is not in the order of the file".to_owned());
        }
        let found = &self.old[at..at + wanted.len()];
        let ending = LineEnd::of(found, &wanted, &hunk.lines, how);
        let reaches_end = at + wanted.len() == self.old.len();
        let ends_missing = |line: &&str| !line.ends_with('\n');
        self.keeps_missing_end = reaches_end
            && found.last().is_some_and(ends_missing)
            && (how == Match::Loose || wanted.last().is_some_and(|line| !line.ends_text));

        let old = self.old[self.taken..at].iter();
        self.new.extend(old.map(|line| (*line).to_owned()));
        let mut found = found.iter();
        for line in &hunk.lines {
            match line.sign {
                Sign::Added => self.new.push(ending.give(line, how)),
                Sign::Kept => self.new.extend(found.next().map(|line| (*line).to_owned())),
                Sign::Removed => _ = found.next(),
            }
        }
        self.taken = at + wanted.len();
        self.drift += hunk.growth();
        Ok(())
    }

    /// Where the hunk's old lines are.
    fn place(
        &mut self,
        hunk: &Hunk<'_>,
        wanted: &[&Line<'_>],
        numbered: &[Numbered],
    ) -> Result<(usize, Match), String> {
        let stated = hunk.stated_place(self.drift).filter(|at| {
            let end = at.checked_add(wanted.len());
            end.is_some_and(|end| end <= self.old.len())
        });
        if wanted.is_empty() {
            let start = (self.old.is_empty()).then_some(0);
            let place = stated.or(start).map(|at| (at, Match::Exact));
            return place.ok_or_else(|| "adds lines but does not show between which".to_owned());
        }
        for how in [Match::Exact, Match::Loose] {
            if let Some(at) = stated
                && self.is_at(at, numbered, how)
            {
                return Ok((at, how));
            }
            let last = self.old.len().checked_sub(wanted.len());
            let mut places = Vec::new();
            for at in last.map(|last| 0..=last).into_iter().flatten() {
                if self.is_at(at, numbered, how) {
                    places.push(at);
                }
                if places.len() > 1 {
                    return Err("fits in several places of the file".to_owned());
                }
                if *self.comparisons > MAX_COMPARISONS {
                    return Err("takes too long to find in the file".to_owned());
                }
            }
            if let Some(at) = places.first() {
                return Ok((*at, how));
            }
        }
        let first: String = wanted
            .first()
            .map_or("", |line| line.text)
            .chars()
            .take(80)
            .collect();
        Err(format!(
            "does not fit: the lines it removes or keeps are not in the file (from {first:?} on)"
        ))
    }

    fn is_at(&mut self, at: usize, wanted: &[Numbered], how: Match) -> bool {
        let old = &self.numbered[at..at + wanted.len()];
        old.iter().zip(wanted).all(|(old, wanted)| {
            *self.comparisons += 1;
            match how {
                Match::Exact => old.exact == wanted.exact && !(old.has_end && wanted.ends_text),
                Match::Loose => old.loose == wanted.loose,
            }
        })
    }

    fn finish(mut self) -> String {
        let untouched = self.taken < self.old.len();
        let old = self.old[self.taken..].iter();
        self.new.extend(old.map(|line| (*line).to_owned()));
        let mut text = String::new();
        for line in self.new {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(&line);
        }
        if self.keeps_missing_end && !untouched {
            let end = text
                .strip_suffix("\r\n")
                .or_else(|| text.strip_suffix('\n'));
            text.truncate(end.map_or(text.len(), str::len));
        }
        text
    }
}

/// What the added lines' ends must become to be like those around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    AsGiven,
    WithCr,
    WithoutCr,
}

impl LineEnd {
    fn of(found: &[&str], wanted: &[&Line<'_>], all: &[Line<'_>], how: Match) -> Self {
        if how == Match::Exact {
            return Self::AsGiven;
        }
        let cr = |line: &Line<'_>| line.text.ends_with('\r');
        if found.iter().all(|line| line.ends_with("\r\n")) && !wanted.iter().any(|line| cr(line)) {
            Self::WithCr
        } else if !found.iter().any(|line| line.ends_with("\r\n")) && all.iter().all(cr) {
            Self::WithoutCr
        } else {
            Self::AsGiven
        }
    }

    fn give(self, line: &Line<'_>, how: Match) -> String {
        let text = line.text;
        let text = match self {
            Self::AsGiven => text.to_owned(),
            Self::WithCr => format!("{}\r", text.trim_end_matches('\r')),
            Self::WithoutCr => text.trim_end_matches('\r').to_owned(),
        };
        if line.ends_text && how == Match::Exact {
            text
        } else {
            text + "\n"
        }
    }
}

#[cfg(test)]
mod tests;
