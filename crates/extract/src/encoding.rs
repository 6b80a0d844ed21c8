//! Bytes of a text to characters.
//!
//! In order: a byte order mark, valid UTF-8, UTF-16 without a mark (by its zeros), the encoding that the file or its
//! sender names, Mac OS Roman (by where its letters lie), and last `chardetng`, the detector of Firefox, which knows
//! the code pages of the web. U+FFFD stands for what even the best guess can't read.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, MACINTOSH, UTF_8, UTF_16BE, UTF_16LE};

use crate::Failure;

/// How many bytes are looked at to guess.
const SAMPLE_BYTES: usize = 256 * 1024;

/// The characters of a text; `declared` is the encoding it is said to have.
///
/// # Errors
/// When these bytes are no text in any encoding.
pub(crate) fn decode<'a>(bytes: &'a [u8], declared: Option<&str>) -> Result<Cow<'a, str>, Failure> {
    let text = decode_any(bytes, declared);
    if is_binary(&text) {
        return Err(Failure::UnknownKind("in a binary format"));
    }
    Ok(text)
}

/// Like [`decode`], for files whose kind is known to be a text.
pub(crate) fn decode_any<'a>(bytes: &'a [u8], declared: Option<&str>) -> Cow<'a, str> {
    if let Some(text) = utf_32(bytes) {
        return Cow::Owned(text);
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    if !has_zeros_of_utf_16(bytes)
        && let Ok(text) = std::str::from_utf8(bytes)
        && !is_iso_2022_jp(bytes)
    {
        return Cow::Borrowed(text);
    }
    guess(bytes, declared).decode_without_bom_handling(bytes).0
}

fn guess(bytes: &[u8], declared: Option<&str>) -> &'static Encoding {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    if let Some(encoding) = utf_16(sample) {
        return encoding;
    }
    // A whole file that is cut or damaged at one place is still UTF-8.
    if is_nearly_utf_8(bytes) {
        return UTF_8;
    }
    if let Some(encoding) = declared.and_then(|label| Encoding::for_label(label.trim().as_bytes()))
        && encoding != UTF_8
        && !encoding
            .decode_without_bom_handling(sample_at_boundary(sample, encoding))
            .1
    {
        return encoding;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, sample.len() == bytes.len());
    let guess = detector.guess(None, Utf8Detection::Deny);
    if guess.is_single_byte() && is_mac_roman(sample) {
        return MACINTOSH;
    }
    guess
}

/// The sample without a character that is cut at its end.
fn sample_at_boundary<'a>(sample: &'a [u8], encoding: &'static Encoding) -> &'a [u8] {
    if encoding.is_single_byte() || sample.len() < SAMPLE_BYTES {
        return sample;
    }
    let end = memchr::memrchr(b'\n', sample).unwrap_or(sample.len());
    &sample[..end]
}

/// UTF-32 with a mark. `encoding_rs` leaves it out, since the web has none.
fn utf_32(bytes: &[u8]) -> Option<String> {
    let read: fn([u8; 4]) -> u32 = match bytes {
        [0xff, 0xfe, 0, 0, ..] => u32::from_le_bytes,
        [0, 0, 0xfe, 0xff, ..] => u32::from_be_bytes,
        _ => return None,
    };
    let (characters, rest) = bytes[4..].as_chunks::<4>();
    let mut text: String = characters
        .iter()
        .map(|code| char::from_u32(read(*code)).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    Some(text)
}

/// Whether a text has zeros as UTF-16 has them. Valid UTF-8 has none, but ASCII in UTF-16 is valid UTF-8.
fn has_zeros_of_utf_16(bytes: &[u8]) -> bool {
    utf_16(&bytes[..bytes.len().min(SAMPLE_BYTES)]).is_some()
}

/// UTF-16 without a mark: spaces, line ends, digits and Latin letters have a zero, always on the same side. Text of
/// other scripts has fewer of them, but no other text has any.
fn utf_16(sample: &[u8]) -> Option<&'static Encoding> {
    let (units, _) = sample.as_chunks::<2>();
    if units.is_empty() {
        return None;
    }
    let little = units
        .iter()
        .filter(|unit| unit[1] == 0 && is_common(unit[0]))
        .count();
    let big = units
        .iter()
        .filter(|unit| unit[0] == 0 && is_common(unit[1]))
        .count();
    let zeros = units.iter().flatten().filter(|byte| **byte == 0).count();
    let encoding = if little > big { UTF_16LE } else { UTF_16BE };
    let (most, least) = (little.max(big), little.min(big));
    let is_text = most * 50 >= units.len() && least * 20 <= most && (zeros - most) * 10 <= most;
    let is_valid = || {
        !encoding
            .decode_without_bom_handling(&sample[..units.len() * 2])
            .1
    };
    // A sample may end within a pair of units, which is one error that does not count.
    (is_text && (sample.len() >= SAMPLE_BYTES || is_valid())).then_some(encoding)
}

