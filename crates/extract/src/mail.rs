//! E-mails (EML) and mailboxes (MBOX), by `mail-parser`: who wrote to whom and when, the text, what is attached.
//!
//! The parser finds the parts; which of them are read, and in which encoding, is decided here. Of the forms of one text
//! that an e-mail offers, those are left out whose words are in another one. What can't be taken apart is read as it is:
//! nothing of an e-mail is left out without a word.

mod header;
mod mailbox;

use std::{borrow::Cow, collections::HashSet};

use encoding_rs::{UTF_16BE, UTF_16LE};
use mail_parser::{
    Encoding, Message, MessageParser, MessagePart, MessagePartId, MimeHeaders, PartType,
    decoders::{
        base64::base64_decode, charsets::map::charset_decoder,
        quoted_printable::quoted_printable_decode,
    },
};

use crate::{
    encoding::{self, Page},
    html::{self, Title},
    output::Output,
};

/// How deeply e-mails that are attached to e-mails are read.
const MAX_DEPTH: usize = 4;
/// How deeply parts of parts are read.
const MAX_PARTS_DEPTH: usize = 64;
/// How many of the words of a text must be in another one, of ten, so that it need not be written, too.
const ENOUGH: usize = 8;

/// Writes the text of an e-mail or a mailbox.
pub(crate) fn read(bytes: &[u8], out: &mut Output) {
    let bytes = with_line_ends(bytes);
    for bytes in mailbox::messages(&bytes) {
        if out.is_full() {
            break;
        }
        out.paragraph();
        match MessageParser::default().parse(&bytes[..]) {
            Some(message) => write(&message, 0, out),
            None => out.verbatim(encoding::decode_any(&bytes, None).trim()),
        }
    }
}

/// E-mails that were saved on an old Mac, or had their line ends changed twice.
fn with_line_ends(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\n', bytes).is_none() && memchr::memchr(b'\r', bytes).is_some() {
        let line_end = |byte: &u8| if *byte == b'\r' { b'\n' } else { *byte };
        return bytes.iter().map(line_end).collect::<Vec<u8>>().into();
    }
    if memchr::memmem::find(bytes, b"\r\r\n").is_some() {
        let mut whole = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(at) = memchr::memmem::find(rest, b"\r\r\n") {
            whole.extend_from_slice(&rest[..at]);
            whole.push(b'\n');
            rest = &rest[at + 3..];
        }
        whole.extend_from_slice(rest);
        return whole.into();
    }
    bytes.into()
}

fn write(message: &Message<'_>, depth: usize, out: &mut Output) {
    header::write(message, out);
    out.paragraph();
    let mut body = Body {
        depth,
        nested: 0,
        out: Output::new(),
    };
    body.part(message, 0);
    let (text, _) = body.out.finish();
    if !text.trim().is_empty() {
        out.verbatim(&text);
    } else if let Some(root) = message.parts.first() {
        // Whatever is wrong with it, something is there to be read.
        out.verbatim(characters(raw(message, root), charset(root)).trim());
    }
}

/// The text of the parts of a message.
struct Body {
    /// How many messages this one is attached to.
    depth: usize,
    /// How many parts this one is in.
    nested: usize,
    out: Output,
}

impl Body {
    fn part(&mut self, message: &Message<'_>, id: MessagePartId) {
        let Some(part) = message.parts.get(id as usize) else {
            return;
        };
        if self.nested >= MAX_PARTS_DEPTH || self.out.is_full() {
            return;
        }
        self.nested += 1;
        match &part.body {
            PartType::Multipart(parts) if !parts.is_empty() => {
                if part.is_content_type("multipart", "alternative") {
                    self.alternatives(message, parts);
                } else {
                    for part in parts {
                        self.part(message, *part);
                    }
                }
            }
            PartType::Message(inner) if self.depth < MAX_DEPTH => {
                self.out.paragraph();
                write(inner, self.depth + 1, &mut self.out);
                self.out.paragraph();
            }
            _ if is_type(part, "multipart") => self.torn(message, part),
            PartType::Text(_) | PartType::Html(_) => self.text(message, part),
            // Reports of what became of an e-mail.
            _ if is_type(part, "message") && !matches!(part.body, PartType::Message(_)) => {
                self.text(message, part);
            }
            _ => self.attachment(part),
        }
        self.nested -= 1;
    }

    fn attachment(&mut self, part: &MessagePart<'_>) {
        self.out.line();
        let kind = part.content_type().map(|kind| {
            let subtype = kind.subtype().unwrap_or("octet-stream");
            format!("{}/{subtype}", kind.ctype())
        });
        let name = part.attachment_name().map(header::decoded);
        if let Some(name) = name.or(kind) {
            self.out.write(&format!("[Attachment: {name}]"));
        }
        self.out.line();
    }

    fn text(&mut self, message: &Message<'_>, part: &MessagePart<'_>) {
        let is_attached = part
            .content_disposition()
            .is_some_and(|disposition| disposition.is_attachment());
        if is_attached || part.attachment_name().is_some() {
            self.attachment(part);
        }
        let bytes = content(message, part);
        if matches!(part.body, PartType::Html(_)) {
            let label = charset(part).map(str::to_owned);
            let label = label.or_else(|| html::declared(&bytes));
            let page = characters(&bytes, label.as_deref());
            html::write(&page, Title::LeftOut, &mut self.out);
        } else {
            self.out.verbatim(characters(&bytes, charset(part)).trim());
        }
        self.out.paragraph();
    }

