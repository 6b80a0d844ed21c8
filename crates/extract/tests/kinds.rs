//! What comes of each kind of file, from small documents that the tests make.

mod support;

use std::io::Cursor;

use kafka_extract::{Failure, Kind, extract};
use support::{
    HELVETICA, open_document, pdf, relations, stream, word, word_with, workbook, zipped,
};

fn text(bytes: &[u8], name: &str) -> String {
    extract(bytes, None, name).expect(name).text
}

#[test]
fn the_first_bytes_say_the_kind_then_the_type_then_the_name() {
    let document = word("<w:p><w:r><w:t>x</w:t></w:r></w:p>");
    let page = b"<!doctype html><p>x</p>";
    let mail = b"From: a@example.com\r\nSubject: x\r\n\r\nx";
    for (bytes, mime, name, kind) in [
        (&document[..], Some("text/plain"), "a.txt", Kind::Word),
        (&document, Some("application/pdf"), "a.pdf", Kind::Word),
        (
            &pdf(b"BT /F1 9 Tf (x) Tj ET", HELVETICA, &[]),
            Some("text/plain"),
            "a",
            Kind::Pdf,
        ),
        (page, None, "", Kind::Html),
        (page, Some("text/html"), "a.txt", Kind::Html),
        (page, None, "a.txt", Kind::Plain),
        (b"<p>x</p>", None, "a.htm", Kind::Html),
        (b"{\\rtf1 x}", None, "a.doc", Kind::Rtf),
        (mail, Some("message/rfc822"), "a", Kind::Mail),
        (mail, None, "a.eml", Kind::Mail),
        (mail, None, "a.txt", Kind::Plain),
        (b"{\"cells\": []}", None, "a.ipynb", Kind::Notebook),
        (
            b"MZ is a text that begins like a program",
            None,
            "a.txt",
            Kind::Plain,
        ),
        (
            b"fn main() {}",
            Some("application/octet-stream"),
            "a.rs",
            Kind::Plain,
        ),
        (b"", None, "empty.txt", Kind::Plain),
        (b"x", None, "", Kind::Plain),
    ] {
        assert_eq!(
            extract(bytes, mime, name).map(|text| text.kind),
            Ok(kind),
            "{name} of type {mime:?}"
        );
    }
}

#[test]
fn texts_may_speak_of_the_marks_of_other_kinds() {
    for (name, mime, text) in [
        (
            "a.txt",
            None,
            "A PDF begins with %PDF-1.7 and has objects (1 0 obj).",
        ),
        (
            "a.md",
            None,
            "%PDF-1.7 is how a PDF begins, then comes 1 0 obj",
        ),
        ("a", Some("text/plain"), "%PDF-1.7 is how a PDF begins"),
        ("a", None, "GIF89a is how a picture begins"),
        ("a.txt", None, "SQLite format 3 is how a database begins"),
        ("a", None, "%!PS is how PostScript begins"),
        ("a.txt", None, "%!PS-Adobe-3.0 is how PostScript begins"),
        ("a.md", None, "{\\rtf1 is how RTF begins"),
        ("a", None, "PK is how an archive begins"),
        (
            "a.xsl",
            None,
            "<?xml version='1.0'?><xsl:stylesheet xmlns='http://www.w3.org/1999/xhtml'><p/></xsl:stylesheet>",
        ),
        (
            "a.xsl",
            None,
            "<?xml version='1.0'?><xsl:stylesheet xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0'/>",
        ),
    ] {
        let read = extract(text.as_bytes(), mime, name).map(|read| read.text);
        assert_eq!(read.as_deref(), Ok(text), "{name}");
    }
    assert!(extract(b"%!PS-Adobe-3.0\n(x) show", None, "a.ps").is_err());
    let page = b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><p>x</p></html>";
    assert_eq!(
        extract(page, None, "a.xml").map(|read| read.kind),
        Ok(Kind::Html)
    );
}

