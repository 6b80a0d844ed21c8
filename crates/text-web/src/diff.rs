//! The difference of two texts, line by line.

use std::convert::Infallible;

use similar::algorithms::{DiffHook, myers};

/// All lines of both texts, each with what became of it: `-` was removed, `+` was added, and a space is before what both
/// have.
pub fn diff(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut both = Both {
        old: &old,
        new: &new,
        lines: String::new(),
        added: String::new(),
    };
    // Not `TextDiff`, which brings all algorithms for all kinds of texts: four times the rest of the module.
    let Ok(()) = myers::diff(&mut both, &old[..], 0..old.len(), &new[..], 0..new.len());
    both.lines
}

/// Writes what the algorithm finds.
struct Both<'a> {
    old: &'a [&'a str],
    new: &'a [&'a str],
    lines: String,
    /// Added lines, which follow those that were removed at the same place.
    added: String,
}

/// Writes lines of a text.
fn write(to: &mut String, sign: char, text: &[&str], from: usize, count: usize) {
    for line in text.iter().skip(from).take(count) {
        to.push(sign);
        to.push_str(line);
        to.push('\n');
    }
}

impl DiffHook for Both<'_> {
    type Error = Infallible;

    fn equal(&mut self, _: usize, new: usize, count: usize) -> Result<(), Infallible> {
        self.finish()?;
        write(&mut self.lines, ' ', self.new, new, count);
        Ok(())
    }

    fn delete(&mut self, old: usize, count: usize, _: usize) -> Result<(), Infallible> {
        write(&mut self.lines, '-', self.old, old, count);
        Ok(())
    }

    fn insert(&mut self, _: usize, new: usize, count: usize) -> Result<(), Infallible> {
        write(&mut self.added, '+', self.new, new, count);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Infallible> {
        self.lines.push_str(&std::mem::take(&mut self.added));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::diff;

    #[test]
    fn every_line_says_what_became_of_it() {
        assert_eq!(diff("a\nb\nc\n", "a\nx\nc"), " a\n-b\n+x\n c\n");
        assert_eq!(diff("a\n", "a\nb\n"), " a\n+b\n");
        assert_eq!(diff("", ""), "");
    }
}