fn is_common(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0xa0..=0xff)
}

fn is_iso_2022_jp(bytes: &[u8]) -> bool {
    memchr::memchr(0x1b, bytes).is_some()
        && [&b"\x1b$B"[..], b"\x1b$@"]
            .iter()
            .any(|escape| memchr::memmem::find(bytes, escape).is_some())
}

/// Whether damage at a few places is all that keeps a text from being UTF-8.
fn is_nearly_utf_8(bytes: &[u8]) -> bool {
    let (mut sequences, mut errors) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        sequences += chunk
            .valid()
            .chars()
            .filter(|character| !character.is_ascii())
            .count();
        errors += usize::from(!chunk.invalid().is_empty());
    }
    sequences >= 8 && errors * 10 <= sequences
        || errors == 1 && sequences >= 2 && ends_within(bytes)
}

/// Whether the only error is a character that is cut at the end.
fn ends_within(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// Whether a text of single bytes is Mac OS Roman: its accented letters lie where Windows has signs and gaps, between
/// ASCII letters, while letters of Windows code pages lie above 0xbf.
fn is_mac_roman(sample: &[u8]) -> bool {
    let is_letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
    let (mut mac, mut windows, mut impossible) = (0_usize, 0_usize, 0_usize);
    for (index, byte) in sample.iter().enumerate() {
        if byte.is_ascii() {
            continue;
        }
        let before = is_letter(index.checked_sub(1).and_then(|at| sample.get(at)));
        let after = is_letter(sample.get(index + 1));
        match byte {
            // á à â ä ã å ç é è ê ë í ì î ï ñ ó ò ô ö õ ú ù û ü, but for bytes that are quotes and dashes in Windows.
            0x87..=0x90 | 0x98 | 0x9a..=0x9f if before || after => mac += 1,
            0x80..=0x86 if after => mac += 1,
            // Half of the upper letters are signs on the Mac (0xd0 to 0xd5 are dashes and quotes).
            0xc0..=0xff if before && after && !(0xd0..=0xd5).contains(byte) => windows += 1,
            _ => {}
        }
        if matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d) {
            impossible += 1;
        }
    }
    mac > 0 && mac > windows * 4 && (impossible > 0 || mac >= 2)
}

/// Whether this is what comes of a program or a picture that is read as text.
fn is_binary(text: &str) -> bool {
    let (mut strange, mut all) = (0_usize, 0_usize);
    for character in text.chars().take(SAMPLE_BYTES) {
        all += 1;
        let is_strange = match character {
            '\t' | '\n' | '\r' | '\u{c}' | '\u{8}' | '\u{1b}' | '\u{1a}' => false,
            '\0' => true,
            other => other.is_control() || other == char::REPLACEMENT_CHARACTER,
        };
        strange += usize::from(is_strange);
    }
    strange * 20 > all
}

#[cfg(test)]
mod tests {
    use encoding_rs::Encoding;

    use super::{decode, decode_any};

    #[test]
    fn marks_decide() {
        assert_eq!(decode_any(b"\xef\xbb\xbfM\xc3\xbcller", None), "Müller");
        assert_eq!(decode_any(b"\xff\xfeM\0\xfc\0", None), "Mü");
        assert_eq!(decode_any(b"\xfe\xff\0M\0\xfc", Some("utf-8")), "Mü");
        assert_eq!(
            decode_any(b"\xff\xfe\0\0M\0\0\0\x1b\xf4\x01\0", None),
            "M🐛"
        );
        assert_eq!(decode_any(b"\0\0\xfe\xff\0\0\0M", None), "M");
    }

