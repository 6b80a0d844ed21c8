//! How letters are compared: without case, diacritics and forms of presentation.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Whether a character belongs to the one before it: a mark, or the rest of a Hangul syllable that is written in parts.
pub(crate) fn continues(c: char) -> bool {
    !c.is_ascii() && (canonical_combining_class(c) != 0 || matches!(c, '\u{1160}'..='\u{11ff}'))
}

/// A character with its marks as the index has it; empty if it belongs to no word.
pub(crate) fn fold(cluster: &str) -> String {
    let plain = cluster.nfkd().flat_map(char::to_lowercase).nfkd();
    let plain = plain.filter(|c| !is_diacritic(*c)).nfc();
    let is_of_word =
        |c: &char| c.is_alphanumeric() || !c.is_ascii() && canonical_combining_class(*c) != 0;
    let mut folded = String::new();
    for c in plain.filter(is_of_word) {
        match letters(c) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(c),
        }
    }
    folded
}

/// Marks that searches leave out: diacritics of letters, points of Hebrew and Arabic. Others change the word.
fn is_diacritic(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}'
        | '\u{5c4}'..='\u{5c5}' | '\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{6d6}'..='\u{6dc}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}

/// Letters that people write in several ways, and that Unicode does not take apart.
fn letters(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'þ' => "th",
        _ => return None,
    })
}

/// Whether a character is a word of its own: in languages that are written without spaces, where words are found as
/// neighbours, and pictures.
pub(crate) fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{fff}' | '\u{1000}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}' | '\u{1950}'..='\u{19df}'
        | '\u{1a20}'..='\u{1aad}' | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{303c}'
        | '\u{3040}'..='\u{318f}' | '\u{31a0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{a4cf}'
        | '\u{a960}'..='\u{a97f}' | '\u{a9e0}'..='\u{a9ff}' | '\u{aa60}'..='\u{aadf}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ffdc}' | '\u{1b000}'..='\u{1b16f}' | '\u{20000}'..='\u{3ffff}')
        || is_picture(c)
}

pub(crate) fn is_picture(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn letters_are_folded() {
        for (text, folded) in [
            ("A", "a"),
            ("É", "e"),
            ("e\u{301}", "e"),
            ("İ", "i"),
            ("ẞ", "ss"),
            ("Ł", "l"),
            ("ﬁ", "fi"),
            ("Ａ", "a"),
            ("²", "2"),
            ("が", "が"),
            ("か\u{3099}", "が"),
            ("ｶ", "カ"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
            ("שׁ", "ש"),
            ("ﷺ", "صلىاللهعليهوسلم"),
            ("\u{301}", ""),
            ("-", ""),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }
}
