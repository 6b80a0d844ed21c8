//! `application/x-www-form-urlencoded` (docs/http-compatibility.md#form-fields): `;` separates like `&`, `+` is a space,
//! escaped bytes are UTF-8 with U+FFFD for what isn't, and raw bytes beyond ASCII are latin-1.

/// The fields of a body, in order.
pub(crate) fn fields(body: &[u8]) -> impl Iterator<Item = (String, String)> {
    body.split(|byte| matches!(byte, b'&' | b';'))
        .filter(|field| !field.is_empty())
        .map(|field| {
            let equals = field.iter().position(|byte| *byte == b'=');
            let (name, value) = match equals {
                Some(at) => (&field[..at], &field[at + 1..]),
                None => (field, &[][..]),
            };
            (decode(name), decode(value))
        })
}

fn decode(encoded: &[u8]) -> String {
    let mut text = String::with_capacity(encoded.len());
    // Bytes that together are UTF-8; a raw byte beyond ASCII ends such a run.
    let mut run = Vec::new();
    let mut at = 0;
    while let Some(byte) = encoded.get(at) {
        at += 1;
        match byte {
            b'+' => run.push(b' '),
            b'%' => match escaped(&encoded[at..]) {
                Some(byte) => {
                    run.push(byte);
                    at += 2;
                }
                None => run.push(b'%'),
            },
            0..=0x7f => run.push(*byte),
            _ => {
                flush(&mut run, &mut text);
                text.push(char::from(*byte));
            }
        }
    }
    flush(&mut run, &mut text);
    text
}

fn flush(run: &mut Vec<u8>, text: &mut String) {
    text.push_str(&String::from_utf8_lossy(run));
    run.clear();
}

/// The byte that the two hexadecimal digits at the start of `digits` stand for.
fn escaped(digits: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let value = digit(digits.first()?)? * 16 + digit(digits.get(1)?)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::fields;

    /// A body and its fields.
    type Case = (&'static [u8], &'static [(&'static str, &'static str)]);

    #[test]
    fn decoding() {
        let table: &[Case] = &[
            (b"a=1&b=2;c=3", &[("a", "1"), ("b", "2"), ("c", "3")]),
            (b"a=x+y%20z%2B", &[("a", "x y z+")]),
            (b"a=%FF", &[("a", "\u{fffd}")]),
            (b"a=%c3%A4", &[("a", "ä")]),
            (b"a=\xc3\xa4", &[("a", "Ã¤")]),
            (b"a=%C3\xe9%A4", &[("a", "\u{fffd}é\u{fffd}")]),
            (
                b"a=%&b=%4&c=%zz%41",
                &[("a", "%"), ("b", "%4"), ("c", "%zzA")],
            ),
            (b"a&b=&=c&&;", &[("a", ""), ("b", ""), ("", "c")]),
            (b"a=1=2", &[("a", "1=2")]),
            (b"", &[]),
        ];
        for (body, expected) in table {
            let decoded: Vec<_> = fields(body).collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            assert_eq!(decoded, expected, "{:?}", String::from_utf8_lossy(body));
        }
    }
}
