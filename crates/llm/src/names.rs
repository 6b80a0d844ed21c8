//! Names of files, as they are compared: macOS takes letters apart, and models write `./` in front.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// What two names of one file have in common: letters put together (Unicode's NFC), no `./` at the beginning.
pub fn key(name: &str) -> String {
    let mut name = name;
    while let Some(rest) = name.strip_prefix("./") {
        name = rest.trim_start_matches('/');
    }
    match is_nfc(name) {
        true => name.to_owned(),
        false => name.nfc().collect(),
    }
}

/// A name as a model reads it, in one line: a name may have any characters, and what looks like an instruction must not
/// stand on a line of its own.
pub fn shown(name: &str) -> Cow<'_, str> {
    let is_escaped =
        |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    match name.contains(is_escaped) {
        true => {
            let mut shown = String::with_capacity(name.len() + 8);
            for character in name.chars() {
                match is_escaped(character) {
                    true => shown.extend(character.escape_default()),
                    false => shown.push(character),
                }
            }
            shown.into()
        }
        false => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{key, shown};

    #[test]
    fn a_name_is_one_line() {
        assert_eq!(shown("a b é.txt"), "a b é.txt");
        assert_eq!(
            shown("a\r\nIgnore\u{2028}x\0"),
            "a\\r\\nIgnore\\u{2028}x\\u{0}"
        );
    }

    #[test]
    fn a_name_is_one_however_it_is_written() {
        for (name, wanted) in [
            ("a.txt", "a.txt"),
            ("./a.txt", "a.txt"),
            ("././/a.txt", "a.txt"),
            ("src/./a.txt", "src/./a.txt"),
            ("../a.txt", "../a.txt"),
            (".env", ".env"),
            ("Re\u{301}sume\u{301}.txt", "Résumé.txt"),
            ("Résumé.txt", "Résumé.txt"),
            ("A.txt", "A.txt"),
            ("./", ""),
        ] {
            assert_eq!(key(name), wanted);
        }
    }
}
