//! Which characters the codes of a font mean.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::object::Object;
use super::parser::Parser;

/// How many characters one code may mean; the longest ligatures have a few.
const MAX_MEANING: usize = 8;

/// Windows-1252 from 0x80 to 0x9f; the rest of it is Latin-1.
const WINDOWS: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// A font, as a way to read text that is set in it.
#[derive(Debug, Default)]
pub(super) struct Font {
    meanings: BTreeMap<u32, String>,
    /// How many bytes a code has.
    width: usize,
    /// Whether a code that has no meaning of its own is a character of Windows-1252.
    is_latin: bool,
}

impl Font {
    /// A font that explains its codes (ISO 32000-1, section 9.10.3).
    pub(super) fn with_map(map: &[u8], codes: &mut usize) -> Self {
        let mut font = Self {
            width: 1,
            ..Self::default()
        };
        let mut parser = Parser::new(map, 0);
        while let Some(token) = parser.next() {
            let Object::Word(word) = token else { continue };
            match word.as_slice() {
                b"begincodespacerange" => {
                    if let Some(Object::Text(low)) = parser.next() {
                        font.width = low.len().clamp(1, 4);
                    }
                }
                b"beginbfchar" => {
                    while let Some(Object::Text(code)) = parser.next()
                        && let Some(Object::Text(meaning)) = parser.next()
                    {
                        font.learn(number(&code), utf16(&meaning), codes);
                    }
                }
                b"beginbfrange" => {
                    while let Some(Object::Text(low)) = parser.next()
                        && let Some(Object::Text(high)) = parser.next()
                        && let Some(meaning) = parser.next()
                    {
                        font.learn_range(number(&low), number(&high), meaning, codes);
                    }
                }
                _ => {}
            }
        }
        font
    }

    /// A font of one byte a code: Windows-1252 but for these differences, `[code /name /name … code …]`. Each of their
    /// entries counts against `codes`, because fonts can share them.
    pub(super) fn simple(differences: &[Object], codes: &mut usize) -> Self {
        let mut font = Self {
            meanings: BTreeMap::new(),
            width: 1,
            is_latin: true,
        };
        let mut code = 0_u32;
        let known = differences.len().min(*codes);
        *codes -= known;
        for item in &differences[..known] {
            match item {
                Object::Number(number) => code = *number as u32,
                Object::Name(name) => {
                    font.meanings.insert(code, glyph(name).unwrap_or_default());
                    code = code.saturating_add(1);
                }
                _ => {}
            }
        }
        font
    }

    /// A font whose codes mean nothing without its own tables.
    pub(super) fn unknown() -> Self {
        Self {
            width: 2,
            ..Self::default()
        }
    }

    /// The characters that text set in this font shows, about `max_bytes` of them at most.
    pub(super) fn read(&self, text: &[u8], max_bytes: usize) -> String {
        let mut read = String::new();
        for code in text.chunks(self.width.max(1)) {
            let code = number(code);
            match self.meanings.get(&code) {
                Some(meaning) => read.push_str(meaning),
                None if self.is_latin => read.extend(windows(code)),
                None => {}
            }
            if read.len() >= max_bytes {
                break;
            }
        }
        read
    }

    /// `codes` is how many more may be learned.
    fn learn(&mut self, code: u32, meaning: String, codes: &mut usize) {
        if let Some(left) = codes.checked_sub(1) {
            *codes = left;
            self.meanings.insert(code, meaning);
        }
    }

    fn learn_range(&mut self, low: u32, high: u32, meaning: Object, codes: &mut usize) {
        let range = (low..=high).take(*codes);
        match meaning {
            Object::Array(meanings) => {
                for (code, meaning) in range.zip(meanings) {
                    if let Object::Text(meaning) = meaning {
                        self.learn(code, utf16(&meaning), codes);
                    }
                }
            }
            Object::Text(meaning) => {
                let meaning = utf16(&meaning);
                let mut chars = meaning.chars();
                let Some(last) = chars.next_back() else {
                    return;
                };
                for code in range {
                    let last = u32::from(last).checked_add(code - low);
                    let Some(last) = last.and_then(char::from_u32) else {
                        return;
                    };
                    self.learn(code, format!("{}{last}", chars.as_str()), codes);
                }
            }
            _ => {}
        }
    }
}

