//! Names of files, as they are compared: macOS takes letters apart, and models write `./` in front.

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

#[cfg(test)]
mod tests {
    use super::key;

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
