//! The way to another server: its addresses, a proxy if the operator has one, TLS.
//!
//! `hyper-util` reads the variables of the proxy and opens its tunnels. Connecting is our own: `hyper-util` tries the
//! addresses of one family one after another, and knows no rule for addresses.

use super::tls::Tls;
use futures::{StreamExt, stream::FuturesUnordered};
use http::{
    HeaderValue, Uri,
    uri::{Authority, Scheme},
};
use hyper_util::{
    client::{
        legacy::connect::proxy::Tunnel,
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioIo,
};
use kafka_net::{is_special, without_brackets};
use std::{
    future::ready,
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tower::{Service, service_fn};
use wasmtime_wasi_http::Error;

/// How long one address is tried alone, before the next one is tried beside it (RFC 8305, section 5).
const ATTEMPT: Duration = Duration::from_millis(250);

/// What is spoken over a connection. It is known before: no server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, which gRPC needs.
    Http2,
}

/// A connection, whatever it goes through.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection to a server, or to the proxy that forwards the request to it.
pub struct Connected {
    /// What the request is written to.
    pub stream: Box<dyn Stream>,
    /// The other end is a proxy, which wants to know the whole URL, and who asks ([`Dialer::authorization`]).
    pub is_proxy: bool,
}

/// Connects to servers as the operator wants it.
pub struct Dialer {
    tls: Tls,
    proxies: Matcher,
}

impl Dialer {
    /// Reads which certificate authorities are trusted and which proxies are used: Mozilla's list, the system's store
    /// (`SSL_CERT_FILE` and `SSL_CERT_DIR` name another one) and those in `ca_file`; `HTTPS_PROXY`, `HTTP_PROXY`,
    /// `ALL_PROXY` and `NO_PROXY`, as curl reads them.
    ///
    /// # Errors
    /// When `ca_file` can't be read or has no certificate in it.
    pub fn new(ca_file: Option<&Path>) -> anyhow::Result<Self> {
        Ok(Self {
            tls: Tls::new(ca_file)?,
            proxies: Matcher::from_env(),
        })
    }

    /// Connects to the server of `uri`, at a private address only if it `may_be_private`, to speak `version`.
    ///
    /// The rule is for the server, not for a proxy. Where it holds, the proxy gets the address that was checked, because
    /// it might find another one under the same name.
    ///
    /// # Errors
    /// When there is no such host, its address is refused, or it can't be connected to.
    pub async fn connect(
        &self,
        uri: &Uri,
        may_be_private: bool,
        version: Version,
    ) -> Result<Connected, Error> {
        let target = Target::of(uri, version)?;
        let Some(proxy) = self.proxy_for(uri, &target) else {
            let stream = self.reach(&target, may_be_private).await?;
            return Ok(Connected {
                stream,
                is_proxy: false,
            });
        };
        let checked = match may_be_private {
            true => None,
            false => {
                let addresses = target.addresses(false).await?;
                Some(*addresses.first().ok_or(Error::DestinationNotFound)?)
            }
        };
        let stream = self
            .reach(&Target::of(proxy.uri(), Version::Http1)?, true)
            .await?;
        if target.is_forwarded(may_be_private) {
            return Ok(Connected {
                stream,
                is_proxy: true,
            });
        }
        let destination = match checked {
            Some(address) => address.to_string(),
            None => format!("{}:{}", target.written, target.port),
        };
        let stream = tunnel(stream, &proxy, &destination).await?;
        Ok(Connected {
            stream: self.secure(stream, &target).await?,
            is_proxy: false,
        })
    }

    /// What a request to `uri` tells a proxy that forwards it, if that wants to know who asks. Through a tunnel the
    /// proxy has been told before.
    pub fn authorization(
        &self,
        uri: &Uri,
        may_be_private: bool,
        version: Version,
    ) -> Option<HeaderValue> {
        let target = Target::of(uri, version).ok()?;
        match target.is_forwarded(may_be_private) {
            true => self.proxy_for(uri, &target)?.basic_auth().cloned(),
            false => None,
        }
    }

    /// A connection to a server or a proxy itself.
    async fn reach(&self, target: &Target, may_be_private: bool) -> Result<Box<dyn Stream>, Error> {
        let addresses = target.addresses(may_be_private).await?;
        let stream = connect_to_any(&addresses).await.map_err(Error::Connect)?;
        self.secure(Box::new(stream), target).await
    }

    /// The proxy for a server. This machine's own ones are reached without, as browsers do it.
    fn proxy_for(&self, uri: &Uri, target: &Target) -> Option<Intercept> {
        let is_local = match target.host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => target.host == "localhost" || target.host.ends_with(".localhost"),
        };
        match is_local {
            true => None,
            false => self.proxies.intercept(uri),
        }
    }

    /// TLS over `stream` if the target speaks it.
    async fn secure(
        &self,
        stream: Box<dyn Stream>,
        target: &Target,
    ) -> Result<Box<dyn Stream>, Error> {
        match target.tls {
            true => {
                let connected = self.tls.connect(&target.host, stream, target.version);
                Ok(Box::new(connected.await?))
            }
            false => Ok(stream),
        }
    }
}

