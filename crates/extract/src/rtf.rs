//! Rich Text Format.
//!
//! A reader of our own: the crates for it (`rtf-parser`, `rtf-grimoire`) take a `&str`, while the bytes of RTF are in the
//! code page that the file names, and keep all tokens of a file in memory. RTF is a stream of groups and control words,
//! so that its text takes no more than a stack of what each group changes.

use encoding_rs::{BIG5, EUC_KR, Encoding, GBK, MACINTOSH, SHIFT_JIS, WINDOWS_1252};

use crate::{limits::MAX_DEPTH, output::Output};

/// Groups that hold no text of the document.
const LEFT_OUT: &[&str] = &[
    "fonttbl",
    "colortbl",
    "stylesheet",
    "listtable",
    "listoverridetable",
    "info",
    "pict",
    "object",
    "fldinst",
    "generator",
    "themedata",
    "colorschememapping",
    "latentstyles",
    "datastore",
    "xmlnstbl",
    "rsidtbl",
    "filetbl",
    "revtbl",
    "private",
    "bkmkstart",
    "bkmkend",
    "xe",
    "tc",
    "nonshppict",
    "shpinst_",
    "sp",
    "sn",
    "mmathPr",
    "wgrffmtfilter",
    "pgptbl",
    "listtext_",
    "atnid",
    "atnauthor",
    "atnref",
    "atrfstart",
    "atrfend",
    "atntime",
    "atndate",
    "falt",
    "panose",
    "ftnsep",
    "ftnsepc",
    "aftnsep",
    "aftnsepc",
    "pgdsctbl",
    "template",
    "passwordhash",
    "fontemb",
    "fontfile",
    "background",
];

/// Groups that a reader may leave out if it does not know them, but whose text is shown.
const KEPT: &[&str] = &[
    "shptxt",
    "shppict_",
    "footnote",
    "annotation",
    "fldrslt",
    "pntext",
    "shpinst",
    "hyphen",
];

#[derive(Clone)]
struct Group {
    is_left_out: bool,
    /// How many characters follow `\u` for readers that don't know it.
    fallback: usize,
    encoding: &'static Encoding,
    is_hidden: bool,
}

struct Reader<'b, 'o> {
    rest: &'b [u8],
    out: &'o mut Output,
    group: Group,
    groups: Vec<Group>,
    /// Groups that are open beyond [`MAX_DEPTH`].
    deeper: usize,
    /// The code page of the document.
    page: &'static Encoding,
    /// The encodings of fonts by their numbers.
    fonts: Vec<(i32, &'static Encoding)>,
    font: Option<i32>,
    /// Whether the list of fonts is being read.
    in_fonts: Option<usize>,
    /// Bytes of text that wait to be decoded together.
    bytes: Vec<u8>,
    /// Characters of a fallback that are yet to be skipped.
    skip: usize,
    /// The first half of a character that takes two `\u`.
    high: Option<u16>,
}

/// Writes the text of a document.
pub(crate) fn read(bytes: &[u8], out: &mut Output) {
    let group = Group {
        is_left_out: false,
        fallback: 1,
        encoding: WINDOWS_1252,
        is_hidden: false,
    };
    let mut reader = Reader {
        rest: bytes,
        out,
        group,
        groups: Vec::new(),
        deeper: 0,
        page: WINDOWS_1252,
        fonts: Vec::new(),
        font: None,
        in_fonts: None,
        bytes: Vec::new(),
        skip: 0,
        high: None,
    };
    reader.run();
}

impl Reader<'_, '_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn run(&mut self) {
        while let Some(byte) = self.next() {
            if self.out.is_full() {
                return;
            }
            match byte {
                b'{' => self.open(),
                b'}' => self.close(),
                b'\\' => self.control(),
                b'\r' | b'\n' | 0 => {}
                other => self.byte(other),
            }
        }
        self.flush();
    }

