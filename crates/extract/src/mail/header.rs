//! The header of an e-mail: who wrote to whom, when and on what.
//!
//! Programs break the rules of encoded words (RFC 2047): a character begins in one word and ends in the next, encodings
//! have names that no list has, and letters stand there bare. So the fields are brought into UTF-8 before they are parsed.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mail_parser::{Address, HeaderName, Message, MessageParser, decoders::base64::base64_decode};

use super::{characters, charset};
use crate::output::Output;

/// Writes the fields that say something about the text.
pub(super) fn write(message: &Message<'_>, out: &mut Output) {
    let Some(root) = message.parts.first() else {
        return;
    };
    let mut bytes = Vec::new();
    for header in &root.headers {
        if matches!(
            header.name,
            HeaderName::From
                | HeaderName::To
                | HeaderName::Cc
                | HeaderName::Date
                | HeaderName::Subject
        ) && let Some(field) = message
            .raw_message
            .get(header.offset_field as usize..header.offset_end as usize)
        {
            bytes.extend_from_slice(field.trim_ascii_end());
            bytes.push(b'\n');
        }
    }
    bytes.push(b'\n');
    // The encoding of the text is that of bare letters, too.
    let has_bare = |byte: &u8| !byte.is_ascii() || *byte == 0x1b;
    let label = charset(root).filter(|_| bytes.iter().any(has_bare));
    let fields = in_utf_8(&characters(&bytes, label));
    let Some(fields) = MessageParser::default().parse(fields.as_bytes()) else {
        return;
    };
    for (name, addresses) in [
        ("From", fields.from()),
        ("To", fields.to()),
        ("Cc", fields.cc()),
    ] {
        if let Some(addresses) = addresses {
            field(name, &names(addresses), out);
        }
    }
    if let Some(date) = fields.date() {
        field("Date", &date.to_rfc3339(), out);
    }
    if let Some(subject) = fields.subject() {
        field("Subject", subject, out);
    }
}

fn field(name: &str, value: &str, out: &mut Output) {
    out.line();
    out.write(&format!("{name}: "));
    out.flow(value);
    out.line();
}

fn names(addresses: &Address<'_>) -> String {
    let names: Vec<String> = addresses
        .iter()
        .map(|address| match (&address.name, &address.address) {
            (Some(name), Some(address)) => format!("{name} <{address}>"),
            (Some(name), None) => name.to_string(),
            (None, Some(address)) => address.to_string(),
            (None, None) => String::new(),
        })
        .collect();
    names.join(", ")
}

/// A value with its encoded words, if it has any, in plain.
pub(super) fn decoded(value: &str) -> String {
    replaced(value, str::to_owned)
}

/// A header whose encoded words are in UTF-8.
fn in_utf_8(header: &str) -> String {
    replaced(header, |text| {
        format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(text))
    })
}

/// A text with other things instead of encoded words. Words that follow each other in one encoding are one.
fn replaced(text: &str, replace: impl Fn(&str) -> String) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let Some((label, mut bytes, mut after)) = word(&rest[at..]) else {
            whole.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
            continue;
        };
        whole.push_str(&rest[..at]);
        while let Some((next_label, next, next_after)) = word(after.trim_start())
            && next_label.eq_ignore_ascii_case(label)
        {
            bytes.extend_from_slice(&next);
            after = next_after;
        }
        whole.push_str(&replace(&characters(&bytes, Some(label))));
        rest = after;
    }
    whole.push_str(rest);
    whole
}

/// The encoding, the bytes, and what follows an encoded word at the beginning of a text.
fn word(text: &str) -> Option<(&str, Vec<u8>, &str)> {
    let (label, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (method, rest) = rest.split_once('?')?;
    let (data, after) = rest.split_once("?=")?;
    // A language may follow the encoding.
    let label = label.split('*').next().unwrap_or_default();
    if label.is_empty() || label.contains(char::is_whitespace) {
        return None;
    }
    let bytes = match method {
        "b" | "B" => base64_decode(data.as_bytes())?,
        "q" | "Q" => quoted(data.as_bytes()),
        _ => return None,
    };
    Some((label, bytes, after))
}

/// What stands in an encoded word as quoted text.
fn quoted(data: &[u8]) -> Vec<u8> {
    let digit = |at: usize| {
        data.get(at)
            .and_then(|digit| char::from(*digit).to_digit(16))
    };
    let mut bytes = Vec::with_capacity(data.len());
    let mut at = 0;
    while let Some(byte) = data.get(at) {
        at += 1;
        bytes.push(match byte {
            b'_' => b' ',
            b'=' => match (digit(at), digit(at + 1)) {
                (Some(high), Some(low)) => {
                    at += 2;
                    u8::try_from(high * 16 + low).unwrap_or(b'?')
                }
                _ => b'=',
            },
            other => *other,
        });
    }
    bytes
}