#[test]
fn what_has_no_text_is_named() {
    let compound = |stream: &str| {
        let mut file = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
        file.resize(512, 0);
        file.extend(stream.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
        file
    };
    for (bytes, name, piece) in [
        (
            &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..],
            "a.txt",
            "a picture (PNG)",
        ),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "a", "a picture (JPEG)"),
        (
            b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0",
            "a",
            "a sound recording",
        ),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a.mp4", "a video"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "a.gz", "an archive"),
        (&zipped(&[("a.txt", "x")]), "a.zip", "an archive (zip)"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0", "a", "a program"),
        (&compound("WordDocument"), "a.doc", "Saved as DOCX"),
        (&compound("PowerPoint Document"), "a.ppt", "Saved as PPTX"),
        (&compound("EncryptedPackage"), "a.docx", "password"),
        (
            &[0x90, 0x91, 0, 1, 2, 3, 0, 0, 7, 0, 0, 0x81],
            "a.xyz",
            "binary",
        ),
        (
            &[0x90, 0x91, 0, 1, 2, 3, 0, 0, 7, 0, 0, 0x81],
            "a.bmp",
            "a picture",
        ),
    ] {
        let failure = extract(bytes, None, name).expect_err(name);
        assert!(failure.to_string().contains(piece), "{name}: {failure}");
        assert!(failure.to_string().starts_with("The file "), "{failure}");
    }
    let scan = pdf(
        b"q 100 0 0 100 0 0 cm /X1 Do Q",
        HELVETICA,
        &[&stream(
            6,
            "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8",
            b"x",
        )],
    );
    assert_eq!(extract(&scan, None, "scan.pdf"), Err(Failure::Pictures));
    assert_eq!(
        extract(&pdf(b"", HELVETICA, &[]), None, "empty.pdf"),
        Err(Failure::NoText)
    );
    assert_eq!(
        extract(b"%PDF-1.7 and no more", None, "a.pdf"),
        Err(Failure::Broken("a PDF"))
    );
    let mut cut = pdf(b"", HELVETICA, &[]);
    cut.truncate(cut.len() - 6);
    assert_eq!(
        extract(&cut, None, "cut.pdf"),
        Err(Failure::Broken("a PDF"))
    );
    let mut cut = word("<w:p/>");
    cut.truncate(100);
    assert!(matches!(
        extract(&cut, None, "a.docx"),
        Err(Failure::Broken(_))
    ));
}

/// A document with a table in it is a document.
#[test]
fn old_documents_are_known_by_what_they_are_not_by_what_they_embed() {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).expect("a compound file");
    file.create_storage("/ObjectPool").expect("a folder");
    file.create_stream("/ObjectPool/Workbook")
        .expect("a stream");
    file.create_stream("/WordDocument").expect("a stream");
    let failure =
        extract(&file.into_inner().into_inner(), None, "a.doc").expect_err("an old format");
    assert!(failure.to_string().contains("Word document"), "{failure}");
}

#[test]
fn encodings_arrive_as_text() {
    let little: Vec<u8> = "Größe\r\nŁukasz"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(text(&little, "a.txt"), "Größe\nŁukasz");
    assert_eq!(
        text(
            b"\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0! \xdd\xf2\xee \xf2\xe5\xea\xf1\xf2.",
            "a.txt"
        ),
        "Привет, мир! Это текст."
    );
    let latin = extract(
        b"Stra\xdfe",
        Some("text/plain; charset=ISO-8859-1"),
        "a.txt",
    )
    .expect("a text");
    assert_eq!(latin.text, "Straße");
    assert_eq!(text("a\tb\n\n  c \n".as_bytes(), "a.csv"), "a\tb\n\n  c \n");
}

