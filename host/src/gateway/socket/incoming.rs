//! From a client's bytes to messages.
//!
//! The WebSocket library reads and writes the heads of frames. Putting messages together is done here, because only so
//! can incomplete messages be counted before memory is taken for them, and released afterwards.

use crate::gateway::{
    Event,
    broken::Broken,
    budget::{Account, Charge},
    deflate,
};
use bytes::{Bytes, BytesMut};
use kafka_grip::event::may_be_sent;
use std::{io::Cursor, sync::Arc};
use tokio_tungstenite::tungstenite::{
    Utf8Bytes,
    protocol::frame::{
        FrameHeader,
        coding::{Control, Data, OpCode},
    },
};

/// The longest head of a frame.
const MAX_HEAD: usize = 14;
/// Bytes that the content of a control frame may have.
const MAX_CONTROL: usize = 125;
/// The least memory that is taken for a message, so that it need not grow often.
const FIRST_PIECE: usize = 1024;

/// A frame whose head has been read.
struct Frame {
    code: OpCode,
    is_last: bool,
    mask: [u8; 4],
    /// Bytes of the content that have been read.
    read: usize,
    length: usize,
}

impl Frame {
    fn left(&self) -> usize {
        self.length - self.read
    }

    /// Takes the mask off the next piece of the content.
    fn unmask(&mut self, piece: &mut [u8]) {
        let mut mask = self.mask;
        let size = mask.len();
        mask.rotate_left(self.read % size);
        for bytes in piece.chunks_mut(size) {
            for (byte, mask) in bytes.iter_mut().zip(mask) {
                *byte ^= mask;
            }
        }
        self.read += piece.len();
    }
}

/// A message that is not finished.
struct Message {
    kind: Data,
    is_compressed: bool,
    /// What has come of it.
    content: Vec<u8>,
}

/// The messages of one client, as far as they have come.
pub(super) struct Incoming {
    /// Bytes that are read but not parsed yet.
    rest: BytesMut,
    /// The beginning of a head.
    head: Vec<u8>,
    frame: Option<Frame>,
    control: Vec<u8>,
    /// The message that is not finished.
    message: Option<Message>,
    /// Messages may be compressed.
    deflate: bool,
    most: usize,
    charge: Charge,
}

impl Incoming {
    /// Nothing yet; a message may have `most` bytes, and be compressed if `deflate` was agreed on.
    pub(super) fn new(most: usize, deflate: bool, account: &Arc<Account>) -> Self {
        Self {
            rest: BytesMut::new(),
            head: Vec::new(),
            frame: None,
            control: Vec::new(),
            message: None,
            deflate,
            most,
            charge: Charge::new(account),
        }
    }

    /// Takes in what was read.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }

    /// The next message; `None` if the rest of it has not been read.
    pub(super) fn next(&mut self) -> Result<Option<Event>, Broken> {
        let mut rest = std::mem::take(&mut self.rest);
        let event = self.parse(&mut rest);
        // An empty buffer keeps no memory: most sockets are silent most of the time.
        if !rest.is_empty() {
            self.rest = rest;
        }
        event
    }

    fn parse(&mut self, rest: &mut BytesMut) -> Result<Option<Event>, Broken> {
        loop {
            let Some(frame) = &mut self.frame else {
                if rest.is_empty() {
                    return Ok(None);
                }
                self.read_head(rest)?;
                continue;
            };
            let count = frame.left().min(rest.len());
            let mut piece = rest.split_to(count);
            frame.unmask(&mut piece);
            match &mut self.message {
                Some(Message { content, .. }) if matches!(frame.code, OpCode::Data(_)) => {
                    let most = match frame.is_last {
                        true => content.len() + piece.len() + frame.left(),
                        false => self.most,
                    };
                    make_room(content, piece.len(), most, &mut self.charge)?;
                    content.extend_from_slice(&piece);
                }
                _ => self.control.extend_from_slice(&piece),
            }
            if frame.left() > 0 {
                return Ok(None);
            }
            let (code, is_last) = (frame.code, frame.is_last);
            self.frame = None;
            match code {
                OpCode::Control(kind) => {
                    let content = Bytes::from(std::mem::take(&mut self.control));
                    return control(kind, content).map(Some);
                }
                OpCode::Data(_) if is_last => return self.finish().map(Some),
                OpCode::Data(_) => {}
            }
        }
    }

