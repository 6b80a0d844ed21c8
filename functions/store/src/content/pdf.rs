//! The text of a PDF, as far as it can be had cheaply and safely.
//!
//! Made for files that strangers upload, in a component where one panic ends 15 other requests: no recursion without
//! a limit, no work that grows faster than the file, a bound on what is unpacked. It reads what office programs,
//! browsers and TeX write: pages with Flate-compressed text in fonts that tell their characters. It does not read
//! encrypted files, text in pictures, or fonts without a known encoding; it guesses where words end.

mod document;
mod filter;
mod font;
mod fonts;
mod object;
mod parser;
mod text;

use self::document::Document;
use self::fonts::Fonts;
use self::text::Writer;

/// What stands for the text of a PDF that can't be read, as in the original (docs/http-compatibility.md#files).
pub const UNREADABLE: &str = "[Error parsing PDF]";

/// The text of a PDF, at most about `max_bytes` of it. `None` if this is no PDF that can be read.
pub fn text(pdf: &[u8], max_bytes: usize) -> Option<String> {
    let document = Document::read(pdf)?;
    let pages = document.pages();
    if pages.is_empty() {
        return None;
    }
    let mut fonts = Fonts::new(&document, pdf.len());
    // A code can mean many characters, but true text is not longer than what it is unpacked from.
    let mut writer = Writer::new(max_bytes.min(document.budget()));
    for page in pages {
        writer.page(&document.content(&page), &fonts.of(&page));
        if writer.is_full() {
            break;
        }
    }
    Some(writer.finish())
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;

    use super::text;

    /// A PDF of one page with these objects beside catalog (1), pages (2) and page (3, with content 4 and font 5).
    fn pdf(content: &[u8], font: &str, more: &[Vec<u8>]) -> Vec<u8> {
        let mut pdf = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n\
            2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /Font << /F1 5 0 R >> >> >>\nendobj\n\
            3 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>\nendobj\n"
            .to_vec();
        pdf.extend(stream(4, "", content));
        pdf.extend(format!("5 0 obj\n{font}\nendobj\n").into_bytes());
        pdf.extend(more.concat());
        pdf.extend(b"trailer << /Root 1 0 R >>\n%%EOF\n");
        pdf
    }

    fn stream(id: u32, entries: &str, content: &[u8]) -> Vec<u8> {
        let packed = compress_to_vec_zlib(content, 6);
        let mut object = format!(
            "{id} 0 obj\n<< /Length {} /Filter /FlateDecode {entries} >>\nstream\r\n",
            packed.len()
        )
        .into_bytes();
        object.extend(packed);
        object.extend(b"\nendstream\nendobj\n");
        object
    }

    const PLAIN: &str = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>";

    #[test]
    fn plain_text_is_read() {
        let content = b"BT /F1 12 Tf 72 700 Td (Hello \\(World\\)) Tj 0 -14 Td [(Sec) -20 (ond) -400 (line)] TJ ET";
        let pdf = pdf(content, PLAIN, &[]);
        assert_eq!(
            text(&pdf, 1000).as_deref(),
            Some("Hello (World)\nSecond line")
        );
    }

    #[test]
    fn differences_and_windows_characters_are_read() {
        let font = "<< /Type /Font /Subtype /Type1 /Encoding << /Differences [1 /fi /udieresis /uni20AC] >> >>";
        let pdf = pdf(b"BT /F1 9 Tf (\\001x \\002 \\003 \\222) Tj ET", font, &[]);
        assert_eq!(text(&pdf, 1000).as_deref(), Some("fix ü € ’"));
    }

    #[test]
    fn unicode_maps_are_read() {
        let map = b"1 begincodespacerange <0000> <ffff> endcodespacerange\n\
            2 beginbfchar <0001> <65e5> <0002> <d83ddc1b> endbfchar\n\
            2 beginbfrange <0010> <0012> <0061> <0020> <0021> [<0078> <0079>] endbfrange";
        let font = "<< /Type /Font /Subtype /Type0 /ToUnicode 6 0 R >>";
        let pdf = pdf(
            b"BT /F1 9 Tf <000100020010001100120020 0021> Tj ET",
            font,
            &[stream(6, "", map)],
        );
        assert_eq!(text(&pdf, 1000).as_deref(), Some("日🐛abcxy"));
    }

    #[test]
    fn objects_may_be_in_streams() {
        let mut pdf = b"%PDF-1.5\n".to_vec();
        let objects = "1 0 2 40 3 80 << /Type /Catalog /Pages 2 0 R >> << /Type /Pages /Kids [3 0 R] >> \
            << /Type /Page /Contents [4 0 R] /Resources << /Font << /F1 << /Subtype /Type1 >> >> >> >>";
        pdf.extend(stream(
            7,
            "/Type /ObjStm /N 3 /First 14",
            objects.as_bytes(),
        ));
        pdf.extend(stream(4, "", b"BT /F1 9 Tf (packed) Tj ET"));
        assert_eq!(text(&pdf, 1000).as_deref(), Some("packed"));
    }

    #[test]
    fn what_is_no_pdf_is_unreadable() {
        assert_eq!(text(b"", 1000), None);
        assert_eq!(text(b"%PDF-1.4", 1000), None);
        assert_eq!(text(b"PK\x03\x04", 1000), None);
        let encrypted = pdf(b"", PLAIN, &[b"trailer << /Encrypt 9 0 R >>".to_vec()]);
        assert_eq!(text(&encrypted, 1000), None);
    }

    #[test]
    fn the_text_is_bounded() {
        let content = format!("BT /F1 9 Tf {} ET", "(0123456789) Tj ".repeat(1000));
        let text = text(&pdf(content.as_bytes(), PLAIN, &[]), 100).expect("it can be read");
        assert_eq!(text.len(), 100);
    }

    #[test]
    fn the_text_grows_with_the_file() {
        let map = b"beginbfchar <78> <d83ddc1bd83ddc1bd83ddc1bd83ddc1b>";
        let content = format!("/F1 9 Tf ({}) Tj", "x".repeat(5000));
        let font = "<< /ToUnicode 6 0 R >>";
        let pdf = pdf(content.as_bytes(), font, &[stream(6, "", map)]);
        let text = text(&pdf, usize::MAX).expect("it can be read");
        assert!(text.starts_with("🐛🐛🐛🐛"));
        assert!(text.len() <= pdf.len() * 16);
    }

    #[test]
    fn hostile_files_end_soon() {
        let loops =
            b"%PDF-1.4 1 0 obj << /Type /Catalog /Pages 1 0 R /Kids [1 0 R 1 0 R] >> endobj";
        assert!(text(loops, 1000).is_none_or(|text| text.is_empty()));
        let self_reference =
            b"%PDF-1.4 1 0 obj 1 0 R endobj 2 0 obj << /Type /Page /Contents 1 0 R >>";
        assert_eq!(text(self_reference, 1000).as_deref(), Some(""));
        for piece in [
            "1 0 obj [",
            "1 0 obj (",
            "1 0 obj <<",
            "1 0 obj <",
            "1 0 obj << >> stream\n",
            "<<[",
            "obj ",
        ] {
            let file = format!("%PDF-1.4 {}", piece.repeat(256 * 1024 / piece.len()));
            text(file.as_bytes(), 1000);
        }
        let endless =
            b"%PDF-1.4 1 0 obj << /Type /Catalog /Pages 2 0 R >> 2 0 obj << /Kids 3 0 R >>\n\
            3 0 obj [ << /Kids 3 0 R >> << /Kids 3 0 R >> ]";
        assert_eq!(text(endless, 1000), None);
        let ranges = format!("beginbfrange {}", "<0000> <ffff> <0000>".repeat(10_000));
        let font = "<< /ToUnicode 6 0 R >>";
        text(
            &pdf(
                b"/F1 9 Tf (a) Tj",
                font,
                &[stream(6, "", ranges.as_bytes())],
            ),
            1000,
        );
        let nested = format!("[{}]TJ", "[[[[0]]]]".repeat(300_000));
        text(&pdf(nested.as_bytes(), PLAIN, &[]), 1000);
        let bomb = pdf(&vec![b'('; 100_000_000], PLAIN, &[]);
        assert!(text(&bomb, 1000).is_some());
    }

    #[test]
    fn no_damage_panics() {
        let map = b"1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfrange <00> <ff> <0061> endbfrange";
        let font = "<< /Subtype /Type0 /ToUnicode 6 0 R /Encoding << /Differences [0 /a /b] >> >>";
        let whole = pdf(b"BT /F1 12 Tf (Hello) Tj ET", font, &[stream(6, "", map)]);
        for end in 0..whole.len() {
            text(&whole[..end], 1000);
        }
        for at in 0..whole.len() {
            for byte in [0, b'(', b'<', b'[', b'/', b'9', 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                text(&damaged, 1000);
            }
        }
    }
}
