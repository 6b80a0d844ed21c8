//! Reading objects, and operators, which look like them (ISO 32000-1, sections 7.2 and 7.3).

use super::object::{Dict, Object};

/// How deep arrays and dictionaries may nest.
const MAX_DEPTH: usize = 32;

/// How many items arrays and dictionaries may have, all together. In memory an item is many times as large as in a
/// file, which is packed besides.
pub(super) const MAX_ITEMS: usize = 300_000;

/// Reads objects one after another.
pub(super) struct Parser<'a> {
    data: &'a [u8],
    at: usize,
    items_left: usize,
}

impl<'a> Parser<'a> {
    /// A parser that begins at a place in `data`.
    pub(super) fn new(data: &'a [u8], at: usize) -> Self {
        Self {
            data,
            at,
            items_left: MAX_ITEMS,
        }
    }

    /// The same parser for at most `items` items of arrays and dictionaries.
    pub(super) fn with_items(mut self, items: usize) -> Self {
        self.items_left = items;
        self
    }

    /// How many more items may come.
    pub(super) fn items_left(&self) -> usize {
        self.items_left
    }

    /// Where the next object is looked for; never beyond the end.
    pub(super) fn position(&self) -> usize {
        self.at.min(self.data.len())
    }

    /// Goes on after the next `bytes`, or at the end.
    pub(super) fn skip_past(&mut self, bytes: &[u8]) {
        let rest = &self.data[self.position()..];
        let found = rest.windows(bytes.len()).position(|window| window == bytes);
        self.at = found.map_or(self.data.len(), |at| self.position() + at + bytes.len());
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                while self
                    .peek()
                    .is_some_and(|byte| !matches!(byte, b'\r' | b'\n'))
                {
                    self.at += 1;
                }
            } else if is_space(byte) {
                self.at += 1;
            } else {
                break;
            }
        }
    }

    /// The next object. `None` at the end, where things nest too deep, or where there are too many.
    pub(super) fn next(&mut self) -> Option<Object> {
        self.object(0)
    }

    fn peek(&self) -> Option<u8> {
        self.data.get(self.at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn object(&mut self, depth: usize) -> Option<Object> {
        self.skip_space();
        if depth > MAX_DEPTH {
            return None;
        }
        let pair = self.data.get(self.at..self.at + 2);
        match self.peek()? {
            b'/' => {
                self.at += 1;
                Some(Object::Name(self.name()))
            }
            b'(' => {
                self.at += 1;
                Some(Object::Text(self.literal()))
            }
            b'<' if pair == Some(b"<<") => {
                self.at += 2;
                Some(Object::Dict(self.dict(depth)?))
            }
            b'<' => {
                self.at += 1;
                Some(Object::Text(self.hex()))
            }
            b'[' => {
                self.at += 1;
                Some(Object::Array(self.until("]", depth)?))
            }
            b'>' if pair == Some(b">>") => {
                self.at += 2;
                Some(Object::Word(b">>".to_vec()))
            }
            byte if is_delimiter(byte) => {
                self.at += 1;
                Some(Object::Word(vec![byte]))
            }
            _ => Some(number_or_word(self.regular())),
        }
    }

    /// Objects up to a closing word, or the end of the data.
    fn until(&mut self, close: &str, depth: usize) -> Option<Vec<Object>> {
        let mut items = Vec::new();
        loop {
            self.skip_space();
            if self.peek().is_none() {
                return Some(items);
            }
            self.items_left = self.items_left.checked_sub(1)?;
            let item = self.object(depth + 1)?;
            if item.is_word(close) {
                return Some(items);
            }
            match (item, items.as_slice()) {
                (item, [.., Object::Number(id), Object::Number(_)]) if item.is_word("R") => {
                    let reference = Object::Ref(*id as u32);
                    items.truncate(items.len() - 2);
                    items.push(reference);
                }
                (item, _) => items.push(item),
            }
        }
    }

    fn dict(&mut self, depth: usize) -> Option<Dict> {
        let mut items = self.until(">>", depth)?.into_iter();
        let mut entries = Vec::new();
        while let Some(key) = items.next() {
            if let Object::Name(key) = key
                && let Some(value) = items.next()
            {
                entries.push((key, value));
            }
        }
        Some(Dict::new(entries))
    }

    fn regular(&mut self) -> &'a [u8] {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|byte| !is_space(byte) && !is_delimiter(byte))
        {
            self.at += 1;
        }
        &self.data[start..self.at]
    }

    fn name(&mut self) -> Vec<u8> {
        let raw = self.regular();
        let mut name = Vec::with_capacity(raw.len());
        let mut rest = raw;
        while let Some((&byte, after)) = rest.split_first() {
            match (byte, after) {
                (b'#', [high, low, after @ ..]) if hex_pair(*high, *low).is_some() => {
                    name.extend(hex_pair(*high, *low));
                    rest = after;
                }
                _ => {
                    name.push(byte);
                    rest = after;
                }
            }
        }
        name
    }

    /// The rest of `(…)`.
    fn literal(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut open = 1;
        while let Some(byte) = self.take() {
            match byte {
                b'(' => open += 1,
                b')' => open -= 1,
                b'\\' => {
                    text.extend(self.escape());
                    continue;
                }
                _ => {}
            }
            if open == 0 {
                break;
            }
            text.push(byte);
        }
        text
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Option<u8> {
        match self.take()? {
            b'n' => Some(b'\n'),
            b'r' => Some(b'\r'),
            b't' => Some(b'\t'),
            b'b' | b'f' | b'\n' => None,
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.at += 1;
                }
                None
            }
            digit @ b'0'..=b'7' => {
                let mut code = u32::from(digit - b'0');
                for _ in 0..2 {
                    match self.peek() {
                        Some(digit @ b'0'..=b'7') => code = code * 8 + u32::from(digit - b'0'),
                        _ => break,
                    }
                    self.at += 1;
                }
                // As the standard says, what doesn't fit is cut.
                Some(code as u8)
            }
            byte => Some(byte),
        }
    }

    /// The rest of `<…>`.
    fn hex(&mut self) -> Vec<u8> {
        let mut digits = Vec::new();
        while let Some(byte) = self.take() {
            if byte == b'>' {
                break;
            }
            if byte.is_ascii_hexdigit() {
                digits.push(byte);
            }
        }
        let byte = |pair: &[u8]| hex_pair(pair[0], *pair.get(1).unwrap_or(&b'0'));
        digits.chunks(2).filter_map(byte).collect()
    }
}

fn number_or_word(token: &[u8]) -> Object {
    let numeric = token
        .iter()
        .all(|byte| byte.is_ascii_digit() || b"+-.".contains(byte));
    let number = std::str::from_utf8(token).ok().filter(|_| numeric);
    match number.and_then(|number| number.parse().ok()) {
        Some(number) => Object::Number(number),
        None => Object::Word(token.to_vec()),
    }
}

fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

fn is_delimiter(byte: u8) -> bool {
    b"()<>[]{}/%".contains(&byte)
}
