//! A client's connection, whether anything is going on there, and how it is closed.

use parking_lot::Mutex;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::timeout,
};

/// How long bytes are read that a client still sends after its last answer.
const LINGER_LIMIT: Duration = Duration::from_secs(2);

/// The state of a connection.
#[derive(Default)]
pub struct Activity {
    /// A request is answered.
    serving: AtomicBool,
    /// Written bytes are not sent, because the client does not read.
    blocked: AtomicBool,
    /// The connection, when HTTP does not use it any more.
    over: Mutex<Option<TcpStream>>,
}

impl Activity {
    /// Whether the next step is the client's.
    pub fn is_idle(&self) -> bool {
        !self.serving.load(Relaxed) && !self.blocked.load(Relaxed)
    }

    /// Closes a connection that is over. If there is something that was not read, more of it is read first: the
    /// client's system would throw away the answer otherwise.
    pub async fn close(&self) {
        let Some(mut stream) = self.over.lock().take() else {
            return;
        };
        let mut rest = [0; 4096];
        if !stream.try_read(&mut rest).is_ok_and(|count| count > 0) {
            return;
        }
        let linger = async {
            stream.shutdown().await?;
            while stream.read(&mut rest).await? > 0 {}
            Ok::<_, io::Error>(())
        };
        // Whether it was all is the client's business.
        let _ = timeout(LINGER_LIMIT, linger).await;
    }

    /// A request begins.
    pub fn serve(self: &Arc<Self>) -> Serving {
        self.serving.store(true, Relaxed);
        Serving(self.clone())
    }
}

/// A request is answered until this is dropped.
pub struct Serving(Arc<Activity>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.serving.store(false, Relaxed);
    }
}

/// A connection whose activity is known.
pub struct Stream {
    inner: Option<TcpStream>,
    activity: Arc<Activity>,
}

impl Stream {
    /// Wraps a connection.
    pub fn new(inner: TcpStream, activity: Arc<Activity>) -> Self {
        Self {
            inner: Some(inner),
            activity,
        }
    }

    fn inner(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let inner = self.inner.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Ok(Pin::new(inner))
    }

    fn wrote<T>(&self, result: Poll<T>) -> Poll<T> {
        self.activity.blocked.store(result.is_pending(), Relaxed);
        result
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        *self.activity.over.lock() = self.inner.take();
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner()?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = self.inner()?.poll_write(cx, bytes);
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.inner()?.poll_write_vectored(cx, slices);
        self.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner
            .as_ref()
            .is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner()?.poll_shutdown(cx)
    }
}
