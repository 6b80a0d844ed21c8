//! The `Content-Disposition` of a download (RFC 6266, RFC 8187), well-formed for any name.

use std::fmt::Write;

/// What file systems accept as the length of a name, in bytes, and still a modest header when escaped.
const MAX_BYTES: usize = 240;

/// The header for a file called `filename`: printable ASCII whatever the name. Old clients get an approximation, all
/// others the name itself but for what no file system takes and what disguises a name.
pub fn header(inline: bool, filename: &str) -> String {
    let name = harmless(filename);
    let kind = if inline { "inline" } else { "attachment" };
    let mut header = format!("{kind}; filename=\"{}\"", approximation(&name));
    if name.bytes().any(|byte| !is_attr_char(byte)) {
        header.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if is_attr_char(byte) {
                header.push(char::from(byte));
            } else {
                // Writing to a String can't fail.
                let _ = write!(header, "%{byte:02X}");
            }
        }
    }
    header
}

/// The name without separators of directories, control characters, and characters that turn the direction of writing
/// (which make `exe.txt` of `txt.exe`), and not longer than file systems take.
pub fn harmless(filename: &str) -> String {
    let harmless: String = filename
        .chars()
        .map(|c| match c {
            '/' | '\\' => '_',
            '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => '_',
            c if c.is_control() => '_',
            c => c,
        })
        .collect();
    match harmless.as_str() {
        "" | "." | ".." => "file".to_owned(),
        _ => shortened(&harmless),
    }
}

/// The name cut to [`MAX_BYTES`], its extension kept.
fn shortened(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let (stem, extension) = match name.rfind('.') {
        Some(at) if name.len() - at <= 16 => name.split_at(at),
        _ => (name, ""),
    };
    let stem = &stem[..stem.floor_char_boundary(MAX_BYTES - extension.len())];
    format!("{stem}{extension}")
}

/// The name in ASCII, without what a quoted string would have to escape and old clients misread.
fn approximation(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            '"' | '\\' | '%' => '_',
            ' '..='~' => c,
            _ => '_',
        })
        .collect()
}

/// RFC 8187, `attr-char`.
fn is_attr_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, header};

    #[test]
    fn plain_names_stay_plain() {
        assert_eq!(header(false, "a-b.txt"), "attachment; filename=\"a-b.txt\"");
        assert_eq!(header(true, "a.png"), "inline; filename=\"a.png\"");
    }

    #[test]
    fn other_names_are_escaped() {
        assert_eq!(
            header(false, "bücher \"x\".pdf"),
            "attachment; filename=\"b_cher _x_.pdf\"; filename*=UTF-8''b%C3%BCcher%20%22x%22.pdf"
        );
    }

    #[test]
    fn names_are_harmless() {
        let name = |filename| header(false, filename);
        assert_eq!(
            name("../../etc/passwd"),
            "attachment; filename=\".._.._etc_passwd\""
        );
        assert_eq!(
            name("a\r\nX: y\0"),
            "attachment; filename=\"a__X: y_\"; filename*=UTF-8''a__X%3A%20y_"
        );
        assert_eq!(
            name("a\u{202E}txt.exe"),
            "attachment; filename=\"a_txt.exe\""
        );
        assert_eq!(name(""), "attachment; filename=\"file\"");
        assert_eq!(name(".."), "attachment; filename=\"file\"");
    }

    #[test]
    fn long_names_are_cut_but_keep_their_extension() {
        let long = header(false, &format!("{}.pdf", "ü".repeat(300)));
        assert!(long.ends_with(".pdf"));
        assert!(long.len() < 5 * MAX_BYTES);
        assert!(long.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        let endless = header(false, &format!("a.{}", "b".repeat(1000)));
        assert!(endless.contains(&"b".repeat(MAX_BYTES - 2)));
    }
}
