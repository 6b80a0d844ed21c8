//! JSON texts of others that `serde_json` does not take as they are.

use std::borrow::Cow;

/// Half an emoji in a string, as `\ud83d` alone, is no character. JavaScript writes it where a text was cut, and so do
/// models' endpoints; each such half becomes U+FFFD. All else stays as it is, and so does a text without such halves,
/// which is not copied. What is wrong outside of strings stays wrong.
#[must_use]
pub fn without_lone_surrogates(json: &str) -> Cow<'_, str> {
    let mut repaired = String::new();
    let (mut copied, mut at, mut in_string) = (0, 0, false);
    while let Some(found) = memchr::memchr2(b'"', b'\\', &json.as_bytes()[at..]) {
        at += found;
        let rest = &json[at..];
        if rest.starts_with('"') {
            in_string = !in_string;
            at += 1;
            continue;
        }
        at += match (surrogate(rest), rest.get(6..).and_then(surrogate)) {
            _ if !in_string => 1,
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(_), _) => {
                repaired.push_str(&json[copied..at]);
                repaired.push(char::REPLACEMENT_CHARACTER);
                copied = at + 6;
                6
            }
            // Any other escape: with the character that it escapes, which may be a quote or a backslash.
            (None, _) => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
        };
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    repaired.push_str(&json[copied..]);
    Cow::Owned(repaired)
}

/// The surrogate that `text` begins with, as `\uD83D`.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (0xd800..0xe000).contains(&unit).then_some(unit)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::without_lone_surrogates;

    #[test]
    fn halves_in_strings_become_one_character_each() {
        for (json, repaired) in [
            (r#""\ud83d""#, "\"\u{fffd}\""),
            (r#""\uDE00x""#, "\"\u{fffd}x\""),
            (r#""\ud83d\ud83d\ude00""#, "\"\u{fffd}\\ud83d\\ude00\""),
            (r#""\ude00\ud83d""#, "\"\u{fffd}\u{fffd}\""),
            (
                r#"{"\ud83d": ["ä\\\ud800"]}"#,
                "{\"\u{fffd}\": [\"ä\\\\\u{fffd}\"]}",
            ),
            (r#""\ud83d\u0041""#, "\"\u{fffd}\\u0041\""),
        ] {
            assert_eq!(without_lone_surrogates(json), repaired);
        }
    }

    #[test]
    fn all_else_is_not_even_copied() {
        for json in [
            "",
            r#""\ud83d\ude00""#,
            r#""\\ud83d""#,
            r#""\"" \ud83d"#,
            r#"\ud83d"#,
            r#""\ud83"#,
            r#""\ud83ä""#,
            "\"\\",
            "\"\\ä\"",
        ] {
            assert!(
                matches!(without_lone_surrogates(json), Cow::Borrowed(_)),
                "{json}"
            );
        }
    }
}