    /// One text in several forms. Programs fill the plain one with nothing, with an excuse, or with less than there is.
    fn alternatives(&mut self, message: &Message<'_>, parts: &[MessagePartId]) {
        let (mut plain, mut rich, mut others) = (String::new(), String::new(), Vec::new());
        for id in parts {
            let Some(part) = message.parts.get(*id as usize) else {
                continue;
            };
            let text = match &part.body {
                PartType::Text(_) if part.is_content_type("text", "plain") => &mut plain,
                PartType::Text(_) if part.content_type().is_none() => &mut plain,
                PartType::Html(_) | PartType::Multipart(_) => &mut rich,
                _ => {
                    others.push((*id, part.is_content_type("text", "calendar")));
                    continue;
                }
            };
            let mut alone = Body {
                depth: self.depth,
                nested: self.nested,
                out: Output::new(),
            };
            alone.part(message, *id);
            text.push_str(&alone.out.finish().0);
            text.push('\n');
        }
        let (is_plain_enough, is_rich_enough) =
            (has_words(&plain, &rich), has_words(&rich, &plain));
        let (plain, rich) = (plain.trim(), rich.trim());
        if is_plain_enough || !is_rich_enough {
            self.out.verbatim(plain);
            self.out.paragraph();
        }
        if !is_plain_enough {
            self.out.verbatim(rich);
            self.out.paragraph();
        }
        let is_blank = plain.is_empty() && rich.is_empty();
        for (id, is_calendar) in others {
            // When a meeting is, often the calendar alone says.
            if is_blank || is_calendar {
                self.part(message, id);
            }
        }
    }

    /// Parts whose boundary is missing or another one than the header says.
    fn torn(&mut self, message: &Message<'_>, part: &MessagePart<'_>) {
        let body = raw(message, part);
        let boundary = body
            .split(|byte| *byte == b'\n')
            .filter_map(|line| line.trim_ascii_end().strip_prefix(b"--"))
            .find(|boundary| !boundary.is_empty() && !boundary.contains(&b'"'));
        if let Some(boundary) = boundary {
            let mut whole = b"Content-Type: multipart/mixed; boundary=\"".to_vec();
            whole.extend_from_slice(boundary);
            whole.extend_from_slice(b"\"\n\n");
            whole.extend_from_slice(body);
            let mended = MessageParser::default().parse(&whole[..]);
            if let Some(mended) = mended
                && let Some(PartType::Multipart(parts)) =
                    mended.parts.first().map(|root| &root.body)
            {
                for part in parts {
                    self.part(&mended, *part);
                }
                return;
            }
        }
        self.out.verbatim(characters(body, charset(part)).trim());
        self.out.paragraph();
    }
}

/// Whether a text has most of the words of another one.
fn has_words(text: &str, other: &str) -> bool {
    let words = |text: &str| -> HashSet<String> {
        text.split(|character: char| !character.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let (own, others) = (words(text), words(other));
    let found = others.iter().filter(|word| own.contains(*word)).count();
    found * 10 >= others.len() * ENOUGH
}

fn is_type(part: &MessagePart<'_>, kind: &str) -> bool {
    part.content_type()
        .is_some_and(|own| own.ctype().eq_ignore_ascii_case(kind))
}

fn charset<'p>(part: &'p MessagePart<'_>) -> Option<&'p str> {
    part.content_type()?.attribute("charset")
}

/// The bytes of a part as they were sent.
fn raw<'m>(message: &'m Message<'_>, part: &MessagePart<'_>) -> &'m [u8] {
    let (begin, end) = (part.offset_body as usize, part.offset_end as usize);
    let whole = &message.raw_message;
    whole
        .get(begin..end)
        .filter(|bytes| !bytes.is_empty())
        .or_else(|| whole.get(begin..))
        .unwrap_or_default()
}

/// The bytes of a part as they were before they were sent.
fn content<'m>(message: &'m Message<'_>, part: &'m MessagePart<'_>) -> Cow<'m, [u8]> {
    let known: Cow<'m, [u8]> = match &part.body {
        PartType::Text(text) | PartType::Html(text) => text.as_bytes().into(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => (&bytes[..]).into(),
        _ => Cow::Borrowed(&[]),
    };
    let (begin, end) = (part.offset_body as usize, part.offset_end as usize);
    let Some(sent) = message.raw_message.get(begin..end) else {
        return known;
    };
    match part.encoding {
        Encoding::None => Some(Cow::Borrowed(sent)),
        Encoding::QuotedPrintable => quoted_printable_decode(sent).map(Cow::Owned),
        Encoding::Base64 => base64_decode(sent).map(Cow::Owned),
    }
    .unwrap_or(known)
}

/// What bytes of a text mean whose sender says that they are in this encoding.
fn characters<'b>(bytes: &'b [u8], label: Option<&str>) -> Cow<'b, str> {
    // Programs say these of what they know nothing about.
    let label = label.filter(|label| {
        !["us-ascii", "ascii", "unknown-8bit", "8bit", "binary"]
            .iter()
            .any(|none| label.eq_ignore_ascii_case(none))
    });
    let Some(label) = label else {
        return encoding::decode_any(bytes, None);
    };
    match Page::named(label) {
        // Short texts in several bytes to a character may be valid UTF-8 by chance.
        Some(page @ Page::Web(web))
            if !page.is_single_byte()
                && !page.is_utf_8()
                && ![UTF_16LE, UTF_16BE].contains(&web) =>
        {
            match page.decode(bytes) {
                (text, false) => text,
                _ => encoding::decode_any(bytes, Some(label)),
            }
        }
        Some(_) => encoding::decode_any(bytes, Some(label)),
        None => match charset_decoder(label.as_bytes()) {
            Some(decode) => decode(bytes).into(),
            None => encoding::decode_any(bytes, None),
        },
    }
}