    fn open(&mut self) {
        self.flush();
        self.skip = 0;
        if self.groups.len() < MAX_DEPTH {
            self.groups.push(self.group.clone());
        } else {
            self.deeper += 1;
        }
    }

    fn close(&mut self) {
        self.flush();
        self.skip = 0;
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if let Some(group) = self.groups.pop() {
            self.group = group;
            if self.in_fonts.is_some_and(|depth| self.groups.len() < depth) {
                self.in_fonts = None;
            }
        }
    }

    fn control(&mut self) {
        let Some(first) = self.next() else { return };
        match first {
            b'\'' => {
                let code = self.rest.get(..2).and_then(|digits| {
                    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
                });
                if let Some(code) = code {
                    self.rest = &self.rest[2..];
                    self.byte(code);
                }
            }
            b'\\' | b'{' | b'}' => self.byte(first),
            b'~' => self.text(" "),
            b'_' => self.text("-"),
            b'-' => {}
            b'\r' | b'\n' => self.line(),
            b'\t' => self.text("\t"),
            b'*' => {
                // What a reader does not know of what follows, it leaves out.
                let word = self
                    .rest
                    .trim_ascii_start()
                    .strip_prefix(b"\\")
                    .unwrap_or_default();
                let is_kept = KEPT.iter().any(|kept| word.starts_with(kept.as_bytes()));
                self.group.is_left_out |= !is_kept;
            }
            letter if letter.is_ascii_alphabetic() => self.word(letter),
            _ => {}
        }
    }

    fn word(&mut self, first: u8) {
        let mut name = String::from(char::from(first));
        while let Some(letter) = self.rest.first().filter(|byte| byte.is_ascii_alphabetic()) {
            if name.len() < 32 {
                name.push(char::from(*letter));
            }
            self.rest = &self.rest[1..];
        }
        let sign =
            self.rest.first() == Some(&b'-') && self.rest.get(1).is_some_and(u8::is_ascii_digit);
        if sign {
            self.rest = &self.rest[1..];
        }
        let mut number: Option<i64> = None;
        while let Some(digit) = self.rest.first().filter(|byte| byte.is_ascii_digit()) {
            number = Some(
                number
                    .unwrap_or_default()
                    .saturating_mul(10)
                    .saturating_add(i64::from(digit - b'0'))
                    .min(i64::from(i32::MAX)),
            );
            self.rest = &self.rest[1..];
        }
        let number =
            number.and_then(|number| i32::try_from(if sign { -number } else { number }).ok());
        if self.rest.first() == Some(&b' ') {
            self.rest = &self.rest[1..];
        }
        self.carry_out(&name, number);
    }

