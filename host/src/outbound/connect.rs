//! How hyper-util's client opens connections: through the operator's proxies, with the certificate authorities that are
//! trusted, and to no address that is refused.

use super::dial::{Dialer, Stream, Version};
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use parking_lot::Mutex;
use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::timeout;
use tower::Service;
use wasmtime_wasi_http::Error;

/// Opens connections.
#[derive(Clone)]
pub struct Connector {
    /// The way to servers.
    pub dialer: Arc<Dialer>,
    /// Whether to private addresses, too.
    pub may_be_private: bool,
    /// What is spoken over them.
    pub version: Version,
    /// How long one may take to open.
    pub limit: Duration,
}

impl Service<Uri> for Connector {
    type Response = Open;
    type Error = NotConnected;
    type Future = Pin<Box<dyn Future<Output = Result<Open, NotConnected>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NotConnected>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self {
            dialer,
            may_be_private,
            version,
            limit,
        } = self.clone();
        Box::pin(async move {
            let connected = timeout(limit, dialer.connect(&uri, may_be_private, version)).await;
            let connected = connected.unwrap_or(Err(Error::ConnectionTimeout));
            let connected = connected.map_err(|why| NotConnected(Some(why).into()))?;
            Ok(Open {
                stream: TokioIo::new(connected.stream),
                is_proxy: connected.is_proxy,
            })
        })
    }
}

/// Why there is no connection. The client lends out only references to it, so the first who asks is given the reason.
#[derive(Debug)]
pub struct NotConnected(Mutex<Option<Error>>);

impl NotConnected {
    pub(super) fn why(&self) -> Option<Error> {
        self.0.lock().take()
    }
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0.lock() {
            Some(why) => why.fmt(f),
            None => f.write_str("no connection"),
        }
    }
}

impl std::error::Error for NotConnected {}

/// An open connection.
pub struct Open {
    stream: TokioIo<Box<dyn Stream>>,
    /// The other end is a proxy, which wants to know the whole URL.
    is_proxy: bool,
}

impl Connection for Open {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.is_proxy)
    }
}

impl Read for Open {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for Open {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
