//! SQL from files, without what is there for people: whole lines of comments, indentation and empty lines. In the
//! components it would be ten thousands of bytes. Done when the program is compiled.

/// The statement in a file, for the machine: `sql_file!("find.sql")`. Texts in it must not go over several lines.
#[macro_export]
macro_rules! sql_file {
    ($path:expr) => {{
        const FILE: &str = include_str!($path);
        const PLAIN: [u8; $crate::db::plain::length(FILE)] = $crate::db::plain::bytes(FILE);
        const TEXT: &str = $crate::db::plain::text(&PLAIN);
        TEXT
    }};
}

/// How long the file is for the machine.
pub const fn length(file: &str) -> usize {
    copy(file.as_bytes(), &mut [])
}

/// The file for the machine, which is `N` bytes long.
pub const fn bytes<const N: usize>(file: &str) -> [u8; N] {
    let mut plain = [0; N];
    copy(file.as_bytes(), &mut plain);
    plain
}

/// Bytes that were cut out of a text at the ends of lines.
pub const fn text(plain: &'static [u8]) -> &'static str {
    match std::str::from_utf8(plain) {
        Ok(text) => text,
        Err(_) => panic!("lines of UTF-8 are UTF-8"),
    }
}

/// Copies what counts of a file, as far as there is room. Returns how long that is.
const fn copy(file: &[u8], plain: &mut [u8]) -> usize {
    let (mut at, mut length) = (0, 0);
    while at < file.len() {
        while at < file.len() && matches!(file[at], b' ' | b'\n') {
            at += 1;
        }
        let is_comment = at + 1 < file.len() && file[at] == b'-' && file[at + 1] == b'-';
        while at < file.len() {
            let byte = file[at];
            if !is_comment {
                if length < plain.len() {
                    plain[length] = byte;
                }
                length += 1;
            }
            at += 1;
            if byte == b'\n' {
                break;
            }
        }
    }
    length
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_counts_stays() {
        const FILE: &str = "-- What for.\nSELECT 'a  b', -- why\n\n    -- ü\n    c\nFROM d\n";
        const PLAIN: [u8; super::length(FILE)] = super::bytes(FILE);
        assert_eq!(super::text(&PLAIN), "SELECT 'a  b', -- why\nc\nFROM d\n");
        const NOTHING: [u8; super::length("\n--")] = super::bytes("\n--");
        assert_eq!(super::text(&NOTHING), "");
    }
}
