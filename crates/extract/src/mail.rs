//! E-mails (EML), by `mail-parser`: who wrote to whom and when, the text, the names of attachments.

use mail_parser::{Address, Message, MessageParser, MimeHeaders, PartType};

use crate::{
    Failure,
    html::{self, Title},
    output::Output,
};

/// How deeply e-mails that are attached to e-mails are read.
const MAX_DEPTH: usize = 4;

/// Writes the text of an e-mail.
pub(crate) fn read(bytes: &[u8], out: &mut Output) -> Result<(), Failure> {
    let message = MessageParser::default()
        .parse(bytes)
        .ok_or(Failure::Broken("an e-mail"))?;
    write(&message, 0, out);
    Ok(())
}

fn write(message: &Message<'_>, depth: usize, out: &mut Output) {
    for (name, addresses) in [
        ("From", message.from()),
        ("To", message.to()),
        ("Cc", message.cc()),
    ] {
        if let Some(addresses) = addresses {
            field(name, &names(addresses), out);
        }
    }
    if let Some(date) = message.date() {
        field("Date", &date.to_rfc3339(), out);
    }
    if let Some(subject) = message.subject() {
        field("Subject", subject, out);
    }
    out.paragraph();
    for part in message.text_bodies() {
        match &part.body {
            PartType::Text(text) => {
                out.verbatim(text.trim());
                out.paragraph();
            }
            PartType::Html(page) => html::write(page, Title::LeftOut, out),
            _ => {}
        }
    }
    for part in message.attachments() {
        out.line();
        match (&part.body, part.attachment_name()) {
            (PartType::Message(inner), _) if depth < MAX_DEPTH => {
                out.paragraph();
                write(inner, depth + 1, out);
            }
            (_, Some(name)) => out.write(&format!("[Attachment: {name}]")),
            _ => {}
        }
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
