//! One client connection: HTTP/1.1 with limits against clients that are slow on purpose.

use super::request::Dispatcher;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    net::{SocketAddr, TcpStream},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::sync::watch;
use tokio_io_timeout::TimeoutWriter;

/// How long a client may take for a request's headers; also how long an idle connection is kept.
const HEADER_LIMIT: Duration = Duration::from_secs(30);
/// How long a client may take to accept a single write.
const WRITE_LIMIT: Duration = Duration::from_secs(60);
/// Bytes a request's line and headers may have together.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Serves `stream` until either side ends it, or `stopped` says to finish what is in flight.
pub async fn serve(
    dispatcher: Arc<Dispatcher>,
    stream: TcpStream,
    peer: SocketAddr,
    mut stopped: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let stream = tokio::net::TcpStream::from_std(stream)?;
    // A response that leaves in two small writes would otherwise wait 40 ms for the client's acknowledgement.
    stream.set_nodelay(true)?;
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(WRITE_LIMIT));
    let service = service_fn(|request| {
        let dispatcher = dispatcher.clone();
        async move { Ok::<_, std::convert::Infallible>(dispatcher.handle(request, peer).await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_LIMIT)
            .max_buf_size(MAX_HEADER_BYTES)
            // Whoever sent a request and closed its sending side still gets the answer.
            .half_close(true)
            .serve_connection(TokioIo::new(Box::pin(stream)), service)
    );
    tokio::select! {
        result = connection.as_mut() => return Ok(result?),
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    Ok(connection.await?)
}
