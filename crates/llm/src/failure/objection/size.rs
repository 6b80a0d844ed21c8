//! The size that fits, in the words of a refusal.

use super::words::contains;

/// How long messages may be, in the endpoint's unit, which is mostly tokens.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The most that fits, if the endpoint names it.
    pub limit: Option<u64>,
    /// What the request had, if the endpoint names it.
    pub asked: Option<u64>,
}

impl Size {
    /// Finds the numbers in words, which are in lower case.
    pub(super) fn in_words(words: &str) -> Self {
        let numbers = numbers(words);
        let limit = limit_in(words, &numbers);
        let asked = numbers.iter().map(|number| number.value);
        let asked = asked
            .filter(|asked| limit.is_some_and(|limit| *asked > limit))
            .max();
        Self { limit, asked }
    }
}

/// Which number is the most that fits.
fn limit_in(words: &str, numbers: &[Number]) -> Option<u64> {
    const BEFORE: &[&str] = &[
        "context length",
        "context_length",
        "context window",
        "context size",
        "context limit",
        "limit",
        "maximum",
        "max",
        "cannot exceed",
        "can't exceed",
        "<=",
        "allowed",
        "up to",
        "input length should be",
        "at most",
        "less than",
        "longer than",
        "greater than",
        "larger than",
        "exceeds",
        "exceed",
    ];
    let before = |index: usize| {
        let start = index.checked_sub(1).map_or(0, |index| numbers[index].end);
        let text = &words[start..numbers[index].start];
        let text = text.rsplit(['.', ';']).next().unwrap_or_default();
        &text[text.ceil_char_boundary(text.len().saturating_sub(60))..]
    };
    let all = || numbers.iter().enumerate();
    let found = all()
        .find(|(index, _)| before(*index).trim_end().ends_with('>'))
        .or_else(|| {
            all().find(|(_, number)| {
                let behind = words[number.end..].trim_start();
                behind.starts_with("maximum") || behind.starts_with("max ")
            })
        })
        .or_else(|| {
            all().find(|(index, _)| {
                let before = before(*index);
                // An excess is no limit.
                !before.trim_end().ends_with(" by") && contains(before, BEFORE)
            })
        })
        .map(|(_, number)| number.value);
    match numbers {
        [one, other] if found.is_none() => Some(one.value.min(other.value)),
        _ => found,
    }
}

#[derive(Debug)]
struct Number {
    start: usize,
    end: usize,
    value: u64,
}

/// The numbers that may be sizes: not those in names, nor small ones.
fn numbers(words: &str) -> Vec<Number> {
    const SMALLEST: u64 = 100;
    let mut numbers = Vec::new();
    let bytes = words.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        let mut value = 0_u64;
        while let Some(byte) = bytes.get(at) {
            let is_group = matches!(byte, b',' | b'_')
                && bytes[at + 1..]
                    .iter()
                    .take(4)
                    .filter(|byte| byte.is_ascii_digit())
                    .count()
                    == 3
                && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
            if byte.is_ascii_digit() {
                value = value
                    .saturating_mul(10)
                    .saturating_add(u64::from(byte - b'0'));
            } else if !is_group {
                break;
            }
            at += 1;
        }
        let is_in_name = |byte: Option<&u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphabetic() || b"-_/".contains(byte))
        };
        let before = start.checked_sub(1).and_then(|before| bytes.get(before));
        if !is_in_name(before) && !is_in_name(bytes.get(at)) && value >= SMALLEST {
            numbers.push(Number {
                start,
                end: at,
                value,
            });
        }
        // The rest of a name.
        while is_in_name(bytes.get(at)) {
            at += 1;
        }
    }
    numbers
}
