//! Which characters may appear, and how to name one that may not.

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};

/// The displayed names of `text`'s characters that `allowed` refuses, each once, sorted; `None` if there are none.
pub(super) fn refused(text: &str, allowed: impl Fn(char) -> bool) -> Option<String> {
    let mut names: Vec<String> = text.chars().filter(|c| !allowed(*c)).map(display).collect();
    names.sort();
    names.dedup();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Refuses characters that no sensible address has: invisible ones, unassigned ones, a combining one at the start.
pub(super) fn check_safe(text: &str) -> Result<(), String> {
    let mut unsafe_chars: Vec<char> = text
        .char_indices()
        .filter(|(index, c)| {
            let marks = GeneralCategoryGroup::Mark.contains(category(*c));
            !(is_visible(*c) || (marks && *index > 0))
        })
        .map(|(_, c)| c)
        .collect();
    unsafe_chars.sort_unstable();
    unsafe_chars.dedup();
    if unsafe_chars.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = unsafe_chars.into_iter().map(display).collect();
    Err(format!(
        "The email address contains unsafe characters: {}.",
        names.join(", ")
    ))
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn is_visible(c: char) -> bool {
    let visible = GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Number)
        .union(GeneralCategoryGroup::Punctuation)
        .union(GeneralCategoryGroup::Symbol);
    visible.contains(category(c))
}

/// A visible character in quotes, a space by its name, anything else as `U+0009`.
fn display(c: char) -> String {
    match c {
        '\'' => "\"'\"".to_owned(),
        '\\' => "'\\\\'".to_owned(),
        ' ' => "SPACE".to_owned(),
        '\u{a0}' => "NO-BREAK SPACE".to_owned(),
        '\u{200b}' => "ZERO WIDTH SPACE".to_owned(),
        '\u{3000}' => "IDEOGRAPHIC SPACE".to_owned(),
        c if is_visible(c) => format!("'{c}'"),
        c => format!("U+{:04X}", u32::from(c)),
    }
}
