//! The hunks of a diff: read by the counts in their headers or, where these are wrong or missing, by the lines' signs.

/// One change.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hunk<'a> {
    /// `None`: it has none, or one that does not fit its lines.
    header: Option<Header>,
    pub lines: Vec<Line<'a>>,
}

/// `@@ -old_start,old_count +new_start,new_count @@`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    old_start: usize,
    old_count: usize,
    new_start: usize,
    new_count: usize,
}

/// One line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub sign: Sign,
    pub text: &'a str,
    /// `\ No newline at end of file` follows.
    pub ends_text: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Kept,
    Removed,
    Added,
}

impl Hunk<'_> {
    fn count(&self, other: Sign) -> usize {
        self.lines.iter().filter(|line| line.sign != other).count()
    }

    fn changes(&self) -> bool {
        self.lines.iter().any(|line| line.sign != Sign::Kept)
    }

    /// How many lines the text grows by.
    pub(super) fn growth(&self) -> isize {
        self.count(Sign::Removed).cast_signed() - self.count(Sign::Added).cast_signed()
    }

    /// Where its old lines begin, if all numbers of its header are right after the text has grown by `drift` lines.
    pub(super) fn stated_place(&self, drift: isize) -> Option<usize> {
        let header = self.header?;
        // A hunk without lines is after the line that it names.
        let first = |start: usize, count: usize| {
            if count == 0 {
                Some(start)
            } else {
                start.checked_sub(1)
            }
        };
        let old = first(header.old_start, header.old_count)?;
        let new = first(header.new_start, header.new_count)?;
        (old.checked_add_signed(drift) == Some(new)).then_some(old)
    }
}

/// Reads a diff of one file.
///
/// # Errors
/// The reason why a diff is not valid, as a sentence.
pub(super) fn hunks(diff: &str) -> Result<Vec<Hunk<'_>>, String> {
    let lines: Vec<&str> = diff
        .strip_suffix('\n')
        .unwrap_or(diff)
        .split('\n')
        .collect();
    let mut hunks = match by_counts(&lines) {
        Some(hunks) => hunks,
        None => by_signs(&lines)?,
    };
    hunks.retain(Hunk::changes);
    if hunks.is_empty() {
        return Err("The diff changes nothing.".to_owned());
    }
    Ok(hunks)
}

/// `None`: not all headers are there and right.
fn by_counts<'a>(lines: &[&'a str]) -> Option<Vec<Hunk<'a>>> {
    let mut rest = lines
        .iter()
        .copied()
        .skip_while(|line| !line.starts_with("@@"))
        .peekable();
    let mut hunks = Vec::new();
    while let Some(line) = rest.next() {
        if line.trim().is_empty() && rest.clone().all(|line| line.trim().is_empty()) {
            break;
        }
        let header = header(line)?;
        let mut hunk = Hunk {
            header: Some(header),
            lines: Vec::new(),
        };
        let (mut old, mut new) = (header.old_count, header.new_count);
        while old > 0 || new > 0 {
            let line = signed(rest.next()?)?;
            if line.sign != Sign::Added {
                old = old.checked_sub(1)?;
            }
            if line.sign != Sign::Removed {
                new = new.checked_sub(1)?;
            }
            hunk.lines.push(line);
            mark_end(&mut rest, &mut hunk);
        }
        hunks.push(hunk);
    }
    (!hunks.is_empty()).then_some(hunks)
}

fn mark_end<'a>(
    rest: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    hunk: &mut Hunk<'a>,
) {
    if rest.next_if(|line| line.starts_with("\\ ")).is_some()
        && let Some(line) = hunk.lines.last_mut()
    {
        line.ends_text = true;
    }
}

fn by_signs<'a>(lines: &[&'a str]) -> Result<Vec<Hunk<'a>>, String> {
    let mut hunks: Vec<Hunk<'a>> = Vec::new();
    let mut has_lines = false;
    let mut rest = lines.iter().copied().peekable();
    let new_hunk = || Hunk {
        header: None,
        lines: Vec::new(),
    };
    while let Some(line) = rest.next() {
        let is_file = names_file(line, rest.peek().copied());
        if is_file && has_lines {
            return Err("The diff is about more than one file.".to_owned());
        }
        if is_file {
            // Also the `+++` after the `---`.
            rest.next_if(|line| line.starts_with("+++ "));
        } else if line.starts_with("@@") {
            hunks.push(new_hunk());
        } else if line.starts_with("*** ") {
            // Begin and end of a patch in another notation.
        } else if line.starts_with("\\ ") {
            if let Some(line) = hunks.last_mut().and_then(|hunk| hunk.lines.last_mut()) {
                line.ends_text = true;
            }
        } else if hunks.is_empty() && !line.starts_with([' ', '+', '-']) {
            // Text before the first change.
        } else {
            if hunks.is_empty() {
                hunks.push(new_hunk());
            }
            // The sign of a kept line may be forgotten: it must be in the text anyway.
            let line = signed(line).unwrap_or(Line {
                sign: Sign::Kept,
                text: line,
                ends_text: false,
            });
            if let Some(hunk) = hunks.last_mut() {
                hunk.lines.push(line);
                has_lines = true;
            }
        }
    }
    for hunk in &mut hunks {
        // Empty lines between hunks are there for the eye.
        let is_gap = |line: &Line<'_>| line.sign == Sign::Kept && line.text.trim().is_empty();
        while hunk.lines.last().is_some_and(is_gap) {
            hunk.lines.pop();
        }
    }
    Ok(hunks)
}

fn names_file(line: &str, next: Option<&str>) -> bool {
    let starts = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    (line.starts_with("--- ") && next.is_some_and(|next| next.starts_with("+++ ")))
        || starts(&[
            "diff --git ",
            "*** Update File:",
            "*** Add File:",
            "*** Delete File:",
        ])
}

/// A line with its sign. An empty one is a kept empty line whose sign, a space, got lost.
fn signed(line: &str) -> Option<Line<'_>> {
    let (sign, text) = match line.chars().next() {
        Some(' ') => (Sign::Kept, &line[1..]),
        Some('-') => (Sign::Removed, &line[1..]),
        Some('+') => (Sign::Added, &line[1..]),
        None | Some('\r') => (Sign::Kept, line),
        _ => return None,
    };
    Some(Line {
        sign,
        text,
        ends_text: false,
    })
}

fn header(line: &str) -> Option<Header> {
    let (ranges, _) = line.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let range = |text: &str| -> Option<(usize, usize)> {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    let ((old_start, old_count), (new_start, new_count)) = (range(old)?, range(new)?);
    Some(Header {
        old_start,
        old_count,
        new_start,
        new_count,
    })
}