#[test]
fn word_documents_are_read_in_order() {
    let body = r#"
        <w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr><w:r><w:t xml:space="preserve">One &amp; </w:t></w:r><w:r><w:t>two&#33;</w:t><w:tab/><w:t>three</w:t></w:r></w:p>
        <w:p><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>item</w:t><w:br/><w:t>line</w:t></w:r></w:p>
        <w:p><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom></w:p>
        <w:tbl><w:tr><w:tc><w:p/></w:tc><w:tc><w:p><w:r><w:t>b1</w:t></w:r></w:p><w:p><w:r><w:t>more</w:t></w:r></w:p></w:tc></w:tr>
        <w:tr><w:tc><w:p><w:r><w:t>a2</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b2</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
        <w:p><w:r><w:fldChar/><w:instrText>PAGEREF x</w:instrText><w:t>field</w:t><w:footnoteReference w:id="2"/></w:r></w:p>
        <w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbxContent></mc:Choice>
        <mc:Fallback><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent></w:r></w:p>"#;
    let notes = r#"<w:footnotes xmlns:w="w"><w:footnote w:type="separator" w:id="0"><w:p><w:r><w:t>-</w:t></w:r></w:p></w:footnote>
        <w:footnote w:id="2"><w:p><w:r><w:t>the note</w:t></w:r></w:p></w:footnote></w:footnotes>"#;
    let header = r#"<w:hdr xmlns:w="w"><w:p><w:r><w:t>head</w:t></w:r></w:p></w:hdr>"#;
    let document = word_with(
        body,
        &[
            ("a", "header", "header1.xml"),
            ("b", "header", "header2.xml"),
            ("c", "footnotes", "/word/notes.xml"),
        ],
        &[
            ("word/header1.xml", header),
            ("word/header2.xml", header),
            ("word/notes.xml", notes),
        ],
    );
    assert_eq!(
        text(&document, "a.docx"),
        "head\n\nOne & two!\tthree\n- item\nline\nnew\n\tb1 more\na2\tb2\nfield[2]\nbox\n\n[2] the note"
    );
}

#[test]
fn slides_are_read_in_the_order_of_the_show() {
    let slide = |text: &str| {
        format!(
            r#"<p:sld xmlns:p="p" xmlns:a="a"><p:sp><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp></p:sld>"#
        )
    };
    let (one, two) = (slide("first"), slide("second"));
    let notes = r#"<p:notes xmlns:p="p" xmlns:a="a"><p:sp><p:nvPr><p:ph type="sldNum"/></p:nvPr><a:p><a:fld type="slidenum"><a:t>7</a:t></a:fld></a:p></p:sp><p:sp><a:p><a:r><a:t>say this</a:t></a:r></a:p></p:sp></p:notes>"#;
    let show = zipped(&[
        ("[Content_Types].xml", "<Types/>"),
        (
            "_rels/.rels",
            &relations(&[("r", "officeDocument", "ppt/presentation.xml")]),
        ),
        (
            "ppt/presentation.xml",
            r#"<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst><p:sldId id="256" r:id="rId9"/><p:sldId id="257" r:id="rId1"/></p:sldIdLst></p:presentation>"#,
        ),
        (
            "ppt/_rels/presentation.xml.rels",
            &relations(&[
                ("rId1", "slide", "slides/slide1.xml"),
                ("rId9", "slide", "slides/slide2.xml"),
            ]),
        ),
        ("ppt/slides/slide1.xml", &one),
        ("ppt/slides/slide2.xml", &two),
        (
            "ppt/slides/_rels/slide1.xml.rels",
            &relations(&[("n", "notesSlide", "../notesSlides/notes1.xml")]),
        ),
        ("ppt/notesSlides/notes1.xml", notes),
    ]);
    assert_eq!(
        text(&show, "a.pptx"),
        "Slide 1\nsecond\n\nSlide 2\nfirst\nNotes: say this"
    );
}

#[test]
fn sheets_are_tables_with_dates_as_in_iso_8601() {
    let rows = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>inline</t></is></c></row>
        <row r="2"><c r="A2" s="1"><v>45351</v></c><c r="B2" s="1"><v>45351.5</v></c><c r="C2"><f>0.1+0.2</f><v>0.30000000000000004</v></c><c r="D2" t="b"><v>1</v></c><c r="E2" t="e"><v>#N/A</v></c><c r="F2" s="2"><v>1.25</v></c></row>"#;
    let book = workbook(
        rows,
        "<si><r><t xml:space='preserve'>rich </t></r><r><t>text</t></r></si>",
        &[(
            "xl/comments1.xml",
            r#"<comments><authors><author>Bob</author></authors><commentList><comment ref="A1"><text><t>see here</t></text></comment></commentList></comments>"#,
        )],
    );
    assert_eq!(
        text(&book, "a.xlsx"),
        "Sheet: Konten & mehr\nrich text\t\tinline\n2024-02-29\t2024-02-29 12:00:00\t0.3\tTRUE\t#N/A\t30:00:00\n\n[Comment at A1] see here"
    );
}

