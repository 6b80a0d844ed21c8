//! Bytes of a text to characters.
//!
//! In order: a byte order mark, valid UTF-8, UTF-16 and UTF-32 without a mark (by their zeros), UTF-8 with a little
//! damage, the encoding that the file or its sender names, and last a guess: by `chardetng`, the detector of Firefox, which
//! knows the code pages of the web, and among those with Latin letters by [`latin`]. U+FFFD stands for what even the best
//! guess can't read.

mod latin;
mod page;

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1258};

pub(crate) use self::page::Page;
use crate::Failure;

/// How many bytes are looked at to guess.
const SAMPLE_BYTES: usize = 256 * 1024;

/// The characters of a text; `declared` is the encoding it is said to have.
///
/// # Errors
/// When these bytes are no text in any encoding.
pub(crate) fn decode<'a>(bytes: &'a [u8], declared: Option<&str>) -> Result<Cow<'a, str>, Failure> {
    let text = decode_any(bytes, declared);
    if is_binary(&text, is_nearly_utf_8(bytes)) {
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
    guess(bytes, declared).decode(bytes).0
}

fn guess(bytes: &[u8], declared: Option<&str>) -> Page {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    if let Some(encoding) = utf_16(sample) {
        return Page::Web(encoding);
    }
    // A whole file that is cut or damaged at one place is still UTF-8.
    if is_nearly_utf_8(bytes) {
        return Page::Web(UTF_8);
    }
    if let Some(page) = declared.and_then(Page::named)
        && !page.is_utf_8()
        && !page.decode(sample_at_boundary(sample, page)).1
    {
        return page;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, sample.len() == bytes.len());
    let guess = detector.guess(None, Utf8Detection::Deny);
    if has_latin_letters(guess) {
        let (page, likely) = latin::page(sample, guess);
        // Vietnamese has letters that are written as two characters, which no other page knows.
        let is_vietnamese = guess == WINDOWS_1258 && likely < LIKELY;
        return if is_vietnamese {
            Page::Web(guess)
        } else {
            page
        };
    }
    // Letters of another script that stand within words of Latin letters are a Latin text, if it makes sense as one.
    if is_among_ascii_letters(&guess.decode_without_bom_handling(sample).0)
        && let (page, likely) = latin::page(sample, guess)
        && likely > LIKELY
    {
        return page;
    }
    Page::Web(guess)
}

/// Above this, a text makes sense in Latin letters.
const LIKELY: f64 = -4.3;

/// Whether a page has letters where all pages for Latin scripts have ä, ö, ü and é.
fn has_latin_letters(encoding: &'static Encoding) -> bool {
    encoding.is_single_byte() && {
        let (upper, _) = encoding.decode_without_bom_handling(b"\xe4\xf6\xfc\xe9");
        upper
            .chars()
            .all(|letter| ('\u{c0}'..'\u{250}').contains(&letter))
    }
}

/// Whether most of what is beyond ASCII in a text touches ASCII letters.
fn is_among_ascii_letters(text: &str) -> bool {
    let (mut runs, mut touching) = (0_usize, 0_usize);
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if !character.is_ascii() {
            let mut last = before;
            std::mem::swap(&mut last, &mut before);
            while characters.next_if(|next| !next.is_ascii()).is_some() {}
            let after = characters.peek().copied().unwrap_or(' ');
            runs += 1;
            touching += usize::from(last.is_ascii_alphabetic() || after.is_ascii_alphabetic());
            continue;
        }
        before = character;
    }
    touching * 2 > runs
}

/// The sample without a character that is cut at its end.
fn sample_at_boundary(sample: &[u8], page: Page) -> &[u8] {
    if page.is_single_byte() || sample.len() < SAMPLE_BYTES {
        return sample;
    }
    let end = memchr::memrchr(b'\n', sample).unwrap_or(sample.len());
    &sample[..end]
}