    #[test]
    fn utf_16_needs_no_mark() {
        for text in [
            "Name;Ort\r\nMüller;Köln\r\n",
            "a",
            "Привет, мир! Это текст.\nИ ещё строка, 2024.\n",
            "日本語のテキスト。\r\n二行目のテキストです 1234\r\n",
        ] {
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert_eq!(decode_any(&little, None), text);
            assert_eq!(decode_any(&big, None), text);
        }
    }

    #[test]
    fn common_code_pages_are_detected() {
        for (label, text) in [
            ("windows-1252", "Straße;Größe\r\nMüller – „Köln“;5 €\r\n"),
            ("windows-1252", "L’été à la façade, déjà vu; où est Noël?\n"),
            (
                "windows-1250",
                "Zażółć gęślą jaźń. Łódź, Kraków, Wrocław.\n",
            ),
            ("iso-8859-2", "Příliš žluťoučký kůň úpěl ďábelské ódy.\n"),
            (
                "windows-1251",
                "Съешь же ещё этих мягких французских булок.\n",
            ),
            ("koi8-r", "Съешь же ещё этих мягких французских булок.\n"),
            ("ibm866", "Съешь же ещё этих мягких французских булок.\n"),
            ("windows-1253", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία.\n"),
            (
                "windows-1254",
                "Pijamalı hasta yağız şoföre çabucak güvendi.\n",
            ),
            ("windows-1255", "דג סקרן שט בים מאוכזב ולפתע מצא חברה\n"),
            ("windows-1256", "صِف خَلقَ خَودٍ كَمِثلِ الشَمسِ إِذ بَزَغَت\n"),
            ("shift_jis", "いろはにほへと ちりぬるを。カタカナと漢字。\n"),
            ("euc-jp", "いろはにほへと ちりぬるを。カタカナと漢字。\n"),
            ("iso-2022-jp", "いろはにほへと ちりぬるを。\n"),
            ("gbk", "我能吞下玻璃而不伤身体。这是一个测试文件。\n"),
            ("big5", "我能吞下玻璃而不傷身體。這是一個測試檔案。\n"),
            (
                "euc-kr",
                "나는 유리를 먹을 수 있어요. 그래도 아프지 않아요.\n",
            ),
            ("macintosh", "L’été à la façade, déjà vu; où est Noël?\r"),
            ("macintosh", "Straße;Größe\rMüller;Köln\r"),
        ] {
            let encoding = Encoding::for_label(label.as_bytes()).expect("a label");
            let (bytes, _, lost) = encoding.encode(text);
            assert!(!lost, "{label} has no such characters");
            assert_eq!(decode_any(&bytes, None), text, "{label}");
            assert_eq!(decode_any(&bytes, Some(label)), text, "{label}, declared");
        }
    }

    #[test]
    fn a_wrong_declaration_does_no_harm() {
        assert_eq!(
            decode_any("Größe".as_bytes(), Some("windows-1252")),
            "Größe"
        );
        assert_eq!(
            decode_any(b"Gr\xf6\xdfe und M\xfcller", Some("utf-8")),
            "Größe und Müller"
        );
    }

    #[test]
    fn damage_is_marked_and_no_more() {
        let mut text = "größer, schöner, älter, übler, Öl, Ähre, Übel, süß"
            .as_bytes()
            .to_vec();
        text.insert(2, 0xff);
        assert!(decode_any(&text, None).contains("schöner"));
        assert_eq!(
            decode_any("äöü".as_bytes().split_last().expect("bytes").1, None),
            "äö\u{fffd}"
        );
    }

    #[test]
    fn binary_is_no_text() {
        let binary: Vec<u8> = (0..4096_u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        assert!(decode(&binary, None).is_err());
        assert!(decode(&[0; 100], None).is_err());
        assert!(decode(b"", None).is_ok());
        assert!(decode(b"plain", None).is_ok());
    }
}