/// Programs that do not compute save formulas without their values.
#[test]
fn formulas_stand_in_for_values_that_are_not_stored() {
    let rows = r#"<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f>A1*2</f><v></v></c><c r="C1"><f>A1*3</f></c><c r="D1"><f>A1*4</f><v>8</v></c></row>
        <row r="2"><c r="A2" t="e"><v>#NEW!</v></c><c r="B2"><v>5</v></c></row>"#;
    assert_eq!(
        text(&workbook(rows, "", &[]), "a.xlsx"),
        "Sheet: Konten & mehr\n2\t=A1*2\t=A1*3\t8\n\t5"
    );
}

#[test]
fn percentages_are_shown_as_such() {
    let rows = r#"<row r="1"><c r="A1" s="3"><v>0.25</v></c><c r="B1" s="4"><v>1.125</v></c><c r="C1" s="5"><v>3</v></c><c r="D1"><v>0.25</v></c></row>"#;
    assert_eq!(
        text(&workbook(rows, "", &[]), "a.xlsx"),
        "Sheet: Konten & mehr\n25%\t112.5%\t3\t0.25"
    );
}

#[test]
fn open_documents_are_read() {
    let body = r#"<office:text><text:tracked-changes><text:p>gone</text:p></text:tracked-changes>
        <text:h>Title</text:h><text:p>a<text:s text:c="2"/>b<text:tab/>c<text:line-break/>d</text:p>
        <text:list><text:list-item><text:p>item</text:p></text:list-item></text:list>
        <text:p>with<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>a note</text:p></text:note-body></text:note></text:p></office:text>"#;
    assert_eq!(
        text(&open_document("text", body), "a.odt"),
        "Title\na  b\tc\nd\n- item\nwith [a note]"
    );
    let sheet = r#"<office:spreadsheet><table:table table:name="Konto" table:style-name="ta1">
        <table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>
        <table:table-row><table:table-cell office:value-type="date" office:date-value="2024-02-29"><text:p>29.02.24</text:p></table:table-cell><table:table-cell table:number-columns-repeated="2"/><table:table-cell><text:p>3,50 €</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet>"#;
    assert_eq!(
        text(&open_document("spreadsheet", sheet), "a.ods"),
        "Sheet: Konto\n2024-02-29\t\t\t3,50 €"
    );
    let show = r#"<office:presentation><draw:page draw:name="p1"><text:p>on it</text:p><presentation:notes><text:p>aside</text:p></presentation:notes></draw:page></office:presentation>"#;
    assert_eq!(
        text(&open_document("presentation", show), "a.odp"),
        "Slide 1\non it\nNotes: aside"
    );
    let locked = zipped(&[
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        (
            "META-INF/manifest.xml",
            "<m:manifest xmlns:m='m'><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>",
        ),
    ]);
    assert_eq!(extract(&locked, None, "a.odt"), Err(Failure::NeedsPassword));
}

#[test]
fn books_are_read_in_the_order_of_reading() {
    let chapter = |text: &str| {
        format!(
            "<html xmlns='http://www.w3.org/1999/xhtml'><head><title/><script src='x'/></head><body><p>{text} &eacute;</p></body></html>"
        )
    };
    let (one, two) = (chapter("one"), chapter("two"));
    let entries = [
        ("mimetype", "application/epub+zip"),
        (
            "META-INF/container.xml",
            "<container><rootfiles><rootfile full-path='OPS/book.opf'/></rootfiles></container>",
        ),
        (
            "OPS/book.opf",
            "<package xmlns:dc='dc'><metadata><dc:title>The Book</dc:title><dc:creator>Ada</dc:creator></metadata><manifest><item id='a' href='one.xhtml' media-type='application/xhtml+xml'/><item id='b' href='t%20wo.xhtml' media-type='application/xhtml+xml'/></manifest><spine><itemref idref='b'/><itemref idref='a'/></spine></package>",
        ),
        ("OPS/one.xhtml", one.as_str()),
        ("OPS/t wo.xhtml", two.as_str()),
    ];
    assert_eq!(
        text(&zipped(&entries), "a.epub"),
        "The Book\nAda\n\ntwo é\n\none é"
    );
    let mut locked = entries.to_vec();
    locked.push(("META-INF/encryption.xml", "<encryption><EncryptedData><EncryptionMethod Algorithm='http://www.w3.org/2001/04/xmlenc#aes128-cbc'/></EncryptedData></encryption>"));
    assert_eq!(
        extract(&zipped(&locked), None, "a.epub"),
        Err(Failure::Protected)
    );
}