    fn carry_out(&mut self, name: &str, number: Option<i32>) {
        if name == "bin" {
            let count = usize::try_from(number.unwrap_or_default()).unwrap_or_default();
            self.rest = self.rest.get(count..).unwrap_or_default();
            return;
        }
        if name == "fonttbl" {
            self.in_fonts = Some(self.groups.len());
        }
        if LEFT_OUT.contains(&name) {
            self.flush();
            self.group.is_left_out = true;
        }
        if self.in_fonts.is_some() {
            match (name, number) {
                ("f", _) => self.font = number,
                ("fcharset", Some(charset)) => {
                    if let (Some(font), Some(encoding)) = (self.font, of_charset(charset))
                        && self.fonts.len() < 4096
                    {
                        self.fonts.push((font, encoding));
                    }
                }
                _ => {}
            }
            return;
        }
        match (name, number) {
            ("ansicpg", Some(page)) => {
                if let Some(encoding) = of_code_page(page) {
                    self.page = encoding;
                    self.group.encoding = encoding;
                }
            }
            ("mac", _) => {
                self.page = MACINTOSH;
                self.group.encoding = MACINTOSH;
            }
            ("f", Some(font)) => {
                self.flush();
                let found = self.fonts.iter().rev().find(|(number, _)| *number == font);
                self.group.encoding = found.map_or(self.page, |(_, encoding)| *encoding);
            }
            ("plain", _) => {
                self.flush();
                self.group.encoding = self.page;
                self.group.is_hidden = false;
            }
            ("v", _) => {
                self.flush();
                self.group.is_hidden = number != Some(0);
            }
            ("deleted", _) => {
                self.flush();
                self.group.is_hidden = number != Some(0);
            }
            ("uc", Some(count)) => {
                self.group.fallback = usize::try_from(count).unwrap_or(1).min(16)
            }
            ("u", Some(code)) => self.unicode(code),
            ("par" | "line" | "sect" | "page", _) => self.line(),
            ("row" | "nestrow", _) => self.line(),
            ("cell" | "nestcell", _) => {
                self.flush();
                if self.is_shown() {
                    self.out.tab();
                }
            }
            ("tab", _) => self.text("\t"),
            ("emdash", _) => self.text("—"),
            ("endash", _) => self.text("–"),
            ("lquote", _) => self.text("‘"),
            ("rquote", _) => self.text("’"),
            ("ldblquote", _) => self.text("“"),
            ("rdblquote", _) => self.text("”"),
            ("bullet", _) => self.text("•"),
            ("emspace" | "enspace" | "qmspace", _) => self.text(" "),
            (
                "footnote" | "header" | "headerl" | "headerr" | "headerf" | "footer" | "footerl"
                | "footerr" | "footerf" | "shptxt",
                _,
            ) => self.line(),
            _ => {}
        }
    }

    fn is_shown(&self) -> bool {
        !self.group.is_left_out && !self.group.is_hidden
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.high = None;
        if self.is_shown() {
            self.bytes.push(byte);
        }
    }

    fn unicode(&mut self, code: i32) {
        // Codes above 32767 are written as negative numbers.
        let unit = (code & 0xffff) as u16;
        self.skip = 0;
        let fallback = self.group.fallback;
        match (self.high.take(), unit) {
            (_, 0xd800..=0xdbff) => {
                self.flush();
                self.high = Some(unit);
            }
            (Some(high), 0xdc00..=0xdfff) => {
                let text = String::from_utf16_lossy(&[high, unit]);
                self.text(&text);
            }
            _ => {
                // Symbols of fonts with a code page of their own.
                let unit = if (0xf020..=0xf07e).contains(&unit) {
                    unit - 0xf000
                } else {
                    unit
                };
                let text = if matches!(unit, 0xf0b7 | 0xf0a7) {
                    "•".to_owned()
                } else {
                    String::from_utf16_lossy(&[unit])
                };
                self.text(&text);
            }
        }
        self.skip = fallback;
    }

    fn text(&mut self, text: &str) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.flush();
        if self.is_shown() {
            self.out.write(text);
        }
    }

    fn line(&mut self) {
        self.flush();
        if self.is_shown() {
            self.out.line();
        }
    }

    /// Decodes the bytes so far: a character may take several of them.
    fn flush(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let (text, _) = self.group.encoding.decode_without_bom_handling(&bytes);
        self.out.write(&text);
    }
}

fn of_code_page(page: i32) -> Option<&'static Encoding> {
    let label = match page {
        65001 => "utf-8".to_owned(),
        932 => return Some(SHIFT_JIS),
        936 => return Some(GBK),
        949 => return Some(EUC_KR),
        950 => return Some(BIG5),
        10000 => return Some(MACINTOSH),
        874 => "windows-874".to_owned(),
        866 => "ibm866".to_owned(),
        20866 => "koi8-r".to_owned(),
        28591..=28606 => format!("iso-8859-{}", page - 28590),
        other => format!("windows-{other}"),
    };
    Encoding::for_label(label.as_bytes())
}

fn of_charset(charset: i32) -> Option<&'static Encoding> {
    of_code_page(match charset {
        0 => 1252,
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}
