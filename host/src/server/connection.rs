//! One client connection: HTTP/1.1 with limits against clients that are slow on purpose, and then perhaps a WebSocket.

use super::Front;
use crate::gateway::{self, Gateway, Socket};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use std::{
    convert::Infallible,
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

/// A socket that is to be run when HTTP is over on its connection, and the gateway it belongs to.
type Opened = Mutex<Option<(Arc<Gateway>, Socket)>>;

/// Serves `stream` until either side ends it, or `stopped` says to finish what is in flight.
pub async fn serve(
    front: Arc<Front>,
    stream: TcpStream,
    peer: SocketAddr,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let stream = tokio::net::TcpStream::from_std(stream)?;
    // A response that leaves in two small writes would otherwise wait 40 ms for the client's acknowledgement.
    stream.set_nodelay(true)?;
    let opened = Arc::new(Opened::default());
    let served = serve_http(&front, stream, peer, stopped.clone(), &opened).await;
    // Even if its client left before the handshake's answer: the backend has opened the socket, and is to hear of it.
    let socket = opened.lock().take();
    if let Some((gateway, socket)) = socket {
        gateway::run(socket, &gateway, &front.backend, stopped).await;
    }
    served
}

async fn serve_http(
    front: &Arc<Front>,
    stream: tokio::net::TcpStream,
    peer: SocketAddr,
    mut stopped: watch::Receiver<bool>,
    opened: &Arc<Opened>,
) -> anyhow::Result<()> {
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(WRITE_LIMIT));
    let service = service_fn(|request| {
        let (front, opened) = (front.clone(), opened.clone());
        async move {
            let response = match &front.gateway {
                Some(gateway) if gateway::wants_socket(&request) => {
                    let (response, socket) =
                        gateway::open(gateway, &front.backend, request, peer).await;
                    *opened.lock() = socket.map(|socket| (gateway.clone(), socket));
                    response
                }
                _ => front.backend.handle(request, peer).await,
            };
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .max_buf_size(MAX_HEADER_BYTES)
        // Whoever sent a request and closed its sending side still gets the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        result = connection.as_mut() => return Ok(result?),
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    Ok(connection.await?)
}
