//! Sends one request: resolves the name, chooses the address, connects, and drives the connection.
//!
//! As `wasmtime_wasi_http::default_send_request`, which knows no rule for addresses, leaves Nagle's algorithm on and
//! reads the root certificates again for every request. Redirects are the caller's to follow.

use http::{Request, Response, Uri, uri::Scheme};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use kafka_net::is_special;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tower_http::timeout::TimeoutBody;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// How long anything may take that the component has set no limit for; as Spin has it.
const DEFAULT_LIMIT: Duration = Duration::from_secs(600);

/// The certificates that servers are checked against.
static TLS: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.into(),
    };
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
});

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Sends `request`, to a private address only if it `may_be_private`. Returns the response, and the
/// connection, which must be driven while the response's body is read.
pub async fn send(
    mut request: Request<WasiBody>,
    options: Option<RequestOptions>,
    may_be_private: bool,
) -> Result<
    (
        Response<WasiBody>,
        impl Future<Output = Result<(), Error>> + Send + use<>,
    ),
    Error,
> {
    let limit = |limit: fn(&RequestOptions) -> Option<Duration>| {
        options.as_ref().and_then(limit).unwrap_or(DEFAULT_LIMIT)
    };
    let connect_limit = limit(|options| options.connect_timeout);
    let first_byte_limit = limit(|options| options.first_byte_timeout);
    let silence_limit = limit(|options| options.between_bytes_timeout);
    let uri = request.uri().clone();
    let connecting = async {
        let stream = connect(&uri, may_be_private).await?;
        Ok::<_, Error>(http1::handshake(TokioIo::new(stream)).await?)
    };
    let (mut sender, connection) = timeout(connect_limit, connecting)
        .await
        .map_err(|_| Error::ConnectionTimeout)??;
    // Only a proxy would want the whole URL.
    *request.uri_mut() = match uri.path_and_query() {
        Some(path) => Uri::from(path.clone()),
        None => Uri::from_static("/"),
    };
    let mut connection = Some(Box::pin(connection));
    let response = {
        let mut answer = std::pin::pin!(timeout(first_byte_limit, sender.send_request(request)));
        loop {
            let Some(driven) = &mut connection else {
                break answer.await;
            };
            tokio::select! {
                biased;
                answered = &mut answer => break answered,
                ended = driven => {
                    connection = None;
                    ended?;
                }
            }
        }
    };
    let response = response.map_err(|_| Error::ConnectionReadTimeout)??;
    let body = |incoming| {
        TimeoutBody::new(silence_limit, incoming)
            .map_err(|error| match error.downcast::<hyper::Error>() {
                Ok(error) => Error::from(*error),
                Err(_) => Error::ConnectionReadTimeout,
            })
            .boxed_unsync()
    };
    let driving = async move {
        match connection {
            Some(connection) => Ok(connection.await?),
            None => Ok(()),
        }
    };
    Ok((response.map(body), driving))
}

async fn connect(uri: &Uri, may_be_private: bool) -> Result<Box<dyn Stream>, Error> {
    let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
    let tls = uri.scheme() == Some(&Scheme::HTTPS);
    let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let host = authority.host();
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let resolved = lookup_host((host, port)).await;
    let resolved: Vec<SocketAddr> = resolved
        .map_err(|error| Error::DnsError {
            rcode: Some(error.to_string()),
            info_code: None,
        })?
        .collect();
    if !may_be_private
        && let Some(address) = resolved.iter().find(|address| is_special(address.ip()))
    {
        // Not one of several: a name with both kinds of addresses is not an honest one.
        tracing::warn!(
            "outbound request to {authority} refused: {} is private",
            address.ip()
        );
        return Err(Error::DestinationIpProhibited);
    }
    let stream = connect_to_any(&resolved).await.map_err(Error::Connect)?;
    // Failing costs speed only.
    let _ = stream.set_nodelay(true);
    if !tls {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(host.to_owned())?;
    let stream = TlsConnector::from(TLS.clone()).connect(name, stream).await;
    Ok(Box::new(stream.map_err(Error::Tls)?))
}

async fn connect_to_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
