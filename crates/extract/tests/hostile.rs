//! Files that are made to do harm: they end soon, in little memory, and never by a panic.

mod support;

use std::{
    fs,
    io::Write,
    path::PathBuf,
    time::{Duration, Instant},
};

use flate2::{Compression, write::ZlibEncoder};
use kafka_extract::{Failure, extract, limits};
use proptest::prelude::*;
use support::{HELVETICA, open_document, pdf, stream, word, workbook, zipped, zipped_bytes};

/// Zeros, packed.
fn deflated(byte: u8, count: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let block = vec![byte; 1024 * 1024];
    for _ in 0..count / block.len() {
        encoder.write_all(&block).expect("bytes");
    }
    encoder.finish().expect("bytes")
}

/// Whatever comes of it, it is no panic.
fn read(bytes: &[u8], name: &str) {
    if let Ok(text) = extract(bytes, None, name) {
        assert!(text.text.chars().count() <= limits::MAX_CHARACTERS);
    }
}

#[test]
fn large_files_are_refused() {
    assert_eq!(
        extract(&vec![b'x'; limits::MAX_FILE_BYTES + 1], None, "a.txt"),
        Err(Failure::TooLarge)
    );
}

#[test]
fn long_texts_are_cut_between_characters() {
    let text = extract(
        "🐛".repeat(limits::MAX_CHARACTERS + 1).as_bytes(),
        None,
        "a.txt",
    )
    .expect("a text");
    assert!(text.truncated);
    assert_eq!(text.text.chars().count(), limits::MAX_CHARACTERS);
    assert!(text.text.chars().all(|character| character == '🐛'));
    let whole =
        extract("x".repeat(limits::MAX_CHARACTERS).as_bytes(), None, "a.txt").expect("a text");
    assert!(!whole.truncated);
}

#[test]
fn zip_bombs_are_refused() {
    let zeros = " ".repeat(300 * 1024 * 1024);
    let bomb = zipped(&[
        ("word/document.xml", &zeros),
        ("[Content_Types].xml", "<Types/>"),
    ]);
    assert_eq!(
        extract(&bomb, None, "a.docx"),
        Err(Failure::UnpacksTooLarge)
    );
    let bomb = workbook("", &zeros[..limits::MAX_PART_BYTES as usize + 1], &[]);
    assert_eq!(
        extract(&bomb, None, "a.xlsx"),
        Err(Failure::UnpacksTooLarge)
    );
    let bomb = zipped(&[
        ("mimetype", "application/epub+zip"),
        (
            "META-INF/container.xml",
            "<container><rootfile full-path='a.opf'/></container>",
        ),
        (
            "a.opf",
            "<package><manifest><item id='a' href='a.xhtml'/></manifest><spine><itemref idref='a'/></spine></package>",
        ),
        ("a.xhtml", &zeros[..limits::MAX_PART_BYTES as usize + 1]),
    ]);
    assert_eq!(
        extract(&bomb, None, "a.epub"),
        Err(Failure::UnpacksTooLarge)
    );
}

