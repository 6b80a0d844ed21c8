//! Connections to the server: through the operator's proxies, and with the certificate authorities that are trusted.

use crate::outbound::dial::{Dialer, Stream};
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::timeout;
use tower::Service;

/// How long a connection may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Opens connections to a server of the operator. It may be at a private address: the operator has named it.
#[derive(Clone)]
pub(crate) struct Connector(pub(crate) Arc<Dialer>);

impl Service<Uri> for Connector {
    type Response = Open;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Open>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialer = self.0.clone();
        Box::pin(async move {
            let connecting = timeout(CONNECT_LIMIT, dialer.connect(&uri, true)).await;
            let connected = connecting.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
            let connected = connected.map_err(io::Error::other)?;
            if let Some(Some(_)) = connected.proxy {
                let text = "a proxy with a password is used for https only";
                return Err(io::Error::other(text));
            }
            Ok(Open {
                stream: TokioIo::new(connected.stream),
                is_proxy: connected.proxy.is_some(),
            })
        })
    }
}

/// An open connection.
pub(crate) struct Open {
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