/// UTF-32. `encoding_rs` leaves it out, since the web has none.
fn utf_32(bytes: &[u8]) -> Option<String> {
    let (read, mark): (fn([u8; 4]) -> u32, usize) = match bytes {
        [0xff, 0xfe, 0, 0, ..] => (u32::from_le_bytes, 4),
        [0, 0, 0xfe, 0xff, ..] => (u32::from_be_bytes, 4),
        _ if is_utf_32(bytes, u32::from_le_bytes) => (u32::from_le_bytes, 0),
        _ if is_utf_32(bytes, u32::from_be_bytes) => (u32::from_be_bytes, 0),
        _ => return None,
    };
    let (characters, rest) = bytes[mark..].as_chunks::<4>();
    let mut text: String = characters
        .iter()
        .map(|code| char::from_u32(read(*code)).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    Some(text)
}

/// Whether bytes are UTF-32 without a mark: all are characters, of which none has its highest byte, while programs and
/// pictures have all bytes.
fn is_utf_32(bytes: &[u8], read: fn([u8; 4]) -> u32) -> bool {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let (characters, _) = sample.as_chunks::<4>();
    !characters.is_empty()
        && characters.iter().all(|code| {
            char::from_u32(read(*code)).is_some_and(|character| {
                // Above are planes without characters, as which two units of UTF-16 would be read.
                character < '\u{30000}'
                    && (!character.is_control()
                        || matches!(character, '\t' | '\n' | '\r' | '\u{c}'))
            })
        })
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
    // Of Chinese, a third of the characters look like two of ASCII; of a text with a stray zero, all do.
    let ascii = units
        .iter()
        .filter(|unit| unit.iter().all(|byte| matches!(byte, b' '..=b'~')))
        .count();
    if ascii * 3 >= units.len() * 2 {
        return None;
    }
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
    errors > 0 && sequences > 0 && errors <= (sequences / 10).max(1)
}

/// Whether this is what comes of a program or a picture that is read as text. Of a text that is nearly UTF-8, U+FFFD is
/// damage and nothing strange.
fn is_binary(text: &str, is_nearly_utf_8: bool) -> bool {
    // A log that was open when its computer went down ends with zeros.
    let text = match text.trim_end_matches('\0') {
        "" => text,
        rest => rest,
    };
    let (mut strange, mut all) = (0_usize, 0_usize);
    for character in text.chars().take(SAMPLE_BYTES) {
        all += 1;
        let is_strange = match character {
            '\t' | '\n' | '\r' | '\u{c}' | '\u{8}' | '\u{1b}' | '\u{1a}' => false,
            char::REPLACEMENT_CHARACTER => !is_nearly_utf_8,
            other => other.is_control(),
        };
        strange += usize::from(is_strange);
    }
    // One or two in a short text are damage.
    strange * 20 > all && (strange >= 3 || strange * 2 > all)
}

#[cfg(test)]
mod tests {
    use encoding_rs::Encoding;

    use super::{Page, decode, decode_any};

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

    /// A text in a code page of single bytes.
    fn encode(text: &str, label: &str) -> Vec<u8> {
        let page = Page::named(label).expect(label);
        let byte = |character: char| {
            (0..=255_u8)
                .find(|byte| page.decode(&[*byte]).0.chars().eq([character]))
                .unwrap_or_else(|| panic!("{label} has no {character}"))
        };
        text.chars().map(byte).collect()
    }

    /// Names and lists, which have few letters beyond ASCII.
    #[test]
    fn short_texts_in_latin_letters_are_detected() {
        let pages: &[(&str, &[&str])] = &[
            (
                "windows-1250",
                &[
                    "Imię;Nazwisko;Miasto\r\nŁukasz;Wiśniewski;Łódź\r\n",
                    "Świeże masło i twaróg\r\n",
                    "Cześć, jak się masz? Wszystko w porządku, dziękuję.\r\n",
                    "Książka; ilość\r\nŹródło;5\r\n",
                    "Šišmiš leži, ništa više. Želim još kruha.\r\n",
                    "Ime;Priimek\r\nŽiga;Košir\r\nMatjaž;Šuštar\r\n",
                    "Ime;Priimek\r\nŽiga;Košir\r\n",
                    "Příliš žluťoučký kůň úpěl ďábelské ódy\r\n",
                    "Jméno;Město\r\nTomáš;Plzeň\r\n",
                    "Jméno;Město\r\n",
                    "Název;Množství;Cena\r\nŽidle;5;100 Kč\r\n",
                    "Név;Város\r\nGyőző;Győr\r\nÁrvíztűrő tükörfúrógép\r\n",
                    "Név;Születési hely;Összeg\r\nKovács Béla;Pécs;12\r\n",
                    "Preţ;Bucureşti\r\n",
                    "Nume;Localitate\r\nIoniţă;Iaşi\r\n",
                    "Dośwadczenie zawodowe: śledzenie ścieżek, zażalenia\r\n",
                    "Imię i nazwisko\r\n",
                    "Zamówienie nr 5\r\nIlość;Wartość\r\n",
                    "Grzegorz Brzęczyszczykiewicz\r\n",
                    "Meno;Priezvisko;Mesto\r\nĽubomír;Kováč;Košice\r\nŽaneta;Šťastná;Žilina\r\n",
                    "Đorđe Šćepanović, Čačak\r\n",
                    "GDAŃSK; ŁÓDŹ; KRAKÓW\r\n",
                    "PŘÍJMENÍ;JMÉNO\r\nDVOŘÁK;JIŘÍ\r\n",
                    "Größe;Łódź\r\n",
                ],
            ),
            (
                "windows-1252",
                &[
                    "Nom;Prénom\r\nFrançois;Gaël\r\n",
                    "Señor Muñoz — “está aquí”\r\n",
                    "Señor Muñoz — “está”\r\n",
                    "Œuvre complète, cœur, sœur\r\n",
                    "Preis 5 €\r\n",
                    "It’s “fine” – really…\r\n",
                    "São Paulo; informação\r\n",
                    "Škoda; Žižkov\r\n",
                    "Ærø; Ålesund\r\n",
                    "½ kg für 3£\r\n",
                    "Größe;Übung\r\n",
                    "Müller\r\n",
                    "Straße\r\n",
                    "Köln, Düsseldorf\r\n",
                    "Maß\r\n",
                    "café\r\n",
                    "naïve café\r\n",
                    "Año;Niño\r\nEspaña;Málaga\r\n",
                    "Descrição;Preço\r\nMaçã;5\r\n",
                    "Não é possível\r\n",
                    "perché più così è già\r\n",
                    "Città;Età\r\n",
                    "Åsa Öberg, Malmö\r\n",
                    "Malmö;Göteborg;Örebro\r\n",
                    "Tromsø; Bodø; Ålesund\r\n",
                    "Hämeenlinna, Jyväskylä\r\n",
                    "Þórður Ísleifsson, Reykjavík\r\n",
                    "Coöperatie; België; financiële\r\n",
                    "Élève; forêt; hôpital; Noël; où; ça\r\n",
                    "L’été dernier, à l’hôtel « Royal »\r\n",
                    "20 °C – 25 °C; §5; 3 × 4 m²\r\n",
                    "Copyright © 2020 ACME®\r\n",
                    "gibt´s nicht\r\n",
                    "STRASSE; GRÖSSE; MÜLLER; KÖLN\r\n",
                    "FRANÇOIS;CAFÉ;HÔTEL\r\n",
                    "Ë\r\n",
                    "Zürich; Genève; Neuchâtel\r\n",
                    "Barça; Lluís; València; col·legi\r\n",
                    "Shqipëria; Tiranë; çfarë\r\n",
                    "Tõnu Õunapuu; Jõgeva; Pärnu; Võru\r\n",
                    "5 ½ inches — 10 µm\r\n",
                    "Jürgen “The Boß” Möller\r\n",
                    "“Hello,” she said.\r\n",
                    "fiancée\r\n",
                    "Pokémon\r\n",
                    "El Niño\r\n",
                    "résumé\r\n",
                    "jalapeño\r\n",
                    "façade\r\n",
                    "Ångström\r\n",
                    "smörgåsbord\r\n",
                    "über\r\n",
                ],
            ),
            (
                "windows-1254",
                &[
                    "Adı;Soyadı\r\nŞükrü;Çağlayan\r\nİbrahim;Güneş\r\n",
                    "İstanbul'da hava çok güzel, değil mi?\r\n",
                    "Türkçe metin: çok güzel bir gün, teşekkür ederim.\r\n",
                    "şğı",
                    "Ürün;Fiyat;Açıklama\r\n",
                    "Şehir;İlçe\r\nİzmir;Karşıyaka\r\n",
                    "Ağrı Dağı\r\n",
                    "İSTANBUL;ŞİŞLİ;KADIKÖY;ÜSKÜDAR\r\n",
                ],
            ),
            (
                "windows-1257",
                &[
                    "Vardas;Pavardė\r\nŽydrūnas;Šarūnas\r\n",
                    "Rīga ir Latvijas galvaspilsēta, tā ir ļoti skaista.\r\n",
                    "Lietuvos sostinė yra Vilnius, graži ir žalia šalis.\r\n",
                    "Jānis Bērziņš; Liepāja; Ķekava\r\n",
                    "Šiauliai; Panevėžys; Klaipėda\r\n",
                    "Tõnu; Jõgeva; Žukov\r\n",
                    "Uzņēmums;Cena\r\n",
                    "Įmonė;Kaina\r\n",
                ],
            ),
            (
                "cp850",
                &[
                    "Größe;Übung\r\nMüller;Köln\r\n",
                    "Nom;Prénom\r\nFrançois;Noël\r\n",
                    "Größe\r\n",
                    "Prénom\r\n",
                    "Señor Muñoz\r\n",
                    "├── src\r\n│   └── main\r\n",
                    "Verzeichnis für Übungen ist nicht verfügbar\r\n",
                    "São Paulo; informação\r\n",
                    "Müller;Straße\r\n",
                    "Tromsø; Bodø; Ålesund\r\n",
                ],
            ),
            (
                "cp852",
                &[
                    "Imię;Nazwisko\r\nŁukasz;Wiśniewski\r\n",
                    "Příliš žluťoučký kůň\r\n",
                    "Zażółć gęślą jaźń\r\n",
                ],
            ),
            (
                "macintosh",
                &[
                    "Nom;Prénom\r\rFrançois;Noël\r",
                    "Größe;Müller\r",
                    "“Quote” – it’s\r",
                    "L’été à la façade, déjà vu; où est Noël?\n",
                    "Größe;Müller\n",
                    "Prénom;François\r\n",
                    "España; Muñoz\n",
                    "Straße;Größe\rMüller;Köln\r",
                    "It’s “fine” – really…\n",
                ],
            ),
            ("iso-8859-15", &["œuvre à 5 €, cœur\r\n", "Preis 5 €\r\n"]),
            (
                "iso-8859-2",
                &[
                    "Łukasz;Wiśniewski;Łódź\r\n",
                    "Tomáš;Plzeň\r\n",
                    "Příliš žluťoučký kůň úpěl ďábelské ódy.\n",
                    "Książka; ilość\r\n",
                ],
            ),
            ("windows-1254", &["Şükrü;Çağlayan\r\n"]),
        ];
        let mut wrong = Vec::new();
        for (label, texts) in pages {
            for text in *texts {
                let read = decode_any(&encode(text, label), None).into_owned();
                if read != *text {
                    wrong.push(format!("{label}: {text:?} is read as {read:?}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn other_scripts_are_not_taken_for_latin_letters() {
        for (label, text) in [
            ("windows-1251", "Имя;Город\r\nИван;Москва\r\n"),
            ("windows-1253", "Όνομα;Πόλη\r\nΓιώργος;Αθήνα\r\n"),
            ("windows-1255", "שם;עיר\r\nדוד;חיפה\r\n"),
            ("windows-1256", "الاسم;المدينة\r\nمحمد;القاهرة\r\n"),
            ("shift_jis", "氏名;住所\r\n山田太郎;東京都\r\n"),
            ("gbk", "姓名,城市\r\n张三,北京\r\n"),
            ("gbk", "iPhone手机,64GB内存,Mate书\r\n"),
            ("big5", "姓名,城市\r\n張三,臺北\r\n"),
            ("euc-kr", "이름,도시\r\n김철수,서울\r\n"),
            ("windows-874", "ชื่อ;เมือง\r\nสมชาย;กรุงเทพ\r\n"),
        ] {
            let encoding = Encoding::for_label(label.as_bytes()).expect("a label");
            let bytes = encoding.encode(text).0;
            assert_eq!(decode_any(&bytes, None), text, "{label}");
        }
    }

    #[test]
    fn programs_of_mail_and_dos_have_names_of_their_own_for_pages() {
        for (label, bytes, text) in [
            ("cp932", &b"\x93\xfa\x96{\x87@"[..], "日本①"),
            ("CP949", b"\xc7\xd1", "한"),
            ("cp-850", b"Gr\x94\xe1e", "Größe"),
            ("IBM437", b"Gr\x94\xe1e", "Größe"),
            ("windows-874", b"\xe4\xb7\xc2", "ไทย"),
            ("utf-8", b"Gr\xf6\xdfe", "Größe"),
            ("x-unknown", b"Gr\xf6\xdfe", "Größe"),
        ] {
            assert_eq!(decode_any(bytes, Some(label)), text, "{label}");
        }
    }

    #[test]
    fn little_damage_makes_no_text_binary_or_another_page() {
        for (bytes, text) in [
            (&b"a\xc3\xa4\xc3"[..], "aä\u{fffd}"),
            (
                "äöü".as_bytes().split_last().expect("bytes").1,
                "äö\u{fffd}",
            ),
            (
                "这是中文".as_bytes().split_last().expect("bytes").1,
                "这是中\u{fffd}",
            ),
            (
                b"Gr\xc3\xb6\xc3\x9fe ok \xff weiter",
                "Größe ok \u{fffd} weiter",
            ),
            (b"\xff\xfea\0\xfc\0b", "aü\u{fffd}"),
            (b"a\0b\0c\0\n", "abc\u{fffd}"),
            (b"a log\0", "a log\0"),
            (
                b"one\ntwo\n\0\0\0\0\0\0\0\0\0\0\0\0",
                "one\ntwo\n\0\0\0\0\0\0\0\0\0\0\0\0",
            ),
            (b"M\x81ller;Stra\xe1e\r\n", "Müller;Straße\r\n"),
        ] {
            assert_eq!(decode(bytes, None).as_deref(), Ok(text));
        }
    }

    #[test]
    fn utf_32_needs_no_mark() {
        for text in ["Name;Müller\r\n", "日本語 🐛\n"] {
            let little: Vec<u8> = text
                .chars()
                .flat_map(|one| u32::from(one).to_le_bytes())
                .collect();
            let big: Vec<u8> = text
                .chars()
                .flat_map(|one| u32::from(one).to_be_bytes())
                .collect();
            assert_eq!(decode(&little, None).as_deref(), Ok(text));
            assert_eq!(decode(&big, None).as_deref(), Ok(text));
        }
        // Two units of UTF-16 are none of UTF-32.
        assert_eq!(decode(b"x\0\n\0", None).as_deref(), Ok("x\n"));
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
