//! TLS in front of a server, with a certificate authority of its own.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, pki_types::PrivateKeyDer};

/// The names in its certificate.
const NAMES: [&str; 3] = ["localhost", "model.test", "8.8.8.8"];

/// TLS in front of a server, with a certificate of an authority of its own.
pub struct Secure {
    pub port: u16,
    /// How often it was connected to.
    connections: Arc<AtomicUsize>,
    /// The authority's certificate, `ca.pem`.
    folder: TempDir,
}

impl Secure {
    /// In front of the server at `upstream`.
    pub async fn before(upstream: &str) -> Self {
        Self::of_clients(upstream, None).await
    }

    /// The same, for clients that announce HTTP/2 only.
    pub async fn before_http2(upstream: &str) -> Self {
        Self::of_clients(upstream, Some(b"h2")).await
    }

    async fn of_clients(upstream: &str, announced: Option<&'static [u8]>) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = authority.self_signed(&key).expect("an authority");
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).expect("a file");
        let issuer = Issuer::new(authority, key);
        let server_key = KeyPair::generate().expect("a key");
        let server = CertificateParams::new(NAMES.map(str::to_owned)).expect("names");
        let server = server.signed_by(&server_key, &issuer).expect("signed");
        let private = PrivateKeyDer::try_from(server_key.serialize_der()).expect("a key");
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![server.der().clone()], private)
            .expect("a configuration");
        config.alpn_protocols = announced.map(<[u8]>::to_vec).into_iter().collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let upstream = upstream.to_owned();
        let connections = Arc::<AtomicUsize>::default();
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Relaxed);
                let (acceptor, upstream) = (acceptor.clone(), upstream.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    if stream.get_ref().1.alpn_protocol() != announced {
                        return;
                    }
                    let mut server = TcpStream::connect(upstream).await.expect("the server");
                    // Either may close first.
                    let _ = copy_bidirectional(&mut stream, &mut server).await;
                });
            }
        });
        Self {
            port,
            connections,
            folder,
        }
    }

    /// How often it was connected to.
    pub fn connections(&self) -> usize {
        self.connections.load(Relaxed)
    }

    /// The file with the authority's certificate.
    pub fn ca_file(&self) -> String {
        let file = self.folder.path().join("ca.pem");
        file.to_str().expect("a path in UTF-8").to_owned()
    }
}