    /// Reads as much of a frame's head as is there.
    fn read_head(&mut self, rest: &mut BytesMut) -> Result<(), Broken> {
        let had = self.head.len();
        let count = rest.len().min(MAX_HEAD - had);
        self.head.extend_from_slice(&rest[..count]);
        let mut cursor = Cursor::new(&self.head);
        let parsed = FrameHeader::parse(&mut cursor).map_err(|_| Broken::NoFrame)?;
        let Some((head, length)) = parsed else {
            drop(rest.split_to(count));
            return Ok(());
        };
        let used = usize::try_from(cursor.position()).map_err(|_| Broken::NoFrame)?;
        // The whole head was not there before, so something of it is in the rest.
        drop(rest.split_to(used.saturating_sub(had)));
        self.head = Vec::new();
        self.begin(&head, length)
    }

    fn begin(&mut self, head: &FrameHeader, length: u64) -> Result<(), Broken> {
        let mask = head.mask.ok_or(Broken::NoFrame)?;
        let length = usize::try_from(length).map_err(|_| Broken::TooLong)?;
        let may_be_compressed =
            self.deflate && matches!(head.opcode, OpCode::Data(Data::Text | Data::Binary));
        if (head.rsv1 && !may_be_compressed) || head.rsv2 || head.rsv3 {
            return Err(Broken::NoFrame);
        }
        match (head.opcode, &self.message) {
            (OpCode::Control(_), _) if head.is_final && length <= MAX_CONTROL => {}
            (OpCode::Data(Data::Continue), Some(_)) => {}
            (OpCode::Data(kind @ (Data::Text | Data::Binary)), None) => {
                self.message = Some(Message {
                    kind,
                    is_compressed: head.rsv1,
                    content: Vec::new(),
                });
            }
            _ => return Err(Broken::NoFrame),
        }
        if let (OpCode::Data(_), Some(Message { content, .. })) = (head.opcode, &self.message)
            && length > self.most - content.len()
        {
            return Err(Broken::TooLong);
        }
        self.frame = Some(Frame {
            code: head.opcode,
            is_last: head.is_final,
            mask,
            read: 0,
            length,
        });
        Ok(())
    }

    /// What a compressed message says. Both are charged until this returns.
    fn inflate(&mut self, compressed: &[u8]) -> Result<Vec<u8>, Broken> {
        let charge = &mut self.charge;
        deflate::inflate(compressed, self.most, |plain| {
            charge.set(compressed.len() + plain)
        })
    }

    /// The message that is whole now.
    fn finish(&mut self) -> Result<Event, Broken> {
        let Some(message) = self.message.take() else {
            return Err(Broken::NoFrame);
        };
        let mut content = match message.is_compressed {
            true => self.inflate(&message.content)?,
            false => message.content,
        };
        content.shrink_to_fit();
        self.charge.note(0);
        let content = Bytes::from(content);
        match message.kind {
            Data::Text => Utf8Bytes::try_from(content)
                .map(Event::Text)
                .map_err(|_| Broken::NoText),
            _ => Ok(Event::Binary(content)),
        }
    }
}

/// Makes room for `more` bytes of a message that will have `most`.
///
/// It grows twofold and no further than that: nothing is taken for what was only announced.
fn make_room(
    content: &mut Vec<u8>,
    more: usize,
    most: usize,
    charge: &mut Charge,
) -> Result<(), Broken> {
    let needed = content.len() + more;
    if needed <= content.capacity() {
        return Ok(());
    }
    let twofold = FIRST_PIECE.max(2 * content.capacity());
    let capacity = twofold.min(most).max(needed);
    charge.set(capacity)?;
    content.reserve_exact(capacity - content.len());
    Ok(())
}

fn control(kind: Control, content: Bytes) -> Result<Event, Broken> {
    match kind {
        Control::Ping => Ok(Event::Ping(content)),
        Control::Pong => Ok(Event::Pong(content)),
        Control::Close if content.is_empty() => Ok(Event::Close(None)),
        Control::Close if content.len() == 1 => Err(Broken::NoFrame),
        Control::Close => {
            let code = u16::from_be_bytes([content[0], content[1]]);
            let reason = Utf8Bytes::try_from(content.slice(2..)).map_err(|_| Broken::NoText)?;
            // A code that may not be sent is answered as a protocol error.
            Ok(Event::Close(Some(match may_be_sent(code) {
                true => (code, reason),
                false => (1002, Utf8Bytes::default()),
            })))
        }
        Control::Reserved(_) => Err(Broken::NoFrame),
    }
}

#[cfg(test)]
mod tests;
