//! Which files need no reading: short texts in UTF-8, which most uploads are.
//!
//! What component `extract` would say of them is known without it, so they neither wait for files that take long, nor
//! do these wait for them. In doubt a file is read by `extract`.

/// How long such a text may be, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Names of texts that are nothing else, whatever is in them.
const EXTENSIONS: &[&str] = &[
    "txt", "md", "markdown", "csv", "tsv", "log", "py", "js", "ts", "jsx", "tsx", "java", "c", "h",
    "cpp", "cs", "rb", "go", "rs", "sh", "sql", "css", "scss", "json", "yaml", "yml", "toml",
];

/// Types of files that are more than their characters.
const OTHER_TYPES: &[&str] = &[
    "text/html",
    "application/xhtml+xml",
    "message/rfc822",
    "application/mbox",
    "application/x-ipynb+json",
    "application/pdf",
];

/// What other files than texts begin with.
const OTHER_MARKS: &[&str] = &["%PDF-", "%!PS", "{\\rtf", "<?xml", "<office:"];

/// The text of a file that needs no reading, with LF between its lines. `None`: it is to be read.
pub fn plain_text(bytes: &[u8], media_type: Option<&str>, filename: &str) -> Option<String> {
    let essence = media_type.and_then(|media_type| media_type.split(';').next());
    let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
    let (_, extension) = filename.rsplit_once('.')?;
    let is_named = EXTENSIONS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(extension));
    if !is_named || bytes.len() > MAX_BYTES || OTHER_TYPES.contains(&essence.as_str()) {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_other = OTHER_MARKS
        .iter()
        .any(|mark| text.trim_start().starts_with(mark) || text.starts_with(mark));
    // Zeros are UTF-16's, escapes those of an encoding of Japanese.
    let is_plain =
        |character: char| !character.is_control() || matches!(character, '\n' | '\r' | '\t');
    if is_other || !text.chars().all(is_plain) {
        return None;
    }
    Some(text.replace("\r\n", "\n").replace('\r', "\n"))
}

#[cfg(test)]
mod tests {
    use super::plain_text;

    #[test]
    fn short_texts_need_no_reading() {
        for (bytes, media_type, name, text) in [
            (
                "a\r\nü\rb\n",
                Some("text/plain"),
                "a.TXT",
                Some("a\nü\nb\n"),
            ),
            (
                "\u{feff}a;b",
                Some("text/csv; charset=utf-8"),
                "a.csv",
                Some("a;b"),
            ),
            ("", None, "a.md", Some("")),
            ("<p>", None, "a.md", Some("<p>")),
            ("<p>", Some("text/html"), "a.txt", None),
            ("<p>", None, "a.html", None),
            ("x", None, "a", None),
            ("%PDF-1.7", None, "a.txt", None),
            (" {\\rtf1 x}", None, "a.txt", None),
            ("a\0b\0", None, "a.txt", None),
            ("\u{1b}$B", None, "a.txt", None),
        ] {
            let read = plain_text(bytes.as_bytes(), media_type, name);
            assert_eq!(read.as_deref(), text, "{bytes:?} as {name}");
        }
        assert_eq!(plain_text(b"M\xfcller", None, "a.txt"), None);
        assert_eq!(plain_text(&[b'x'; 64 * 1024 + 1], None, "a.txt"), None);
    }
}
