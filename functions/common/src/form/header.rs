//! Header values with parameters, such as `form-data; name="a"; filename="b.txt"`.

use percent_encoding::percent_decode;

/// A value and its parameters, names in lower case, values unquoted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) value: Vec<u8>,
    parameters: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Parameters {
    /// Splits a header's value. Whatever it is, something comes out.
    pub(super) fn parse(header: &[u8]) -> Self {
        let mut pieces = split_outside_quotes(header).into_iter();
        let value = pieces.next().unwrap_or_default().trim_ascii().to_vec();
        let parameters = pieces.filter_map(|piece| {
            let equals = piece.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (
                piece[..equals].trim_ascii(),
                piece[equals + 1..].trim_ascii(),
            );
            Some((name.to_ascii_lowercase(), unquote(value)))
        });
        Self {
            value,
            parameters: parameters.collect(),
        }
    }

    /// The parameter `name` of a part, as text. Browsers write `"` as `%22`, and line ends as `%0D` and `%0A`, and
    /// nothing else in that way (WHATWG HTML, "multipart/form-data encoding algorithm").
    pub(super) fn name(&self, name: &str) -> Option<String> {
        let text = to_text(&self.get(name)?);
        if self.plain(&format!("{name}*")).is_some() || !text.contains('%') {
            return Some(text);
        }
        let text = text.replace("%22", "\"").replace("%0D", "\r");
        Some(text.replace("%0A", "\n"))
    }

    /// The parameter `name` as bytes. Its extended form (`name*=UTF-8''…`, RFC 5987) goes before the plain one.
    pub(super) fn get(&self, name: &str) -> Option<Vec<u8>> {
        let extended = format!("{name}*");
        if let Some(value) = self.plain(&extended) {
            // charset'language'value; the charset is left aside, because the text is tried as UTF-8 anyway.
            let encoded = value
                .splitn(3, |byte| *byte == b'\'')
                .last()
                .unwrap_or_default();
            return Some(percent_decode(encoded).collect());
        }
        self.plain(name).map(<[u8]>::to_vec)
    }

    fn plain(&self, name: &str) -> Option<&[u8]> {
        let mut values = self
            .parameters
            .iter()
            .filter(|(key, _)| key == name.as_bytes());
        values.next_back().map(|(_, value)| value.as_slice())
    }
}

/// UTF-8, or else latin-1, which any bytes are (docs/http-compatibility.md#form-fields).
pub(super) fn to_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// Cuts at semicolons that are not inside double quotes.
fn split_outside_quotes(header: &[u8]) -> Vec<&[u8]> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in header.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                pieces.push(&header[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&header[start..]);
    pieces
}

/// Takes off double quotes. Inside them `\"` and `\\` are escapes, and any other backslash is one: Windows paths come
/// unescaped.
fn unquote(value: &[u8]) -> Vec<u8> {
    let [b'"', inside @ .., b'"'] = value else {
        return value.to_vec();
    };
    let mut text = Vec::with_capacity(inside.len());
    let mut bytes = inside.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'\\', Some(escaped @ (b'"' | b'\\'))) => {
                text.push(*escaped);
                bytes.next();
            }
            _ => text.push(byte),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Parameters, to_text};

    fn get(header: &str, name: &str) -> Option<String> {
        Parameters::parse(header.as_bytes())
            .get(name)
            .map(|value| to_text(&value))
    }

    #[test]
    fn parameters() {
        let table = [
            (
                "form-data; name=\"a b\"; filename=\"x;y.txt\"",
                Some("a b"),
                Some("x;y.txt"),
            ),
            ("form-data; NAME=a; FileName=b", Some("a"), Some("b")),
            (
                "form-data; name=\"a\\\"b\\\\c\\d\"",
                Some("a\"b\\c\\d"),
                None,
            ),
            ("form-data; filename=\"\"", None, Some("")),
            ("form-data; name=; filename", Some(""), None),
            (
                "form-data; filename=\"n.txt\"; filename*=UTF-8''%e2%82%ac.txt",
                None,
                Some("€.txt"),
            ),
            ("form-data; filename*=utf-8'en'a%20b", None, Some("a b")),
            ("form-data; filename*=plain", None, Some("plain")),
            ("form-data", None, None),
            ("", None, None),
            (";;=;\"", None, None),
            (
                "form-data; name=\"unfinished; filename=x",
                Some("\"unfinished; filename=x"),
                None,
            ),
        ];
        for (header, name, filename) in table {
            assert_eq!(get(header, "name").as_deref(), name, "{header}");
            assert_eq!(get(header, "filename").as_deref(), filename, "{header}");
        }
    }

    #[test]
    fn names_are_decoded_as_browsers_encode_them() {
        let name = |header: &str| Parameters::parse(header.as_bytes()).name("filename");
        for (header, wanted) in [
            (r#"form-data; filename="a%22b.txt""#, "a\"b.txt"),
            (r#"form-data; filename="a%0D%0Ab.txt""#, "a\r\nb.txt"),
            // A percent sign of the name itself stays as it is.
            (
                r#"form-data; filename="100%25 %41 %0d.txt""#,
                "100%25 %41 %0d.txt",
            ),
            (r#"form-data; filename="a\"b.txt""#, "a\"b.txt"),
            ("form-data; filename*=UTF-8''%2522.txt", "%22.txt"),
        ] {
            assert_eq!(name(header).as_deref(), Some(wanted), "{header}");
        }
    }

    #[test]
    fn latin_1_where_utf_8_fails() {
        assert_eq!(to_text("ä".as_bytes()), "ä");
        assert_eq!(to_text(b"\xff\xfe"), "ÿþ");
    }
}