/// The code in big-endian bytes.
fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units)
        .take(MAX_MEANING)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn windows(code: u32) -> Option<char> {
    match code {
        0x80..=0x9f => WINDOWS.chars().nth((code - 0x80) as usize),
        _ => char::from_u32(code),
    }
    .filter(|c| !c.is_control())
}

/// The characters of a glyph's name: what the fonts of TeX and office programs use of the Adobe Glyph List.
fn glyph(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    if let Some(code) = name.strip_prefix("uni").or_else(|| name.strip_prefix('u'))
        && let Ok(code) = u32::from_str_radix(code, 16)
    {
        return char::from_u32(code).map(String::from);
    }
    let mut chars = name.chars();
    if let (Some(letter), None) = (chars.next(), chars.next()) {
        return Some(letter.to_string());
    }
    match GLYPHS.get(name) {
        Some(text) => Some((*text).to_owned()),
        None => accented(name),
    }
}

/// What names stand for.
static GLYPHS: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
    let mut words = NAMES.split_whitespace();
    let mut glyphs = BTreeMap::from([("space", " ")]);
    while let (Some(name), Some(text)) = (words.next(), words.next()) {
        glyphs.insert(name, text);
    }
    glyphs
});

/// Names and what they stand for, in turn.
const NAMES: &str = "zero 0 one 1 two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 \
    exclam ! quotedbl \" numbersign # dollar $ percent % ampersand & quotesingle ' parenleft ( parenright ) \
    asterisk * plus + comma , hyphen - minus − period . slash / colon : semicolon ; less < equal = greater > \
    question ? at @ bracketleft [ backslash \\ bracketright ] asciicircum ^ underscore _ grave ` braceleft { bar | \
    braceright } asciitilde ~ quoteleft ‘ quoteright ’ quotedblleft “ quotedblright ” quotesinglbase ‚ \
    quotedblbase „ endash – emdash — ellipsis … bullet • degree ° section § copyright © registered ® trademark ™ \
    Euro € sterling £ yen ¥ germandbls ß ae æ AE Æ oe œ OE Œ oslash ø Oslash Ø dotlessi ı lslash ł Lslash Ł \
    fi fi fl fl ff ff ffi ffi ffl ffl guillemotleft « guillemotright » multiply × divide ÷ plusminus ± mu µ";

/// A letter with an accent, such as `udieresis`.
fn accented(name: &str) -> Option<String> {
    const ACCENTS: [(&str, &str, &str); 7] = [
        ("dieresis", "aeiouyAEIOUY", "äëïöüÿÄËÏÖÜŸ"),
        ("acute", "aeiouyAEIOUYcnsz", "áéíóúýÁÉÍÓÚÝćńśź"),
        ("grave", "aeiouAEIOU", "àèìòùÀÈÌÒÙ"),
        ("circumflex", "aeiouAEIOU", "âêîôûÂÊÎÔÛ"),
        ("tilde", "anoANO", "ãñõÃÑÕ"),
        ("caron", "cszCSZer", "čšžČŠŽěř"),
        ("cedilla", "cC", "çÇ"),
    ];
    ACCENTS.iter().find_map(|(accent, plain, letters)| {
        let letter = name.strip_suffix(accent)?;
        let at = plain
            .chars()
            .position(|plain| letter.len() == 1 && letter.starts_with(plain))?;
        letters.chars().nth(at).map(String::from)
    })
}

#[cfg(test)]
mod tests {
    use super::{Font, Object};

    #[test]
    fn differences_count_whether_they_mean_something_or_not() {
        let differences = [
            Object::Number(65.0),
            Object::Name(b"x".to_vec()),
            Object::Name(b"no such glyph".to_vec()),
            Object::Name(b"y".to_vec()),
        ];
        let mut codes = 7;
        assert_eq!(Font::simple(&differences, &mut codes).read(b"AC", 9), "xy");
        assert_eq!(codes, 3);
        assert_eq!(Font::simple(&differences, &mut codes).read(b"AC", 9), "xC");
        assert_eq!(codes, 0);
        assert_eq!(Font::simple(&differences, &mut codes).read(b"AC", 9), "AC");
    }
}