/// The tokenizer compares each attribute of a tag with all others.
#[test]
fn tags_of_many_attributes_end_soon() {
    let attributes: String = (0..200_000).map(|at| format!(" a{at}=\"<x>\"")).collect();
    let page = format!(
        "<html><p{attributes}>first</p><p{attributes} /><img {attributes} alt=x><p title='>'>last</p>"
    );
    let begin = Instant::now();
    let text = extract(page.as_bytes(), Some("text/html"), "a.html").expect("a text");
    assert_eq!(text.text, "first\n\nlast");
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn lists_of_many_parts_are_refused() {
    let mut archive = zipped(&[("word/document.xml", "<w:p/>")]);
    archive.extend_from_slice(&b"PK\x01\x02".repeat(limits::MAX_PARTS + 1));
    assert_eq!(
        extract(&archive, None, "a.docx"),
        Err(Failure::UnpacksTooLarge)
    );
}

#[test]
fn nested_xml_is_refused() {
    let deep = format!("{}{}", "<w:p>".repeat(100_000), "</w:p>".repeat(100_000));
    assert_eq!(
        extract(&word(&deep), None, "a.docx"),
        Err(Failure::UnpacksTooLarge)
    );
    let tables = "<table:table-row><table:table-cell>".repeat(100_000);
    assert_eq!(
        extract(&open_document("text", &tables), None, "a.odt"),
        Err(Failure::UnpacksTooLarge)
    );
    read("<div><table><tr><td>".repeat(200_000).as_bytes(), "a.html");
    read("{\\rtf1 {".repeat(200_000).as_bytes(), "a.rtf");
    read(
        format!("{{\\rtf1 {}x", "{\\b ".repeat(200_000)).as_bytes(),
        "a.rtf",
    );
    read("[".repeat(1_000_000).as_bytes(), "a.ipynb");
    let entities = word("<w:p><w:r><w:t>&lol9;&#x110000;&#0;&</w:t></w:r></w:p>");
    read(&entities, "a.docx");
}

#[test]
fn repeated_and_far_cells_are_bounded() {
    let row = r#"<table:table-row table:number-rows-repeated="4294967295"><table:table-cell table:number-columns-repeated="99999999999999999999"><text:p>x</text:p></table:table-cell><table:table-cell table:number-columns-repeated="1000000000"><text:p>y</text:p></table:table-cell></table:table-row>"#;
    let text =
        extract(&open_document("spreadsheet", &row.repeat(3)), None, "a.ods").expect("a text");
    assert!(text.text.len() < 100_000, "{}", text.text.len());
    let far = workbook(
        r#"<row r="1048576"><c r="XFD1048576"><v>1</v></c></row><row r="1"><c r="A1"><v>2</v></c></row>"#,
        "",
        &[],
    );
    let text = extract(&far, None, "a.xlsx").expect("a text");
    assert!(text.text.len() < 1000, "{}", text.text.len());
}

#[test]
fn bombs_in_a_pdf_are_left_out() {
    let bomb = deflated(b' ', 256 * 1024 * 1024);
    let content = b"BT /F1 12 Tf 72 700 Td (seen) Tj ET /X1 Do";
    let form = |filter: &str, data: &[u8]| {
        stream(
            6,
            &format!("/Type /XObject /Subtype /Form /BBox [0 0 1 1] /Filter {filter}"),
            data,
        )
    };
    for filter in [
        "/FlateDecode",
        "[/FlateDecode /FlateDecode]",
        "/LZWDecode",
        "/RunLengthDecode",
    ] {
        let file = pdf(content, HELVETICA, &[&form(filter, &bomb)]);
        assert_eq!(
            extract(&file, None, "a.pdf").expect("a text").text,
            "seen",
            "{filter}"
        );
    }
    let objects = stream(7, "/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", &bomb);
    assert_eq!(
        extract(&pdf(content, HELVETICA, &[&objects]), None, "a.pdf"),
        Err(Failure::UnpacksTooLarge)
    );
}

#[test]
fn loops_in_a_pdf_end() {
    let form = stream(
        6,
        "/Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /X1 6 0 R >> /Font << /F1 5 0 R >> >>",
        b"/X1 Do /X1 Do BT /F1 1 Tf (x) Tj ET",
    );
    read(&pdf(b"/X1 Do", HELVETICA, &[&form]), "a.pdf");
    for font in [
        "5 0 R",
        "<< /Type /Font /Subtype /Type0 /Encoding /Identity-H /DescendantFonts [<< /Subtype /CIDFontType2 /W [0 4294967295 500] >>] >>",
        "<< /Type /Font /Subtype /TrueType /FirstChar 4294967295 /LastChar 4294967296 /Widths [1] >>",
        "<< /Type /Font /Subtype /Type3 /FontMatrix [0 0 0 0 0 0] /CharProcs << /a 4 0 R >> >>",
    ] {
        read(&pdf(b"BT /F1 12 Tf (text) Tj ET", font, &[]), "a.pdf");
    }
    let numbers = b"BT /F1 1e38 Tf 1e38 1e38 Td 99999999999999999999 Tc (a) Tj [(b) -1e38 (c)] TJ 1e38 0 0 1e38 0 0 cm (d) Tj ET";
    read(&pdf(numbers, HELVETICA, &[]), "a.pdf");
    read(&pdf(&b"q ".repeat(500_000), HELVETICA, &[]), "a.pdf");
    read(&pdf(&b"/a BMC ".repeat(500_000), HELVETICA, &[]), "a.pdf");
    read(&pdf(&b"[".repeat(500_000), HELVETICA, &[]), "a.pdf");
    let fields = b"7 0 obj << /T (a) /Kids [7 0 R 7 0 R] >> endobj 1 0 obj << /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [7 0 R 7 0 R] >> >> endobj ";
    read(&pdf(b"", HELVETICA, &[fields]), "a.pdf");
    for piece in [
        "1 0 obj [",
        "1 0 obj (",
        "1 0 obj <<",
        "<<[",
        "obj ",
        "1 0 obj << >> stream\n",
        "xref\n0 1\ntrailer << /Prev 0 >>\n",
    ] {
        read(
            format!("%PDF-1.4 {}", piece.repeat(64 * 1024 / piece.len())).as_bytes(),
            "a.pdf",
        );
    }
}

/// Sample files of all kinds, as seeds.
fn samples() -> Vec<(String, Vec<u8>)> {
    let cases: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "cases"]
        .iter()
        .collect();
    let mut samples = Vec::new();
    for folder in ["files", "pdf"] {
        for entry in fs::read_dir(cases.join(folder)).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            // Large files would only be damaged where nobody looks.
            if path.is_file() && path.metadata().expect("a file").len() < 40_000 {
                samples.push((
                    path.file_name()
                        .expect("a name")
                        .to_string_lossy()
                        .into_owned(),
                    fs::read(&path).expect("a file"),
                ));
            }
        }
    }
    let made: Vec<(&str, Vec<u8>)> = vec![
        ("a.docx", word("<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr></w:tbl>")),
        ("a.xlsx", workbook(r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>1.5</v></c></row>"#, "<si><t>x</t></si>", &[])),
        ("a.odt", open_document("text", "<office:text><text:p>a<text:s text:c='3'/>b</text:p></office:text>")),
        ("a.html", b"<html><meta charset=utf-8><table><tr><td>a<td>b</table><pre>x</pre><script>y</script>".to_vec()),
        ("a.rtf", br"{\rtf1\ansi\ansicpg1250{\fonttbl{\f0\fcharset204 A;}}\uc1\u322?\'a3{\f0\'cc}\bin3 abc}".to_vec()),
        ("a.eml", b"From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x--".to_vec()),
        ("a.ipynb", br#"{"cells": [{"cell_type": "code", "source": ["a"], "outputs": []}]}"#.to_vec()),
    ];
    samples.extend(
        made.into_iter()
            .map(|(name, bytes)| (name.to_owned(), bytes)),
    );
    samples
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 50, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_never_panics(
        sample in prop::sample::select(samples()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        end in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let (name, mut bytes) = sample;
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len()));
        }
        read(&bytes, &name);
    }

    /// Damage within a zipped part would mostly fail its checksum, so that parts are damaged before they are zipped.
    #[test]
    fn damaged_parts_never_panic(
        text in "(<(w:p|w:t|w:tc|w:tr|a:t|text:p|text:s|table:table-cell|table:table-row|si|t|c|v|row)( [a-z:]{1,6}=\"[0-9a-z]{0,9}\")?/?>|</(w:p|w:t|text:p|c|row)>|[ -~äé]|&[a-z#0-9]{1,6};){0,60}",
    ) {
        read(&word(&text), "a.docx");
        read(&open_document("text", &text), "a.odt");
        read(&workbook(&text, &text, &[]), "a.xlsx");
        read(&zipped_bytes(&[("mimetype", b"application/epub+zip"), ("a.opf", text.as_bytes()), ("META-INF/container.xml", text.as_bytes())]), "a.epub");
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), head in prop::sample::select(vec!["", "%PDF-1.4\n", "{\\rtf1", "PK\x03\x04", "<html>", "From: a\n\n", "{\"cells\":["])) {
        let bytes = [head.as_bytes(), &bytes].concat();
        for name in ["a", "a.html", "a.eml", "a.ipynb", "a.csv"] {
            read(&bytes, name);
        }
    }
}
