//! Mailboxes (MBOX): e-mails one after the other, each after a line that begins with `From `.

use std::borrow::Cow;

/// What stands before each e-mail.
const MARK: &[u8] = b"From ";

/// The e-mails of a mailbox, or the one that these bytes are.
pub(super) fn messages(bytes: &[u8]) -> Vec<Cow<'_, [u8]>> {
    if !bytes.starts_with(MARK) {
        return vec![bytes.into()];
    }
    let mut messages = Vec::new();
    let mut begin = 0;
    let mut is_after_blank = true;
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        if is_after_blank && line.starts_with(MARK) && is_header(&bytes[next..]) {
            if at > begin {
                messages.push(unquoted(&bytes[begin..at]));
            }
            begin = next;
        }
        is_after_blank = line.trim_ascii().is_empty();
        at = next;
    }
    messages.push(unquoted(&bytes[begin..]));
    messages
}

/// Whether bytes begin with a field of a header.
fn is_header(bytes: &[u8]) -> bool {
    let name = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-')
        .count();
    name > 0 && bytes.get(name) == Some(&b':')
}

/// An e-mail in whose text `>From ` is `From ` again.
fn unquoted(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memmem::find(bytes, b">From ").is_none() {
        return bytes.into();
    }
    let mut whole = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let quotes = line.iter().take_while(|byte| **byte == b'>').count();
        let is_quoted = quotes > 0 && line[quotes..].starts_with(MARK);
        whole.extend_from_slice(&line[usize::from(is_quoted)..]);
    }
    whole.into()
}