#[test]
fn web_pages_are_what_a_browser_shows() {
    let page = b"<html><head><meta http-equiv=Content-Type content='text/html; charset=windows-1251'><title>\xcf\xf0\xe8\xe2\xe5\xf2</title>\
        <style>p { color: red }</style><script>if (a < b) document.write('<p>no</p>')</script></head>\
        <body><h1>A&nbsp;&amp;&#8211;</h1><!-- no --><p>one\n  <b>t</b>wo<br>three<ul><li>x<li>y</ul><table><tr><td>a<td><p>b</p><tr><td>c<td>d</table>\
        <pre>  x\n   y</pre><template>no</template><img alt=picture><input type=hidden value=no></body>";
    assert_eq!(
        text(page, "a.html"),
        "Привет\n\nA\u{a0}&–\n\none two\nthree\n\n- x\n- y\n\na\tb\nc\td\n  x\n   y\npicture"
    );
}

#[test]
fn rich_text_is_read() {
    let document = br"{\rtf1\ansi\ansicpg1250\deff0{\fonttbl{\f0\fcharset238 Arial;}{\f1\fcharset204 Arial;}{\f2\fcharset128 Gothic;}}{\info{\author no}}{\*\generator no;}
\uc1 \'a3ukasz \u322?\b  bold\b0\par {\f1 \'cc\'e8\'f0} {\f2\'93\'fa\'96\'7b}\u-10179?\u-8936?\line{\uc2 \u228\'61\'65x}{\v no}{\*\unknown no}\
{\field{\*\fldinst HYPERLINK no}{\fldrslt link}}\par a\cell b\cell\row 1\emdash\{2\}{\pict 00ff}\bin3 \}{x}";
    assert_eq!(
        text(document, "a.rtf"),
        "Łukasz ł bold\nМир 日本🔘\näx\nlink\na\tb\n1—{2}x"
    );
}

#[test]
fn mails_are_read_with_their_fields() {
    let mail = "From: =?utf-8?q?J=C3=B6rg?= <j@example.com>\r\nTo: a@example.com\r\nDate: Mon, 12 May 2031 10:00:00 +0200\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n\
        MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>caf=E9</p><script>no</script>\r\n\
        --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"report.pdf\"\r\n\r\nx\r\n--b--\r\n";
    assert_eq!(
        text(mail.as_bytes(), "a.eml"),
        "From: Jörg <j@example.com>\nTo: a@example.com\nDate: 2031-05-12T10:00:00+02:00\nSubject: Grüße\n\ncafé\n\n[Attachment: report.pdf]"
    );
}

#[test]
fn notebooks_are_read_cell_by_cell() {
    let notebook = br##"{"cells": [{"cell_type": "markdown", "source": ["# Title\n", "text"]},
        {"cell_type": "code", "source": "1 + 1", "outputs": [{"data": {"image/png": "AAAA", "text/plain": ["2"]}}, {"text": "printed\n"}]}], "nbformat": 4}"##;
    assert_eq!(
        text(notebook, "a.ipynb"),
        "# Title\ntext\n\n```\n1 + 1\n```\n2\nprinted"
    );
    assert_eq!(text(b"not json", "a.ipynb"), "not json");
}

