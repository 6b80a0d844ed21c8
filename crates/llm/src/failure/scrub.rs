//! Keeping the key out of messages: endpoints like to repeat what they were sent.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

const INSTEAD: &str = "[key]";

/// A key that begins like this is recognised where only its beginning is quoted.
const BEGINNING: usize = 8;

/// `text` without the key: as it is, escaped, or cut short.
pub(crate) fn scrub(text: &str, key: &str) -> String {
    let key = key.trim();
    if key.is_empty() {
        return text.to_owned();
    }
    // So short a key is a placeholder (`-`, `none`, `ollama`) and is part of ordinary words.
    if key.chars().count() < BEGINNING {
        return words(text, |word| {
            word.trim_matches(|c: char| !c.is_alphanumeric() && !key.contains(c))
                .eq_ignore_ascii_case(key)
        });
    }
    let escaped = serde_json::Value::from(key).to_string();
    let forms = [
        key,
        escaped.trim_matches('"'),
        &utf8_percent_encode(key, NON_ALPHANUMERIC).to_string(),
    ];
    let mut text = text.to_owned();
    for form in forms {
        text = replace(&text, form);
    }
    let beginning: String = key.chars().take(BEGINNING).collect();
    let beginning = beginning.to_ascii_lowercase();
    words(&text, |word| {
        word.contains("***") || word.to_ascii_lowercase().contains(&beginning)
    })
}

/// Replaces `form` wherever it is, in whatever case.
fn replace(text: &str, form: &str) -> String {
    let (lower, form) = (text.to_ascii_lowercase(), form.to_ascii_lowercase());
    let mut scrubbed = String::with_capacity(text.len());
    let mut at = 0;
    for (start, _) in lower.match_indices(&form) {
        scrubbed.push_str(&text[at..start]);
        scrubbed.push_str(INSTEAD);
        at = start + form.len();
    }
    scrubbed.push_str(&text[at..]);
    scrubbed
}

/// Replaces the words that are (part of) the key.
fn words(text: &str, is_key: impl Fn(&str) -> bool) -> String {
    text.split_inclusive(' ')
        .map(|word| {
            let bare = word.trim_end_matches(' ');
            if is_key(bare) {
                format!("{INSTEAD}{}", &word[bare.len()..])
            } else {
                word.to_owned()
            }
        })
        .collect()
}
