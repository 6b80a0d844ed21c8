//! Answers that take their time.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::channel::mpsc::{Receiver, Sender, channel};
use futures::{SinkExt, StreamExt};
use http_body::Frame;
use http_body_util::StreamBody;
use spin_sdk::http::{BoxBody, Response, box_body};
use spin_sdk::time;
use spin_sdk::wasip3;

/// `count` lines `tick <n>`, one every `ms` milliseconds, then a line `end`.
pub fn ticks(count: u64, ms: u64) -> Response<BoxBody> {
    streamed(move |mut sender| async move {
        for tick in 0..count {
            if sender
                .send(Bytes::from(format!("tick {tick}\n")))
                .await
                .is_err()
            {
                return;
            }
            time::sleep(Duration::from_millis(ms)).await;
        }
        // A reader that went away misses nothing it wanted.
        sender.send(Bytes::from_static(b"end\n")).await.ok();
    })
}

/// `mb` MiB, made as fast as they are read.
pub fn big(mb: u64) -> Response<BoxBody> {
    streamed(move |mut sender| async move {
        let piece = Bytes::from(vec![b'x'; 64 * 1024]);
        for _ in 0..mb * 16 {
            if sender.send(piece.clone()).await.is_err() {
                return;
            }
        }
    })
}

/// An answer whose body is what `produce` sends; one piece may wait, so the reader sets the pace.
fn streamed<F: Future<Output = ()> + 'static>(
    produce: impl FnOnce(Sender<Bytes>) -> F,
) -> Response<BoxBody> {
    let (sender, receiver): (_, Receiver<Bytes>) = channel(1);
    wasip3::spawn(produce(sender));
    let frames = receiver.map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
    Response::new(box_body(StreamBody::new(frames)))
}