#[test]
fn words_of_a_pdf_are_whole() {
    for (content, expected) in [
        (&b"BT /F1 12 Tf 72 700 Td [(Ke) 80 (r) -40 (ned) -300 (te) 20 (xt)] TJ ET"[..], "Kerned text"),
        (b"BT /F1 1 Tf 12 0 0 12 72 700 Tm (Scaled) Tj 4 0 Td (apart) Tj ET", "Scaled apart"),
        (b"BT /F1 12 Tf 2 Tc 72 700 Td (Wide head) Tj ET", "Wide head"),
        (b"BT /F1 12 Tf 72 700 Td (one) Tj 0 -14 Td (two) Tj T* ET", "one\ntwo"),
        (b"BT /F1 12 Tf 72 700 Td (one) Tj 0 -40 Td (two) Tj ET", "one\n\ntwo"),
        (b"BT /F1 12 Tf 14 TL 72 700 Td (one) Tj (two) ' 0 0 (three) \" ET", "one\ntwo\nthree"),
        (b"BT /F1 12 Tf 0 1 -1 0 100 100 Tm (turned ) Tj (text) Tj ET", "turned text"),
        (b"BT /F1 12 Tf 72 700 Td (bold) Tj 0.3 0 Td (bold) Tj ET", "bold"),
        (b"BT /F1 12 Tf 72 700 Td (E = mc) Tj 5 Ts /F1 8 Tf (2) Tj ET", "E = mc2"),
        (b"BT 3 Tr /F1 12 Tf 72 700 Td (unseen layer) Tj ET", "unseen layer"),
        (b"/Span << /ActualText (fi) >> BDC BT /F1 12 Tf 72 700 Td (\xde) Tj ET EMC BT /F1 12 Tf 78 700 Td (x) Tj ET", "fix"),
        (b"q 1 0 0 1 10 10 cm BT /F1 12 Tf (\x80 \xe4 \x93) Tj ET Q", "€ ä “"),
    ] {
        assert_eq!(text(&pdf(content, HELVETICA, &[]), "a.pdf"), expected);
    }
}

#[test]
fn fonts_of_a_pdf_say_their_characters() {
    let map = b"1 begincodespacerange <0000> <ffff> endcodespacerange 2 beginbfchar <0001> <65e5> <0002> <d83ddc1b> endbfchar 1 beginbfrange <0010> <0012> <0061> endbfrange";
    let named = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /BaseEncoding /MacRomanEncoding /Differences [1 /fi /udieresis /uni20AC] >> >>";
    let composite = "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /ToUnicode 6 0 R /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 1000 >>] >>";
    let collection = |encoding: &str, ordering: &str| {
        format!(
            "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /{encoding} /DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /X /CIDSystemInfo << /Registry (Adobe) /Ordering ({ordering}) /Supplement 1 >> >>] >>"
        )
    };
    for (font, content, expected) in [
        (
            named.to_owned(),
            &b"(\x01x \x02 \x03 \xdb \x8e) Tj"[..],
            "fix ü € € é",
        ),
        (
            composite.to_owned(),
            b"<000100020010001100120020> Tj",
            "日🐛abc",
        ),
        (
            collection("90ms-RKSJ-H", "Japan1"),
            b"<93fa967b8cea> Tj",
            "日本語",
        ),
        (collection("UniGB-UCS2-H", "GB1"), b"<4e2d6587> Tj", "中文"),
        (collection("ETen-B5-H", "CNS1"), b"<a4a4a4e5> Tj", "中文"),
        (
            collection("KSCms-UHC-H", "Korea1"),
            b"<c7d1b1db> Tj",
            "한글",
        ),
    ] {
        let content = [b"BT /F1 12 Tf 72 700 Td ".as_slice(), content, b" ET"].concat();
        assert_eq!(
            text(&pdf(&content, &font, &[&stream(6, "", map)]), "a.pdf"),
            expected,
            "{font}"
        );
    }
}

#[test]
fn forms_within_a_pdf_are_drawn_where_they_stand() {
    let form = stream(
        6,
        "/Type /XObject /Subtype /Form /BBox [0 0 100 100] /Matrix [1 0 0 1 0 20]",
        b"BT /F1 12 Tf (inside) Tj ET",
    );
    let content = b"BT /F1 12 Tf 72 700 Td (before) Tj ET q 1 0 0 1 72 600 cm /X1 Do Q BT /F1 12 Tf 72 580 Td (after) Tj ET";
    assert_eq!(
        text(&pdf(content, HELVETICA, &[&form]), "a.pdf"),
        "before\n\ninside\n\nafter"
    );
}
