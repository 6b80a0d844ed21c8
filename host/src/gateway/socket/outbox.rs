//! Messages for a client, as bytes that wait until the system takes them.

use crate::gateway::{
    budget::{Account, Charge},
    outgoing::{Content, Outgoing},
};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::io::AsyncWrite;
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

/// Bytes of a message that are copied to leave with others; longer ones stay where they are.
const COPIED: usize = 4 * 1024;
/// Pieces that are written at once.
const SLICES: usize = 16;

/// The bytes for one client.
pub(super) struct Outbox {
    pieces: VecDeque<Bytes>,
    /// Heads and short messages, which come after the pieces.
    tail: BytesMut,
    /// Bytes in both.
    bytes: usize,
    /// Messages may be compressed.
    deflate: bool,
    charge: Charge,
}

impl Outbox {
    /// Nothing yet; messages are compressed if `deflate` was agreed on.
    pub(super) fn new(deflate: bool, account: &Arc<Account>) -> Self {
        Self {
            pieces: VecDeque::new(),
            tail: BytesMut::new(),
            bytes: 0,
            deflate,
            charge: Charge::new(account),
        }
    }

    /// Adds a message; other values are ignored.
    pub(super) fn send(&mut self, message: Outgoing) {
        match message {
            Outgoing::Data(content) => self.put_data(&content),
            Outgoing::Ping(content) => self.put_control(Control::Ping, content),
            Outgoing::Pong(content) => self.put_control(Control::Pong, content),
            Outgoing::Close { frame, .. } => {
                let mut content = BytesMut::new();
                if let Some((code, reason)) = frame {
                    content.put_u16(code);
                    content.put_slice(reason.as_bytes());
                }
                self.put_control(Control::Close, content.freeze());
            }
            Outgoing::Drop => {}
        }
    }

    fn put_data(&mut self, content: &Content) {
        let kind = match content.is_text {
            true => Data::Text,
            false => Data::Binary,
        };
        let deflated = match self.deflate {
            true => content.deflated(),
            false => None,
        };
        let is_compressed = deflated.is_some();
        let bytes = deflated.unwrap_or(&content.bytes).clone();
        self.put(OpCode::Data(kind), is_compressed, bytes);
    }

    fn put_control(&mut self, kind: Control, content: Bytes) {
        self.put(OpCode::Control(kind), false, content);
    }

    fn put(&mut self, opcode: OpCode, is_compressed: bool, content: Bytes) {
        let head = FrameHeader {
            is_final: true,
            rsv1: is_compressed,
            opcode,
            ..FrameHeader::default()
        };
        let before = self.tail.len();
        // Writing to memory does not fail.
        let _ = head.format(content.len() as u64, &mut (&mut self.tail).writer());
        self.bytes += self.tail.len() - before + content.len();
        if content.len() <= COPIED {
            self.tail.extend_from_slice(&content);
        } else {
            self.close_tail();
            self.pieces.push_back(content);
        }
        self.charge.note(self.bytes);
    }

    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            self.pieces
                .push_back(std::mem::take(&mut self.tail).freeze());
        }
    }

    /// Writes until nothing is left.
    pub(super) fn poll_write(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.close_tail();
        while self.bytes > 0 {
            let mut slices = [IoSlice::new(&[]); SLICES];
            for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
                *slice = IoSlice::new(piece);
            }
            let count = slices.len().min(self.pieces.len());
            let written = ready!(Pin::new(&mut *io).poll_write_vectored(cx, &slices[..count]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.wrote(written);
        }
        ready!(Pin::new(io).poll_flush(cx))?;
        // Neither the pieces' list nor a buffer that was long once is kept.
        self.pieces = VecDeque::new();
        Poll::Ready(Ok(()))
    }

    fn wrote(&mut self, mut count: usize) {
        self.bytes -= count;
        self.charge.note(self.bytes);
        while let Some(piece) = self.pieces.front_mut() {
            let part = piece.len().min(count);
            piece.advance(part);
            count -= part;
            if !piece.is_empty() {
                return;
            }
            self.pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{COPIED, Outbox};
    use crate::{
        gateway::{budget::Budget, outgoing::Outgoing},
        network::Network,
    };
    use std::{future::poll_fn, net::Ipv4Addr, sync::Arc};
    use tokio::io::{AsyncReadExt, duplex};

    #[test]
    fn a_message_for_several_sockets_is_compressed_once() {
        let network = Network::of(Ipv4Addr::LOCALHOST.into());
        let account = Arc::new(Budget::new(1000)).open(network, None);
        // Compressed, it is still too long to be copied.
        let words = (0..4 * COPIED).map(|n| format!("{:x} ", n * n * 7919));
        let message = Outgoing::text(words.collect::<String>().into());
        let piece = |deflate| {
            let mut outbox = Outbox::new(deflate, &account);
            outbox.send(message.clone());
            outbox.pieces.pop_back().expect("a piece of its own")
        };
        let (first, second, plain) = (piece(true), piece(true), piece(false));
        assert_eq!(first.as_ptr(), second.as_ptr());
        assert!(first.len() < plain.len());
    }

    #[tokio::test]
    async fn messages_leave_in_order_however_long_they_are() {
        let network = Network::of(Ipv4Addr::LOCALHOST.into());
        let account = Arc::new(Budget::new(1000)).open(network, None);
        let mut outbox = Outbox::new(false, &account);
        let long = "x".repeat(COPIED + 1);
        let mut expected = Vec::new();
        for text in ["a", &long, "b", "c", &long] {
            outbox.send(Outgoing::text(text.into()));
            expected.push(0x81);
            match u8::try_from(text.len()) {
                Ok(length) => expected.push(length),
                Err(_) => {
                    expected.push(126);
                    expected.extend((text.len() as u16).to_be_bytes());
                }
            }
            expected.extend(text.as_bytes());
        }
        outbox.send(Outgoing::Close {
            frame: Some((1000, "bye".into())),
            is_known: true,
        });
        expected.extend(b"\x88\x05\x03\xe8bye");
        let (mut ours, mut theirs) = duplex(100);
        let mut received = vec![0; expected.len()];
        let write = poll_fn(|cx| outbox.poll_write(&mut ours, cx));
        let (written, read) = tokio::join!(write, theirs.read_exact(&mut received));
        written.expect("it is read");
        read.expect("it is written");
        assert!(received == expected);
        assert_eq!(outbox.bytes, 0);
        assert_eq!(outbox.pieces.capacity() + outbox.tail.capacity(), 0);
    }
}