/// Whether an address has a port that there is, or none. `http` has none for one above 65535, which would be taken for the
/// usual one.
pub fn has_valid_port(authority: &Authority) -> bool {
    let text = authority.as_str();
    let text = text.rsplit_once('@').map_or(text, |(_, server)| server);
    let port = text.get(authority.host().len()..).unwrap_or_default();
    port.len() <= 1 || authority.port_u16().is_some()
}

/// A server that a URL names.
struct Target {
    /// As in the URL, an IPv6 address in brackets.
    written: String,
    /// Without brackets.
    host: String,
    port: u16,
    tls: bool,
    version: Version,
}

impl Target {
    fn of(uri: &Uri, version: Version) -> Result<Self, Error> {
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        if !has_valid_port(authority) {
            return Err(Error::HttpRequestUriInvalid);
        }
        let tls = uri.scheme() == Some(&Scheme::HTTPS);
        let written = authority.host();
        Ok(Self {
            written: written.to_owned(),
            host: without_brackets(written).to_ascii_lowercase(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
            version,
        })
    }

    /// Whether a proxy gets the request itself, where there is one: no tunnel. Proxies speak HTTP/1.1.
    fn is_forwarded(&self, may_be_private: bool) -> bool {
        !self.tls && may_be_private && self.version == Version::Http1
    }

    /// Its addresses. One private address among several is enough to refuse all of them: a name with both kinds is not
    /// an honest one.
    async fn addresses(&self, may_be_private: bool) -> Result<Vec<SocketAddr>, Error> {
        let resolved = lookup_host((self.host.as_str(), self.port)).await;
        let resolved: Vec<SocketAddr> = resolved
            .map_err(|error| Error::DnsError {
                rcode: Some(error.to_string()),
                info_code: None,
            })?
            .collect();
        let private = resolved.iter().find(|address| is_special(address.ip()));
        match private {
            Some(address) if !may_be_private => {
                tracing::warn!(
                    "outbound request to {}:{} refused: {} is private",
                    self.written,
                    self.port,
                    address.ip()
                );
                Err(Error::DestinationIpProhibited)
            }
            _ => Ok(resolved),
        }
    }
}

/// A tunnel through the proxy at the other end of `stream`.
async fn tunnel(
    stream: Box<dyn Stream>,
    proxy: &Intercept,
    destination: &str,
) -> Result<Box<dyn Stream>, Error> {
    let uri = Uri::builder()
        .scheme(Scheme::HTTPS)
        .authority(destination)
        .path_and_query("/")
        .build()
        .map_err(|_| Error::HttpRequestUriInvalid)?;
    // The way to the proxy is there already.
    let mut stream = Some(TokioIo::new(stream));
    let connected = service_fn(move |_: Uri| {
        let stream = stream.take();
        ready(stream.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected)))
    });
    let mut tunnel = Tunnel::new(proxy.uri().clone(), connected);
    if let Some(authorization) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(authorization.clone());
    }
    match tunnel.call(uri).await {
        Ok(stream) => Ok(stream.into_inner()),
        Err(error) => {
            tracing::warn!("the proxy {} opens no tunnel: {error}", proxy.uri());
            Err(Error::Connect(io::Error::other(error)))
        }
    }
}

