//! TLS to other servers, and the certificate authorities that are trusted.

use super::dial::Version;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{io, path::Path, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::OnceCell,
    task::spawn_blocking,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use wasmtime_wasi_http::Error;

/// Opens TLS connections.
pub struct Tls {
    /// Without those of the system.
    roots: RootCertStore,
    connector: OnceCell<TlsConnector>,
}

impl Tls {
    /// Trusts Mozilla's list, the system's store and the authorities in `ca_file`. The system's store is read for the
    /// first connection: that takes longer than the rest of the start, and some servers never need it.
    ///
    /// # Errors
    /// When `ca_file` can't be read or has no certificate in it.
    pub fn new(ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.into(),
        };
        if let Some(file) = ca_file {
            add_authorities(&mut roots, file)?;
        }
        Ok(Self {
            roots,
            connector: OnceCell::new(),
        })
    }

    /// TLS over `stream` to the server of that name. HTTP/2 is announced, as its servers demand (RFC 9113, section 3.2).
    ///
    /// # Errors
    /// When the server does not prove that it has the name.
    pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &str,
        stream: S,
        version: Version,
    ) -> Result<TlsStream<S>, Error> {
        let name = ServerName::try_from(host.to_owned())?;
        let connector = self.connector.get_or_try_init(async || {
            let roots = self.roots.clone();
            // Many files are read.
            let connector = spawn_blocking(|| connector(roots)).await;
            connector.map_err(|error| Error::Tls(io::Error::other(error)))
        });
        let announced = match version {
            Version::Http1 => Vec::new(),
            Version::Http2 => vec![b"h2".to_vec()],
        };
        let connector = connector.await?.with_alpn(announced);
        let connected = connector.connect(name, stream).await;
        connected.map_err(Error::Tls)
    }
}

fn connector(mut roots: RootCertStore) -> TlsConnector {
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!("a certificate of the system can't be read: {error}");
    }
    // A system's store may have old certificates that are of no use; they do no harm.
    roots.add_parsable_certificates(system.certs);
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// Adds the certificates of a PEM file.
fn add_authorities(roots: &mut RootCertStore, file: &Path) -> anyhow::Result<()> {
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| anyhow::anyhow!("--ca-file {}: {error}", file.display()))?;
    if certificates.is_empty() {
        anyhow::bail!("--ca-file {} has no certificate in it", file.display());
    }
    for certificate in certificates {
        let added = roots.add(certificate);
        added.map_err(|error| anyhow::anyhow!("--ca-file {}: {error}", file.display()))?;
    }
    Ok(())
}