/// Connects to the first address that answers. They are tried in the order given, families taking turns, the next one as
/// soon as an attempt has failed or taken [`ATTEMPT`] (RFC 8305).
async fn connect_to_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut waiting = taking_turns(addresses).into_iter();
    let mut trying = FuturesUnordered::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        let next = waiting.next();
        let patience = match next {
            Some(_) => ATTEMPT,
            None => Duration::MAX,
        };
        trying.extend(next.map(TcpStream::connect));
        match timeout(patience, trying.next()).await {
            Ok(Some(Ok(stream))) => {
                // Failing costs speed only.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Some(Err(error))) => last = error,
            Ok(None) => return Err(last),
            Err(_) => {}
        }
    }
}

/// The addresses, one of each family in turn, beginning with the family of the first.
fn taking_turns(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let longest = first.len().max(second.len());
    (0..longest)
        .flat_map(|index| [first.get(index), second.get(index)])
        .flatten()
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use tokio::net::TcpSocket;

    /// An address that answers nothing, not even a refusal: its queue of connections is full.
    struct Dead {
        address: SocketAddr,
        _listener: tokio::net::TcpListener,
        _queued: Vec<TcpStream>,
    }

    impl Dead {
        async fn bind(address: &str) -> Self {
            let address: SocketAddr = address.parse().expect("an address");
            let socket = match address {
                SocketAddr::V4(_) => TcpSocket::new_v4(),
                SocketAddr::V6(_) => TcpSocket::new_v6(),
            }
            .expect("a socket");
            socket.bind(address).expect("a free port");
            let listener = socket.listen(1).expect("a listener");
            let address = listener.local_addr().expect("its address");
            let mut queued = Vec::new();
            while let Ok(Ok(stream)) =
                timeout(Duration::from_millis(500), TcpStream::connect(address)).await
            {
                queued.push(stream);
            }
            Self {
                address,
                _listener: listener,
                _queued: queued,
            }
        }
    }

    #[tokio::test]
    async fn a_dead_address_hides_no_living_one() {
        let living = TcpListener::bind("127.0.0.1:0").expect("a port");
        let living = living.local_addr().expect("its address");
        for dead in ["127.0.0.2:0", "127.0.0.3:0"] {
            let dead = Dead::bind(dead).await;
            let addresses = [dead.address, living];
            // The dead one alone takes minutes.
            let stream = timeout(Duration::from_secs(30), connect_to_any(&addresses)).await;
            let stream = stream.expect("in time").expect("connected");
            assert_eq!(stream.peer_addr().expect("an address"), living);
        }
    }

    #[tokio::test]
    async fn a_refusal_is_reported_when_no_address_is_left() {
        let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = closed.local_addr().expect("its address");
        drop(closed);
        let error = connect_to_any(&[address, address])
            .await
            .expect_err("closed");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let error = connect_to_any(&[]).await.expect_err("no address");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_port_that_there_is_not_is_not_the_usual_one() {
        for (address, is_valid) in [
            ("http://a@[::1]:80/", true),
            ("http://host:65535", true),
            ("http://host:", true),
            ("https://host", true),
            ("http://host:65536", false),
            ("http://[::1]:99999/", false),
            ("https://a:b@host:99999", false),
        ] {
            let uri: Uri = address.parse().expect("an address");
            let is_target = Target::of(&uri, Version::Http1).is_ok();
            assert_eq!(is_target, is_valid, "{address}");
        }
    }

    #[test]
    fn families_take_turns() {
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let [a, b, c, d] = ["[::1]:1", "[::2]:1", "1.2.3.4:1", "1.2.3.5:1"].map(address);
        assert_eq!(taking_turns(&[a, b, c, d]), [a, c, b, d]);
        assert_eq!(taking_turns(&[c, a, b]), [c, a, b]);
        assert_eq!(taking_turns(&[]), []);
    }
}
